//! The one way to write a dashboard down, so that a change in Grafana's editor is a short difference here.
//!
//! Somebody saves what Grafana exports over the file and says `make bless`.

use std::fs;
use std::path::Path;

use serde_json::{Map, Value, json};

use super::model::{files, path};

/// What belongs to one Grafana's database, or to a share by hand, and not to a dashboard.
pub(super) const NOT_OURS: [&str; 8] =
    ["id", "version", "iteration", "gnetId", "__inputs", "__requires", "__elements", "weekStart"];

/// What no panel has use for: the version of the plugin that saved it.
const NOWHERE: [&str; 1] = ["pluginVersion"];

/// Lists that say nothing when they are empty.
const EMPTY: [&str; 3] = ["links", "transformations", "mappings"];

/// The canonical text of a dashboard that is to be `<area>/<name>.json`.
pub(super) fn canonical(file: &str, text: &str) -> Result<String, String> {
    let json: Value = serde_json::from_str(text).map_err(|error| format!("{file}: it is no JSON: {error}"))?;
    let mut json = classic(file, json)?;
    let Value::Object(members) = &mut json else { return Err(format!("{file}: it is no object")) };
    members.retain(|name, _| !NOT_OURS.contains(&name.as_str()));
    let (area, name) = file.trim_end_matches(".json").split_once('/').unwrap_or_default();
    members.insert("uid".to_owned(), json!(format!("vitrin-{name}")));
    members.insert("tags".to_owned(), json!(["vitrin", area]));
    if let Some(title) = members.get("title").and_then(Value::as_str) {
        // What Grafana calls the copy that its dialog offers.
        let title = title.strip_suffix(" Copy").unwrap_or(title).to_owned();
        members.insert("title".to_owned(), json!(title));
    }
    for variable in members.get_mut("templating").map(|templating| items(templating, "list")).unwrap_or_default() {
        if let Some(members) =
            variable.as_object_mut().filter(|members| members.get("type").is_none_or(|kind| kind != "custom"))
        {
            members.retain(|name, _| !["current", "options"].contains(&name.as_str()));
        }
    }
    ordered(members, &mut 0);
    clean(&mut json, "");
    let text = serde_json::to_string_pretty(&json).map_err(|error| format!("{file}: {error}"))?;
    Ok(text + "\n")
}

/// The dashboard in what Grafana, its interface or its newer resources give.
fn classic(file: &str, mut json: Value) -> Result<Value, String> {
    // What `GET /api/dashboards/uid/...` answers.
    if json["dashboard"].is_object() && json["meta"].is_object() {
        json = json["dashboard"].take();
    }
    if json["apiVersion"].is_string() && json["spec"].is_object() {
        json = json["spec"].take();
    }
    if json.get("elements").is_some() || json.get("layout").is_some() {
        return Err(format!(
            "{file}: this is a dashboard of the V2 model, which older Grafanas cannot load: export it once more as \
             \"Classic\" (Share, Export, Model: Classic, without \"share externally\")"
        ));
    }
    if json["panels"].is_array() { Ok(json) } else { Err(format!("{file}: it has no list of panels")) }
}

/// Sorts panels as one reads them, and numbers them so; a row's own follow it.
fn ordered(holder: &mut Map<String, Value>, last: &mut u64) {
    let Some(Value::Array(panels)) = holder.get_mut("panels") else { return };
    panels.sort_by_key(|panel| {
        let place = |name: &str| panel["gridPos"][name].as_i64();
        (place("y"), place("x"))
    });
    for panel in panels.iter_mut().filter_map(Value::as_object_mut) {
        *last += 1;
        panel.insert("id".to_owned(), json!(*last));
        ordered(panel, last);
    }
}

/// Leaves out what says nothing, all the way down. Only the first step of thresholds is null and means it.
fn clean(value: &mut Value, within: &str) {
    match value {
        Value::Object(members) => {
            members.retain(|name, value| {
                let step = within == "steps" && name == "value";
                let empty = EMPTY.contains(&name.as_str()) && value.as_array().is_some_and(Vec::is_empty);
                !(value.is_null() && !step || empty || NOWHERE.contains(&name.as_str()))
            });
            for (name, value) in members {
                clean(value, name);
            }
        }
        Value::Array(values) => values.iter_mut().for_each(|value| clean(value, within)),
        _ => {}
    }
}

