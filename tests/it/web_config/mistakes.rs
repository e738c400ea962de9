//! A wrong web configuration ends the start: exit code 2, and one screen with place, key, value and way out.

use std::process::Command;

use expect_test::{Expect, expect};

use super::Folder;

/// Starts the program with this configuration, which must be exit code 2 and this message.
fn refused(config: &str, message: &Expect) {
    let folder = Folder::with(config);
    let mut command = Command::new("timeout");
    command.args(["20", env!("CARGO_BIN_EXE_vitrin"), "--web.listen-address=127.0.0.1:0"]).arg(folder.flag());
    let output = command.output().unwrap();
    assert_eq!(output.status.code(), Some(2), "{output:?}");
    let here = folder.path("").display().to_string();
    message.assert_eq(&String::from_utf8(output.stderr).unwrap().replace(&here, "{folder}/"));
}

#[test]
fn an_unknown_key() {
    refused(
        "tls_server_config:\n  cert_fiel: server.pem\n",
        &expect![[r#"
            {folder}/web.yml:2:3: tls_server_config: unknown key `cert_fiel`
              hint: did you mean `cert_file`?
        "#]],
    );
    refused(
        "basic_auth:\n  alice: x\n",
        &expect![[r#"
        {folder}/web.yml:1:1: unknown key `basic_auth`
          hint: known here: tls_server_config, http_server_config, basic_auth_users, rate_limit
    "#]],
    );
    refused(
        "http_server_config:\n  headers:\n    X-Frame-Option: deny\n",
        &expect![[r#"
        {folder}/web.yml:3:5: http_server_config.headers: unknown key `X-Frame-Option`
          hint: did you mean `X-Frame-Options`?
    "#]],
    );
}

#[test]
fn a_value_that_is_not_on_the_list() {
    refused(
        "tls_server_config:\n  cert_file: server.pem\n  key_file: server.key\n  min_version: TLS14\n",
        &expect![[r#"
            {folder}/web.yml:4:16: tls_server_config.min_version: `TLS14` is not known here
              hint: known here: TLS10, TLS11, TLS12, TLS13
        "#]],
    );
    refused(
        "tls_server_config:\n  client_auth_type: RequireAndVerify\n",
        &expect![[r#"
            {folder}/web.yml:2:21: tls_server_config.client_auth_type: `RequireAndVerify` is not known here
              hint: known here: NoClientCert, RequestClientCert, RequireAnyClientCert, RequireClientCert, VerifyClientCertIfGiven, RequireAndVerifyClientCert
        "#]],
    );
    refused(
        "http_server_config:\n  headers:\n    X-Frame-Options: allow\n",
        &expect![[r#"
        {folder}/web.yml:3:22: http_server_config.headers.X-Frame-Options: `allow` is not known here
          hint: write deny or sameorigin
    "#]],
    );
    let tls = "tls_server_config:\n  cert_file: server.pem\n  key_file: server.key\n";
    refused(
        &format!("{tls}  cipher_suites:\n    - TLS_NULL\n"),
        &expect![[r#"
        {folder}/web.yml:5:5: tls_server_config.cipher_suites: `TLS_NULL` is not known here
          hint: known here: TLS_AES_256_GCM_SHA384, TLS_AES_128_GCM_SHA256, TLS_CHACHA20_POLY1305_SHA256, TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384, TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256, TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256, TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384, TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256, TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256
    "#]],
    );
    refused(
        &format!("{tls}  curve_preferences: [P256]\n"),
        &expect![[r#"
        {folder}/web.yml:4:22: tls_server_config.curve_preferences: `P256` is not known here
          hint: known here: X25519, CurveP256, CurveP384
    "#]],
    );
    refused(
        &format!("{tls}  curve_preferences: [CurveP521]\n"),
        &expect![[r#"
        {folder}/web.yml:4:22: tls_server_config.curve_preferences: none of these is spoken
          hint: known here: X25519, CurveP256, CurveP384
    "#]],
    );
}

#[test]
fn a_wrong_type() {
    refused(
        "http_server_config:\n  http2: maybe\n",
        &expect![[r#"
            {folder}/web.yml:2:10: http_server_config.http2: expected true or false
              hint: the keys are those of exporter-toolkit's web configuration; see docs/web.md
        "#]],
    );
    refused(
        "basic_auth_users:\n  - alice\n",
        &expect![[r#"
            {folder}/web.yml:2:3: basic_auth_users: expected keys with values: `key: value`, one a line
              hint: the keys are those of exporter-toolkit's web configuration; see docs/web.md
        "#]],
    );
    refused(
        "rate_limit:\n  interval: 5\n  burst: 1\n",
        &expect![[r#"
            {folder}/web.yml:2:13: rate_limit.interval: `5` is not a length of time
              hint: write "250ms", "1s", "1m30s", or 0
        "#]],
    );
    refused(
        "rate_limit:\n  interval: 1s\n  burst: -1\n",
        &expect![[r#"
            {folder}/web.yml:3:10: rate_limit.burst: expected a whole number
              hint: the keys are those of exporter-toolkit's web configuration; see docs/web.md
        "#]],
    );
}

#[test]
fn what_does_not_go_together() {
    let tls = "tls_server_config:\n  cert_file: server.pem\n  key_file: server.key\n";
    refused(
        "tls_server_config:\n  cert_file: server.pem\n",
        &expect![[r#"
            {folder}/web.yml:2:3: tls_server_config: the key `key_file` is missing
              hint: write cert_file and key_file, or neither
        "#]],
    );
    refused(
        &format!("{tls}  max_version: TLS11\n"),
        &expect![[r#"
        {folder}/web.yml:4:16: tls_server_config.max_version: TLS 1.0 and 1.1 are not spoken
          hint: write TLS12 or TLS13, or leave it out
    "#]],
    );
    refused(
        &format!("{tls}  min_version: TLS13\n  max_version: TLS12\n"),
        &expect![[r#"
        {folder}/web.yml:4:16: tls_server_config.min_version: it is above max_version
          hint: leave max_version out
    "#]],
    );
    refused(
        &format!("{tls}  client_ca_file: ca.pem\n"),
        &expect![[r#"
        {folder}/web.yml:4:19: tls_server_config.client_ca_file: nobody is asked for a certificate
          hint: write client_auth_type: RequireAndVerifyClientCert
    "#]],
    );
    refused(
        &format!("{tls}  client_auth_type: RequireAndVerifyClientCert\n"),
        &expect![[r#"
        {folder}/web.yml:4:21: tls_server_config.client_auth_type: the key `client_ca_file` is missing
          hint: name whose certificates are good; without it exporter-toolkit would take those of every public authority
    "#]],
    );
    refused(
        &format!("{tls}  client_auth_type: RequestClientCert\n  client_allowed_sans: [a]\n"),
        &expect![[r#"
        {folder}/web.yml:5:24: tls_server_config.client_allowed_sans: a client need not show a certificate
          hint: write client_auth_type: RequireAndVerifyClientCert
    "#]],
    );
    refused(
        "rate_limit:\n  interval: 1s\n",
        &expect![[r#"
        {folder}/web.yml:2:3: rate_limit.burst: with a burst of 0 nobody could ever ask
          hint: write burst: 20
    "#]],
    );
}

#[test]
fn files_that_are_not_what_they_should_be() {
    let with = |cert, key| format!("tls_server_config:\n  cert_file: {cert}\n  key_file: {key}\n");
    refused(
        &with("missing.pem", "server.key"),
        &expect![[r#"
        {folder}/web.yml:2:14: tls_server_config.cert_file: reading {folder}/missing.pem: No such file or directory (os error 2)
          hint: a relative path starts at the folder of this file; vitrin's user must be able to read it
    "#]],
    );
    refused(
        &with("server.key", "server.key"),
        &expect![[r#"
            {folder}/web.yml:2:14: tls_server_config.cert_file: there is no certificate in it
              hint: name a PEM file: -----BEGIN CERTIFICATE-----
        "#]],
    );
    refused(
        &with("server.pem", "server.pem"),
        &expect![[r#"
            {folder}/web.yml:3:13: tls_server_config.key_file: there is no private key in it
              hint: name a PEM file without a password: openssl pkey -in old.key -out new.key
        "#]],
    );
    refused(
        &with("server.pem", "client.key"),
        &expect![[r#"
            {folder}/web.yml:3:13: tls_server_config.key_file: it is not the key of this certificate
              hint: compare what both print: openssl x509 -pubkey -noout -in CERTIFICATE; openssl pkey -pubout -in KEY
        "#]],
    );
    let junk = "  client_auth_type: RequireAndVerifyClientCert\n  client_ca_file: web.yml\n";
    refused(
        &(with("server.pem", "server.key") + junk),
        &expect![[r#"
        {folder}/web.yml:5:19: tls_server_config.client_ca_file: there is no certificate of an authority in it
          hint: name a PEM file: -----BEGIN CERTIFICATE-----
    "#]],
    );
}

#[test]
fn a_password_where_a_hash_belongs() {
    refused(
        "basic_auth_users:\n  alice: canary-7f3a\n",
        &expect![[r#"
        {folder}/web.yml:2:10: basic_auth_users.alice: not a bcrypt hash
          hint: write what this prints: htpasswd -nBC 10 "" | tr -d ':\n'
    "#]],
    );
    let costly = bcrypt::hash("x", 4).unwrap().replacen("$04$", "$20$", 1);
    refused(
        &format!("basic_auth_users:\n  alice: {costly}\n"),
        &expect![[r#"
        {folder}/web.yml:2:10: basic_auth_users.alice: a cost of 20 takes many seconds for each guess of anybody; at most 16
          hint: make the hash anew: htpasswd -nBC 10 "" | tr -d ':\n'
    "#]],
    );
}

#[test]
fn a_file_that_is_not_yaml_or_not_there() {
    refused(
        "tls_server_config:\n  cert_file: \"server.pem\n",
        &expect![[r#"
        {folder}/web.yml:2:14: tls_server_config: unclosed quote
          hint: the keys are those of exporter-toolkit's web configuration; see docs/web.md
    "#]],
    );
    refused(
        "tls_server_config:\n\tcert_file: server.pem\n",
        &expect![[r#"
        {folder}/web.yml:2:2: tabs disallowed within this context (block indentation)
          hint: the keys are those of exporter-toolkit's web configuration; see docs/web.md
    "#]],
    );
    refused(
        "tls_server_config: [\n",
        &expect![[r#"
            {folder}/web.yml:1:20: tls_server_config: expected keys with values: `key: value`, one a line
              hint: the keys are those of exporter-toolkit's web configuration; see docs/web.md
        "#]],
    );
    refused(
        "rate_limit:\n  burst: 1\n  burst: 2\n",
        &expect![[r#"
            {folder}/web.yml:3:3: rate_limit: this key stands here twice
              hint: keep the one that is meant
        "#]],
    );
    refused(
        "a: 1\n---\nb: 2\n",
        &expect![[r#"
        {folder}/web.yml:1:1: unknown key `a`
          hint: known here: tls_server_config, http_server_config, basic_auth_users, rate_limit
    "#]],
    );
    let mut command = Command::new(env!("CARGO_BIN_EXE_vitrin"));
    let output = command.arg("--web.config.file=/nonexistent/web.yml").output().unwrap();
    assert_eq!(output.status.code(), Some(2));
    expect![[r#"
        /nonexistent/web.yml: the web configuration cannot be read: No such file or directory (os error 2)
          hint: name another with --web.config.file
    "#]]
    .assert_eq(&String::from_utf8(output.stderr).unwrap());
}
