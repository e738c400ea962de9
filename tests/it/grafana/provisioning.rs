//! What Grafana is given at its start: data sources, and where dashboards come from.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use serde_json::{Value, json};

use super::model::{AREAS, list, text};
use crate::bundle::files::yaml;

const DATASOURCES: &str = "grafana/provisioning/datasources";
const PROVIDERS: &str = "grafana/provisioning/dashboards";
const PROMETHEUS: &str = "prometheus/prometheus.yml";

/// Where the dashboards lie for Grafana, in its image and in its packages.
const INSTALLED: &str = "/var/lib/grafana/dashboards";

/// The data sources, and what they must say.
fn wanted(scrape_interval: &str) -> [(&'static str, Value); 2] {
    [
        (
            "vitrin-prometheus",
            json!({
                "type": "prometheus", "access": "proxy", "url": "${PROMETHEUS_URL}", "isDefault": true, "editable": false,
                // Grafana makes $__rate_interval of it.
                "jsonData": {"timeInterval": scrape_interval, "httpMethod": "POST", "prometheusType": "Prometheus"},
            }),
        ),
        (
            "vitrin-alertmanager",
            json!({
                "type": "alertmanager", "access": "proxy", "url": "${ALERTMANAGER_URL}", "editable": false,
                "jsonData": {"implementation": "prometheus"},
            }),
        ),
    ]
}

/// Everything that is wrong with the provisioning in the repository at `root`.
pub(super) fn complaints(root: &Path) -> Vec<String> {
    let mut complaints = Vec::new();
    let path = root.join(PROMETHEUS);
    let prometheus: Value = yaml(&path, &fs::read_to_string(&path).unwrap());
    let sources = entries(root, DATASOURCES, "datasources", &mut complaints);
    for (uid, wanted) in wanted(text(&prometheus["global"], "scrape_interval")) {
        match &sources.iter().filter(|(_, source)| source["uid"] == uid).collect::<Vec<_>>()[..] {
            [(file, source)] => {
                let mut differing = Vec::new();
                lacks(source, &wanted, "", &mut differing);
                complaints.extend(differing.into_iter().map(|what| format!("{file}: {uid}: {what}")));
            }
            found => {
                complaints.push(format!("{DATASOURCES}: {} data sources with the uid {uid}, not one", found.len()));
            }
        }
    }
    for (file, source) in &sources {
        let uid = &source["jsonData"]["alertmanagerUid"];
        if !uid.is_null() && sources.iter().all(|(_, other)| other["uid"] != *uid) {
            complaints.push(format!("{file}: there is no data source {uid}"));
        }
        let known = wanted("").iter().any(|(uid, _)| source["uid"] == *uid);
        if !known {
            complaints.push(format!("{file}: nothing uses the data source {}", source["uid"]));
        }
        if text(source, "url").contains(":-") {
            complaints.push(format!("{file}: Grafana knows no default for what the environment lacks (`:-`)"));
        }
    }
    providers(root, &mut complaints);
    complaints
}

fn providers(root: &Path, complaints: &mut Vec<String>) {
    let providers = entries(root, PROVIDERS, "providers", complaints);
    let mut seen = BTreeSet::new();
    for (file, provider) in &providers {
        let path = text(&provider["options"], "path");
        let area = path.strip_prefix(INSTALLED).and_then(|rest| rest.strip_prefix('/')).unwrap_or_default();
        if !AREAS.contains(&area) || !root.join("grafana/dashboards").join(area).is_dir() {
            complaints.push(format!("{file}: {path} is no folder of dashboards in {INSTALLED}"));
            continue;
        }
        if !seen.insert(area.to_owned()) {
            complaints.push(format!("{file}: {path} is provided twice"));
        }
        let folder = area[..1].to_uppercase() + &area[1..];
        let wanted = json!({
            "type": "file", "folder": folder, "folderUid": format!("vitrin-{area}"),
            // What was changed in the browser would be overwritten without a word.
            "allowUiUpdates": false, "disableDeletion": false, "updateIntervalSeconds": 30,
        });
        let mut differing = Vec::new();
        lacks(provider, &wanted, "", &mut differing);
        complaints.extend(differing.into_iter().map(|what| format!("{file}: {area}: {what}")));
    }
    let missing = AREAS.iter().filter(|area| !seen.contains(**area));
    complaints.extend(missing.map(|area| format!("{PROVIDERS}: nothing provides {INSTALLED}/{area}")));
}

/// The entries of a list in all files of a folder, each with its file.
fn entries(root: &Path, folder: &str, name: &str, complaints: &mut Vec<String>) -> Vec<(String, Value)> {
    let mut found = Vec::new();
    for (stem, file) in crate::bundle::files::texts(&root.join(folder), "yml") {
        let path = format!("{folder}/{stem}.yml");
        let value: Value = yaml(Path::new(&path), &file);
        if value["apiVersion"] != 1 {
            complaints.push(format!("{path}: its apiVersion is not 1"));
        }
        found.extend(list(&value, name).iter().map(|entry| (path.clone(), entry.clone())));
    }
    found
}

/// What of `wanted` is not in `value`.
fn lacks(value: &Value, wanted: &Value, within: &str, complaints: &mut Vec<String>) {
    for (name, wanted) in wanted.as_object().into_iter().flatten() {
        if wanted.is_object() {
            lacks(&value[name], wanted, &format!("{within}{name}."), complaints);
        } else if value[name] != *wanted {
            complaints.push(format!("`{within}{name}` is {}, not {wanted}", value[name]));
        }
    }
}
