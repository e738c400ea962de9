//! How panels are drawn: gaps stay gaps, legends leave room for the graph, and nothing looks worse than it is.

use serde_json::json;

use super::super::findings::Findings;
use super::super::model::{Panel, Target, list, text};

/// Units of what is never below nothing: its axis begins there.
const FROM_ZERO: [&str; 10] = ["s", "bytes", "decbytes", "Bps", "binBps", "ops", "reqps", "cps", "iops", "percentunit"];

/// The most that the area under a line may be filled; what is stacked is made of areas.
const FILL: f64 = 10.0;

pub(super) fn check(findings: &mut Findings<'_>, panel: Panel<'_>) {
    let options = &panel.json["options"];
    match panel.kind() {
        "timeseries" => graph(findings, panel),
        "stat" => {
            findings.expect(panel.defaults()["decimals"].is_u64(), "decimals", "how many it shows is not said");
            // Only without a graph: what draws one needs the whole range.
            let instant = text(options, "graphMode") != "none" || panel.targets().into_iter().all(Target::instant);
            findings.expect(instant, "instant", "it goes on showing the last value after what measures it has died");
        }
        "table" | "bargauge" | "gauge" => {
            let instant = panel.targets().into_iter().all(Target::instant);
            findings.expect(instant, "instant", "it goes on showing the last value after what measures it has died");
        }
        "state-timeline" | "status-history" => {
            let points = panel.json["maxDataPoints"].as_u64().unwrap_or(u64::MAX);
            findings.expect(points <= 200, "points", "more than 200 (`maxDataPoints`) are stripes on a phone");
            findings.expect(!list(panel.defaults(), "mappings").is_empty(), "mappings", "its states have no names");
        }
        _ => {}
    }
    if panel.kind() == "table" {
        let tables = panel.targets().iter().all(|target| target.json["format"] == "table");
        findings.expect(tables, "table", "a query does not give a table (`format: table`)");
    }
}

fn graph(findings: &mut Findings<'_>, panel: Panel<'_>) {
    let (custom, options) = (&panel.defaults()["custom"], &panel.json["options"]);
    findings.expect(custom["spanNulls"] == false, "graph", "gaps in the data do not show (`spanNulls: false`)");
    let points = ["auto", "never"].contains(&text(custom, "showPoints"));
    findings.expect(points, "graph", "every point is drawn (`showPoints: auto` or `never`)");
    let width = custom["lineWidth"].as_u64().unwrap_or_default();
    findings.expect((1..=2).contains(&width), "graph", format!("its lines are {width} wide, not 1 or 2"));
    let stacked = ["normal", "percent"].contains(&text(&custom["stacking"], "mode"));
    let filled = custom["fillOpacity"].as_f64().unwrap_or_default() <= FILL || stacked;
    findings.expect(filled, "graph", "it is filled so that lines behind others do not show (`fillOpacity: 10`)");
    let tooltip = options["tooltip"]["mode"] == "multi" && options["tooltip"]["sort"] == "desc";
    findings.expect(tooltip, "graph", "its tooltip does not show all, the largest first");
    let legend = &options["legend"];
    findings.expect(legend["placement"] == "bottom", "graph", "a legend beside the graph leaves a phone no graph");
    let calcs = list(legend, "calcs");
    let both = ["lastNotNull", "max"].iter().all(|calc| calcs.contains(&json!(calc)));
    findings.expect(both, "graph", "its legend does not show the last value and the highest (`lastNotNull`, `max`)");
    let unit = panel.unit();
    let from_zero = !FROM_ZERO.contains(&unit) || panel.defaults()["min"].is_number();
    findings.expect(
        from_zero,
        "axis",
        format!("in {unit}, an axis that does not begin at 0 makes much of little (`min`)"),
    );
}
