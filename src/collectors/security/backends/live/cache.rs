//! Redis, or the Valkey that the environment names.

use std::fs;
use std::net::TcpStream;
use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::net::UnixStream;
use std::process::Command;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

use super::{Daemon, differs, folder, free_port, program, secret, told};
use crate::collector::{Context, Paths};
use crate::collectors::redis;
use crate::collectors::security::backends::cache::{Cache, Stranger, ask_caches};
use crate::collectors::security::seen::Listener;
use crate::collectors::security::verdict::{Cause, Known, State};
use crate::net::threads::Threads;

/// A server with these lines in its configuration, `{socket}` for a socket in its folder, on this port of loopback.
fn start(port: u16, lines: &str) -> Daemon {
    start_at(port, port, lines)
}

/// The same, which listens at `port` and whose port without TLS is `plain`.
fn start_at(port: u16, plain: u16, lines: &str) -> Daemon {
    let folder = folder();
    let socket = folder.path().join("redis.sock");
    let lines = lines.replace("{socket}", &socket.display().to_string());
    let text = format!("port {plain}\nbind 127.0.0.1\nsave \"\"\ndir {}\n{lines}\n", folder.path().display());
    fs::write(folder.path().join("redis.conf"), text).unwrap();
    let mut command = program(&[&server()], "redis-server");
    command.arg(folder.path().join("redis.conf"));
    let has_socket = lines.contains("unixsocket ");
    let ready = move || {
        (port == 0 || TcpStream::connect(("127.0.0.1", port)).is_ok())
            && (!has_socket || UnixStream::connect(&socket).is_ok())
    };
    Daemon::start(command, folder, ready)
}

/// `redis-server`, or what the environment names in its place: `valkey-server`.
#[expect(clippy::disallowed_methods, reason = "tests of real servers are told by the environment which to start")]
fn server() -> String {
    std::env::var("VITRIN_TEST_REDIS").unwrap_or_else(|_| "redis-server".to_owned())
}

fn context() -> Context {
    Context::new(Paths::default())
}

async fn ask(config: &str) -> Known<Cache> {
    ask_caches(&[&toml::from_str::<redis::Config>(config).unwrap()], &context(), &Threads::default()).await
}

/// What a server flips that listens on loopback at this port.
async fn flips(config: &str, port: u16) -> Vec<(&'static str, State)> {
    let cache = ask(config).await.unwrap();
    let listener = Listener { ip: "127.0.0.1".parse().unwrap(), port, user: 0, account: None };
    differs(|seen| {
        seen.cache = Ok(cache);
        seen.listeners = Ok(if port == 0 { vec![] } else { vec![listener] });
    })
}

const HALF: [(&str, State); 1] = [("API-23", State::Partial)];

