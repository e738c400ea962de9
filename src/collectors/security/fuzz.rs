//! What must hold whatever stands in the files, and comes in the answers, that the score is made of.

pub(crate) use super::facts::fuzz::file as facts;
pub(crate) use super::firewall::fuzz::rules as firewall;
pub(crate) use super::front::fuzz::answers as front;
pub(crate) use super::outside::fuzz::{offers, page};
pub(crate) use super::shop::fuzz::{configuration as shop, manifest};

use super::{backends, facts, firewall, front, outside, system};

/// Files of the host, and what its programs print: the first line names which, the rest is its text.
pub(crate) fn host(bytes: &[u8]) {
    let Some(end) = memchr::memchr(b'\n', bytes) else { return };
    let (Ok(name), content) = (str::from_utf8(&bytes[..end]), &bytes[end + 1..]) else { return };
    let text = String::from_utf8_lossy(content);
    match name {
        "cron" => outside::fuzz::cron(&text),
        "fail2ban" => facts::fuzz::jails(&text),
        "logrotate" => front::fuzz::rotations(&text),
        "routes" => firewall::fuzz::routes(&text),
        "php" => backends::fuzz::script(content),
        "dpkg" | "os-release" | "php.ini" | "status" => backends::fuzz::file(name, &text),
        _ => system::fuzz::file(name, &text),
    }
}
