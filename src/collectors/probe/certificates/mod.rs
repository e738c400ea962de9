//! Certificates as they lie on disk: `certificates = ["/etc/letsencrypt/live/*/fullchain.pem"]`.
//!
//! What a server shows is probed by [`tls`](super::tls); these are what it will show once it is told to read them again.

#[cfg(any(test, fuzzing))]
pub mod fuzz;
mod pem;
mod walk;

use std::path::Path;

use serde::Deserialize;

use crate::collector::{Failure, Reason};
use crate::metric::Catalogue;
use crate::net::threads::Threads;
use crate::remedy::Remedy;
use crate::snapshot::Snapshot;
use crate::tls::certificate::Certificate;

/// The most files that one target has: a server with more names a few patterns in several targets.
const FILES: usize = 100;

/// The most patterns of one target.
const PATTERNS: usize = 100;

crate::metrics! {
    Own as OWN;
    /// When the first certificate of a file (leaf), or the first of all its certificates (chain), expires.
    EXPIRY = Gauge("tls_certificate_file_expiry_timestamp_seconds", Seconds, ["file", "certificate"]);
    /// From when on the first certificate of a file is valid.
    NOT_BEFORE = Gauge("tls_certificate_file_not_before_timestamp_seconds", Seconds, ["file"]);
}

/// What files may report.
pub const METRICS: Catalogue = Catalogue::List(OWN);

/// Files of certificates: absolute paths, in which `*`, `?` and `[a-z]` stand for what they do in a shell.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "Vec<String>")]
pub struct CertificateFiles(Vec<String>);

impl TryFrom<Vec<String>> for CertificateFiles {
    type Error = String;

    fn try_from(patterns: Vec<String>) -> Result<Self, String> {
        if patterns.is_empty() {
            return Err("`certificates` names no file\nwrite [\"/etc/letsencrypt/live/*/fullchain.pem\"]".to_owned());
        }
        if patterns.len() > PATTERNS {
            return Err(format!(
                "`certificates` has {} entries\n{PATTERNS} are the most; a `*` stands for many",
                patterns.len()
            ));
        }
        if let Some(relative) = patterns.iter().find(|pattern| !pattern.starts_with('/')) {
            return Err(format!(
                "`{relative}` is not an absolute path\nwrite it from the root on: \"/etc/ssl/shop.pem\""
            ));
        }
        Ok(Self(patterns))
    }
}

impl CertificateFiles {
    /// Reads the files.
    ///
    /// # Errors
    /// When there is nothing to read: the reason of the first file that could not be, or `connect` when there is no file.
    pub(super) async fn probe(&self, threads: &Threads) -> Result<Found, Failure> {
        let patterns = self.clone();
        let mut found = threads.run(move || patterns.read()).await?;
        if found.files.is_empty() && !found.troubles.is_empty() {
            Err(found.troubles.swap_remove(0))
        } else {
            Ok(found)
        }
    }

    /// What lets this group read the files.
    pub(super) fn way_in(&self, group: &str) -> Remedy {
        Remedy::by_hand(
            format!("Vitrin may not read all certificates of {}.", self.0.join(", ")),
            format!(
                "Let the group {group} into their folders; the keys beside them stay root's alone. With certbot:\n\
                 chgrp {group} /etc/letsencrypt/live /etc/letsencrypt/archive\n\
                 chmod 0750 /etc/letsencrypt/live /etc/letsencrypt/archive\n"
            ),
        )
    }

    fn read(&self) -> Found {
        let mut found = Found::default();
        let (files, troubles) = walk::files(&self.0, FILES);
        found.troubles = troubles;
        for file in files {
            match read(&file) {
                Ok(dates) => found.files.push((file.to_string_lossy().into_owned(), dates)),
                Err(failure) => found.troubles.push(failure.context(format!("reading {}", file.display()))),
            }
        }
        if found.files.is_empty() && found.troubles.is_empty() {
            let message = format!("there is no file at {}", self.0.join(", "));
            found.troubles.push(Failure::message(Reason::Connect, message));
        }
        found
    }
}

/// What the files hold, in the order of the configuration.
#[derive(Debug, Default)]
pub(super) struct Found {
    files: Vec<(String, Dates)>,
    troubles: Vec<Failure>,
}

/// What is shown of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Dates {
    not_before: i64,
    leaf: i64,
    chain: i64,
}

impl Found {
    /// Pushes when the files expire; what could not be read is a gap, what is gone is absent.
    pub(super) fn report(self, out: &mut Snapshot) {
        for (file, dates) in &self.files {
            out.push(&EXPIRY, [file, "leaf"], dates.leaf);
            out.push(&EXPIRY, [file, "chain"], dates.chain);
            out.push(&NOT_BEFORE, [file], dates.not_before);
        }
        for trouble in self.troubles {
            out.gap(trouble);
        }
    }
}

/// The dates of a file of one certificate or more. A private key beside them is not decoded, and is gone from memory
/// with the rest of the file.
fn read(file: &Path) -> Result<Dates, Failure> {
    dates(&crate::tls::read(file)?)
}

