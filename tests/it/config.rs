//! Bad configuration: each mistake is one screen with place, value and way out, and exit code 2.

use std::fs::{self, Permissions};
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::UnixListener;
use std::path::Path;
use std::process::{Command, Output};

use expect_test::{Expect, expect};

use crate::support::daemon::{copy, eventually, folder};
use crate::support::exporter::Exporter;

/// Runs the program with this configuration to its end, which must be exit code 2 and this message.
fn refused(config: &str, message: &Expect) {
    let folder = folder();
    let file = folder.path().join("vitrin.toml");
    let path = folder.path().display().to_string();
    fs::write(folder.path().join("not-a-socket"), "").unwrap();
    fs::write(&file, config.replace("{folder}", &path)).unwrap();
    let output = run(&["--web.listen-address=127.0.0.1:0", "--config.file", &file.display().to_string()]);
    message.assert_eq(&said(&output).replace(&path, "{folder}"));
}

fn run(arguments: &[&str]) -> Output {
    // A mistake that is not noticed would be served for ever.
    let mut command = Command::new("timeout");
    command.args(["20", env!("CARGO_BIN_EXE_vitrin")]).args(arguments).env_clear().env("PATH", "/usr/bin");
    command.output().unwrap()
}

fn said(output: &Output) -> String {
    assert_eq!(output.status.code(), Some(2), "{output:?}");
    assert!(output.stdout.is_empty(), "{output:?}");
    String::from_utf8(output.stderr.clone()).unwrap()
}

