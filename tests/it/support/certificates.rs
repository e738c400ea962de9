//! Certificates made by openssl: an authority, and what it has signed for a server and a client.

use std::path::PathBuf;
use std::process::Command;

use tempfile::TempDir;

use super::daemon::folder;

/// A folder with `ca.pem`, `server.pem`, `server.key`, `client.pem` and `client.key`.
pub(crate) struct Certificates(TempDir);

impl Certificates {
    /// Makes them; `names` is whom the server's is for, as openssl has it: `DNS:localhost,IP:127.0.0.1`.
    pub(crate) fn of(names: &str) -> Self {
        let certificates = Self(folder());
        let openssl = |arguments: &str| {
            let mut command = Command::new("openssl");
            command.args(arguments.split(' ')).current_dir(certificates.0.path());
            let output = command.output().expect("`make packages` installs openssl");
            assert!(output.status.success(), "{arguments}: {}", String::from_utf8_lossy(&output.stderr));
        };
        let key = "-newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2";
        openssl(&format!("req -x509 {key} -subj /CN=authority -keyout ca.key -out ca.pem"));
        for name in ["server", "client"] {
            let names = format!("-addext subjectAltName={names}");
            let signed = "-CA ca.pem -CAkey ca.key -addext basicConstraints=critical,CA:FALSE";
            openssl(&format!("req -x509 {key} {signed} -subj /CN={name} {names} -keyout {name}.key -out {name}.pem"));
        }
        certificates
    }

    /// The path of one of them.
    pub(crate) fn file(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    /// Each of these options of a server followed by the authority's, the server's certificate and its key.
    pub(crate) fn options(&self, options: [&str; 3]) -> Vec<String> {
        let files = ["ca.pem", "server.pem", "server.key"].map(|name| self.file(name).display().to_string());
        options.into_iter().zip(files).flat_map(|(option, file)| [option.to_owned(), file]).collect()
    }
}
