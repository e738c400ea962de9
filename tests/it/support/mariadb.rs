//! A MariaDB server, or the MySQL server of the generation under test: whichever is installed.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::OnceLock;

use mysql_async::prelude::Queryable;
use mysql_async::{Conn, OptsBuilder, Row};

use super::daemon::{Daemon, copy, folder, free_port, program};

/// A running server with an empty data folder of its own; `root` logs in through the socket without a password.
pub(crate) struct Database {
    pub(crate) daemon: Daemon,
    port: u16,
}

impl Database {
    /// Starts a server with these options beside the harness' own.
    pub(crate) fn start(options: &[&str]) -> Self {
        let folder = folder();
        let data = folder.path().join("data");
        copy(template(), &data);
        let port = free_port();
        let mut command = server();
        command
            .args(["--no-defaults", "--bind-address=127.0.0.1", "--innodb-buffer-pool-size=32M"])
            .arg(format!("--datadir={}", data.display()))
            .arg(temporary(folder.path()))
            .arg(format!("--socket={}", folder.path().join("socket").display()))
            .arg(format!("--pid-file={}", folder.path().join("pid").display()))
            .arg(format!("--port={port}"))
            // A server's identity in replication; a port is as good a number as any.
            .arg(format!("--server-id={port}"))
            .args(as_root())
            .args(if is_mariadb() { &[][..] } else { &["--mysqlx=OFF", "--secure-file-priv="] })
            .args(options);
        let mut database = Self { daemon: Daemon::start("the database", command, folder), port };
        let socket = database.socket();
        // MySQL listens for a moment while it is not ready yet: ask.
        database.daemon.wait_until(|| block_on(async { root(&socket).await.is_ok() }));
        database
    }

    /// Port on the loopback address.
    pub(crate) const fn port(&self) -> u16 {
        self.port
    }

    /// Path of the socket.
    pub(crate) fn socket(&self) -> PathBuf {
        self.daemon.folder().join("socket")
    }

    /// Runs statements as `root`; all must succeed.
    pub(crate) async fn run(&self, statements: &[&str]) {
        let mut connection = root(&self.socket()).await.unwrap();
        for statement in statements {
            connection.query_drop(*statement).await.unwrap_or_else(|error| panic!("{statement}: {error}"));
        }
        connection.disconnect().await.unwrap();
    }

    /// The cells of a statement's answer, as `root`.
    pub(crate) async fn ask(&self, statement: &str) -> Vec<Vec<String>> {
        let mut connection = root(&self.socket()).await.unwrap();
        let rows: Vec<Row> = connection.query(statement).await.unwrap_or_else(|error| panic!("{statement}: {error}"));
        connection.disconnect().await.unwrap();
        let cell = |value| mysql_async::from_value::<Option<Vec<u8>>>(value).unwrap_or_default();
        let text = |value| String::from_utf8_lossy(&cell(value)).into_owned();
        rows.into_iter().map(|row| row.unwrap().into_iter().map(text).collect()).collect()
    }

    /// A connection that is idle, and in the list of threads, for as long as it is held.
    pub(crate) async fn visitor(&self) -> Conn {
        root(&self.socket()).await.unwrap()
    }

    /// Runs one statement as an account with a password; the server may refuse it.
    pub(crate) async fn run_as(&self, user: &str, password: &str, statement: &str) -> mysql_async::Result<()> {
        let socket = Some(self.socket().to_string_lossy().into_owned());
        let options = OptsBuilder::default().user(Some(user)).pass(Some(password)).socket(socket);
        let mut connection = Conn::new(options).await?;
        connection.query_drop(statement).await
    }

    /// A number of the server's status.
    pub(crate) async fn status(&self, name: &str) -> f64 {
        self.ask(&format!("SHOW GLOBAL STATUS LIKE '{name}'")).await[0][1].parse().unwrap()
    }

    /// How many statements have ended in an error since the server started. The server must have been started with
    /// `performance_schema`, which counts those that do not parse too.
    pub(crate) async fn failed_statements(&self) -> f64 {
        let sum = "SELECT CAST(SUM(sum_errors) AS CHAR) \
                   FROM performance_schema.events_statements_summary_global_by_event_name";
        self.ask(sum).await[0][0].parse().unwrap()
    }
}

/// Whether the server under test is MariaDB.
pub(crate) fn is_mariadb() -> bool {
    format!("{:?}", server()).contains("mariadbd")
}

fn server() -> Command {
    program(&["mariadbd", "mysqld"])
}

/// A place of its own for temporary tables: at its start, MariaDB deletes those of every server in a shared one.
fn temporary(folder: &Path) -> String {
    format!("--tmpdir={}", folder.display())
}

/// A server does not run as root unless it is told to.
fn as_root() -> Option<&'static str> {
    rustix::process::geteuid().is_root().then_some("--user=root")
}

/// A fresh data folder of this very version, made once and kept under `target`: making one takes seconds, copying it
/// takes none.
fn template() -> &'static Path {
    static TEMPLATE: OnceLock<PathBuf> = OnceLock::new();
    TEMPLATE.get_or_init(|| {
        let version = server().arg("--version").output().unwrap().stdout;
        let legal = |byte: &u8| if byte.is_ascii_alphanumeric() { char::from(*byte) } else { '-' };
        let version: String = version.iter().map(legal).collect();
        let target = Path::new(env!("CARGO_TARGET_TMPDIR"));
        let kept = target.join(format!("database-{}", version.trim_matches('-')));
        if !kept.exists() {
            let folder = folder();
            let data = folder.path().join("data");
            install(&data);
            // MySQL's identity: two copies with one could not be primary and replica.
            fs::remove_file(data.join("auto.cnf")).ok();
            // The copy gets its name when it is whole. Another test run may have been faster: its copy is as good.
            let staging = tempfile::tempdir_in(target).unwrap();
            let copied = staging.path().join("data");
            copy(&data, &copied);
            fs::rename(&copied, &kept).ok();
        }
        kept
    })
}

fn install(data: &Path) {
    let mut command = if is_mariadb() { program(&["mariadb-install-db"]) } else { server() };
    command.arg("--no-defaults").arg(format!("--datadir={}", data.display())).args(as_root());
    command.arg(temporary(data.parent().expect("made in a folder of its own")));
    if is_mariadb() {
        command.args(["--force", "--skip-test-db", "--auth-root-authentication-method=normal"]);
    } else {
        command.arg("--initialize-insecure");
    }
    let output = command.stdin(Stdio::null()).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

async fn root(socket: &Path) -> mysql_async::Result<Conn> {
    Conn::new(OptsBuilder::default().user(Some("root")).socket(Some(socket.to_string_lossy()))).await
}

/// Runs a future to its end on a thread of its own, inside or outside a runtime.
pub(crate) fn block_on<T: Send>(future: impl Future<Output = T> + Send) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    std::thread::scope(|scope| scope.spawn(move || runtime.block_on(future)).join().unwrap())
}
