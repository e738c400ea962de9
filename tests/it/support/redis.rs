//! Redis and Valkey servers: standalone, replica, cluster node, Sentinel, with and without TLS.

use std::fs;
use std::path::PathBuf;

use redis::Value;
use tempfile::TempDir;

use super::certificates::Certificates;
use super::daemon::{Daemon, eventually, folder, free_port, listens, program};

/// Names the server to test when it is not `redis-server`: `valkey-server`.
const SERVER: &str = "VITRIN_TEST_REDIS";

/// A running server.
pub(crate) struct RedisServer {
    pub(crate) daemon: Daemon,
    pub(crate) port: u16,
}

impl RedisServer {
    /// Starts a server with these arguments beside the usual ones.
    pub(crate) fn start(arguments: &[&str]) -> Self {
        let port = free_port();
        let server = Self::launch(port, &[&["--port", &port.to_string()], arguments].concat(), folder());
        // Before its first cron run it has no statistics of its memory: the ratios are `nan`.
        eventually("the server to know its memory", || !server.info("allocator_frag_ratio").contains("nan"));
        server
    }

    /// Starts a server by a configuration file, `redis.conf` in its folder; `{folder}` in these lines is that folder.
    pub(crate) fn configured(lines: &str) -> Self {
        let (folder, port) = (folder(), free_port());
        let here = folder.path().display().to_string();
        let (file, text) = (folder.path().join("redis.conf"), lines.replace("{folder}", &here));
        if let Some(users) = text.split_whitespace().skip_while(|word| *word != "aclfile").nth(1) {
            fs::write(users, "").unwrap();
        }
        fs::write(&file, format!("port {port}\n{text}")).unwrap();
        Self::launch(port, &[&file.display().to_string()], folder)
    }

    /// Starts a node that owns all slots of a cluster of its own.
    pub(crate) fn cluster() -> Self {
        // Left to itself it takes the port 10,000 above its own, which may not be free, or not be a port.
        let bus = free_port().to_string();
        let server = Self::start(&["--cluster-enabled", "yes", "--cluster-port", &bus]);
        server.ask(&["CLUSTER", "ADDSLOTSRANGE", "0", "16383"]);
        server
    }

    /// Starts a server that speaks TLS alone.
    pub(crate) fn tls(certificates: &Certificates, arguments: &[&str]) -> Self {
        Self::tls_as("server", certificates, arguments)
    }

    /// The same with the certificate that was signed under this name.
    pub(crate) fn tls_as(name: &str, certificates: &Certificates, arguments: &[&str]) -> Self {
        let port = free_port();
        let files = certificates.options_of(name, ["--tls-ca-cert-file", "--tls-cert-file", "--tls-key-file"]);
        let files: Vec<_> = files.iter().map(String::as_str).collect();
        let tls = ["--port", "0", "--tls-port", &port.to_string()];
        Self::launch(port, &[&tls, &files[..], arguments].concat(), folder())
    }

    /// Starts a Sentinel that watches the server at `port` under the name `shop`.
    pub(crate) fn sentinel(master: u16) -> Self {
        Self::sentinel_with(master, "")
    }

    /// The same with these lines in its configuration.
    pub(crate) fn sentinel_with(master: u16, lines: &str) -> Self {
        let port = free_port();
        let folder = folder();
        let file = folder.path().join("sentinel.conf");
        // A Sentinel writes into its configuration file.
        fs::write(&file, format!("sentinel monitor shop 127.0.0.1 {master} 1\n{lines}")).unwrap();
        let file = file.display().to_string();
        Self::launch(port, &[&file, "--sentinel", "--port", &port.to_string()], folder)
    }

    fn launch(port: u16, arguments: &[&str], folder: TempDir) -> Self {
        let mut command = program(&[&flavour()]);
        command.args(arguments).args(["--bind", "127.0.0.1", "--dir"]).arg(folder.path());
        if !arguments.contains(&"--sentinel") {
            command.args(["--save", "", "--unixsocket"]).arg(folder.path().join("redis.sock"));
        }
        let mut daemon = Daemon::start("redis", command, folder);
        daemon.wait_until(|| listens(port));
        Self { daemon, port }
    }

    /// Its address.
    pub(crate) fn url(&self) -> String {
        format!("redis://127.0.0.1:{}", self.port)
    }

    /// Its socket.
    pub(crate) fn socket(&self) -> PathBuf {
        self.daemon.folder().join("redis.sock")
    }

    /// Sends one command as the administrator; an error it answers with is a value too.
    pub(crate) fn ask(&self, words: &[&str]) -> Value {
        self.ask_in(0, words)
    }

    /// The same in another database.
    pub(crate) fn ask_in(&self, db: u32, words: &[&str]) -> Value {
        let client = redis::Client::open(format!("{}/{db}", self.url())).unwrap();
        let mut connection = client.get_connection().unwrap();
        match redis::cmd(words[0]).arg(&words[1..]).query(&mut connection) {
            Ok(value) => value,
            Err(error) => Value::SimpleString(error.to_string()),
        }
    }

    /// The same as another user, who needs no password.
    pub(crate) fn ask_as(&self, user: &str, words: &[&str]) -> Value {
        let client = redis::Client::open(format!("redis://{user}:any@127.0.0.1:{}", self.port)).unwrap();
        redis::cmd(words[0]).arg(&words[1..]).query(&mut client.get_connection().unwrap()).unwrap()
    }

    /// A field of `INFO`.
    pub(crate) fn info(&self, field: &str) -> String {
        let Value::BulkString(text) = self.ask(&["INFO", "everything"]) else { panic!("INFO is no text") };
        let text = String::from_utf8(text).unwrap();
        let value = text.lines().find_map(|line| line.strip_prefix(field)?.strip_prefix(':'));
        value.unwrap_or_else(|| panic!("{field} is not in {text}")).to_owned()
    }
}

#[expect(clippy::disallowed_methods, reason = "which server to test is said in the environment")]
fn flavour() -> String {
    std::env::var(SERVER).unwrap_or_else(|_| "redis-server".to_owned())
}
