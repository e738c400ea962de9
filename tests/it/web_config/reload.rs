//! The files are read anew when they change: all of them, as a whole or not at all.

use std::fs;

use super::{Folder, TLS, hash, page};
use crate::support::certificates::Certificates;
use crate::support::daemon::eventually;
use crate::support::exporter::Exporter;
use crate::support::http::Connection;

const ALICE: &str = "--user alice:open-sesame";
const RELOADED: &str = "vitrin_web_config_last_reload_successful";

fn status(folder: &Folder, exporter: &Exporter, arguments: &str) -> u16 {
    folder.http(exporter.address(), "/metrics", arguments).status
}

#[test]
fn users_come_and_go_without_a_restart_also_on_a_connection_that_is_open() {
    let folder = Folder::with(&format!("basic_auth_users:\n  alice: {}\n", hash("open-sesame")));
    let exporter = folder.exporter();
    let mut kept = Connection::open(exporter.address()).unwrap();
    // Base64 of `alice:open-sesame`.
    let alice = [("Authorization", "Basic YWxpY2U6b3Blbi1zZXNhbWU=")];
    assert_eq!(kept.ask("GET", "/-/ready", &alice).unwrap().status, 200);
    folder.write(&format!("basic_auth_users:\n  bob: {}\n", hash("bob")));
    assert_eq!(kept.ask("GET", "/-/ready", &alice).unwrap().status, 401);
    assert_eq!((status(&folder, &exporter, ALICE), status(&folder, &exporter, "--user bob:bob")), (401, 200));
}

#[test]
fn a_renewed_certificate_is_shown_on_the_next_connection() {
    let folder = Folder::with(TLS);
    let exporter = folder.exporter();
    folder.scrape(&exporter, "");
    let renewed = Certificates::of("DNS:localhost,IP:127.0.0.1");
    let copy = |name: &str| {
        fs::copy(renewed.file(name), folder.path("new")).unwrap();
        fs::rename(folder.path("new"), folder.path(name)).unwrap();
    };
    // Between the two, certificate and key do not fit, and the old ones are still shown.
    copy("server.pem");
    let page = folder.scrape(&exporter, "");
    assert_eq!(page.number(RELOADED, &[]), 0.0);
    folder.scrape(&exporter, "");
    copy("server.key");
    assert_eq!(folder.https(exporter.address(), "/metrics", "").status, 0, "the old authority did not sign it");
    copy("ca.pem");
    assert_eq!(folder.scrape(&exporter, "").number(RELOADED, &[]), 1.0);
    let log = exporter.log();
    assert_eq!(log.matches("the web configuration has changed and is wrong").count(), 1, "{log}");
    assert_eq!(log.matches("the web configuration has changed and is in use").count(), 1, "{log}");
}

#[test]
fn another_authority_for_clients_counts_at_once_also_for_a_session_that_could_be_resumed() {
    let folder =
        Folder::with(&format!("{TLS}  client_auth_type: RequireAndVerifyClientCert\n  client_ca_file: clients.pem\n"));
    fs::copy(folder.path("ca.pem"), folder.path("clients.pem")).unwrap();
    let exporter = folder.exporter();
    let session = folder.path("session").display().to_string();
    let openssl = |what: &str| {
        let mut command = std::process::Command::new("openssl");
        command.args(["s_client", "-connect", &exporter.address().to_string(), "-ign_eof", "-tls1_2", what, &session]);
        command.args(["-cert", &folder.path("client.pem").display().to_string()]);
        command.args(["-key", &folder.path("client.key").display().to_string()]);
        let request = folder.path("request");
        fs::write(&request, "GET /-/ready HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n").unwrap();
        let output = command.stdin(fs::File::open(request).unwrap()).output().unwrap();
        String::from_utf8_lossy(&output.stdout).into_owned()
    };
    assert!(openssl("-sess_out").contains("Vitrin is ready."), "{}", exporter.log());
    assert!(openssl("-sess_in").contains("Reused, "), "a session can be resumed");
    fs::copy(Certificates::of("DNS:localhost").file("ca.pem"), folder.path("clients.pem")).unwrap();
    let refused = openssl("-sess_in");
    assert!(!refused.contains("Vitrin is ready.") && !refused.contains("Reused, "), "{refused}");
}

#[test]
fn a_wrong_file_changes_nothing_and_is_complained_of_once() {
    let folder = Folder::with(&format!("basic_auth_users:\n  alice: {}\n", hash("open-sesame")));
    let exporter = folder.exporter();
    assert_eq!(status(&folder, &exporter, ALICE), 200);
    for wrong in ["basic_auth_user: {}\n", ": {", "", "basic_auth_users: {}\n", TLS] {
        folder.write(wrong);
        for _ in 0..3 {
            let answer = folder.http(exporter.address(), "/metrics", ALICE);
            assert_eq!(page(&answer).number(RELOADED, &[]), 0.0, "{wrong:?}");
            assert_eq!(status(&folder, &exporter, ""), 401, "{wrong:?}");
        }
    }
    fs::remove_file(folder.path("web.yml")).unwrap();
    assert_eq!(page(&folder.http(exporter.address(), "/metrics", ALICE)).number(RELOADED, &[]), 0.0);
    folder.write(&format!("basic_auth_users:\n  alice: {}\n", hash("other")));
    assert_eq!((status(&folder, &exporter, ALICE), status(&folder, &exporter, "--user alice:other")), (401, 200));
    let log = exporter.log();
    // Two of them are wrong for the same reason: a file that takes the last user away.
    assert_eq!(log.matches("the web configuration has changed and is wrong").count(), 5, "{log}");
}

#[test]
fn a_file_that_is_cut_off_lets_no_client_in_without_the_certificate_it_needed() {
    let mandatory = "  client_ca_file: ca.pem\n  client_auth_type: RequireAndVerifyClientCert\n";
    let named = "  client_allowed_sans: [localhost]\n";
    let folder = Folder::with(&format!("{TLS}{mandatory}{named}"));
    let exporter = folder.exporter();
    let stranger = || folder.https(exporter.address(), "/-/ready", "").status;
    assert_eq!(stranger(), 0);
    for written in [TLS.to_owned(), format!("{TLS}{mandatory}")] {
        folder.write(&written);
        assert_eq!(stranger(), 0, "{written}");
    }
    let log = exporter.log();
    assert_eq!(log.matches("no less can be demanded of a client's certificate while serving").count(), 1, "{log}");
}

#[test]
fn headers_change_without_a_restart() {
    let folder = Folder::with("http_server_config:\n  headers:\n    X-Frame-Options: deny\n");
    let exporter = folder.exporter();
    let head = || folder.http(exporter.address(), "/-/ready", "").text;
    assert!(head().contains("\r\nx-frame-options: deny\r\n"), "{}", head());
    folder.write("http_server_config:\n  headers:\n    X-Frame-Options: sameorigin\n");
    eventually("the other header", || head().contains("\r\nx-frame-options: sameorigin\r\n"));
}
