//! What is found wrong with a dashboard.

use std::fmt;

use super::model::{Dashboard, Panel};

/// One thing that is wrong.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Finding {
    pub(super) file: String,
    /// The title of the panel; nothing when it is about the dashboard.
    pub(super) panel: String,
    pub(super) rule: &'static str,
    pub(super) message: String,
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { file, panel, rule, message } = self;
        if panel.is_empty() {
            write!(f, "{file}: {rule}: {message}")
        } else {
            write!(f, "{file}: panel \"{panel}\": {rule}: {message}")
        }
    }
}

/// All that was found of one dashboard, or of one of its panels.
pub(super) struct Findings<'a> {
    file: &'a str,
    panel: &'a str,
    pub(super) all: Vec<Finding>,
}

impl<'a> Findings<'a> {
    pub(super) fn of(dashboard: &'a Dashboard) -> Self {
        Self { file: &dashboard.file, panel: "", all: Vec::new() }
    }

    pub(super) fn of_panel(dashboard: &'a Dashboard, panel: Panel<'a>) -> Self {
        Self { panel: panel.title(), ..Self::of(dashboard) }
    }

    pub(super) fn say(&mut self, rule: &'static str, message: impl Into<String>) {
        let Self { file, panel, .. } = *self;
        self.all.push(Finding { file: file.to_owned(), panel: panel.to_owned(), rule, message: message.into() });
    }

    /// Says it unless this holds.
    pub(super) fn expect(&mut self, holds: bool, rule: &'static str, message: impl Into<String>) {
        if !holds {
            self.say(rule, message);
        }
    }
}