#[tokio::test(flavor = "multi_thread")]
async fn a_real_redis_serves_strangers_or_asks_for_a_password() {
    let port = free_port();
    let url = format!("url = 'redis://127.0.0.1:{port}'");
    {
        let _open = start(port, "");
        assert_eq!(flips(&url, port).await, HALF);
    }
    {
        let closed = start(port, "requirepass canary-redis");
        let file = secret(closed.folder.path(), "password", "canary-redis");
        let config = format!("{url}\npassword = {{ file = '{}' }}", file.display());
        assert_eq!(flips(&config, port).await, []);
        let cache = ask(&config).await;
        assert_eq!(cache.as_ref().unwrap().servers[0].port, Some(port));
        assert!(!told(|seen| seen.cache = cache).contains("canary"));
        // Who does not know the password learns as much.
        assert_eq!(flips(&url, port).await, []);
    }
    {
        let users = start(port, "user default off\nuser vitrin on >canary-user -@all +ping +info");
        let file = secret(users.folder.path(), "password", "canary-user");
        let config = format!("{url}\nuser = 'vitrin'\npassword = {{ file = '{}' }}", file.display());
        assert_eq!(flips(&config, port).await, []);
    }
    {
        let _limited = start(port, "user default on nopass -@all +info");
        let cache = ask(&url).await.unwrap();
        assert_eq!(cache.servers[0].stranger, Stranger::Restricted);
    }
    assert_eq!(ask(&url).await.unwrap_err().cause, Cause::Unreachable);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_real_redis_behind_a_socket_is_as_closed_as_the_socket_and_its_port() {
    for (permission, expected) in [("770", &[][..]), ("777", &HALF)] {
        let server = start(0, &format!("unixsocket {{socket}}\nunixsocketperm {permission}"));
        let url = format!("url = 'unix://{}'", server.file("redis.sock").display());
        assert_eq!(flips(&url, 0).await, expected, "{permission}");
    }
    let port = free_port();
    let server = start(port, "unixsocket {socket}\nunixsocketperm 770");
    let url = format!("url = 'unix://{}'", server.file("redis.sock").display());
    assert_eq!(flips(&url, port).await, HALF, "its port is open to all programs of the machine");
    assert_eq!(fs::metadata(server.file("redis.sock")).unwrap().permissions().mode() & 0o777, 0o770);
}

/// An authority, what it has signed for a server and for a client, in a folder.
fn certificates() -> tempfile::TempDir {
    let folder = folder();
    let openssl = |arguments: String| {
        let mut command = Command::new("openssl");
        let made = command.args(arguments.split(' ')).current_dir(folder.path()).output().unwrap();
        assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    };
    let key = "-newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes";
    openssl(format!("req -x509 -days 2 {key} -subj /CN=authority -keyout ca.key -out ca.pem"));
    for name in ["server", "client"] {
        let by =
            "-CA ca.pem -CAkey ca.key -addext basicConstraints=critical,CA:FALSE -addext subjectAltName=IP:127.0.0.1";
        openssl(format!("req -x509 -days 2 {by} -subj /CN={name} {key} -keyout {name}.key -out {name}.pem"));
    }
    folder
}

#[tokio::test(flavor = "multi_thread")]
async fn a_real_redis_that_wants_a_certificate_serves_no_stranger() {
    let certificates = certificates();
    let file = |name: &str| certificates.path().join(name).display().to_string();
    let [ca, own, key, client, client_key] =
        ["ca.pem", "server.pem", "server.key", "client.pem", "client.key"].map(file);
    for (demand, expected) in [("yes", &[][..]), ("optional", &HALF)] {
        let port = free_port();
        let lines = format!(
            "tls-port {port}\ntls-cert-file {own}\ntls-key-file {key}\ntls-ca-cert-file {ca}\ntls-auth-clients {demand}"
        );
        let _server = start_at(port, 0, &lines);
        let config = format!(
            "url = 'rediss://127.0.0.1:{port}'\ntls = {{ ca_file = '{ca}', cert_file = '{client}', key_file = '{client_key}' }}"
        );
        assert_eq!(flips(&config, port).await, expected, "tls-auth-clients {demand}");
        // INFO names the port with TLS where there is no other.
        assert_eq!(ask(&config).await.unwrap().servers[0].port, Some(port));
        // Without our certificate nothing is known: the server's refusal may be for any reason.
        let config = format!("url = 'rediss://127.0.0.1:{port}'\ntls = {{ ca_file = '{ca}' }}");
        assert_eq!(ask(&config).await.is_err(), demand == "yes");
    }
}

/// Redis' own words (`rejectProtectedModeConnection`), which only a client of another machine gets to read.
#[tokio::test]
async fn protected_mode_says_that_there_is_no_password() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let redis = async {
        for _ in 0..2 {
            let (mut stream, _) = listener.accept().await.unwrap();
            let mut asked = [0; 64];
            assert_ne!(stream.read(&mut asked).await.unwrap(), 0);
            let said = "-DENIED Redis is running in protected mode because protected mode is enabled and no password is \
                        set for the default user.\r\n";
            stream.write_all(said.as_bytes()).await.unwrap();
        }
    };
    let url = format!("url = 'redis://127.0.0.1:{port}'");
    let (flipped, ()) = tokio::join!(flips(&url, 0), redis);
    assert_eq!(flipped, HALF);
}
