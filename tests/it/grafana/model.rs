//! A dashboard as far as its checks look into it, read from the file that Grafana loads.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;

/// Where dashboards are, below the root of the repository.
pub(super) const FOLDER: &str = "grafana/dashboards";

/// The areas, each a folder of Grafana's and of ours.
pub(super) const AREAS: [&str; 2] = ["operations", "business"];

/// A file of `grafana/dashboards`.
#[derive(Clone, Debug)]
pub(crate) struct Dashboard {
    /// `operations/host.json`
    pub(crate) file: String,
    pub(crate) json: Value,
}

/// A panel, wherever it stands.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Panel<'a> {
    pub(crate) json: &'a Value,
    /// Whether it shows only when somebody unfolds its row.
    pub(crate) folded: bool,
}

/// A query of a panel.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Target<'a> {
    pub(crate) json: &'a Value,
}

/// A variable of a dashboard.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Variable<'a> {
    pub(crate) json: &'a Value,
}

/// A place on the grid of 24 columns, in rows of 30 pixels.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Place {
    pub(super) y: i64,
    pub(super) x: i64,
    pub(super) w: i64,
    pub(super) h: i64,
}

/// The paths of all dashboards in the repository at `root`, as `operations/host.json`.
pub(super) fn files(root: &Path) -> Vec<String> {
    let mut files = Vec::new();
    for area in AREAS {
        let folder = root.join(FOLDER).join(area);
        let entries = fs::read_dir(&folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
        let names = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap());
        let json = names.filter(|name| Path::new(name).extension() == Some("json".as_ref()));
        files.extend(json.map(|name| format!("{area}/{name}")));
    }
    files.sort();
    files
}

/// Where a dashboard's file is.
pub(super) fn path(root: &Path, file: &str) -> PathBuf {
    root.join(FOLDER).join(file)
}

impl Dashboard {
    /// All of a repository; fails when one cannot be read.
    pub(crate) fn all(root: &Path) -> Vec<Self> {
        let read = |file: String| {
            let text = fs::read_to_string(path(root, &file)).unwrap_or_else(|error| panic!("{file}: {error}"));
            let json = serde_json::from_str(&text).unwrap_or_else(|error| panic!("{file}: {error}"));
            Self { file, json }
        };
        files(root).into_iter().map(read).collect()
    }

    /// `host`
    pub(crate) fn name(&self) -> &str {
        self.file.rsplit('/').next().unwrap_or_default().trim_end_matches(".json")
    }

    /// `operations`
    pub(super) fn area(&self) -> &str {
        self.file.split('/').next().unwrap_or_default()
    }

    pub(super) fn uid(&self) -> &str {
        text(&self.json, "uid")
    }

    /// All panels, rows and what is folded into them included, as they come.
    pub(crate) fn panels(&self) -> Vec<Panel<'_>> {
        let mut panels = Vec::new();
        for json in list(&self.json, "panels") {
            panels.push(Panel { json, folded: false });
            let folded = json["collapsed"] == true;
            panels.extend(list(json, "panels").iter().map(|json| Panel { json, folded }));
        }
        panels
    }

    /// All panels that show something.
    pub(crate) fn shown(&self) -> Vec<Panel<'_>> {
        self.panels().into_iter().filter(|panel| panel.kind() != "row").collect()
    }

    pub(crate) fn variables(&self) -> Vec<Variable<'_>> {
        list(&self.json["templating"], "list").iter().map(|json| Variable { json }).collect()
    }

    /// Those of the dashboard itself: Grafana adds one of its own to what it exports.
    pub(crate) fn annotations(&self) -> Vec<&Value> {
        let all = list(&self.json["annotations"], "list").iter();
        all.filter(|annotation| annotation["builtIn"] != 1).collect()
    }

    pub(super) fn links(&self) -> &[Value] {
        list(&self.json, "links")
    }
}

