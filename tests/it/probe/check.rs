//! What `vitrin check` says of probes that fail.

use std::fs;
use std::process::Command;

use expect_test::expect;

use crate::support::broken::refusing;
use crate::support::certificates::Certificates;
use crate::support::daemon::{folder, free_port};
use crate::support::nginx::Nginx;

#[test]
fn a_probe_that_fails_gets_its_ways_out() {
    let certificates = Certificates::of("DNS:localhost");
    let [authority, certificate, key] =
        ["ca.pem", "server.pem", "server.key"].map(|name| certificates.file(name).display().to_string());
    let [encrypted, closed] = [free_port(), refusing().port()];
    let nginx = Nginx::beside(&format!(
        "server {{\nlisten 127.0.0.1:{encrypted} ssl;\nssl_certificate {certificate};\nssl_certificate_key {key};\n}}"
    ));
    let folder = folder();
    let file = folder.path().join("vitrin.toml");
    let config = format!(
        "[host]\nenabled = false\n[probe.targets.closed]\ntcp = '127.0.0.1:{closed}'\n\
         [probe.targets.named]\nhttp = 'https://127.0.0.1:{encrypted}/'\ntls.ca_file = '{authority}'\n\
         [probe.targets.trusted]\ntls = 'localhost:{encrypted}'\nip = '4'\n\
         [probe.targets.page]\nhttp = 'http://127.0.0.1:{}/no-such-page?key=canary'\n",
        nginx.port
    );
    fs::write(&file, config).unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_vitrin"));
    let output = command.args(["check", "--config.file"]).arg(&file).output().unwrap();
    let ports = [(encrypted, "{tls}"), (closed, "{closed}"), (nginx.port, "{http}")];
    let said = String::from_utf8(output.stdout).unwrap();
    let said = ports.iter().fold(said, |said, (port, word)| said.replace(&port.to_string(), word));
    // Not what this machine lacks besides, nor the numbers, which depend on that.
    let ours = said.split("\n\n").filter(|part| ["127.0.0.1", "localhost"].iter().any(|host| part.contains(host)));
    let ours: Vec<_> =
        ours.map(|part| part.trim_start_matches(|c: char| c.is_ascii_digit() || c == '.').trim()).collect();
    expect![[r#"
        TARGET         REACHED  SERIES  WHAT IS MISSING
        probe/closed   no           19  connecting to 127.0.0.1:{closed}: Connection refused (os error 111)
        probe/named    no           39  asking https://127.0.0.1:{tls}: the certificate is for `localhost`, not for `127.0.0.1`
        probe/page     no           30  the status is 404 Not Found, not 2xx
        probe/trusted  no           35  agreeing on TLS with localhost:{tls}: the certificate was signed by `authority`, who is not trusted

        Nobody takes connections at 127.0.0.1:{closed}.
          | Start that server, or mend the target's address in Vitrin's configuration.

        The certificate of https://127.0.0.1:{tls}/ is for another name.
          | Let the server show the one for this name (nginx: server_name, ssl_certificate),
          | or say by which name it is known: tls = { server_name = "…" }

        http://127.0.0.1:{http}/no-such-page answers with another status than expected.
          | Where it wants a login, set user and password, or bearer.
          | Where that status is right, name it in expect_status.

        The certificate of localhost:{tls} is signed by nobody that this machine trusts.
          | If that is meant, name who is trusted: tls = { ca_file = "…" }
    "#]].assert_eq(&(ours.join("\n\n") + "\n"));
    assert_eq!(output.status.code(), Some(1));
}
