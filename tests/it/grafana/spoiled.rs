//! The checks at work: the dashboards in `example/` are right, and each way to spoil them is noticed.

use std::fs;
use std::path::{Path, PathBuf};

use tempfile::TempDir;

use super::{complaints, provisioning};
use crate::bundle::catalogue::beside;
use crate::bundle::files::SHIPPED;
use crate::bundle::none;
use crate::support::daemon::{copy, folder};

const OVERVIEW: &str = "grafana/dashboards/operations/overview.json";
const STORES: &str = "grafana/dashboards/operations/datastores.json";
const SLA: &str = "grafana/dashboards/business/business_sla.json";
const SOURCES: &str = "grafana/provisioning/datasources/vitrin.yml";
const PROVIDERS: &str = "grafana/provisioning/dashboards/vitrin.yml";

/// A file, what stands there, what is written instead, and what must be said of it.
type Way = (&'static str, &'static str, &'static str, &'static str);

/// The small repository: the rules of the bundle's example, with dashboards.
pub(super) fn example() -> (TempDir, PathBuf) {
    let folder = folder();
    let root = folder.path().join("shop");
    copy(&beside("example"), &root);
    copy(&Path::new(SHIPPED).join("tests/it/grafana/example/."), &root);
    (folder, root)
}

/// Fails when the check has something against the example, or does not say what it must of a spoiled one.
#[track_caller]
fn notices(check: impl Fn(&Path) -> Vec<String>, ways: &[Way]) {
    let (_folder, root) = example();
    none(&check(&root));
    let mut silent = Vec::new();
    for (file, from, to, says) in ways {
        let path = root.join(file);
        let text = fs::read_to_string(&path).unwrap();
        assert!(text.contains(from), "{file} does not hold {from}");
        fs::write(&path, text.replacen(from, to, 1)).unwrap();
        let found = check(&root);
        if !found.iter().any(|complaint| complaint.contains(says)) {
            silent
                .push(format!("{file}: `{to}` instead of `{from}` is to be noticed as: {says}\n    said: {found:#?}"));
        }
        fs::write(&path, text).unwrap();
    }
    none(&silent);
}

fn lint(root: &Path) -> Vec<String> {
    complaints(root, &[])
}

#[test]
fn a_dashboards_names_and_time_are_checked() {
    notices(
        lint,
        &[
            (
                STORES,
                "\"uid\": \"vitrin-datastores\"",
                "\"uid\": \"vitrin-stores\"",
                "uid: it is \"vitrin-stores\", not",
            ),
            (
                STORES,
                "\"uid\": \"vitrin-datastores\"",
                "\"uid\": \"vitrin-overview\"",
                "uid: another dashboard has the same",
            ),
            (
                STORES,
                "\"uid\": \"vitrin-datastores\"",
                "\"uid\": \"x\"",
                "MySQLDown leads to vitrin-datastores, which is not",
            ),
            (
                STORES,
                "\"title\": \"Data stores\",\n  \"uid",
                "\"title\": \"Overview\",\n  \"uid",
                "another dashboard is called",
            ),
            (
                STORES,
                "\"description\": \"Whether the database is fast, and has room.\"",
                "\"description\": \"\"",
                "what the dashboard is for",
            ),
            (STORES, "    \"operations\"\n", "    \"ops\"\n", "tags: they are [\"vitrin\",\"ops\"]"),
            (
                STORES,
                "\"liveNow\": false",
                "\"liveNow\": false,\n  \"version\": 3",
                "`version` is of another Grafana: `make bless`",
            ),
            (STORES, "\"showHeader\": true", "\"libraryPanel\": {}", "a library panel is not in the file"),
            (STORES, "\"schemaVersion\": 41", "\"schemaVersion\": 16", "its version is 16, not within 39..=42"),
            (STORES, "\"browser\"", "\"utc\"", "timezone: it is not the browser's"),
            (STORES, "\"graphTooltip\": 1", "\"graphTooltip\": 0", "do not share a crosshair"),
            (STORES, "\"editable\": true", "\"editable\": false", "editable: it is false, not true"),
            (STORES, "\"refresh\": \"30s\"", "\"refresh\": \"5s\"", "refresh: it is not every 30s"),
            (SLA, "\"now-30d\"", "\"now-6h\"", "not now-30d to now"),
            ("docs/topics.tsv", "datastores", "stores", "mysql has no dashboard stores.json"),
            ("docs/topics.tsv", "datastores", "stores", "no line of docs/topics.tsv has a dashboard of this name"),
            (
                "docs/topics.tsv",
                "deployment_\tDeployment\tdeployments",
                "deployment_\tDeployment\tdeployments\nredis\tredis_\tRedis\tcaches",
                "redis has no dashboard caches.json",
            ),
        ],
    );
}

