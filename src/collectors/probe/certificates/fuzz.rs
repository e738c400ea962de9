//! What must hold whatever a file of certificates holds.

use super::{Found, dates};
use crate::collector::Reason;
use crate::fuzz::judge;
use crate::snapshot::Snapshot;

/// A file of any bytes.
pub(crate) fn file(bytes: &[u8]) {
    let mut found = Found::default();
    match dates(bytes) {
        Ok(dates) => {
            assert!(dates.chain <= dates.leaf, "{dates:?}");
            found.files.push(("/etc/ssl/shop.pem".to_owned(), dates));
        }
        Err(failure) => {
            assert!(matches!(failure.reason, Reason::Protocol | Reason::Limit), "{failure}");
            assert!(failure.to_string().len() < 500, "{failure}");
            found.troubles.push(failure);
        }
    }
    let mut out = Snapshot::default();
    found.report(&mut out);
    judge(out, bytes);
}
