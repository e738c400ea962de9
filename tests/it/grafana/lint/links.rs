//! Where a dashboard leads: to the other dashboards, and to what to do.

use serde_json::{Value, json};

use super::super::findings::Findings;
use super::super::model::{Dashboard, Panel, list, text};
use super::Context;

/// What a link to another dashboard takes along: the time, and where the data are from.
const TAKEN_ALONG: [&str; 2] = ["${__url_time_range}", "${datasource:queryparam}"];

/// How the address of the runbooks is written: each shop keeps them elsewhere.
const RUNBOOKS: [&str; 2] = ["${runbooks:raw}", "docs/runbooks"];

pub(super) fn of_dashboard(context: &Context, findings: &mut Findings<'_>, dashboard: &Dashboard) {
    let menus = dashboard.links().iter().filter(|link| link["type"] == "dashboards").collect::<Vec<_>>();
    match menus[..] {
        [menu] => {
            let wanted = [("tags", json!(["vitrin"])), ("asDropdown", json!(true)), ("includeVars", json!(true))];
            for (name, value) in wanted.into_iter().chain([("keepTime", json!(true))]) {
                findings.expect(
                    menu[name] == value,
                    "links",
                    format!("the menu of dashboards has not `{name}: {value}`"),
                );
            }
        }
        _ => findings.say("links", format!("there are {} menus of dashboards, not one", menus.len())),
    }
    let others: Vec<_> = dashboard.links().iter().filter(|link| link["type"] == "link").collect();
    let runbooks = others.iter().any(|link| RUNBOOKS.iter().any(|start| text(link, "url").contains(start)));
    findings.expect(runbooks, "links", "none leads to the runbooks");
    for link in others {
        url(context, findings, text(link, "url"));
    }
}

pub(super) fn of_panel(context: &Context, findings: &mut Findings<'_>, panel: Panel<'_>) {
    let mut urls = Vec::new();
    links(panel.json, &mut urls);
    for link in urls {
        findings.expect(!text(link, "title").is_empty(), "links", "a link has no title");
        url(context, findings, text(link, "url"));
    }
}

/// All objects in lists called `links`, however deep; and what overrides give as links.
fn links<'a>(value: &'a Value, found: &mut Vec<&'a Value>) {
    match value {
        Value::Object(members) => {
            if members.get("id").is_some_and(|id| id == "links") {
                found.extend(list(value, "value"));
            }
            for (name, value) in members {
                if name == "links" {
                    found.extend(value.as_array().into_iter().flatten());
                } else {
                    links(value, found);
                }
            }
        }
        Value::Array(values) => values.iter().for_each(|value| links(value, found)),
        _ => {}
    }
}

fn url(context: &Context, findings: &mut Findings<'_>, url: &str) {
    if url.is_empty() {
        findings.say("links", "a link leads nowhere");
    }
    if let Some(rest) = url.strip_prefix("/d/") {
        let (uid, parameters) = rest.split_once('?').unwrap_or((rest, ""));
        let uid = uid.split('/').next().unwrap_or_default();
        // A uid that the data give cannot be looked up here; the live test does.
        let given = uid.contains("${");
        findings.expect(given || context.uids.contains(uid), "links", format!("there is no dashboard {uid}"));
        for part in TAKEN_ALONG {
            findings.expect(parameters.contains(part), "links", format!("{url} does not take {part} along"));
        }
    }
    for file in RUNBOOKS.iter().filter_map(|start| url.split_once(start)?.1.strip_prefix('/')) {
        let name = file.split(['#', '?']).next().unwrap_or_default().trim_end_matches(".md");
        let exists = name.is_empty() || name == "README" || name.contains("${") || context.runbooks.contains(name);
        findings.expect(exists, "links", format!("there is no runbook {name}"));
    }
    if let Some((_, file)) = url.split_once("/blob/main/") {
        let file = file.split(['#', '?']).next().unwrap_or_default();
        let exists = file.contains("${") || context.root.join(file).exists();
        findings.expect(exists, "links", format!("there is no file {file}"));
    }
}
