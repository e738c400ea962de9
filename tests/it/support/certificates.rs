//! Certificates made by openssl: an authority, and what it has signed for a server and a client.

use std::fs;
use std::path::PathBuf;
use std::process::Command;
use std::time::UNIX_EPOCH;

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
        certificates.openssl(&format!("req -x509 -days 3 {KEY} -subj /CN=authority -keyout ca.key -out ca.pem"));
        for name in ["server", "client"] {
            certificates.sign(name, names);
        }
        certificates
    }

    /// The same authority's certificate for other names, as `<name>.pem` and `<name>.key`.
    pub(crate) fn sign(&self, name: &str, names: &str) {
        self.sign_by("ca", name, &format!("{KEY} -addext subjectAltName={names}"));
    }

    /// A certificate that somebody here has signed; the options say what is in it, and what key it is for.
    pub(crate) fn sign_by(&self, signer: &str, name: &str, options: &str) {
        let by = format!("-CA {signer}.pem -CAkey {signer}.key -addext basicConstraints=critical,CA:FALSE");
        self.openssl(&format!("req -x509 -days 2 {by} -subj /CN={name} {options} -keyout {name}.key -out {name}.pem"));
    }

    /// An authority between ours and those whom it signs.
    pub(crate) fn authorize(&self, name: &str) {
        let signed = "-CA ca.pem -CAkey ca.key";
        self.openssl(&format!("req -x509 -days 2 {KEY} {signed} -subj /CN={name} -keyout {name}.key -out {name}.pem"));
    }

    /// One that is signed by itself.
    pub(crate) fn sign_itself(&self, name: &str, names: &str) {
        let names = format!("-addext subjectAltName={names}");
        self.openssl(&format!("req -x509 -days 2 {KEY} -subj /CN={name} {names} -keyout {name}.key -out {name}.pem"));
    }

    /// The same authority's for a time that is over.
    pub(crate) fn sign_expired(&self, name: &str, names: &str) {
        self.sign_between(name, names, ["20200101000000Z", "20200102000000Z"]);
    }

    /// The same for some other time; from and until when.
    pub(crate) fn sign_between(&self, name: &str, names: &str, [from, until]: [&str; 2]) {
        fs::write(self.file("ca.cnf"), AUTHORITY).unwrap();
        fs::write(self.file("index"), "").unwrap();
        let names = format!("-addext subjectAltName={names}");
        self.openssl(&format!("req {KEY} -subj /CN={name} {names} -keyout {name}.key -out {name}.csr"));
        let authority = "ca -batch -notext -config ca.cnf -cert ca.pem -keyfile ca.key";
        self.openssl(&format!("{authority} -startdate {from} -enddate {until} -in {name}.csr -out {name}.pem"));
    }

    /// When one expires, in seconds since 1970, as openssl reads it.
    pub(crate) fn expires(&self, name: &str) -> f64 {
        let date = self.openssl(&format!("x509 -noout -enddate -dateopt iso_8601 -in {name}.pem"));
        let date = date.trim().trim_start_matches("notAfter=").replace(' ', "T");
        let since = humantime::parse_rfc3339(&date).unwrap().duration_since(UNIX_EPOCH).unwrap();
        since.as_secs_f64()
    }

    fn openssl(&self, arguments: &str) -> String {
        let mut command = Command::new("openssl");
        command.args(arguments.split(' ')).current_dir(self.0.path());
        let output = command.output().expect("`make packages` installs openssl");
        assert!(output.status.success(), "{arguments}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8_lossy(&output.stdout).into_owned()
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
