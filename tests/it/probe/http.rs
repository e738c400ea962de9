//! Pages: what is asked, what is learned, and what is held against what is expected.

use std::fs;

use super::{assert_ended, probe, well};
use crate::support::broken::{Answer, Broken, refusing};
use crate::support::certificates::Certificates;
use crate::support::daemon::{folder, free_port};
use crate::support::found::Found;
use crate::support::nginx::Nginx;

/// What echoes a request's header.
const ECHO: &str = "location / { default_type text/html; \
    return 200 '$request_method $http_user_agent|$http_authorization|$http_x_shop|$host|$content_length|'; }";

fn page(nginx: &Nginx, path: &str, keys: &str) -> vitrin::collectors::probe::Probe {
    probe(&format!("http = 'http://127.0.0.1:{}{path}'\n{keys}", nginx.port))
}

#[tokio::test]
async fn a_page_is_asked_for_as_configured_and_says_what_it_is() {
    let nginx = Nginx::start(ECHO);
    let found =
        well(Found::by(&page(&nginx, "/cart?a=1", "expect_body = '^GET vitrin-probe/.*\\|\\|\\|127.0.0.1\\|'")).await);
    assert_eq!(found.number("probe_http_status_code", &[]), 200.0);
    assert_eq!(found.number("probe_http_version", &[]), 1.1);
    assert_eq!(found.number("probe_http_ssl", &[]), 0.0);
    assert_eq!(found.number("probe_ip_protocol", &[]), 4.0);
    assert_eq!(found.number("probe_http_redirects", &[]), 0.0);
    assert_eq!(found.number("probe_failed_due_to_regex", &[]), 0.0);
    let length = found.number("probe_http_content_length", &[]);
    assert_eq!(found.number("probe_http_uncompressed_body_length", &[]), length);
    let phase = |phase| found.number("probe_http_duration_seconds", &[("phase", phase)]);
    let sum: f64 = ["resolve", "connect", "tls", "processing", "transfer"].map(phase).iter().sum();
    assert_eq!(phase("tls"), 0.0);
    assert!(sum > 0.0 && sum <= found.number("probe_duration_seconds", &[]), "{sum}");
}

#[tokio::test]
async fn method_body_headers_and_login_are_sent_and_secrets_are_kept_elsewhere() {
    let nginx = Nginx::start(ECHO);
    let folder = folder();
    let secret = folder.path().join("secret");
    fs::write(&secret, "Aladdin's: şifre\n").unwrap();
    let kept = format!("{{ file = '{}' }}", secret.display());
    let expected = "^POST Mozilla\\|Basic dml0cmluOkFsYWRkaW4nczogxZ9pZnJl\\|Aladdin.s: .*\\|shop.example\\|7\\|";
    let keys = format!(
        "method = 'POST'\nbody = 'a=1&b=2'\nuser = 'vitrin'\npassword = {kept}\nexpect_body = '{expected}'\n\
         headers = {{ user-agent = 'Mozilla', x-shop = {kept}, Host = 'shop.example' }}"
    );
    well(Found::by(&page(&nginx, "/", &keys)).await);
    fs::write(&secret, "token").unwrap();
    let keys = format!("bearer = {kept}\nexpect_body = '\\|Bearer token\\|'");
    well(Found::by(&page(&nginx, "/", &keys)).await);
}

#[tokio::test]
async fn what_is_not_as_expected_is_told_with_all_that_was_learned() {
    let nginx = Nginx::start(
        "location / { default_type text/html; add_header X-Cache HIT; return 200 'Sepetim'; }\n\
         location /login { return 401; }\nlocation /admin { deny all; }\nlocation /broken { return 503; }\n\
         location /gone { return 410; }",
    );
    for (path, keys, result, reason, says) in [
        ("/broken", "", "status", "protocol", "the status is 503 Service Unavailable, not 2xx"),
        ("/login", "", "status", "auth", "the status is 401"),
        ("/admin", "", "status", "permission", "the status is 403"),
        ("/", "expect_status = ['3xx', 410]", "status", "protocol", "the status is 200 OK, not 3xx, 410"),
        ("/", "expect_body = 'Warenkorb'", "content", "protocol", "the body has no `Warenkorb`"),
        ("/", "reject_body = '(?i)SEPET'", "content", "protocol", "the body has `(?i)SEPET`"),
        ("/", "expect_header.x-cache = '^MISS'", "content", "protocol", "no header `x-cache` has `^MISS`"),
    ] {
        let ended = Found::down(&page(&nginx, path, keys)).await;
        assert_ended(&ended, result, reason, says);
        assert!(ended.0.number("probe_http_status_code", &[]) >= 200.0);
        assert_eq!(ended.0.number("probe_failed_due_to_regex", &[]) == 1.0, result == "content");
    }
    well(Found::by(&page(&nginx, "/gone", "expect_status = ['3xx', 410]")).await);
    well(Found::by(&page(&nginx, "/", "expect_header.x-cache = '^HIT$'\nexpect_body = 'Sepet'")).await);
}