/// The dates of a file's content.
fn dates(content: &[u8]) -> Result<Dates, Failure> {
    let mut certificates = Vec::new();
    for der in pem::certificates(content)? {
        let certificate = Certificate::read(&der);
        certificates.push(certificate.ok_or_else(|| Failure::message(Reason::Protocol, "not a certificate"))?);
    }
    let chain = certificates.iter().map(|certificate| certificate.not_after).min();
    let (Some(leaf), Some(chain)) = (certificates.first(), chain) else {
        return Err(Failure::message(Reason::Protocol, "there is no certificate in it"));
    };
    Ok(Dates { not_before: leaf.not_before, leaf: leaf.not_after, chain })
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::symlink;

    use base64::Engine as _;
    use expect_test::expect;
    use rcgen::{CertificateParams, KeyPair, date_time_ymd};

    use super::*;
    use crate::tls::certificate::date;

    /// A certificate in PEM that is valid until the first day of a year.
    fn until(year: i32) -> String {
        let mut params = CertificateParams::default();
        params.not_after = date_time_ymd(year, 1, 1);
        let der = params.self_signed(&KeyPair::generate().unwrap()).unwrap().der().to_vec();
        let text = base64::engine::general_purpose::STANDARD.encode(der);
        format!("-----BEGIN CERTIFICATE-----\n{text}\n-----END CERTIFICATE-----\n")
    }

    /// What is found below a folder, in which `~` stands for it: the files with their dates, and what is wrong.
    fn found(folder: &Path, patterns: &[&str]) -> String {
        let here = folder.to_str().unwrap();
        let patterns: Vec<_> = patterns.iter().map(|pattern| format!("{here}/{pattern}")).collect();
        let found = CertificateFiles::try_from(patterns).unwrap().read();
        let files = found
            .files
            .iter()
            .map(|(file, dates)| format!("{file} {} {}\n", &date(dates.leaf)[..4], &date(dates.chain)[..4]));
        let troubles = found.troubles.iter().map(|failure| format!("{}: {failure}\n", failure.reason.as_str()));
        files.chain(troubles).collect::<Vec<_>>().concat().replace(here, "~")
    }

    #[test]
    fn the_first_certificate_of_a_file_is_the_servers_and_the_first_to_expire_ends_the_chain() {
        let folder = tempfile::tempdir().unwrap();
        for (name, content) in [
            ("a", until(2030)),
            ("b", until(2030) + &until(2028)),
            ("c", until(2027) + &until(2035)),
            ("d", until(2010)),
        ] {
            fs::create_dir_all(folder.path().join("archive").join(name)).unwrap();
            fs::create_dir_all(folder.path().join("live").join(name)).unwrap();
            fs::write(folder.path().join("archive").join(name).join("fullchain1.pem"), content).unwrap();
            let link = folder.path().join("live").join(name).join("fullchain.pem");
            symlink(format!("../../archive/{name}/fullchain1.pem"), link).unwrap();
        }
        fs::write(folder.path().join("live/README"), "This directory contains your keys and certificates.").unwrap();
        expect![[r#"
            ~/live/a/fullchain.pem 2030 2030
            ~/live/b/fullchain.pem 2030 2028
            ~/live/c/fullchain.pem 2027 2027
            ~/live/d/fullchain.pem 2010 2010
        "#]]
        .assert_eq(&found(folder.path(), &["live/*/fullchain.pem", "live/a/*.pem"]));
    }

    #[test]
    fn what_cannot_be_read_says_so_and_what_is_gone_is_absent() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("good.pem"), until(2030)).unwrap();
        fs::write(folder.path().join("none.pem"), "hello").unwrap();
        fs::create_dir(folder.path().join("folder.pem")).unwrap();
        symlink("gone", folder.path().join("link.pem")).unwrap();
        expect![[r#"
            ~/good.pem 2030 2030
            connect: reading ~/missing.pem: No such file or directory (os error 2)
            tls: reading ~/folder.pem: not a file
            protocol: reading ~/none.pem: there is no certificate in it
        "#]]
        .assert_eq(&found(folder.path(), &["*.pem", "missing.pem", "none/*.pem"]));
        expect![[r#"
            connect: there is no file at ~/no*.crt
        "#]]
        .assert_eq(&found(folder.path(), &["no*.crt"]));
    }

    #[test]
    fn there_is_a_limit_to_what_a_pattern_stands_for() {
        let folder = tempfile::tempdir().unwrap();
        let content = until(2030);
        for number in 0..=FILES {
            fs::write(folder.path().join(format!("{number:03}.pem")), &content).unwrap();
        }
        let said = found(folder.path(), &["*.pem"]);
        assert_eq!(said.lines().count(), FILES + 1);
        assert!(said.ends_with("limit: there are more than 100 files; those after ~/099.pem are left out\n"), "{said}");
    }

    #[test]
    fn who_may_not_read_them_is_let_in_and_the_keys_are_not_opened() {
        let files = CertificateFiles::try_from(vec!["/etc/letsencrypt/live/*/fullchain.pem".to_owned()]).unwrap();
        let remedy = files.way_in("vitrin");
        expect![[r#"
            Vitrin may not read all certificates of /etc/letsencrypt/live/*/fullchain.pem.
            Let the group vitrin into their folders; the keys beside them stay root's alone. With certbot:
            chgrp vitrin /etc/letsencrypt/live /etc/letsencrypt/archive
            chmod 0750 /etc/letsencrypt/live /etc/letsencrypt/archive
        "#]]
        .assert_eq(&format!("{}\n{}", remedy.why, remedy.by_hand));
    }

    #[test]
    fn only_absolute_paths_are_files_and_one_at_least() {
        let refusal = |patterns: &[&str]| {
            CertificateFiles::try_from(patterns.iter().map(ToString::to_string).collect::<Vec<_>>()).unwrap_err()
        };
        expect![[r#"
            `shop.pem` is not an absolute path
            write it from the root on: "/etc/ssl/shop.pem""#]]
        .assert_eq(&refusal(&["/etc/ssl/a.pem", "shop.pem"]));
        expect![[r#"
            `certificates` names no file
            write ["/etc/letsencrypt/live/*/fullchain.pem"]"#]]
        .assert_eq(&refusal(&[]));
        expect![[r#"
            `certificates` has 101 entries
            100 are the most; a `*` stands for many"#]]
        .assert_eq(&refusal(&["/a"; 101]));
    }
}
