//! What an entry of an error log is: who wrote it, how bad it is, and what it is about. All three are closed sets.

use crate::collectors::access_log::classes::class;

class! {
    /// Who wrote it: the label `source`.
    Source {
        /// FPM's master, about itself and its workers.
        Fpm = "fpm",
        /// PHP, about the shop's code.
        Php = "php",
    }
}

class! {
    /// How bad it is: the label `level`.
    Level {
        /// FPM's `ALERT`: it cannot go on.
        Alert = "alert",
        /// FPM's `ERROR`, OPcache's `Error`, and what PHP has no name for (`Unknown error`).
        Error = "error",
        /// A warning of either.
        Warning = "warning",
        /// A notice of either, PHP 7's `Strict Standards`, OPcache's `Message`.
        Notice = "notice",
        /// FPM's `DEBUG`, OPcache's `Debug`.
        Debug = "debug",
        /// PHP's `Fatal error` and `Recoverable fatal error`: the page ended there.
        Fatal = "fatal",
        /// PHP's `Parse error`: the file cannot be run at all.
        Parse = "parse",
        /// PHP's `Deprecated`.
        Deprecated = "deprecated",
        /// What the shop's code wrote with `error_log()`.
        Message = "message",
    }
}

class! {
    /// What it is about: the label `kind`.
    Kind {
        /// The memory that a request may have was used up (`memory_limit`), or the machine's.
        Memory = "memory",
        /// Took too long: `max_execution_time`, `request_terminate_timeout`.
        Timeout = "timeout",
        /// An exception that nobody caught.
        Exception = "exception",
        /// The database, or the way to it.
        Database = "database",
        /// Redis, or the way to it.
        Redis = "redis",
        /// A full disk or a used-up quota.
        DiskFull = "disk_full",
        /// OPcache and its compiler.
        Opcache = "opcache",
        /// A worker that crashed: SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGABRT, SIGSYS, SIGTRAP.
        Crash = "crash",
        /// A worker ended by another signal: SIGKILL of a machine out of memory, SIGTERM of a timeout.
        Killed = "killed",
        /// A worker that ended with a code, at level `warning` another than 0.
        Exited = "exited",
        /// `pm.max_children` or `process.max` was reached.
        MaxChildren = "max_children",
        /// A pool that has to start workers as fast as it can.
        Busy = "busy",
        /// A request slower than `request_slowlog_timeout`.
        Slow = "slow",
        /// FPM starts anew, since too many workers failed (`emergency_restart_threshold`).
        Restart = "restart",
        /// A script was asked for that is not there (`Primary script unknown`), or may not be run.
        Script = "script",
        /// A line that a worker wrote to its output by itself (`catch_workers_output`).
        Output = "output",
        /// Everything else.
        Other = "other",
    }
}

/// One entry of a log.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Entry {
    pub(super) source: Source,
    pub(super) level: Level,
    pub(super) kind: Kind,
}

impl Entry {
    /// One of FPM's own.
    pub(super) const fn fpm(level: Level, kind: Kind) -> Self {
        Self { source: Source::Fpm, level, kind }
    }

    /// One of PHP's.
    pub(super) const fn php(level: Level, kind: Kind) -> Self {
        Self { source: Source::Php, level, kind }
    }
}
