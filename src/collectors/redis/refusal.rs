//! What a server says no with: the reason it is, and whether to ask again.

use redis::{ServerError, Value};

use crate::collector::{Failure, Reason};

use super::connection::Question;

/// Why a question is not asked again on this connection: each refusal would stand in the server's `ACL LOG` or count
/// as an error there.
pub(super) enum Refusal {
    Denied(String),
    Unsupported,
}

/// Whether an error means that asking again on this connection is of no use.
pub(super) fn refusal(question: Question, error: &ServerError) -> Option<Refusal> {
    let details = error.details().unwrap_or_default();
    match error.code() {
        "NOPERM" => {
            let right = question.command.to_lowercase().replace(' ', "|");
            Some(Refusal::Denied(format!("{} is not allowed; grant it with +{right}", question.command)))
        }
        // A command that this version does not have, or that its hoster took away.
        "ERR" if details.to_lowercase().starts_with("unknown ") => Some(Refusal::Unsupported),
        _ => None,
    }
}

/// What a refused login says. Only the code: a server that does not know `AUTH` repeats its arguments.
pub(super) fn login_refusal(error: &ServerError) -> String {
    match error.code() {
        "WRONGPASS" => "the server does not know this user and password (WRONGPASS)".to_owned(),
        _ => "the server refused the user and password; see its ACL or requirepass setting".to_owned(),
    }
}

/// How much of an error's text is kept: a server that lies may say anything.
const TEXT_BYTES: usize = 400;

/// An error that a server answered with, and the reason it is. A server that does not know a command repeats its
/// arguments, which are keys: those are left out.
pub(super) fn server_failure(error: &ServerError) -> Failure {
    let details = error.details().unwrap_or_default();
    let details = details.split(", with args ").next().unwrap_or_default();
    let details = &details[..details.floor_char_boundary(TEXT_BYTES)];
    let code = &error.code()[..error.code().floor_char_boundary(TEXT_BYTES)];
    let reason = match error.code() {
        "NOAUTH" | "WRONGPASS" | "DENIED" => Reason::Auth,
        "NOPERM" => Reason::Permission,
        "LOADING" | "BUSY" | "TRYAGAIN" => Reason::Timeout,
        "MASTERDOWN" | "CLUSTERDOWN" => Reason::Stale,
        "ERR" if details.starts_with("max number of clients") => Reason::Connect,
        _ => Reason::Protocol,
    };
    Failure::message(reason, format!("the server says {code}: {details}"))
}

/// The text of a reply.
///
/// # Errors
/// When the server answered with an error, or with something else than text.
pub(super) fn text(value: &Value) -> Result<String, Failure> {
    match value {
        Value::BulkString(bytes) => Ok(String::from_utf8_lossy(bytes).into_owned()),
        Value::SimpleString(text) => Ok(text.clone()),
        Value::ServerError(error) => Err(server_failure(error)),
        _ => Err(Failure::message(Reason::Protocol, "a reply that is not text")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn error(line: &str) -> ServerError {
        match redis::parse_redis_value(format!("-{line}\r\n").as_bytes()) {
            Ok(Value::ServerError(error)) => error,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn every_refusal_has_its_reason() {
        for (line, reason) in [
            ("NOAUTH Authentication required.", Reason::Auth),
            ("DENIED Redis is running in protected mode", Reason::Auth),
            ("NOPERM User vitrin has no permissions to run the 'info' command", Reason::Permission),
            ("LOADING Redis is loading the dataset in memory", Reason::Timeout),
            ("BUSY Redis is busy running a script.", Reason::Timeout),
            ("MASTERDOWN Link with MASTER is down", Reason::Stale),
            ("ERR max number of clients reached", Reason::Connect),
            ("ERR something else", Reason::Protocol),
        ] {
            assert_eq!(server_failure(&error(line)).reason, reason, "{line}");
        }
    }

    #[test]
    fn a_refused_login_repeats_nothing_the_server_said() {
        let said = login_refusal(&error("ERR unknown command 'AUTH', with args beginning with: 'me' 'hunter2'"));
        assert!(!said.contains("hunter2") && !said.contains("me'"), "{said}");
        assert!(!login_refusal(&error("HUNTER2 hunter2")).to_lowercase().contains("hunter2"));
    }

    #[test]
    fn a_server_s_words_are_kept_short_and_without_keys() {
        let said = server_failure(&error("ERR unknown command 'MEMORY', with args beginning with: 'USAGE' 'cart:7' "));
        assert_eq!(said.to_string(), "the server says ERR: unknown command 'MEMORY'");
        let said = server_failure(&error(&format!("{} {}", "A".repeat(5_000), "ü".repeat(5_000))));
        assert!(said.to_string().len() < 1_000);
    }

    #[test]
    fn only_lasting_refusals_are_remembered() {
        let question = Question { command: "SLOWLOG LEN", argument: None };
        let of = |line| refusal(question, &error(line));
        assert!(matches!(of("NOPERM no"), Some(Refusal::Denied(message)) if message.ends_with("+slowlog|len")));
        assert!(matches!(of("ERR unknown command 'slowlog'"), Some(Refusal::Unsupported)));
        assert!(matches!(of("ERR Unknown subcommand or wrong number"), Some(Refusal::Unsupported)));
        assert!(of("LOADING Redis is loading the dataset in memory").is_none());
    }
}
