//! Where a PHP comes from: the package that its FPM was installed from, as dpkg's own list has it.

use std::io::ErrorKind;
use std::path::Path;

use serde::{Deserialize, Serialize};

use super::eol::branch;
use crate::collectors::security::verdict::{Cause, Known, Unknown};
use crate::machine::beginning;

/// The most of dpkg's list that is read; a server with 2,000 packages has 3 MB of it.
const STATUS_BYTES: u64 = 64 << 20;

/// The most of `os-release` that is read.
const RELEASE_BYTES: u64 = 64 << 10;

/// What is installed as this machine's PHP-FPM of a branch.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Package {
    /// The distribution and its release, `debian 12`, as `os-release` has them.
    pub(crate) system: String,
    /// The package's name and version; `None` where none is installed.
    pub(crate) installed: Option<(String, String)>,
}

impl Package {
    /// Looks it up below the host's root file system, for a PHP of this version. Blocks.
    pub(super) fn of(root: &Path, php: &str) -> Known<Self> {
        let (major, minor) =
            branch(php).ok_or_else(|| Unknown::new(Cause::Unparsable, "PHP's version is no version"))?;
        let release = ["etc/os-release", "usr/lib/os-release"]
            .into_iter()
            .find_map(|file| beginning(&root.join(file), RELEASE_BYTES).ok())
            .ok_or_else(|| {
                Unknown::new(Cause::Unsupported, "there is no /etc/os-release that tells the distribution")
            })?;
        let system = system(&release);
        let status = match beginning(&root.join("var/lib/dpkg/status"), STATUS_BYTES) {
            Ok(status) => status,
            Err(error) if error.kind() == ErrorKind::NotFound => {
                let why = format!("packages of {system} are not listed by dpkg, and no other list is understood");
                return Err(Unknown::new(Cause::Unsupported, why));
            }
            Err(error) => {
                return Err(Unknown::new(Cause::Permission, format!("reading /var/lib/dpkg/status: {error}")));
            }
        };
        let name = format!("php{major}.{minor}-fpm");
        let version = version(&status, &name);
        Ok(Self { system, installed: version.map(|version| (name, version)) })
    }

    /// Whether it is the distribution's own build of just this PHP: not one of another archive (`+0~20250314.71+debian12~1`,
    /// `+ubuntu22.04.1+deb.sury.org+1`), nor one that has been installed since and does not run yet.
    pub(super) fn is_distributions(&self, php: &str) -> bool {
        let Some((_, version)) = &self.installed else { return false };
        // An epoch, the version of PHP, the distribution's revision.
        let version = version.split_once(':').map_or(version.as_str(), |(_, rest)| rest);
        let Some((upstream, revision)) = version.rsplit_once('-') else { return false };
        let (debian, ubuntu) = (self.system.starts_with("debian "), self.system.starts_with("ubuntu "));
        let is_number = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.');
        upstream == php
            && if debian {
                let (first, update) = revision.split_once(['~', '+']).unwrap_or((revision, "deb0u0"));
                let parts = update.strip_prefix("deb").and_then(|update| update.split_once('u'));
                is_number(first) && parts.is_some_and(|(release, number)| is_number(release) && is_number(number))
            } else {
                ubuntu
                    && revision
                        .split_once("ubuntu")
                        .is_some_and(|(first, update)| is_number(first) && is_number(update))
            }
    }
}

/// `debian 12` of an `os-release`.
pub(super) fn system(release: &str) -> String {
    let value = |key: &str| {
        let line = release.lines().find_map(|line| line.trim().strip_prefix(key)?.strip_prefix('='))?;
        let value = line.trim_matches(['"', '\'']);
        let legal = |c: char| c.is_ascii_alphanumeric() || "._-".contains(c);
        (value.len() <= 32 && value.chars().all(legal)).then(|| value.to_owned())
    };
    let id = value("ID").filter(|id| !id.is_empty()).unwrap_or_else(|| "linux".to_owned());
    format!("{id} {}", value("VERSION_ID").unwrap_or_default()).trim_end().to_owned()
}