#[test]
fn links_are_checked() {
    notices(
        lint,
        &[
            (STORES, "\"type\": \"dashboards\"", "\"type\": \"link\"", "there are 0 menus of dashboards"),
            (STORES, "\"keepTime\": true", "\"keepTime\": false", "the menu of dashboards has not `keepTime: true`"),
            (STORES, "docs/runbooks/MySQLDown.md", "docs/slo.md", "none leads to the runbooks"),
            (STORES, "docs/runbooks/MySQLDown.md", "docs/runbooks/MySQLGone.md", "there is no runbook MySQLGone"),
            (
                OVERVIEW,
                "/d/vitrin-datastores?",
                "/d/vitrin-mysql?",
                "panel \"Connections of the limit\": links: there is no dashboard vitrin-mysql",
            ),
            (OVERVIEW, "${__url_time_range}&", "", "does not take ${__url_time_range} along"),
            (OVERVIEW, "${datasource:queryparam}&", "", "does not take ${datasource:queryparam} along"),
        ],
    );
}

#[test]
fn variables_are_checked() {
    notices(
        lint,
        &[
            (
                STORES,
                "\"name\": \"datasource\"",
                "\"name\": \"source\"",
                "template-datasource-rule: `datasource` is missing",
            ),
            (STORES, "\"name\": \"datasource\"", "\"name\": \"source\"", "template: there is no variable `datasource`"),
            (
                STORES,
                "\"label\": \"Data source\"",
                "\"label\": \"Source\"",
                "template-datasource-rule: `datasource` is labelled",
            ),
            (STORES, "\"query\": \"prometheus\"", "\"query\": \"loki\"", "it is not for data sources of Prometheus"),
            (
                STORES,
                "\"query\": \"prometheus\",",
                "\"query\": \"prometheus\", \"regex\": \"a\",",
                "it leaves out some by a pattern",
            ),
            (
                STORES,
                "\"label\": \"Instance\"",
                "\"label\": \"Host\"",
                "template-instance-rule: `instance` is labelled",
            ),
            (STORES, "\"name\": \"job\"", "\"name\": \"jobs\"", "there is no variable `job`"),
            (STORES, "\"allValue\": \".+\"", "\"allValue\": \".*\"", "has not `allValue: \".+\"`"),
            (STORES, "\"multi\": true", "\"multi\": false", "has not `multi: true`"),
            (STORES, "\"includeAll\": true", "\"includeAll\": false", "has not `includeAll: true`"),
            (
                STORES,
                "\"refresh\": 2",
                "\"refresh\": 1",
                "template-on-time-change-reload-rule: `shop` is not asked again",
            ),
            (STORES, "\"sort\": 1,", "\"sort\": 1, \"current\": {},", "was saved with a choice"),
            (
                STORES,
                "\"query\": \"label_values(up{job=~\\\"$job\\\"}, shop)\"",
                "\"query\": \"label_values(upp, shop)\"",
                "template-label-promql-rule: `shop`: nothing exports or records upp",
            ),
            (
                STORES,
                "\"query\": \"label_values(up{job=~\\\"$job\\\"}, shop)\"",
                "\"query\": \"label_values(up, pool)\"",
                "`shop` holds the values of `pool`",
            ),
            (
                STORES,
                "\"query\": \"label_values(up{job=~\\\"$job\\\"}, shop)\"",
                "\"query\": \"query_result(up)\"",
                "does not ask label_values",
            ),
            (STORES, "\"hide\": 2,", "", "4 variables are visible"),
            (SLA, "\"name\": \"shop\"", "\"name\": \"shops\"", "template: nothing uses `shops`"),
            (STORES, "\"type\": \"query\"", "\"type\": \"constant\"", "is a variable of the type constant"),
        ],
    );
}

