//! Where FPM and PHP write their errors: `error_log`, which both have.

use std::path::{Path, PathBuf};

/// Where errors go.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Log {
    /// A file, as the host names it.
    File(PathBuf),
    /// `syslog`, a terminal, a pipe, or a path that begins at whatever folder a script is in; as it is written.
    Elsewhere(String),
}

impl Log {
    /// The log of FPM's master, whose relative paths begin at the folder `var` of the prefix (`PHP_LOCALSTATEDIR`).
    pub(super) fn of_master(text: Option<&str>, prefix: &str) -> Self {
        let text = text.unwrap_or("log/php-fpm.log");
        if text.starts_with('/') || text.eq_ignore_ascii_case("syslog") {
            return Self::of(text, text);
        }
        // Packages are installed to /usr and write to /var; what one builds has all in one place.
        let var = if prefix == "/usr" { "/var".to_owned() } else { format!("{prefix}/var") };
        Self::File(Path::new(&var).join(text))
    }

    /// The log of a pool's PHP, as its workers see it, which `chroot` may have locked up.
    pub(super) fn of_pool(text: &str, chroot: Option<&str>) -> Self {
        match chroot {
            Some(root) if text.starts_with('/') => Self::of(&format!("{}{text}", root.trim_end_matches('/')), text),
            _ => Self::of(text, text),
        }
    }

    fn of(path: &str, text: &str) -> Self {
        let is_device = ["/dev/", "/proc/"].iter().any(|folder| text.starts_with(folder));
        if path.starts_with('/') && !is_device { Self::File(path.into()) } else { Self::Elsewhere(text.to_owned()) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_begin_where_fpm_and_php_begin_them() {
        let file = |path: &str| Log::File(path.into());
        let elsewhere = |text: &str| Log::Elsewhere(text.to_owned());
        for (text, prefix, expected) in [
            (Some("/var/log/php8.2-fpm.log"), "/usr", file("/var/log/php8.2-fpm.log")),
            (None, "/usr", file("/var/log/php-fpm.log")),
            (None, "/usr/local", file("/usr/local/var/log/php-fpm.log")),
            (Some("log/a.log"), "/opt/php", file("/opt/php/var/log/a.log")),
            (Some("Syslog"), "/usr", elsewhere("Syslog")),
            (Some("/proc/self/fd/2"), "/usr/local", elsewhere("/proc/self/fd/2")),
        ] {
            assert_eq!(Log::of_master(text, prefix), expected, "{text:?}");
        }
        for (text, chroot, expected) in [
            ("/var/log/shop.log", None, file("/var/log/shop.log")),
            ("/log/shop.log", Some("/srv/shop/"), file("/srv/shop/log/shop.log")),
            ("errors.log", None, elsewhere("errors.log")),
            ("errors.log", Some("/srv/shop"), elsewhere("errors.log")),
            ("/dev/stderr", Some("/srv/shop"), elsewhere("/dev/stderr")),
            ("syslog", None, elsewhere("syslog")),
        ] {
            assert_eq!(Log::of_pool(text, chroot), expected, "{text}");
        }
    }
}