/// The version of a package that is installed.
pub(super) fn version(status: &str, name: &str) -> Option<String> {
    let mut paragraphs = status.split("\n\n");
    let paragraph = paragraphs.find(|paragraph| {
        let is_named =
            paragraph.lines().any(|line| line.strip_prefix("Package: ").is_some_and(|found| found.trim() == name));
        is_named
            && paragraph.lines().any(|line| line.starts_with("Status: ") && line.trim_end().ends_with(" installed"))
    })?;
    let version = paragraph.lines().find_map(|line| line.strip_prefix("Version: "))?.trim();
    let legal = |c: char| c.is_ascii_alphanumeric() || ".+~:-".contains(c);
    (!version.is_empty() && version.len() <= 100 && version.chars().all(legal)).then(|| version.to_owned())
}

#[cfg(test)]
mod tests {
    use std::fs;

    use proptest::prelude::*;

    use super::*;

    fn package(system: &str, version: &str) -> Package {
        Package { system: system.to_owned(), installed: Some(("php8.2-fpm".to_owned(), version.to_owned())) }
    }

    #[test]
    fn a_package_is_the_distributions_by_its_version() {
        for (system, version, php, own) in [
            ("debian 12", "8.2.36-1~deb12u1", "8.2.36", true),
            ("debian 11", "7.4.33-1+deb11u5", "7.4.33", true),
            ("debian 13", "8.4.11-1", "8.4.11", true),
            ("debian 12", "8.2.36-1~deb12u1", "8.2.35", false),
            ("debian 12", "8.2.28-1+0~20250314.71+debian12~1.gbp5a5e7e", "8.2.28", false),
            ("ubuntu 22.04", "8.1.2-1ubuntu2.22", "8.1.2", true),
            ("ubuntu 22.04", "8.1.28-1+ubuntu22.04.1+deb.sury.org+1", "8.1.28", false),
            ("ubuntu 20.04", "7.4.3-4ubuntu2.29+esm1", "7.4.3", false),
            ("linuxmint 21", "8.1.2-1ubuntu2.22", "8.1.2", false),
            ("debian 12", "8.2.36", "8.2.36", false),
        ] {
            assert_eq!(package(system, version).is_distributions(php), own, "{system} {version}");
        }
        assert!(!Package { system: "debian 12".to_owned(), installed: None }.is_distributions("8.2.36"));
    }

    #[test]
    fn dpkgs_list_is_read() {
        let root = tempfile::tempdir().unwrap();
        let of = |php| Package::of(root.path(), php);
        assert_eq!(of("8.2.36").unwrap_err().cause, Cause::Unsupported);
        fs::create_dir_all(root.path().join("var/lib/dpkg")).unwrap();
        fs::create_dir(root.path().join("etc")).unwrap();
        fs::write(root.path().join("etc/os-release"), "NAME=x\nVERSION_ID=\"12\"\nID=debian\n").unwrap();
        assert!(of("8.2.36").unwrap_err().why.contains("debian 12"));
        let status = "Package: php8.2-fpm-dbg\nStatus: install ok installed\nVersion: 1\n\nPackage: php8.2-fpm\n\
                      Status: install ok installed\nVersion: 8.2.36-1~deb12u1\n\nPackage: php7.4-fpm\n\
                      Status: deinstall ok config-files\nVersion: 7.4.33-1\n";
        fs::write(root.path().join("var/lib/dpkg/status"), status).unwrap();
        assert_eq!(of("8.2.36").unwrap(), package("debian 12", "8.2.36-1~deb12u1"));
        assert_eq!(of("7.4.33").unwrap().installed, None, "what was left of it is not it");
    }

    proptest! {
        #[test]
        fn no_text_panics(text: String, version in "[0-9a-z.+~:-]{0,30}", php in "[0-9.]{0,8}") {
            system(&text);
            super::version(&text, "php8.2-fpm");
            package("debian 12", &version).is_distributions(&php);
            package("ubuntu 24.04", &version).is_distributions(&php);
            branch(&text);
        }
    }
}