#[test]
fn an_unknown_key() {
    refused(
        "[redis.targets.main]\nurl = 'redis://127.0.0.1'\npasword = { env = 'X' }\n",
        &expect![[r#"
            {folder}/vitrin.toml:3:1: redis.targets.main: unknown key `pasword`
              hint: did you mean `password`?
        "#]],
    );
}

#[test]
fn an_unknown_topic() {
    refused(
        "[postgres.targets.main]\n",
        &expect![[r#"
            {folder}/vitrin.toml:1:2: unknown key `postgres`
              hint: known here: state_dir, exposition, objectives, access_log, host, marketplace, mysql, nginx, php_fpm, probe, redis, security, textfile
        "#]],
    );
}

#[test]
fn a_wrong_type() {
    refused(
        "[redis]\ntimeout = 2\n",
        &expect![[r#"
            {folder}/vitrin.toml:2:11: redis.timeout: `2` is not a length of time
              hint: write "250ms", "2s", "5m" or "1h"
        "#]],
    );
}

#[test]
fn a_length_of_time_that_is_none() {
    refused(
        "[mysql]\ntimeout = \"soon\"\n",
        &expect![[r#"
        {folder}/vitrin.toml:2:11: mysql.timeout: `soon` is not a length of time
          hint: write "250ms", "2s", "5m" or "1h"
    "#]],
    );
}

#[test]
fn an_address_that_is_none() {
    refused(
        "[redis.targets.main]\nurl = \"http://cache:6379\"\n",
        &expect![[r#"
        {folder}/vitrin.toml:2:7: redis.targets.main.url: `http://cache:6379` is not a Redis address
          hint: write redis://127.0.0.1:6379, rediss://cache.example:6380/0 or unix:///run/redis/redis.sock
    "#]],
    );
    refused(
        "[mysql.targets.main]\naddress = \"localhost\"\nuser = \"vitrin\"\n",
        &expect![[r#"
        {folder}/vitrin.toml:2:11: mysql.targets.main.address: `localhost` is not an address
          hint: write "127.0.0.1:3306", "[::1]:3306" or "/run/mysqld/mysqld.sock"
    "#]],
    );
    refused(
        "[nginx.targets.main]\nurl = \"https://127.0.0.1/status\"\n",
        &expect![[r#"
        {folder}/vitrin.toml:2:7: nginx.targets.main.url: `https://127.0.0.1/status` is encrypted, which Vitrin does not do here: let nginx `listen 127.0.0.1:8080` for it
          hint: write "http://127.0.0.1:8080/stub_status" or "unix:/run/nginx.sock:/stub_status"
    "#]],
    );
}

#[test]
fn a_secret_in_the_file() {
    refused(
        "[mysql.targets.main]\naddress = '127.0.0.1:3306'\nuser = 'vitrin'\npassword = 'canary-7f3a'\n",
        &expect![[r#"
            {folder}/vitrin.toml:4:12: mysql.targets.main.password: a secret does not belong in this file
              hint: write { file = "/etc/vitrin/name" }, { env = "NAME" } or { credential = "name" }
        "#]],
    );
    refused(
        "[redis.targets.main]\nurl = 'redis://127.0.0.1'\npassword = { value = 73219 }\n",
        &expect![[r#"
            {folder}/vitrin.toml:3:12: redis.targets.main.password: a place is text
              hint: write { file = "/etc/vitrin/name" }, { env = "NAME" } or { credential = "name" }
        "#]],
    );
    refused(
        "[mysql.targets.main]\naddress = 'mysql://vitrin:canary-7f3a@127.0.0.1:3306'\nuser = 'vitrin'\n",
        &expect![[r#"
            {folder}/vitrin.toml:2:11: mysql.targets.main.address: a user or password does not belong in the address
              hint: write host and port alone; user and password are keys beside it
        "#]],
    );
    refused(
        "[redis.targets.main]\nurl = 'redis://:canary-7f3a@127.0.0.1'\n",
        &expect![[r#"
        {folder}/vitrin.toml:2:7: redis.targets.main.url: a user or password does not belong in the address
          hint: write user = "vitrin" and password = { file = "/etc/vitrin/redis" } beside it
    "#]],
    );
}

#[test]
fn a_secret_that_is_not_there() {
    let target = "[mysql.targets.main]\naddress = '127.0.0.1:3306'\nuser = 'vitrin'\n";
    refused(
        &format!("{target}password = {{ file = '{{folder}}/missing' }}\n"),
        &expect![[r#"
        {folder}/vitrin.toml:4:12: mysql.targets.main.password: the secret file {folder}/missing cannot be read: No such file or directory (os error 2)
          hint: create it, readable by vitrin's user alone: install -m 0600 -o vitrin /dev/stdin {folder}/missing
    "#]],
    );
    refused(
        &format!("{target}password = {{ env = 'MISSING' }}\n"),
        &expect![[r#"
        {folder}/vitrin.toml:4:12: mysql.targets.main.password: the environment variable `MISSING` is not set
          hint: set it where vitrin is started
    "#]],
    );
    refused(
        &format!("{target}password = {{ credential = 'missing' }}\n"),
        &expect![[r#"
        {folder}/vitrin.toml:4:12: mysql.targets.main.password: the credential `missing` is not there: `CREDENTIALS_DIRECTORY` is not set
          hint: add LoadCredential=missing:/path to vitrin.service, or write { file = "/path" }
    "#]],
    );
    refused(
        &format!("{target}password = {{ vault = 'missing' }}\n"),
        &expect![[r#"
        {folder}/vitrin.toml:4:12: mysql.targets.main.password: `vault` is not a place for a secret
          hint: write { file = "/etc/vitrin/name" }, { env = "NAME" } or { credential = "name" }
    "#]],
    );
}

#[test]
fn a_secret_in_what_is_no_file() {
    let folder = folder();
    let pipe = folder.path().join("pipe");
    assert!(Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    let target = "[mysql.targets.main]\naddress = '127.0.0.1:3306'\nuser = 'vitrin'\n";
    refused(
        &format!("{target}password = {{ file = '{{folder}}' }}\n"),
        &expect![[r#"
        {folder}/vitrin.toml:4:12: mysql.targets.main.password: the secret file {folder} is not a file
          hint: name a file that holds the secret alone
    "#]],
    );
    let config = folder.path().join("vitrin.toml");
    fs::write(&config, format!("{target}password = {{ file = '{}' }}\n", pipe.display())).unwrap();
    let refusal = said(&run(&["--config.file", &config.display().to_string()]));
    assert!(refusal.contains("/pipe is not a file"), "{refusal}");
}

#[test]
fn a_socket_that_is_none() {
    refused(
        "[redis.targets.main]\nurl = \"unix://{folder}/not-a-socket\"\n",
        &expect![[r#"
        {folder}/vitrin.toml:2:7: redis.targets.main.url: {folder}/not-a-socket is not a socket
          hint: name the server's own: see `ss -lx`
    "#]],
    );
    refused(
        "[mysql.targets.main]\naddress = \"{folder}/not-a-socket\"\nuser = \"vitrin\"\n",
        &expect![[r#"
        {folder}/vitrin.toml:2:11: mysql.targets.main.address: {folder}/not-a-socket is not a socket
          hint: name the server's own: see `ss -lx`
    "#]],
    );
}

#[test]
fn a_socket_that_this_user_may_not_use() {
    let folder = folder();
    let socket = folder.path().join("closed");
    let _listener = UnixListener::bind(&socket).unwrap();
    fs::set_permissions(&socket, Permissions::from_mode(0o000)).unwrap();
    let path = folder.path().display().to_string();
    let file = folder.path().join("vitrin.toml");
    fs::write(&file, format!("[redis.targets.main]\nurl = 'unix://{path}/closed'\n")).unwrap();
    // Root may use every socket, so as root the program is started as nobody, from a copy that nobody can reach.
    let program = folder.path().join("vitrin");
    copy(Path::new(env!("CARGO_BIN_EXE_vitrin")), &program);
    let root = rustix::process::geteuid().is_root();
    let nobody = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"].into_iter().filter(|_| root);
    let mut command = Command::new("timeout");
    command.arg("20").args(nobody).arg(&program).arg("--config.file").arg(&file);
    expect![[r#"
        {folder}/vitrin.toml:2:7: redis.targets.main.url: the socket {folder}/closed is closed to this user
          hint: put vitrin's user into the group that owns it: usermod --append --groups $(stat -c %G {folder}/closed) vitrin
    "#]].assert_eq(&said(&command.output().unwrap()).replace(&path, "{folder}"));
}

#[test]
fn a_key_that_is_missing() {
    refused(
        "[mysql.targets.main]\nuser = 'vitrin'\n",
        &expect![[r#"
        {folder}/vitrin.toml:1:1: mysql.targets.main: the key `address` is missing
          hint: add address = … to this table
    "#]],
    );
}

#[test]
fn a_word_that_is_not_on_the_list() {
    let target = "[mysql.targets.main]\naddress = '127.0.0.1:3306'\nuser = 'vitrin'\n";
    refused(
        &format!("{target}tls.mode = 'verify'\n"),
        &expect![[r#"
            {folder}/vitrin.toml:4:12: mysql.targets.main.tls.mode: `verify` is not known here
              hint: write one of `disable`, `require`, `verify-ca`, `verify-full`
        "#]],
    );
}

#[test]
fn two_targets_with_one_name() {
    let target = "[redis.targets.main]\nurl = 'redis://127.0.0.1'\n";
    refused(
        &format!("{target}{target}"),
        &expect![[r#"
        {folder}/vitrin.toml:3:16: duplicate key
          hint: a key or a table stands once; a second target needs a name of its own
    "#]],
    );
}

#[test]
fn a_name_that_is_none() {
    refused(
        "[redis.targets.'a b']\nurl = 'redis://127.0.0.1'\n",
        &expect![[r#"
        {folder}/vitrin.toml:1:16: redis.targets.a b: `a b` is not a name
          hint: 1 to 63 letters, digits, `_`, `-` and `.`, for example `cache`
    "#]],
    );
}

#[test]
fn a_file_that_is_not_toml() {
    refused(
        "[redis\n",
        &expect![[r#"
            {folder}/vitrin.toml:1:7: unclosed table, expected `]`
              hint: a table is written [redis.targets.main], a key url = "redis://127.0.0.1:6379"
        "#]],
    );
}

#[test]
fn a_file_that_is_not_there() {
    let output = run(&["--config.file=/nonexistent/vitrin.toml"]);
    expect![[r#"
        /nonexistent/vitrin.toml: the configuration cannot be read: No such file or directory (os error 2)
          hint: name another with --config.file, or start without one: /etc/vitrin/vitrin.toml need not exist
    "#]]
    .assert_eq(&said(&output));
}

#[test]
fn a_port_in_use() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port().to_string();
    let output = run(&["--web.listen-address", &format!("127.0.0.1:{port}")]);
    expect![[r#"
        --web.listen-address: listening on `127.0.0.1:PORT`: Address already in use (os error 98)
          hint: see who listens there with: ss -ltnp 'sport = :PORT'; or choose another port, for example --web.listen-address=127.0.0.1:22101
    "#]].assert_eq(&said(&output).replace(&port, "PORT"));
}

#[test]
fn an_address_to_listen_on_that_is_none() {
    let output = run(&["--web.listen-address=22100"]);
    expect![[r#"
        --web.listen-address: listening on `22100`: invalid socket address
          hint: write 127.0.0.1:22100, [::1]:22100, name:22100, or :22100 for all addresses
    "#]]
    .assert_eq(&said(&output));
}

#[test]
fn an_unknown_flag() {
    let output = run(&["--web.listen-adress=:1"]);
    expect![[r#"
        error: unexpected argument '--web.listen-adress' found

          tip: a similar argument exists: '--web.listen-address'

        Usage: vitrin --web.listen-address <ADDRESS>

        For more information, try '--help'.
    "#]]
    .assert_eq(&said(&output));
}

#[test]
fn a_secret_file_that_every_user_can_read_is_used_and_warned_of() {
    let folder = folder();
    let secret = folder.path().join("password");
    fs::write(&secret, "canary-7f3a").unwrap();
    fs::set_permissions(&secret, Permissions::from_mode(0o644)).unwrap();
    let exporter = Exporter::start(&format!(
        "[redis.targets.main]\nurl = 'redis://127.0.0.1:1'\npassword = {{ file = '{}' }}\n",
        secret.display()
    ));
    let warning = format!("every user can read the secret file {}", secret.display());
    eventually("the warning", || exporter.log().contains(&warning));
    assert!(!exporter.log().contains("canary-7f3a"));
}
