//! Certificates as they lie on disk.

use std::fs;
use std::os::unix::fs::{PermissionsExt as _, symlink};

use crate::support::certificates::Certificates;
use crate::support::daemon::eventually;
use crate::support::exporter::Exporter;

/// The user and group of whoever has no rights.
const NOBODY: (u32, u32) = (65534, 65534);

/// A folder as certbot makes it, for two shops, of which each certificate has its authority's behind it.
fn certbot(certificates: &Certificates) -> String {
    let home = certificates.file("letsencrypt");
    for shop in ["a.example", "b.example"] {
        certificates.sign(shop, &format!("DNS:{shop}"));
        let [archive, live] = ["archive", "live"].map(|part| home.join(part).join(shop));
        fs::create_dir_all(&archive).unwrap();
        fs::create_dir_all(&live).unwrap();
        let chain = [fs::read(certificates.file(&format!("{shop}.pem"))), fs::read(certificates.file("ca.pem"))];
        fs::write(archive.join("fullchain1.pem"), chain.map(Result::unwrap).concat()).unwrap();
        fs::copy(certificates.file(&format!("{shop}.key")), archive.join("privkey1.pem")).unwrap();
        for file in ["fullchain", "privkey"] {
            symlink(format!("../../archive/{shop}/{file}1.pem"), live.join(format!("{file}.pem"))).unwrap();
        }
    }
    home.display().to_string()
}

#[test]
fn certificates_on_disk_tell_when_they_expire_and_a_renewed_one_at_once() {
    let certificates = Certificates::of("IP:127.0.0.1");
    let home = certbot(&certificates);
    let exporter = Exporter::start(&format!(
        "[probe.targets.disk]\ncertificates = ['{home}/live/*/fullchain.pem']\nevery = '1s'\ntimeout = '1s'\n"
    ));
    let file = format!("{home}/live/a.example/fullchain.pem");
    let labels = |certificate| [("target", "disk"), ("file", file.as_str()), ("certificate", certificate)];
    let expiry = "tls_certificate_file_expiry_timestamp_seconds";
    eventually("the first probe", || exporter.scrape().get("probe_success", &[("target", "disk")]) == Some(1.0));
    let page = exporter.scrape();
    assert_eq!(page.number(expiry, &labels("leaf")), certificates.expires("a.example"));
    let ends = certificates.expires("a.example").min(certificates.expires("ca"));
    assert_eq!(page.number(expiry, &labels("chain")), ends);
    assert_eq!(page.family(expiry).unwrap().series.len(), 4);

    certificates.sign_between("renewed", "DNS:a.example", ["20260101000000Z", "20900101000000Z"]);
    let renewed = format!("{home}/archive/a.example/fullchain2.pem");
    fs::copy(certificates.file("renewed.pem"), &renewed).unwrap();
    symlink(&renewed, format!("{file}.new")).unwrap();
    fs::rename(format!("{file}.new"), &file).unwrap();
    let ends = certificates.expires("renewed");
    eventually("the renewed one", || exporter.scrape().get(expiry, &labels("leaf")) == Some(ends));

    fs::remove_file(&file).unwrap();
    eventually("the one that is gone to be absent", || exporter.scrape().get(expiry, &labels("leaf")).is_none());
    assert_eq!(exporter.scrape().family(expiry).unwrap().series.len(), 2);
}

#[test]
fn what_only_root_may_read_is_a_gap_and_not_nothing() {
    let certificates = Certificates::of("IP:127.0.0.1");
    let home = certbot(&certificates);
    let other = certificates.file("server.pem").display().to_string();
    // As certbot leaves it.
    fs::set_permissions(format!("{home}/live"), fs::Permissions::from_mode(0o700)).unwrap();
    let exporter = Exporter::start_as(
        NOBODY,
        &format!(
            "[probe.targets.some]\ncertificates = ['{other}', '{home}/live/*/fullchain.pem']\n\
             [probe.targets.none]\ncertificates = ['{home}/live/a.example/fullchain.pem']\n"
        ),
    );
    let denied = |target| [("collector", "probe"), ("target", target), ("reason", "permission")];
    let count = |target| exporter.scrape().get("vitrin_collect_failures_total", &denied(target));
    eventually("both to be denied", || count("some") >= Some(1.0) && count("none") >= Some(1.0));
    let page = exporter.scrape();
    assert_eq!(page.number("probe_success", &[("target", "some")]), 1.0);
    assert_eq!(page.number("probe_success", &[("target", "none")]), 0.0);
    assert_eq!(page.family("tls_certificate_file_expiry_timestamp_seconds").unwrap().series.len(), 2);
    assert!(exporter.log().contains(&format!("reading {home}/live: Permission denied")), "{}", exporter.log());
}