#[test]
fn annotations_are_checked() {
    notices(
        lint,
        &[
            (STORES, "severity=\\\"critical\\\"", "severity=\\\"warning\\\"", "none shows when critical alerts fired"),
            (STORES, "severity=\\\"critical\\\", esc2=\\\"\\\"", "severity=\\\"critical\\\"", "alerts-once: ALERTS{"),
            (STORES, "esc2=\\\"\\\", shop=~\\\"$shop\\\"}\",\n", "esc2=\\\"\\\"}\",\n", "is of every shop"),
            (STORES, "\"{{alertname}}\"", "\"{{alert}}\"", "it shows the label `alert`"),
            (STORES, "\"shop,component\"", "\"shop,topic\"", "it shows the label `topic`"),
            (STORES, "\"enable\": true", "\"enable\": false", "it is not switched on"),
            (STORES, "\"step\": \"60s\"", "\"step\": \"\"", "without a step"),
        ],
    );
}

#[test]
fn the_layout_is_checked() {
    notices(
        lint,
        &[
            (STORES, "\"h\": 3,", "\"h\": 5,", "\"Connections of the limit\" is 5 rows high, not 3 to 4"),
            (STORES, "\"w\": 24,", "\"w\": 20,", "row 11 of the grid is 20 columns wide, not 24"),
            (STORES, "\"w\": 24,", "\"w\": 25,", "is not on the grid of 24 columns"),
            (STORES, "\"y\": 11", "\"y\": 9", "\"Queries\" and \"Alerts\" overlap"),
            (STORES, "\"id\": 5", "\"id\": 6", "panels are not numbered as they are read"),
            (
                OVERVIEW,
                "\"textMode\": \"value\"",
                "\"textMode\": \"auto\"",
                "phone: \"Connections of the limit\" shows its name",
            ),
        ],
    );
}

#[test]
fn a_phone_has_one_screen_for_stats_and_a_wall_has_twenty_panels() {
    let (_folder, root) = example();
    let path = root.join(OVERVIEW);
    let mut overview: serde_json::Value = serde_json::from_str(&fs::read_to_string(&path).unwrap()).unwrap();
    let panel = overview["panels"][0].clone();
    for (count, says) in
        [(6, None), (8, Some("its stats are 904 pixels high on a phone")), (22, Some("22 panels are visible"))]
    {
        let panels: Vec<_> = (0..count)
            .map(|index| {
                let mut panel = panel.clone();
                panel["id"] = (index + 1).into();
                panel["gridPos"] = serde_json::json!({"x": index % 2 * 12, "y": index / 2 * 3, "w": 12, "h": 3});
                panel
            })
            .collect();
        overview["panels"] = panels.into();
        fs::write(&path, overview.to_string()).unwrap();
        let found = lint(&root);
        match says {
            None => none(&found),
            Some(says) => assert!(found.iter().any(|complaint| complaint.contains(says)), "{says}: {found:#?}"),
        }
    }
}

#[test]
fn what_panels_say_of_themselves_is_checked() {
    notices(
        lint,
        &[
            (STORES, "\"type\": \"table\"", "\"type\": \"graph\"", "there are no panels of the type graph"),
            (
                STORES,
                "\"title\": \"Queries\"",
                "\"title\": \"Statements that the server was asked for\"",
                "of its 40 letters a phone shows 38",
            ),
            (STORES, "\"title\": \"Queries\"", "\"title\": \"\"", "panel-title-description-rule: it has no title"),
            (
                STORES,
                "\"description\": \"Statements a second",
                "\"descriptio\": \"Statements a second",
                "panel \"Queries\": panel-title-description-rule: it has no description",
            ),
            (STORES, " As many as usual is good. If they jump, look at what was deployed.", "", "cannot all be in"),
            (STORES, "\"unit\": \"ops\"", "\"unit\": \"op/s\"", "panel-units-rule: `op/s` is no unit"),
            (STORES, "\"unit\": \"ops\"", "\"unit\": \"\"", "it has neither a unit nor words"),
            (
                STORES,
                "\"unit\": \"ops\"",
                "\"unit\": \"bytes\"",
                "A is shown in bytes, and what it asks for is shown as one of ops",
            ),
            (
                STORES,
                "\"value\": \"dtdurations\"",
                "\"value\": \"bytes\"",
                "is shown in bytes, and what it asks for is shown as one of s",
            ),
            (STORES, "\"noValue\": \"no data\",", "", "what it shows without data is not said"),
            (STORES, "\"mode\": \"thresholds\"", "\"mode\": \"fixed\"", "its colour follows `fixed`"),
            (STORES, "\"value\": null", "\"value\": 0", "what is below the first step has no colour"),
            (STORES, "\"value\": 0.8", "\"value\": 2", "thresholds: they do not rise"),
            (STORES, "\"value\": 0.8", "\"value\": 0.85", "objectives: its colour changes at 0.85"),
            (STORES, "\"color\": \"orange\"", "\"color\": \"purple\"", "colour: purple is none of"),
            (STORES, "\"id\": \"organize\"", "\"id\": \"configFromData\"", "thresholds from a query are red"),
        ],
    );
}

