//! What must hold whatever a TLS server says in clear, and whatever its certificates hold.

use std::time::Duration;

use futures_util::FutureExt as _;
use rustls::pki_types::{ServerName, UnixTime};

use crate::collector::{Failure, Reason};
use crate::fuzz::judge;
use crate::snapshot::Snapshot;
use crate::tls::examine::examine;
use crate::tls::flight::{Answer, Wanted, read};
use crate::tls::inspection::{Inspection, Session};
use crate::tls::suites;
use crate::tls::trust::Roots;

/// An answer of any bytes: read alike however it is cut into records, and its certificates examined.
pub(crate) fn answer(bytes: &[u8]) {
    let choice = answered(bytes, Wanted::Choice);
    let whole = answered(bytes, Wanted::Certificates);
    // Which of two faults is met first depends on the cuts; an answer does not.
    if let (Ok(whole), Some(cut)) = (&whole, in_small_records(bytes)) {
        assert_eq!(Some(whole), answered(&cut, Wanted::Certificates).as_ref().ok());
    }
    let Ok(Answer::Agreed(flight)) = whole else { return };
    match choice {
        Ok(Answer::Agreed(chosen)) => assert_eq!((chosen.version, chosen.suite), (flight.version, flight.suite)),
        other => panic!("certificates without a choice: {other:?}"),
    }
    let sent = flight.certificates.unwrap_or_default();
    assert!(sent.iter().map(|one| one.len() + 3).sum::<usize>() <= bytes.len());
    let provider = rustls::crypto::ring::default_provider();
    let name = ServerName::try_from("shop.example").expect("a name");
    let now = UnixTime::since_unix_epoch(Duration::from_secs(1_795_392_001));
    let certificates = examine(&sent, &name, &Roots::of(&sent), &provider, now);
    assert!(certificates.problems.iter().all(|problem| problem.to_string().len() < 4_000));
    let session = Session {
        version: suites::version(flight.version),
        cipher: suites::name(flight.suite),
        group: None,
        alpn: None,
    };
    let inspection = Inspection { session: Some(session), certificates };
    assert_eq!(
        inspection.check().is_ok(),
        inspection.certificates.path_ends.is_some() && inspection.certificates.problems.is_empty()
    );
    let mut out = Snapshot::default();
    inspection.report(&mut out);
    judge(out, bytes);
}

fn answered(mut bytes: &[u8], wanted: Wanted) -> Result<Answer, Failure> {
    let answer = read(&mut bytes, wanted).now_or_never().expect("nothing is waited for");
    if let Err(failure) = &answer {
        assert!(matches!(failure.reason, Reason::Protocol | Reason::Limit), "{failure}");
    }
    answer
}

/// The same messages in records of seven bytes at most; `None` when there are other records than of a handshake.
fn in_small_records(mut bytes: &[u8]) -> Option<Vec<u8>> {
    let mut cut = Vec::new();
    while let [22, major, minor, high, low, rest @ ..] = bytes {
        let (record, rest) = rest.split_at_checked(usize::from(u16::from_be_bytes([*high, *low])))?;
        for piece in record.chunks(7) {
            cut.extend([22, *major, *minor, 0, u8::try_from(piece.len()).ok()?]);
            cut.extend(piece);
        }
        bytes = rest;
    }
    bytes.is_empty().then_some(cut)
}