fn items<'a>(value: &'a mut Value, name: &str) -> &'a mut [Value] {
    value[name].as_array_mut().map(Vec::as_mut_slice).unwrap_or_default()
}

/// Whether `make bless` asks.
fn is_to_be_written() -> bool {
    std::env::var_os("UPDATE_EXPECT").is_some()
}

/// Where two texts part.
fn difference(ours: &str, theirs: &str) -> String {
    let differ = ours.lines().zip(theirs.lines()).zip(1..).find(|((ours, theirs), _)| ours != theirs);
    differ.map_or_else(
        || "one goes on where the other ends".to_owned(),
        |((ours, theirs), line)| format!("line {line} is `{}`, not `{}`", ours.trim(), theirs.trim()),
    )
}

#[test]
fn every_dashboard_is_written_in_the_one_way() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let (mut complaints, all) = (Vec::new(), files(root));
    assert!(!all.is_empty(), "there are no dashboards");
    for file in all {
        let path = path(root, &file);
        let text = fs::read_to_string(&path).unwrap();
        match canonical(&file, &text) {
            Err(error) => complaints.push(error),
            Ok(wanted) if wanted == text => {}
            Ok(wanted) if is_to_be_written() => fs::write(&path, wanted).unwrap(),
            Ok(wanted) => complaints.push(format!("{file}: {}: `make bless` writes it", difference(&text, &wanted))),
        }
    }
    crate::bundle::none(&complaints);
}

#[test]
fn what_grafana_adds_is_left_out() {
    let exported = json!({
        "id": 7, "version": 3, "__inputs": [], "gnetId": null, "links": [], "title": "Host Copy", "uid": "cd3f", "tags": [],
        "templating": {"list": [
            {"name": "shop", "type": "query", "current": {"value": "a"}, "options": []},
            {"name": "step", "type": "custom", "options": [1]},
        ]},
        "panels": [
            {"id": 9, "gridPos": {"x": 0, "y": 9}, "type": "row", "panels": [
                {"id": 2, "gridPos": {"x": 0, "y": 10}, "transformations": []},
            ]},
            {"id": 3, "gridPos": {"x": 12, "y": 0}, "pluginVersion": "12.4.0",
             "fieldConfig": {"defaults": {"min": null, "thresholds": {"steps": [{"color": "green", "value": null}]}}, "overrides": []}},
            {"id": 4, "gridPos": {"x": 0, "y": 0}},
        ],
    });
    let ours = json!({
        "title": "Host", "uid": "vitrin-host", "tags": ["vitrin", "operations"],
        "templating": {"list": [{"name": "shop", "type": "query"}, {"name": "step", "type": "custom", "options": [1]}]},
        "panels": [
            {"id": 1, "gridPos": {"x": 0, "y": 0}},
            {"id": 2, "gridPos": {"x": 12, "y": 0},
             "fieldConfig": {"defaults": {"thresholds": {"steps": [{"color": "green", "value": null}]}}, "overrides": []}},
            {"id": 3, "gridPos": {"x": 0, "y": 9}, "type": "row", "panels": [{"id": 4, "gridPos": {"x": 0, "y": 10}}]},
        ],
    });
    let wanted = serde_json::to_string_pretty(&ours).unwrap() + "\n";
    for wrapped in [
        exported.clone(),
        json!({"dashboard": exported, "meta": {}}),
        json!({"apiVersion": "dashboard.grafana.app/v1", "kind": "Dashboard", "metadata": {}, "spec": exported}),
    ] {
        assert_eq!(canonical("operations/host.json", &wrapped.to_string()).unwrap(), wanted);
    }
    assert_eq!(canonical("operations/host.json", &wanted).unwrap(), wanted, "what is canonical stays as it is");
}

#[test]
fn the_newer_model_is_refused_with_the_way_out() {
    let resource = json!({"apiVersion": "dashboard.grafana.app/v2", "spec": {"elements": {}, "layout": {}}});
    for (text, says) in [
        (resource.to_string().as_str(), "as \"Classic\""),
        ("{\"title\": \"Host\"}", "it has no list of panels"),
        ("{\"title\": ", "it is no JSON"),
    ] {
        let error = canonical("operations/host.json", text).unwrap_err();
        assert!(error.starts_with("operations/host.json: ") && error.contains(says), "{error}");
    }
}
