//! What a message is about, by how PHP, its extensions and FPM begin it.
//!
//! Messages hold what visitors send: an array's key, a file's name, a URL. Where a message says what it is about at its
//! beginning or end, it is looked for nowhere else.

use memchr::memmem;

use super::entry::{Kind, Level};

/// How much of a message is looked at where something may stand anywhere in it.
const LOOKED_AT: usize = 1 << 10;

/// What PHP says of the database before it says anything else: functions and methods of its extensions, mysqlnd's own
/// messages, and WordPress' log.
const DATABASE: [&[u8]; 8] = [
    b"mysqli",
    b"PDO::",
    b"PDOStatement::",
    b"pg_",
    b"MySQL server has gone away",
    b"Error while sending ",
    b"Packets out of order.",
    b"WordPress database error ",
];

/// The exceptions of the database's clients, as they end: frameworks have names of their own before them.
const DATABASE_EXCEPTIONS: [&[u8]; 6] = [
    b"PDOException",
    b"mysqli_sql_exception",
    // Laravel, Doctrine, Zend (Magento).
    b"QueryException",
    b"DBALException",
    b"ConnectionException",
    b"Zend_Db_Adapter_Exception",
];

/// What an exception of a shop says that has no class of its own for its database: OpenCart's.
const DATABASE_TEXTS: [&[u8]; 5] = [
    b"SQLSTATE[",
    b"MySQL server has gone away",
    b"Lost connection to ",
    b"<br />Error No: ",
    b"Could not make a database link",
];

/// What PHP says of Redis: the extension's and Predis' names.
const REDIS: [&[u8]; 4] = [b"Redis::", b"RedisCluster::", b"RedisException", b"Predis\\"];

/// How OPcache begins its messages.
const OPCACHE: [&[u8]; 5] = [b"Zend OPcache", b"OPcache", b"opcache", b"preload", b"JIT "];

/// The signals of a crash.
const CRASHES: [&[u8]; 7] = [b"SIGSEGV", b"SIGBUS", b"SIGILL", b"SIGFPE", b"SIGABRT", b"SIGSYS", b"SIGTRAP"];

/// Of a message of PHP's, without its level.
pub(super) fn of_php(level: Level, message: &[u8]) -> Kind {
    if level == Level::Fatal {
        if message.starts_with(b"Allowed memory size of ") || message.starts_with(b"Out of memory") {
            return Kind::Memory;
        }
        if message.starts_with(b"Maximum execution time of ") || message.starts_with(b"Maximum call time") {
            return Kind::Timeout;
        }
    }
    let head = &message[..message.len().min(LOOKED_AT)];
    if has_any(head, &[b"No space left on device", b"Disk quota exceeded"]) {
        return Kind::DiskFull;
    }
    if let Some(exception) = message.strip_prefix(b"Uncaught ") {
        return of_exception(exception);
    }
    let begins = |with: &[&[u8]]| with.iter().any(|with| message.starts_with(with));
    if begins(&DATABASE) {
        Kind::Database
    } else if begins(&REDIS) {
        Kind::Redis
    } else if begins(&OPCACHE) {
        Kind::Opcache
    } else {
        Kind::Other
    }
}

/// Of an exception that nobody caught: `PDOException: SQLSTATE[HY000] [2002] Connection refused in …`.
fn of_exception(exception: &[u8]) -> Kind {
    let head = &exception[..exception.len().min(LOOKED_AT)];
    let class = &head[..memchr::memchr2(b':', b' ', head).unwrap_or(head.len())];
    if DATABASE_EXCEPTIONS.iter().any(|name| class.ends_with(name)) || has_any(head, &DATABASE_TEXTS) {
        Kind::Database
    } else if class.ends_with(b"RedisException") || class.starts_with(b"Predis\\") {
        Kind::Redis
    } else {
        Kind::Exception
    }
}

/// Of a message of FPM's, without its level and its pool.
pub(super) fn of_fpm(message: &[u8]) -> Kind {
    if let Some(child) = of_child(message) {
        return child;
    }
    for (beginning, kind) in [
        (&b"server reached "[..], Kind::MaxChildren),
        (b"The maximum number of processes has been reached", Kind::MaxChildren),
        (b"seems busy ", Kind::Busy),
        (b"failed processes threshold ", Kind::Restart),
        (b"Primary script unknown", Kind::Script),
        (b"Access to the script ", Kind::Script),
    ] {
        if message.starts_with(beginning) {
            return kind;
        }
    }
    Kind::Other
}

/// Of what FPM says of a worker: `child 7 exited on signal 11 (SIGSEGV) after 12.3 seconds from start`.
fn of_child(message: &[u8]) -> Option<Kind> {
    let rest = message.strip_prefix(b"child ")?;
    let rest = &rest[rest.iter().position(|byte| !byte.is_ascii_digit())?..];
    if let Some(signal) = rest.strip_prefix(b" exited on signal ") {
        let name = &signal[memchr::memchr(b'(', signal)? + 1..];
        let crashed = CRASHES.iter().any(|crash| name.starts_with(crash));
        return Some(if crashed { Kind::Crash } else { Kind::Killed });
    }
    if rest.starts_with(b" exited with code ") {
        return Some(Kind::Exited);
    }
    // The script's path and the URL, which anybody can send, are in between.
    if rest.starts_with(b", script '") {
        return match rest {
            _ if rest.ends_with(b" sec), terminating") => Some(Kind::Timeout),
            _ if rest.ends_with(b" sec), logging") => Some(Kind::Slow),
            _ => None,
        };
    }
    None
}

fn has_any(text: &[u8], parts: &[&[u8]]) -> bool {
    parts.iter().any(|part| memmem::find(text, part).is_some())
}
