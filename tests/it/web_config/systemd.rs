//! Sockets that systemd holds, its notifications, and the unit files.

use std::fs;
use std::net::{SocketAddr, UdpSocket};
use std::os::unix::net::{UnixDatagram, UnixStream};
use std::path::Path;
use std::process::Command;

use expect_test::expect;

use super::{Folder, TLS};
use crate::support::daemon::{Daemon, copy, eventually, folder, free_port};
use crate::support::http::ask;

/// systemd-socket-activate, which listens there and starts the program at the first connection.
fn activator(listen: &str, arguments: &[&str]) -> Daemon {
    let mut command = Command::new("systemd-socket-activate");
    command.args(["--listen", listen, "--fdname=anything", env!("CARGO_BIN_EXE_vitrin"), "--web.systemd-socket"]);
    command.args(arguments);
    let mut daemon = Daemon::start("systemd-socket-activate", command, folder());
    let log = daemon.folder().join("log");
    daemon.wait_until(|| fs::read_to_string(&log).unwrap().contains("Listening on "));
    daemon
}

#[test]
fn a_socket_that_systemd_holds_is_served_with_tls_as_well() {
    let address = SocketAddr::from(([127, 0, 0, 1], free_port()));
    let plain = activator(&address.to_string(), &[]);
    let answer = ask(address, "GET", "/-/ready", &[]).unwrap();
    assert_eq!((answer.status, answer.text().as_str()), (200, "Vitrin is ready.\n"), "{}", plain.log());
    assert!(plain.log().contains(&format!("listening on http://{address}")), "{}", plain.log());

    let folder = Folder::with(TLS);
    let address = SocketAddr::from(([127, 0, 0, 1], free_port()));
    let encrypted = activator(&address.to_string(), &[&folder.flag()]);
    assert_eq!(folder.https(address, "/-/ready", "").status, 200, "{}", encrypted.log());
}

#[test]
fn a_unix_socket_is_served_too() {
    let folder = folder();
    let path = folder.path().join("vitrin.sock");
    let daemon = activator(path.to_str().unwrap(), &[]);
    let mut curl = Command::new("curl");
    curl.args(["--silent", "--max-time", "60", "--unix-socket"]).arg(&path).arg("http://vitrin/-/ready");
    assert_eq!(String::from_utf8(curl.output().unwrap().stdout).unwrap(), "Vitrin is ready.\n", "{}", daemon.log());
    assert!(daemon.log().contains(&format!("listening on unix:{}", path.display())), "{}", daemon.log());
    drop(UnixStream::connect(path).unwrap());
}

