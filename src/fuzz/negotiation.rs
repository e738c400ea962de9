//! `Accept` and `Accept-Encoding`.

use crate::config::exposition::Exposition;
use crate::exposition::{Format, accepts_gzip};

/// A header of any text.
pub(super) fn accept(bytes: &[u8]) {
    let header = String::from_utf8_lossy(bytes);
    let format = format_for(&header);
    assert_eq!(format_for(format.content_type()), format, "what is answered can be asked for");
    // But for the name of a message in protobuf.
    let upper = format_for(&header.to_ascii_uppercase());
    assert!(upper == format || matches!(format, Format::Protobuf { .. }), "upper and lower case are one");
    assert_eq!(format_for(&format!("{header}, image/png")), format, "another wish changes nothing");
    assert_eq!(format_for(&format!("image/png, {header}")), format, "nor does it in the first place");

    let gzip = accepts_gzip(&header);
    assert_eq!(accepts_gzip(&header.to_ascii_uppercase()), gzip, "upper and lower case are one");
    assert_eq!(accepts_gzip(&format!("{header}, br;q=0.5")), gzip, "another coding changes nothing");
}

fn format_for(header: &str) -> Format {
    crate::exposition::format_for(header, Exposition::default())
}