#[tokio::test]
async fn a_page_by_tls_is_asked_for_in_http_2_or_as_configured() {
    let certificates = Certificates::of("DNS:localhost");
    let [authority, certificate, key] =
        ["ca.pem", "server.pem", "server.key"].map(|name| certificates.file(name).display().to_string());
    let port = free_port();
    let _nginx = Nginx::beside(&format!(
        "server {{\nlisten 127.0.0.1:{port} ssl http2;\nssl_certificate {certificate};\nssl_certificate_key {key};\n\
         ssl_protocols TLSv1.3;\n\
         location / {{ default_type text/html; return 200 '$server_protocol $ssl_server_name $http_host'; }}\n}}"
    ));
    let https = |keys: &str| {
        probe(&format!("http = 'https://localhost:{port}/'\nip = '4'\ntls.ca_file = '{authority}'\n{keys}"))
    };
    let found = well(Found::by(&https("expect_body = '^HTTP/2.0 localhost localhost:'")).await);
    assert_eq!(found.number("probe_http_version", &[]), 2.0);
    assert_eq!(found.number("probe_http_ssl", &[]), 1.0);
    assert_eq!(found.number("tls_certificate_valid", &[]), 1.0);
    assert_eq!(found.number("probe_tls_version_info", &[("version", "TLS 1.3")]), 1.0);
    assert!(found.number("probe_http_duration_seconds", &[("phase", "tls")]) > 0.0);
    let found = well(Found::by(&https("http2 = false\nexpect_body = '^HTTP/1.1 localhost'")).await);
    assert_eq!(found.number("probe_http_version", &[]), 1.1);
    // Another name than the certificate's: nothing is asked of whoever that is.
    let other = probe(&format!("http = 'https://127.0.0.1:{port}/'\ntls.ca_file = '{authority}'"));
    let ended = Found::down(&other).await;
    assert_ended(&ended, "tls", "tls", "the certificate is for `localhost`, not for `127.0.0.1`");
    assert!(!ended.0.names().contains("probe_http_status_code"));
    assert_eq!(ended.0.number("tls_certificate_problem", &[("problem", "wrong_name")]), 1.0);
    let named =
        format!("http = 'https://127.0.0.1:{port}/'\ntls = {{ ca_file = '{authority}', server_name = 'localhost' }}");
    well(Found::by(&probe(&named)).await);
    well(Found::by(&probe(&format!("http = 'https://127.0.0.1:{port}/'\ntls.insecure = true"))).await);
}

#[tokio::test]
async fn each_failure_of_a_server_has_its_result_and_its_reason() {
    const HEAD: &[u8] = b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf";
    let ended = async |answer: Answer, keys: &str| {
        let server = Broken::tcp(answer);
        Found::down(&probe(&format!("http = 'http://{}/'\n{keys}", server.address()))).await
    };
    let flood = ended(Answer::endless(b"HTTP/1.1 200 OK\r\n\r\n", b"sale "), "body_limit = '64KiB'").await;
    assert_ended(&flood, "limit", "limit", "the body is larger than 64KiB");
    assert_eq!(flood.0.number("probe_http_status_code", &[]), 200.0);
    assert_eq!(flood.0.number("probe_http_content_length", &[]), -1.0);
    let header = ended(Answer::endless(b"HTTP/1.1 200 OK\r\nx: ", b"sale "), "").await;
    assert_ended(&header, "limit", "limit", "message head is too large");
    assert_ended(&ended(Answer::garbage(), "").await, "protocol", "protocol", "invalid HTTP");
    assert_ended(&ended(Answer::then_close(b""), "").await, "protocol", "protocol", "before message completed");
    let cut = ended(Answer::then_close(HEAD), "").await;
    assert_ended(&cut, "protocol", "protocol", "end of file");
    let hung = ended(Answer::then_silence(HEAD), "timeout = '500ms'").await;
    assert_ended(&hung, "timeout", "timeout", "reading the body: not done within 500ms");
    assert_eq!(hung.0.number("probe_http_uncompressed_body_length", &[]), 4.0);
    let silent = ended(Answer::silence(), "timeout = '500ms'").await;
    assert_ended(&silent, "timeout", "timeout", "waiting for the answer: not done within 500ms");
    assert!(silent.0.get("probe_http_duration_seconds", &[("phase", "processing")]).is_none());
    let refused = Found::down(&probe(&format!("http = 'http://{}/'", refusing()))).await;
    assert_ended(&refused, "connect", "connect", "Connection refused");
    let nobody = Found::down(&probe("http = 'http://shop.invalid/'")).await;
    assert_ended(&nobody, "dns", "connect", "`shop.invalid` does not resolve");
    let plain = Broken::tcp(Answer::then_close(b"HTTP/1.1 400 Bad Request\r\n\r\n"));
    let plain = Found::down(&probe(&format!("http = 'https://{}/'", plain.address()))).await;
    assert_ended(&plain, "tls", "tls", "does not speak TLS");
}