#[test]
fn without_a_socket_of_systemd_it_says_what_to_do() {
    let output = Command::new(env!("CARGO_BIN_EXE_vitrin")).arg("--web.systemd-socket").output().unwrap();
    assert_eq!(output.status.code(), Some(2));
    let words = String::from_utf8(output.stderr).unwrap();
    expect![[r#"
        --web.systemd-socket: systemd has passed no socket
          hint: start vitrin.socket, which starts vitrin.service: systemctl enable --now vitrin.socket
    "#]]
    .assert_eq(&words);
}

#[test]
fn a_socket_that_is_none_of_a_stream_is_refused() {
    let mut command = Command::new("systemd-socket-activate");
    let address = format!("127.0.0.1:{}", free_port());
    command.args(["--datagram", "--listen", &address, env!("CARGO_BIN_EXE_vitrin"), "--web.systemd-socket"]);
    let mut daemon = Daemon::start("systemd-socket-activate", command, folder());
    let log = daemon.folder().join("log");
    daemon.wait_until(|| fs::read_to_string(&log).unwrap().contains("Listening on "));
    UdpSocket::bind("127.0.0.1:0").unwrap().send_to(b"x", address).unwrap();
    let refusal = "--web.systemd-socket: taking the sockets that systemd passed: number 1 is neither a TCP nor a Unix \
                   stream socket";
    eventually("the refusal", || daemon.log().contains(refusal));
}

#[test]
fn systemd_hears_when_it_is_ready_and_when_it_stops() {
    let folder = folder();
    let path = folder.path().join("notify");
    let socket = UnixDatagram::bind(&path).unwrap();
    let heard = || {
        let mut message = [0; 64];
        let length = socket.recv(&mut message).unwrap();
        String::from_utf8_lossy(&message[..length]).into_owned()
    };
    let mut command = Command::new(env!("CARGO_BIN_EXE_vitrin"));
    command.arg("--web.listen-address=127.0.0.1:0").env("NOTIFY_SOCKET", &path);
    let mut daemon = Daemon::start("vitrin", command, self::folder());
    assert_eq!(heard(), "READY=1\n");
    daemon.end();
    assert_eq!(heard(), "STOPPING=1\n");
}

/// A root with the unit files and the program that they start, for systemd's own checks.
fn root() -> tempfile::TempDir {
    let root = folder();
    let path = |name: &str| root.path().join(name);
    for name in ["etc/systemd/system", "usr/bin", "usr/lib/systemd", "bin"] {
        fs::create_dir_all(path(name)).unwrap();
    }
    copy(Path::new("/lib/systemd/system"), &path("usr/lib/systemd/system"));
    for unit in ["vitrin.service", "vitrin.socket", "vitrin-facts.service", "vitrin-facts.timer"] {
        let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("packaging").join(unit);
        fs::copy(file, path("etc/systemd/system").join(unit)).unwrap();
    }
    // systemd-analyze looks only whether there is something that can be started.
    for program in ["usr/bin/vitrin", "bin/kill"] {
        copy(Path::new("/bin/true"), &path(program));
    }
    root
}

#[test]
fn the_unit_files_are_what_systemd_expects() {
    let root = root();
    let at = format!("--root={}", root.path().display());
    let output = Command::new("systemd-analyze")
        .args([
            &at,
            "--man=no",
            "verify",
            "vitrin.service",
            "vitrin.socket",
            "vitrin-facts.service",
            "vitrin-facts.timer",
        ])
        .output()
        .unwrap();
    let words = String::from_utf8_lossy(&output.stderr).into_owned();
    // Other units may need what this machine does not have; the exit code speaks of them, too.
    let ours: Vec<_> = words.lines().filter(|line| line.contains("vitrin")).collect();
    assert_eq!(ours, [""; 0], "{words}");
    fs::write(root.path().join("etc/systemd/system/vitrin.socket"), "[Socket]\nListenStrem=1\n").unwrap();
    let output = Command::new("systemd-analyze").args([&at, "--man=no", "verify", "vitrin.socket"]).output().unwrap();
    let words = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(words.contains("vitrin.socket:2: Unknown key 'ListenStrem'"), "a check that can fail: {words}");
}

#[test]
fn the_service_is_exposed_as_little_as_the_manual_says() {
    let root = root();
    let at = format!("--root={}", root.path().display());
    let exposure = |threshold: u32| {
        let threshold = format!("--threshold={threshold}");
        let arguments = [&at, "--offline=true", &threshold, "--no-pager", "security", "vitrin.service"];
        let output = Command::new("systemd-analyze").args(arguments).output().unwrap();
        let words = String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
        (output.status.success(), words)
    };
    let manual = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/install.md")).unwrap();
    let said = manual.split("<!-- exposure -->").nth(1).unwrap().split("<!-- end -->").next().unwrap();
    let tenths: u32 = said.replace('.', "").parse().unwrap();
    let (at_most, words) = exposure(tenths);
    assert!(words.contains(&format!("Overall exposure level for vitrin.service: {said} ")), "{words}");
    assert!(at_most, "{words}");
    assert!(!exposure(tenths - 1).0, "a check that can fail: {words}");
}

#[test]
fn the_user_of_the_service_can_be_made() {
    let root = folder();
    fs::create_dir(root.path().join("etc")).unwrap();
    let output = Command::new("systemd-sysusers")
        .arg(format!("--root={}", root.path().display()))
        .arg("--dry-run")
        .arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("packaging/vitrin.sysusers"))
        .output()
        .unwrap();
    let words = String::from_utf8_lossy(&output.stderr).into_owned() + &String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success() && words.contains("Creating user 'vitrin'"), "{words}");
}