impl<'a> Panel<'a> {
    pub(crate) fn kind(&self) -> &'a str {
        text(self.json, "type")
    }

    pub(crate) fn title(&self) -> &'a str {
        text(self.json, "title")
    }

    pub(super) fn place(&self) -> Place {
        let number = |name: &str| self.json["gridPos"][name].as_i64().unwrap_or(-1);
        Place { y: number("y"), x: number("x"), w: number("w"), h: number("h") }
    }

    pub(crate) fn targets(&self) -> Vec<Target<'a>> {
        list(self.json, "targets").iter().map(|json| Target { json }).collect()
    }

    pub(super) fn defaults(&self) -> &'a Value {
        &self.json["fieldConfig"]["defaults"]
    }

    pub(super) fn unit(&self) -> &'a str {
        text(self.defaults(), "unit")
    }

    pub(super) fn overrides(&self) -> &'a [Value] {
        list(&self.json["fieldConfig"], "overrides")
    }

    pub(crate) fn transformations(&self) -> &'a [Value] {
        list(self.json, "transformations")
    }

    /// The steps at which it changes its colour, without the first, which has no value.
    pub(super) fn steps(&self) -> Vec<f64> {
        let of =
            |thresholds: &Value| list(thresholds, "steps").iter().filter_map(|step| step["value"].as_f64()).collect();
        let mut steps: Vec<f64> = of(&self.defaults()["thresholds"]);
        for property in self.properties("thresholds") {
            steps.extend(of(&property["value"]));
        }
        steps
    }

    /// What overrides give this property.
    pub(super) fn properties(&self, id: &str) -> Vec<&'a Value> {
        let of = self.overrides().iter().flat_map(|of| list(of, "properties"));
        of.filter(|property| property["id"] == id).collect()
    }

    /// What a target's values are shown in; `None` when only Grafana could say.
    pub(super) fn unit_of(&self, target: Target<'a>) -> Option<&'a str> {
        let mut unit = self.unit();
        for of in self.overrides() {
            let Some(other) = list(of, "properties").iter().find(|property| property["id"] == "unit") else { continue };
            let (kind, option) = (text(&of["matcher"], "id"), &of["matcher"]["options"]);
            let hit = match kind {
                "byFrameRefID" => option == target.ref_id(),
                "byName" => self.columns(target).iter().any(|name| option == name.as_str()),
                // A pattern, a type, a first field: what they meet shows when there is data.
                _ => return None,
            };
            if hit {
                unit = text(other, "value");
            }
        }
        Some(unit)
    }

    /// What the field with a target's values may be called.
    pub(super) fn columns(&self, target: Target<'a>) -> BTreeSet<String> {
        let mut names = BTreeSet::from([format!("Value #{}", target.ref_id()), target.legend().to_owned()]);
        if self.targets().len() == 1 {
            names.insert("Value".to_owned());
        }
        for step in self.transformations() {
            if let Some(renamed) = step["options"]["renameByName"].as_object() {
                let new = renamed.iter().filter(|(old, _)| names.contains(*old)).map(|(_, new)| new);
                names.extend(new.filter_map(Value::as_str).map(str::to_owned).collect::<Vec<_>>());
            }
        }
        names.remove("");
        names
    }
}

impl<'a> Target<'a> {
    pub(crate) fn ref_id(self) -> &'a str {
        text(self.json, "refId")
    }

    pub(crate) fn expr(self) -> &'a str {
        text(self.json, "expr")
    }

    pub(crate) fn legend(self) -> &'a str {
        text(self.json, "legendFormat")
    }

    pub(crate) fn instant(self) -> bool {
        self.json["instant"] == true
    }

    /// The labels that its legend shows.
    pub(crate) fn legend_labels(self) -> Vec<&'a str> {
        labels_of(self.legend())
    }
}

impl<'a> Variable<'a> {
    pub(crate) fn name(self) -> &'a str {
        text(self.json, "name")
    }

    pub(crate) fn kind(self) -> &'a str {
        text(self.json, "type")
    }

    /// What it asks, which newer files hold as an object.
    pub(crate) fn query(self) -> &'a str {
        match &self.json["query"] {
            Value::String(query) => query,
            object => text(object, "query"),
        }
    }

    /// The selector and the label that it asks for; `None` when it asks something else.
    pub(crate) fn label_values(self) -> Option<(&'a str, &'a str)> {
        let inside = self.query().trim().strip_prefix("label_values(")?.strip_suffix(')')?;
        let (selector, label) = inside.rsplit_once(',')?;
        Some((selector.trim(), label.trim()))
    }
}

/// The labels between double braces.
pub(super) fn labels_of(legend: &str) -> Vec<&str> {
    legend.split("{{").skip(1).filter_map(|rest| Some(rest.split_once("}}")?.0.trim())).collect()
}

/// A member as text; nothing is empty.
pub(super) fn text<'a>(value: &'a Value, name: &str) -> &'a str {
    value[name].as_str().unwrap_or_default()
}

/// A member as a list; nothing is empty.
pub(super) fn list<'a>(value: &'a Value, name: &str) -> &'a [Value] {
    value[name].as_array().map_or(&[], Vec::as_slice)
}
