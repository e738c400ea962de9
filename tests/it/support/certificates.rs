//! Certificates made by openssl: an authority, and what it has signed for a server and a client.

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use tempfile::TempDir;

use super::daemon::folder;

/// A new key, which no password protects.
const KEY: &str = "-newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes";

/// What `openssl ca` must be told to sign for a time that is over.
const AUTHORITY: &str = "[ca]\ndefault_ca = authority\n[authority]\ndatabase = index\nnew_certs_dir = .\n\
    rand_serial = yes\ndefault_md = sha256\npolicy = any\ncopy_extensions = copy\n[any]\ncommonName = supplied\n";

/// A folder with `ca.pem`, `server.pem`, `server.key`, `client.pem` and `client.key`.
pub(crate) struct Certificates(TempDir);

impl Certificates {
    /// Makes them; `names` is whom the server's is for, as openssl has it: `DNS:localhost,IP:127.0.0.1`.
    pub(crate) fn of(names: &str) -> Self {
        let certificates = Self(folder());
        certificates.openssl(&format!("req -x509 -days 2 {KEY} -subj /CN=authority -keyout ca.key -out ca.pem"));
        for name in ["server", "client"] {
            certificates.sign(name, names);
        }
        certificates
    }

    /// The same authority's certificate for other names, as `<name>.pem` and `<name>.key`.
    pub(crate) fn sign(&self, name: &str, names: &str) {
        let names = format!("-addext subjectAltName={names}");
        let signed = "-CA ca.pem -CAkey ca.key -addext basicConstraints=critical,CA:FALSE";
        self.openssl(&format!(
            "req -x509 -days 2 {KEY} {signed} -subj /CN={name} {names} -keyout {name}.key -out {name}.pem"
        ));
    }

    /// The same for a time that is over.
    pub(crate) fn sign_expired(&self, name: &str, names: &str) {
        fs::write(self.file("ca.cnf"), AUTHORITY).unwrap();
        fs::write(self.file("index"), "").unwrap();
        let names = format!("-addext subjectAltName={names}");
        self.openssl(&format!("req {KEY} -subj /CN={name} {names} -keyout {name}.key -out {name}.csr"));
        let dates = "-startdate 20200101000000Z -enddate 20200102000000Z";
        let authority = "ca -batch -notext -config ca.cnf -cert ca.pem -keyfile ca.key";
        self.openssl(&format!("{authority} {dates} -in {name}.csr -out {name}.pem"));
    }

    fn openssl(&self, arguments: &str) {
        let mut command = Command::new("openssl");
        command.args(arguments.split(' ')).current_dir(self.0.path());
        let output = command.output().expect("`make packages` installs openssl");
        assert!(output.status.success(), "{arguments}: {}", String::from_utf8_lossy(&output.stderr));
    }

    /// The path of one of them.
    pub(crate) fn file(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    /// Each of these options of a server followed by the authority's, the server's certificate and its key.
    pub(crate) fn options(&self, options: [&str; 3]) -> Vec<String> {
        self.options_of("server", options)
    }

    /// The same with the certificate that was signed under this name.
    pub(crate) fn options_of(&self, name: &str, options: [&str; 3]) -> Vec<String> {
        let files = ["ca.pem", &format!("{name}.pem"), &format!("{name}.key")];
        let files = files.map(|name| self.file(name).display().to_string());
        options.into_iter().zip(files).flat_map(|(option, file)| [option.to_owned(), file]).collect()
    }
}
