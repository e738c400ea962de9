//! How panels lie: read from the top left, without holes, and also on a phone, which shows one below the other.

use super::super::findings::Findings;
use super::super::model::{Dashboard, Panel, Place};
use super::OVERVIEW;

/// The columns of the grid.
const COLUMNS: i64 = 24;

/// How many panels there are before somebody unfolds a row.
const VISIBLE: usize = 20;

/// A phone's screen, without the bars of its browser and of Grafana; and how far anybody scrolls.
const SCREEN: i64 = 700;
const SCROLLED: i64 = 3000;

/// Pixels of a row of the grid, and between two.
const ROW: i64 = 30;
const GAP: i64 = 8;

/// How high panels may be.
fn heights(kind: &str) -> std::ops::RangeInclusive<i64> {
    match kind {
        "row" => 1..=1,
        "stat" | "gauge" => 3..=4,
        "text" => 2..=10,
        "table" | "bargauge" | "state-timeline" | "status-history" => 5..=10,
        _ => 7..=9,
    }
}

pub(super) fn check(findings: &mut Findings<'_>, dashboard: &Dashboard) {
    let panels = dashboard.panels();
    for panel in &panels {
        let (Place { y, x, w, h }, heights) = (panel.place(), heights(panel.kind()));
        let title = panel.title();
        let inside = y >= 0 && x >= 0 && w > 0 && x + w <= COLUMNS;
        findings.expect(inside, "layout", format!("\"{title}\" is not on the grid of {COLUMNS} columns"));
        let fits = heights.contains(&h);
        findings.expect(
            fits,
            "layout",
            format!("\"{title}\" is {h} rows high, not {} to {}", heights.start(), heights.end()),
        );
    }
    let ids: Vec<_> = panels.iter().map(|panel| panel.json["id"].as_u64()).collect();
    let numbered = ids.iter().zip(1..).all(|(id, number)| *id == Some(number));
    findings.expect(numbered, "layout", "panels are not numbered as they are read: `make bless`");
    // What is folded lies where it will be when it is unfolded: each row by itself.
    let mut groups: Vec<Vec<Panel<'_>>> = vec![Vec::new()];
    for panel in panels.iter().copied() {
        if panel.kind() == "row" {
            groups.push(Vec::new());
        } else {
            groups.last_mut().expect("never empty").push(panel);
        }
    }
    for group in &groups {
        lines(findings, group);
    }
    let visible: Vec<_> = dashboard.shown().into_iter().filter(|panel| !panel.folded).collect();
    let count = visible.len();
    findings.expect(
        count <= VISIBLE,
        "layout",
        format!("{count} panels are visible at once, and {VISIBLE} are the most"),
    );
    if dashboard.name() == OVERVIEW {
        phone(findings, &visible);
    }
}

/// Panels that begin at one height fill the width, and none lies on another.
fn lines(findings: &mut Findings<'_>, panels: &[Panel<'_>]) {
    let mut places: Vec<(Place, &str)> = panels.iter().map(|panel| (panel.place(), panel.title())).collect();
    places.sort_unstable();
    for (index, (a, title)) in places.iter().enumerate() {
        for (b, other) in &places[index + 1..] {
            let apart = a.x + a.w <= b.x || b.x + b.w <= a.x || a.y + a.h <= b.y || b.y + b.h <= a.y;
            findings.expect(apart, "layout", format!("\"{title}\" and \"{other}\" overlap"));
        }
    }
    let (Some(top), Some(bottom)) =
        (places.iter().map(|(place, _)| place.y).min(), places.iter().map(|(place, _)| place.y + place.h).max())
    else {
        return;
    };
    for y in top..bottom {
        let covered: i64 = places.iter().filter(|(of, _)| (of.y..of.y + of.h).contains(&y)).map(|(of, _)| of.w).sum();
        if covered != COLUMNS {
            findings.say("layout", format!("row {y} of the grid is {covered} columns wide, not {COLUMNS}"));
            return;
        }
    }
}

/// The height of panels one below the other.
fn stacked<'a>(panels: impl Iterator<Item = &'a Panel<'a>>) -> i64 {
    panels.map(|panel| panel.place().h).map(|h| h * ROW + (h - 1) * GAP + GAP).sum::<i64>() - GAP
}

fn phone(findings: &mut Findings<'_>, visible: &[Panel<'_>]) {
    let stats: Vec<_> = visible.iter().take_while(|panel| panel.kind() == "stat").collect();
    let height = stacked(stats.iter().copied());
    findings.expect(!stats.is_empty(), "phone", "it does not begin with stats");
    findings.expect(
        height <= SCREEN,
        "phone",
        format!("its stats are {height} pixels high on a phone, and {SCREEN} are one screen"),
    );
    let height = stacked(visible.iter());
    findings.expect(
        height <= SCROLLED,
        "phone",
        format!("it is {height} pixels high on a phone, more than {SCROLLED}"),
    );
    for panel in visible {
        let big = panel.kind() != "stat" || panel.json["options"]["textMode"] == "value";
        findings.expect(
            big,
            "phone",
            format!("\"{}\" shows its name beside the value (`textMode: value`)", panel.title()),
        );
    }
}