#[test]
fn how_panels_are_drawn_is_checked() {
    notices(
        lint,
        &[
            (STORES, "\"decimals\": 0,", "", "how many it shows is not said"),
            (STORES, "\"instant\": true", "\"instant\": false", "it goes on showing the last value"),
            (STORES, "\"format\": \"table\",", "", "a query does not give a table"),
            (STORES, "\"spanNulls\": false", "\"spanNulls\": true", "gaps in the data do not show"),
            (STORES, "\"showPoints\": \"auto\"", "\"showPoints\": \"always\"", "every point is drawn"),
            (STORES, "\"lineWidth\": 1", "\"lineWidth\": 5", "its lines are 5 wide"),
            (STORES, "\"fillOpacity\": 10", "\"fillOpacity\": 60", "it is filled so that lines behind"),
            (STORES, "\"sort\": \"desc\"", "\"sort\": \"none\"", "its tooltip does not show all"),
            (STORES, "\"placement\": \"bottom\"", "\"placement\": \"right\"", "leaves a phone no graph"),
            (STORES, "            \"max\"", "            \"min\"", "its legend does not show the last value"),
            (
                STORES,
                "\"min\": 0,\n          \"noValue\": \"no data\",\n          \"unit\": \"ops\"",
                "\"noValue\": \"no data\", \"unit\": \"ops\"",
                "axis: in ops",
            ),
        ],
    );
}

