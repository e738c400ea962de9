//! The log: lines on standard error, for people or as JSON.

use std::io::{IsTerminal, stderr};

use clap::ValueEnum;
use tracing::level_filters::LevelFilter;
use tracing_subscriber::filter::Targets;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{Layer, fmt};

/// How much is logged.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Level {
    /// What ends the program.
    Error,
    /// What a person should look at.
    Warn,
    /// Changes of state.
    Info,
    /// What explains a change of state.
    Debug,
    /// Everything, that of libraries included.
    Trace,
}

/// How a line looks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Style {
    /// One line of text.
    Text,
    /// One JSON object.
    Json,
}

/// Starts the log. Libraries speak from `debug` on; below that only their warnings are shown.
pub(crate) fn start(level: Level, style: Style) {
    let ours = match level {
        Level::Error => LevelFilter::ERROR,
        Level::Warn => LevelFilter::WARN,
        Level::Info => LevelFilter::INFO,
        Level::Debug => LevelFilter::DEBUG,
        Level::Trace => LevelFilter::TRACE,
    };
    let theirs = if ours >= LevelFilter::DEBUG { ours } else { ours.min(LevelFilter::WARN) };
    let filter = Targets::new().with_default(theirs).with_target("vitrin", ours);
    let lines = match style {
        Style::Text => fmt::layer().with_writer(stderr).with_ansi(stderr().is_terminal()).with_target(false).boxed(),
        Style::Json => fmt::layer().json().flatten_event(true).with_writer(stderr).boxed(),
    };
    tracing_subscriber::registry().with(lines.with_filter(filter)).init();
}
