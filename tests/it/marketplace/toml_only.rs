//! A marketplace that Vitrin has never heard of: a file of TOML, and nothing else.

use std::fs;

use super::{accounts, asked};
use crate::support::daemon::{eventually, folder};
use crate::support::document::Document;
use crate::support::exporter::Exporter;
use crate::support::mariadb::block_on;
use crate::support::simulator::Simulator;

const PRESET: &str = r#"
schema = 1
[preset]
name = "bazaar"
description = "a marketplace of our own"
required_vars = ["seller"]
required_secrets = ["key"]
[environments.production]
base_url = "https://api.bazaar.example"
[auth]
type = "headers"
[auth.inject]
X-Bazaar-Key = "{{secret.key}}"
[[probe]]
name = "health"
role = "auth"
method = "GET"
path = "/sellers/{{var.seller}}/health"
interval = "1s"
min_interval = "1s"
expect = "json"
[probe.success]
status = [200]
"#;

#[test]
fn a_new_marketplace_is_a_file() {
    let simulator = Simulator::start("");
    let folder = folder();
    fs::write(folder.path().join("bazaar.toml"), PRESET).unwrap();
    fs::write(folder.path().join("key"), "canary").unwrap();
    let exporter = Exporter::start(&format!(
        "[host]\nenabled = false\n[marketplace]\npreset_dirs = [{:?}]\n[marketplace.targets.shop]\npreset = \"bazaar\"\n\
         vars = {{ seller = \"7\" }}\nsecrets = {{ key = {{ file = {:?} }} }}\n\
         resolve = {{ \"api.bazaar.example:443\" = \"{}\" }}\nca_file = {:?}\n",
        folder.path(),
        folder.path().join("key"),
        simulator.listens(),
        simulator.folder().join("ca.pem"),
    ));
    let labels = [("target", "shop"), ("marketplace", "bazaar"), ("probe", "health"), ("result", "ok")];
    eventually("a good probe", || exporter.scrape().number("marketplace_probe_results_total", &labels) >= 1.0);
    let up = [("collector", "marketplace"), ("target", "shop")];
    assert_eq!(exporter.scrape().number("vitrin_up", &up), 1.0);
    let asked = simulator.requests("generic");
    assert_eq!(asked[0]["path"], "/sellers/7/health");
    let text = exporter.get("/metrics", &[]).text() + &exporter.get("/", &[]).text() + &exporter.log();
    assert!(!text.contains("canary"));
}

#[test]
fn the_one_of_the_document_tells_of_listings_limits_and_keys() {
    let (simulator, folder) = (Simulator::start(""), folder());
    fs::write(folder.path().join("bazaar.toml"), Document::read("docs/marketplaces.md").block("bazaar")).unwrap();
    fs::write(folder.path().join("key"), "canary").unwrap();
    let account = accounts(&format!(
        "[marketplace]\npreset_dirs = [{:?}]\n[marketplace.targets.shop]\npreset = \"bazaar\"\n\
         vars = {{ seller_id = \"7\" }}\nsecrets = {{ api_key = {{ file = {:?} }} }}\n\
         resolve = {{ \"api.bazaar.example:443\" = \"{}\" }}\nca_file = {:?}\n",
        folder.path(),
        folder.path().join("key"),
        simulator.listens(),
        simulator.folder().join("ca.pem"),
    ))
    .remove("shop")
    .unwrap();
    let answers = |status: u16, body: &str| {
        let headers = "Content-Type = 'application/json', X-RateLimit-Limit = '100', X-RateLimit-Remaining = '99'";
        let step = format!("[[step]]\nstatus = {status}\nheaders = {{ {headers} }}\nbody = '{body}'\n");
        assert_eq!(simulator.script(&step).status, 200);
        block_on(asked(&account))
    };
    let of = ("marketplace", "bazaar");
    let (found, failure) = answers(200, r#"{"items":[],"total":7}"#);
    assert!(failure.is_none(), "{failure:?}");
    assert_eq!(found.number("marketplace_listings", &[of, ("status", "all")]), 7.0);
    let [header, documented] = ["header", "documented"].map(|source| [of, ("bucket", "products"), ("source", source)]);
    assert_eq!(found.number("marketplace_rate_limit_requests", &header), 100.0);
    assert_eq!(found.number("marketplace_rate_limit_remaining_requests", &header), 99.0);
    assert_eq!(found.number("marketplace_rate_limit_requests", &documented), 100.0);
    assert_eq!(found.number("marketplace_rate_limit_window_seconds", &header[..2]), 60.0);

    for (body, result, code, state) in [
        (r#"{"error":{"code":"KEY_EXPIRED"}}"#, "auth_error", "KEY_EXPIRED", "rejected"),
        (r#"{"error":{"code":"ROLE_MISSING"}}"#, "forbidden", "", "forbidden"),
    ] {
        let (found, failure) = answers(403, body);
        assert!(failure.is_some(), "{body}");
        let labels = [of, ("probe", "products"), ("result", result)];
        assert_eq!(found.number("marketplace_probe_results_total", &labels), 1.0, "{body}");
        assert_eq!(found.number("marketplace_auth_state", &[of, ("state", state)]), 1.0, "{body}");
        for known in ["KEY_EXPIRED", "KEY_UNKNOWN", "other"] {
            let labels = [of, ("probe", "products"), ("error_code", known)];
            let expected = f64::from(u8::from(known == code));
            assert_eq!(found.number("marketplace_probe_app_errors_total", &labels), expected, "{body}: {known}");
        }
    }
    let (found, _) = answers(200, r#"{"items":null}"#);
    let labels = [of, ("probe", "products"), ("result", "invalid_response")];
    assert_eq!(found.number("marketplace_probe_results_total", &labels), 1.0);
}