#[test]
fn queries_are_checked() {
    const RATE: &str = "rate(mysql_global_status_questions{job=~\\\"$job\\\", shop=~\\\"$shop\\\", instance=~\\\"$instance\\\"}[$__rate_interval])";
    notices(
        lint,
        &[
            (
                STORES,
                "mysql_global_status_questions",
                "mysql_global_status_question",
                "target-promql-rule: A: nothing exports or records mysql_global_status_question;",
            ),
            (STORES, "sum by (shop) (rate", "sum by (shop (rate", "target-promql-rule: A: it does not parse"),
            (STORES, "sum by (shop) (rate", "sum by (shop, pool) (rate", "`sum` is grouped by `pool`, which is not"),
            (STORES, "[$__rate_interval]", "[5m]", "target-rate-interval-rule: A: `rate` looks back over 300s"),
            (STORES, "[$__rate_interval]", "[2d]", "what looks back over days belongs into a recording rule"),
            (STORES, RATE, "mysql_global_status_questions", "target-counter-agg-rule"),
            (
                STORES,
                "(rate(mysql_global_status_questions{job=~\\\"$job\\\", ",
                "(rate(mysql_global_status_questions{",
                "target-job-rule: mysql_global_status_questions{",
            ),
            (
                STORES,
                "(rate(mysql_global_status_questions{job=~\\\"$job\\\", shop=~\\\"$shop\\\", ",
                "(rate(mysql_global_status_questions{job=~\\\"$job\\\", ",
                "target-shop-rule",
            ),
            (STORES, ", instance=~\\\"$instance\\\"}[$__rate", "}[$__rate", "target-instance-rule"),
            (
                STORES,
                "ALERTS_FOR_STATE{esc2=\\\"\\\", ",
                "ALERTS_FOR_STATE{",
                "panel \"Alerts\": alerts-once: ALERTS_FOR_STATE{",
            ),
            (STORES, "\"legendFormat\": \"{{shop}}\",", "", "legend: A has no legend of its own"),
            (STORES, "\"{{shop}}\"", "\"{{pool}}\"", "A shows the label `pool`, which its series have not"),
            (STORES, RATE, "mysql_global_status_threads_connected > 100", "objectives: A compares with 100"),
            (
                STORES,
                RATE,
                "rate(mysql_slow_queries_total[5m]) / rate(mysql_global_status_questions[5m])",
                "denominator: A divides by rate(",
            ),
            (
                STORES,
                RATE,
                "topk(5, mysql_global_status_threads_connected)",
                "chosen-once: A chooses anew at each moment: mysql_global_status_threads_connected",
            ),
            (
                STORES,
                " / on (shop) max by (shop) (alert:threshold{alert=\\\"MySQLConnectionsNearLimit\\\", shop=~\\\"$shop\\\"})",
                "",
                "objectives: its colour changes at 0.8, but it asks for no objective",
            ),
            (
                STORES,
                "\\\", shop=~\\\"$shop\\\"})\"",
                "\\\", shop=~\\\"$shop\\\"}) or vector(0)\"",
                "a ratio of nothing is not 0",
            ),
            (
                STORES,
                "\"uid\": \"${datasource}\"\n          },\n          \"editorMode\"",
                "\"uid\": \"vitrin-prometheus\"\n          },\n          \"editorMode\"",
                "panel-datasource-rule: A does not ask",
            ),
            (STORES, "\"alertname\": \"Alert\"", "\"alert\": \"Alert\"", "columns: organize names the column `alert`"),
            (STORES, "\"options\": \"For\"", "\"options\": \"Since\"", "an override is for the column `Since`"),
            (
                STORES,
                "\"options\": \"objective\"",
                "\"options\": \"promise\"",
                "an override is for the query `promise`",
            ),
            (STORES, "\"refId\": \"objective\"", "\"refId\": \"A\"", "`A` is not the name of one query"),
        ],
    );
}

#[test]
fn excuses_that_nothing_needs_are_noticed() {
    let (_folder, root) = example();
    let excuse = ["operations/overview.json", "Age of the data", "axis", "It is small."].map(str::to_owned);
    let found = complaints(&root, &[excuse]);
    assert_eq!(found, ["excused.tsv: operations/overview.json: panel \"Age of the data\" needs no excuse for axis"]);
}

#[test]
fn provisioning_is_checked() {
    notices(
        provisioning::complaints,
        &[
            (SOURCES, "timeInterval: 15s", "timeInterval: 30s", "`jsonData.timeInterval` is \"30s\", not \"15s\""),
            ("prometheus/prometheus.yml", "15s", "1m", "`jsonData.timeInterval` is \"15s\", not \"1m\""),
            (SOURCES, "uid: vitrin-prometheus", "uid: prometheus", "0 data sources with the uid vitrin-prometheus"),
            (SOURCES, "${PROMETHEUS_URL}", "${PROMETHEUS_URL:-http://127.0.0.1:9090}", "Grafana knows no default"),
            (
                SOURCES,
                "alertmanagerUid: vitrin-alertmanager",
                "alertmanagerUid: alertmanager",
                "there is no data source \"alertmanager\"",
            ),
            (SOURCES, "isDefault: true", "isDefault: false", "`isDefault` is false, not true"),
            (
                PROVIDERS,
                "dashboards/operations",
                "dashboards/ops",
                "/var/lib/grafana/dashboards/ops is no folder of dashboards",
            ),
            (PROVIDERS, "dashboards/operations", "dashboards/business", "is provided twice"),
            (
                PROVIDERS,
                "dashboards/operations",
                "dashboards/business",
                "nothing provides /var/lib/grafana/dashboards/operations",
            ),
            (PROVIDERS, "allowUiUpdates: false", "allowUiUpdates: true", "`allowUiUpdates` is true, not false"),
            (PROVIDERS, "folderUid: vitrin-operations", "folderUid: operations", "`folderUid` is \"operations\""),
        ],
    );
}
