//! Certificates made by openssl: good ones, and those that have one thing wrong with them.

use std::fs;
use std::path::PathBuf;
use std::process::Command;
use std::time::{Duration, SystemTime};

use tempfile::TempDir;

/// What `openssl ca` must be told to sign for any time.
const SETTINGS: &str = "[ca]\ndefault_ca = authority\n[authority]\ndatabase = index\nnew_certs_dir = .\nunique_subject = no\n\
    rand_serial = yes\ndefault_md = sha256\npolicy = any\ncopy_extensions = copy\n[any]\ncommonName = supplied\n";

const CURVE: &str = "ec -pkeyopt ec_paramgen_curve:P-256";

/// A folder with `ca.pem`, `ca.key`, and what it has signed.
pub(super) struct Authority(TempDir);

/// What is to be signed.
#[derive(Clone, Copy)]
pub(super) struct Wish<'a> {
    /// Whose it is.
    pub(super) names: &'a str,
    /// The key, as `-newkey` has it.
    pub(super) key: &'a str,
    /// From when on and until when it is valid, in days from now.
    pub(super) days: [i64; 2],
    /// What it is signed with.
    pub(super) digest: &'a str,
    /// Who signs it.
    pub(super) by: &'a str,
}

/// A certificate as Let's Encrypt signs them, ten days old.
pub(super) const GOOD: Wish<'_> =
    Wish { names: "DNS:shop.example", key: "rsa:2048", days: [-10, 80], digest: "sha256", by: "ca" };

impl Authority {
    /// Makes one.
    pub(super) fn new() -> Self {
        let authority = Self(tempfile::tempdir().unwrap());
        fs::write(authority.file("settings"), SETTINGS).unwrap();
        authority.be("ca");
        authority
    }

    /// Makes another one that nobody trusts.
    pub(super) fn be(&self, name: &str) {
        self.openssl(&format!(
            "req -x509 -days 3650 -newkey {CURVE} -nodes -subj /CN={name} -keyout {name}.key -out {name}.pem"
        ));
    }

    /// Makes one that is signed by ours.
    pub(super) fn authorize(&self, name: &str) {
        let by = "-CA ca.pem -CAkey ca.key";
        self.openssl(&format!(
            "req -x509 -days 3650 -newkey {CURVE} -nodes {by} -subj /CN={name} -keyout {name}.key -out {name}.pem"
        ));
    }

    /// Signs `<name>.pem`, which is for the key in `<name>.key`.
    pub(super) fn sign(&self, name: &str, wish: Wish<'_>) {
        let Wish { names, key, days, digest, by } = wish;
        fs::write(self.file("index"), "").unwrap();
        let request = format!("-addext subjectAltName={names} -addext basicConstraints=critical,CA:FALSE");
        self.openssl(&format!(
            "req -newkey {key} -nodes -subj /CN={name} {request} -keyout {name}.key -out {name}.csr"
        ));
        let [from, until] = days.map(day);
        let signer = format!("-cert {by}.pem -keyfile {by}.key -md {digest}");
        self.openssl(&format!("ca -batch -notext -config settings {signer} -startdate {from} -enddate {until} -in {name}.csr -out {name}.pem"));
    }

    /// Signs one by itself.
    pub(super) fn sign_itself(&self, name: &str) {
        let names = "-addext subjectAltName=DNS:shop.example";
        self.openssl(&format!(
            "req -x509 -days 90 -newkey rsa:2048 -nodes -subj /CN={name} {names} -keyout {name}.key -out {name}.pem"
        ));
    }

    /// Puts one behind the other, as they are sent.
    pub(super) fn chain(&self, name: &str, of: [&str; 2]) {
        let text = of.map(|one| fs::read_to_string(self.file(&format!("{one}.pem"))).unwrap()).concat();
        fs::write(self.file(&format!("{name}.pem")), text).unwrap();
        fs::copy(self.file(&format!("{}.key", of[0])), self.file(&format!("{name}.key"))).unwrap();
    }

    /// The path of one of the files.
    pub(super) fn file(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn openssl(&self, arguments: &str) {
        let mut command = Command::new("openssl");
        command.args(arguments.split(' ')).current_dir(self.0.path());
        let output = command.output().expect("the package openssl is installed");
        assert!(output.status.success(), "{arguments}: {}", String::from_utf8_lossy(&output.stderr));
    }
}

/// So many days from now, as openssl has it: `20261123000000Z`.
fn day(days: i64) -> String {
    let span = Duration::from_hours(24 * days.unsigned_abs());
    let time = if days < 0 { SystemTime::now() - span } else { SystemTime::now() + span };
    humantime::format_rfc3339_seconds(time).to_string().replace(['-', ':', 'T'], "")
}
