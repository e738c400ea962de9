//! What a failed connect or statement means: from the driver's and the server's errors to one of our reasons.

use std::error::Error as _;
use std::io;

use mysql_async::{DriverError, Error, IoError};

use crate::collector::{Failure, Reason};

/// How much of an error's text is kept: a peer that is no MySQL server may answer anything.
const TEXT_BYTES: usize = 400;

/// The failure behind a driver's error.
pub(super) fn of(error: &Error) -> Failure {
    let reason = match error {
        Error::Server(error) => of_code(error.code),
        Error::Io(IoError::Tls(_)) => Reason::Tls,
        Error::Io(IoError::Io(error)) => of_io(error),
        Error::Driver(error) => of_driver(error),
        Error::Other(_) | Error::Url(_) => Reason::Protocol,
    };
    let mut text = match error {
        // The payload of an unexpected packet is for a debugger, not for a log.
        Error::Driver(DriverError::UnexpectedPacket { .. }) => "not an answer of a MySQL server".to_owned(),
        Error::Server(error) => format!("{} ({})", error.message, error.code),
        Error::Io(error) => error.source().map_or_else(|| error.to_string(), ToString::to_string),
        other => other.source().map_or_else(|| other.to_string(), ToString::to_string),
    };
    if text.len() > TEXT_BYTES {
        text.truncate(text.floor_char_boundary(TEXT_BYTES));
        text.push('…');
    }
    Failure::message(reason, text)
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

fn of_io(error: &io::Error) -> Reason {
    match error.get_ref() {
        Some(inner) if inner.is::<rustls::Error>() => Reason::Tls,
        // The only errors of its own that the driver's packet reader has are about size.
        Some(inner) if inner.to_string().contains("max_allowed_packet") => Reason::Limit,
        _ => Failure::io(io::Error::from(error.kind())).reason,
    }
}

fn of_driver(error: &DriverError) -> Reason {
    match error {
        DriverError::UnknownAuthPlugin { .. }
        | DriverError::CleartextPluginDisabled
        | DriverError::MysqlOldPasswordDisabled => Reason::Auth,
        DriverError::NoClientSslFlagFromServer => Reason::Tls,
        DriverError::PacketTooLarge => Reason::Limit,
        DriverError::ConnectionClosed => Reason::Connect,
        _ => Reason::Protocol,
    }
}

/// The names in a certificate that is good but for another host, as the TLS library reports them
/// (`DnsName("db.example")`): what `verify-ca` has to accept.
pub(super) fn presented_name(error: &Error) -> Option<String> {
    let Error::Io(IoError::Io(error)) = error else { return None };
    let rustls::Error::InvalidCertificate(rustls::CertificateError::NotValidForNameContext { presented, .. }) =
        error.get_ref()?.downcast_ref()?
    else {
        return None;
    };
    presented.iter().find_map(|name| {
        let inner = name.split_once('(').map_or(name.as_str(), |(_, rest)| rest.trim_end_matches(')'));
        let name = inner.trim_matches('"').replace('*', "any");
        rustls::pki_types::ServerName::try_from(name.clone()).ok().map(|_| name)
    })
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
            let error = Error::Server(mysql_async::ServerError {
                code,
                message: "what the server says".to_owned(),
                state: "HY000".to_owned(),
            });
            let failure = of(&error);
            assert_eq!(failure.reason, reason, "{code}");
            assert_eq!(failure.to_string(), format!("what the server says ({code})"));
        }
    }

    #[test]
    fn a_stranger_s_answer_is_not_repeated() {
        let error = Error::Driver(DriverError::UnexpectedPacket { payload: vec![b'x'; 100_000] });
        assert_eq!(of(&error).to_string(), "not an answer of a MySQL server");
        let error = Error::Other("y".repeat(100_000).into());
        assert!(of(&error).to_string().len() < 500);
    }
}
