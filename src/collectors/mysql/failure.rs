//! What a failed connect or statement means: from the server's errors to one of our reasons.

use std::io;

use crate::collector::{Failure, Reason};

/// How much of an error's text is kept: a peer that is no MySQL server may answer anything.
const TEXT_BYTES: usize = 400;

/// The failure that the server says, with its code.
pub(super) fn server(code: u16, message: &str) -> Failure {
    let kept = &message[..message.floor_char_boundary(TEXT_BYTES)];
    let cut = if kept.len() < message.len() { "…" } else { "" };
    Failure::message(of_code(code), format!("{kept}{cut} ({code})"))
}

/// A failed read, write or handshake of TLS.
pub(super) fn io(error: io::Error) -> Failure {
    if error.get_ref().is_some_and(<dyn std::error::Error + Send + Sync>::is::<rustls::Error>) {
        return Failure::new(Reason::Tls, error);
    }
    Failure::io(error)
}

/// Codes of the MySQL and MariaDB reference manuals ("Server Error Message Reference", "MariaDB Error Codes").
const fn of_code(code: u16) -> Reason {
    match code {
        // Access denied, host not allowed, old or expired password, locked account.
        1045 | 1130 | 1251 | 1275 | 1524 | 1698 | 1820 | 1862 | 3118 | 4151 => Reason::Auth,
        // A schema, table, column, routine or privilege we lack.
        1044 | 1095 | 1142 | 1143 | 1227 | 1370 | 1419 => Reason::Permission,
        // Too many connections, of all or of ours; too many errors from this host; an oversized packet.
        1040 | 1129 | 1153 | 1203 | 1226 => Reason::Limit,
        // Lock wait; interrupted; max_statement_time (MariaDB); max_execution_time (MySQL).
        1205 | 1317 | 1969 | 3024 => Reason::Timeout,
        // Shutting down; the connection was killed or timed out.
        1053 | 1927 | 4031 => Reason::Connect,
        // The account or the server demands TLS.
        3159 => Reason::Tls,
        _ => Reason::Protocol,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn servers_codes_have_their_reasons() {
        for (code, reason) in [
            (1045, Reason::Auth),
            (1227, Reason::Permission),
            (1040, Reason::Limit),
            (1969, Reason::Timeout),
            (3159, Reason::Tls),
            (1064, Reason::Protocol),
        ] {
            let failure = server(code, "what the server says");
            assert_eq!(failure.reason, reason, "{code}");
            assert_eq!(failure.to_string(), format!("what the server says ({code})"));
        }
    }

    #[test]
    fn a_long_text_is_cut_short() {
        let failure = server(1064, &"ä".repeat(100_000));
        assert!(failure.to_string().len() < 500);
        assert!(failure.to_string().ends_with("… (1064)"), "{failure}");
    }
}
