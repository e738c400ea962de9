//! Where and when a run was made, and with what.

use std::fs;
use std::time::SystemTime;

use crate::support::generation::Generation;
use crate::support::mariadb::{block_on, is_mariadb};
use crate::support::stack::Stack;

/// What the figures depend on.
pub(crate) struct Machine {
    pub(crate) date: String,
    pub(crate) processors: String,
    pub(crate) kernel: String,
    pub(crate) debian: String,
    /// How many processes wanted a processor in the minute before.
    pub(crate) load: String,
}

impl Machine {
    pub(crate) fn now() -> Self {
        let read = |path| fs::read_to_string(path).unwrap();
        let info = read("/proc/cpuinfo");
        let models: Vec<_> =
            info.lines().filter_map(|line| line.strip_prefix("model name")?.split_once(": ")).collect();
        let model = models.first().map_or("a processor without a name", |(_, model)| model);
        let now = humantime::format_rfc3339_seconds(SystemTime::now()).to_string();
        Self {
            date: now.split('T').next().unwrap_or_default().to_owned(),
            processors: format!("{} × {model}", models.len()),
            kernel: read("/proc/sys/kernel/osrelease").trim().to_owned(),
            debian: Generation::installed().name(),
            load: read("/proc/loadavg").split(' ').next().unwrap_or_default().to_owned(),
        }
    }
}

/// The servers of the stack with their versions, as they say them.
pub(crate) fn servers(stack: &Stack) -> String {
    let database = block_on(stack.database().ask("SELECT VERSION()"))[0][0].clone();
    let database = if is_mariadb() { database } else { format!("MySQL {database}") };
    let nginx = stack.nginx.get("/stub_status");
    let script = stack.php_fpm().script("version.php", "<?php echo PHP_VERSION;");
    let php = stack.php_fpm().run("shop", &script, &[]).answer();
    let (_, php) = php.split_once("\r\n\r\n").unwrap_or_default();
    let redis = stack.redis.info("redis_version");
    format!("{database}, Redis {redis}, {}, PHP-FPM {php}", nginx.header("server").unwrap_or("nginx"))
}
