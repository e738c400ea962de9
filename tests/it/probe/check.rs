//! What `vitrin check` says of probes that fail.

use std::fs;
use std::process::Command;

use expect_test::expect;

use crate::support::certificates::Certificates;
use crate::support::daemon::{folder, free_port};
use crate::support::nginx::Nginx;

#[test]
fn a_probe_that_fails_gets_its_ways_out() {
    let certificates = Certificates::of("DNS:localhost");
    let [authority, certificate, key] =
        ["ca.pem", "server.pem", "server.key"].map(|name| certificates.file(name).display().to_string());
    let [encrypted, refusing] = [free_port(), free_port()];
    let nginx = Nginx::beside(&format!(
        "server {{\nlisten 127.0.0.1:{encrypted} ssl;\nssl_certificate {certificate};\nssl_certificate_key {key};\n}}"
    ));
    let folder = folder();
    let file = folder.path().join("vitrin.toml");
    let config = format!(
        "[host]\nenabled = false\n[probe.targets.closed]\ntcp = '127.0.0.1:{refusing}'\n\
         [probe.targets.named]\nhttp = 'https://127.0.0.1:{encrypted}/'\ntls.ca_file = '{authority}'\n\
         [probe.targets.trusted]\ntls = 'localhost:{encrypted}'\nip = '4'\n\
         [probe.targets.page]\nhttp = 'http://127.0.0.1:{}/no-such-page'\n",
        nginx.port
    );
    fs::write(&file, config).unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_vitrin"));
    let output = command.args(["check", "--config.file"]).arg(&file).output().unwrap();
    let ports = [(encrypted, "{tls}"), (refusing, "{closed}"), (nginx.port, "{http}")];
    let said = String::from_utf8(output.stdout).unwrap();
    let said = ports.iter().fold(said, |said, (port, word)| said.replace(&port.to_string(), word));
    // The machine's own row has as many series as the machine has devices.
    let said: Vec<_> = said.lines().filter(|line| !line.starts_with("host/")).collect();
    expect![[""]].assert_eq(&(said.join("\n") + "\n"));
    assert_eq!(output.status.code(), Some(1));
}
