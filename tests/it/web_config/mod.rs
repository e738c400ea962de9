//! `--web.config.file`: who is let in, over what, and how often; and that node_exporter does the same with the file.

mod limits;
mod login;
mod mistakes;
mod reload;
mod same_file;
mod scrapers;
mod systemd;
mod tls;

use std::fs;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::Command;

use crate::support::certificates::Certificates;
use crate::support::exporter::Exporter;
use crate::support::scrape::Page;

/// The names that the certificates of these tests are for.
const NAMES: &str = "DNS:localhost,IP:127.0.0.1,email:shop@example.com,URI:spiffe://shop/prometheus";

/// A folder with certificates and a web configuration beside them.
struct Folder(Certificates);

/// An HTTP answer as curl saw it, or none.
#[derive(Debug, PartialEq, Eq)]
struct Answer {
    /// 0 when there was no answer.
    status: u16,
    text: String,
}

impl Folder {
    /// A folder with this configuration; relative paths in it are those of [`Certificates`].
    fn with(config: &str) -> Self {
        let folder = Self(Certificates::of(NAMES));
        folder.write(config);
        folder
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.file(name)
    }

    /// Replaces the configuration in one step, as an administrator's tools do.
    fn write(&self, config: &str) {
        fs::write(self.path("web.new"), config).unwrap();
        fs::rename(self.path("web.new"), self.path("web.yml")).unwrap();
    }

    /// The flag that names the configuration.
    fn flag(&self) -> String {
        format!("--web.config.file={}", self.path("web.yml").display())
    }

    fn exporter(&self) -> Exporter {
        Exporter::start_with("", &[&self.flag()])
    }

    /// Asks over TLS with these arguments of curl; `{name}` is a file of the folder.
    fn https(&self, address: SocketAddr, path: &str, arguments: &str) -> Answer {
        self.curl(&format!("https://{address}{path}"), &format!("--cacert {{ca.pem}} {arguments}"))
    }

    fn http(&self, address: SocketAddr, path: &str, arguments: &str) -> Answer {
        self.curl(&format!("http://{address}{path}"), arguments)
    }

    /// One request on a connection of its own; the answer's head is in `text`.
    fn curl(&self, url: &str, arguments: &str) -> Answer {
        let here = |argument: &str| match argument.strip_prefix('{').and_then(|rest| rest.strip_suffix('}')) {
            Some(name) => self.path(name).display().to_string(),
            None => argument.to_owned(),
        };
        let mut command = Command::new("curl");
        command.args(["--silent", "--include", "--http1.1", "--max-time", "60"]);
        command.args(arguments.split_whitespace().map(here)).arg(url);
        let output = command.output().expect("`make packages` installs curl");
        let text = String::from_utf8(output.stdout).unwrap();
        let status = text.split(' ').nth(1).and_then(|status| status.parse().ok()).filter(|_| output.status.success());
        Answer { status: status.unwrap_or(0), text }
    }

    /// A scrape over TLS, read strictly.
    #[track_caller]
    fn scrape(&self, exporter: &Exporter, arguments: &str) -> Page {
        let answer = self.https(exporter.address(), "/metrics", arguments);
        assert_eq!(answer.status, 200, "{answer:?}\n{}", exporter.log());
        page(&answer)
    }
}

/// The page of an answer.
#[track_caller]
fn page(answer: &Answer) -> Page {
    let (_, text) = answer.text.split_once("\r\n\r\n").unwrap();
    Page::parse(text).unwrap()
}

/// A bcrypt hash of the lowest cost: these tests are not about time.
fn hash(password: &str) -> String {
    bcrypt::hash(password, 4).unwrap()
}

/// A configuration with certificate and key.
const TLS: &str = "tls_server_config:\n  cert_file: server.pem\n  key_file: server.key\n";
