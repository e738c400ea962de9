//! The configuration: one TOML file, or none, turned into types that cannot hold a bad value.

mod environment;
pub mod exposition;
pub(crate) mod file;
pub mod objectives;
pub mod option_file;
pub mod secret;
pub mod types;

use std::fmt;
use std::ops::Range;
use std::path::{Path, PathBuf};

use serde::Deserialize;
use serde::de::DeserializeOwned;
use toml::de::{DeTable, DeValue};

use crate::collectors::Sections;
use crate::state::DEFAULT_FOLDER;
use file::text_of;
use secret::Environment;

/// Where the configuration is when `--config.file` does not say.
pub const DEFAULT_FILE: &str = "/etc/vitrin/vitrin.toml";

/// The largest configuration file we read.
const FILE_BYTES: u64 = 4 << 20;

/// How tables and keys are written, for who has written neither.
const EXAMPLE: &str = "a table is written [redis.targets.main], a key url = \"redis://127.0.0.1:6379\"";

/// All that can be configured.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, transparent)]
pub struct Config {
    /// The collectors' tables.
    pub collectors: Sections,
}

impl Config {
    /// The folder of what must outlive the program: as it says, as systemd says, or the default.
    #[must_use]
    pub fn state_dir(&self, environment: &Environment) -> PathBuf {
        let said = self.collectors.state_dir.as_ref().map(|folder| folder.path().to_owned());
        said.or_else(|| environment.state_directory()).unwrap_or_else(|| DEFAULT_FOLDER.into())
    }
}

/// A configuration that was read, and what a person should know about it.
#[derive(Debug, Default)]
pub struct Loaded {
    /// The configuration.
    pub config: Config,
    /// The file it came from; `None` when there is none.
    pub file: Option<PathBuf>,
    /// Things that work but should be mended.
    pub warnings: Vec<String>,
}

/// Reads the configuration named on the command line, else the default file, else none.
///
/// # Errors
/// When the file named cannot be read, or a file does not hold a configuration.
pub fn load(named: Option<&Path>, environment: Environment) -> Result<Loaded, Problem> {
    load_as(named, environment, false)
}

/// The same for who looks for what is wrong with this machine: files of secrets and sockets that are not there, or are
/// closed to us, are no mistakes of the configuration's.
///
/// # Errors
/// As [`load`].
pub fn load_to_diagnose(named: Option<&Path>, environment: Environment) -> Result<Loaded, Problem> {
    load_as(named, environment, true)
}

fn load_as(named: Option<&Path>, environment: Environment, diagnosing: bool) -> Result<Loaded, Problem> {
    let file = named.unwrap_or(Path::new(DEFAULT_FILE));
    let text = match text_of(file, FILE_BYTES) {
        Ok(text) => text,
        Err(error) if named.is_none() && error.kind() == std::io::ErrorKind::NotFound => return Ok(Loaded::default()),
        Err(error) => return Err(unreadable(file, &error)),
    };
    let (config, warnings) = secret::with_environment(environment, diagnosing, || parse(file, &text));
    Ok(Loaded { config: config?, file: Some(file.to_owned()), warnings })
}

/// Parses the text of a configuration; `file` is for the messages.
///
/// # Errors
/// With the first thing in it that is wrong.
pub fn parse(file: &Path, text: &str) -> Result<Config, Problem> {
    read_toml(file, text)
}

/// Reads a text in TOML; `file` is for the messages.
///
/// # Errors
/// With the first thing in it that is wrong.
pub(crate) fn read_toml<T: DeserializeOwned>(file: &Path, text: &str) -> Result<T, Problem> {
    let parsed = DeTable::parse(text).map_err(|error| Problem::of(file, text, "", &error))?;
    T::deserialize(toml::Deserializer::from(parsed.clone())).map_err(|error| {
        let path = error.span().and_then(|span| keys_to(parsed.get_ref(), &span)).unwrap_or_default();
        Problem::of(file, text, &path, &error)
    })
}

/// The keys that lead to what stands at a place: a value or a key; `None` where there is neither.
///
/// They are looked for where something is wrong, rather than noted at every step of every reader, which took as much of the
/// program as all readers themselves.
fn keys_to(table: &DeTable<'_>, place: &Range<usize>) -> Option<String> {
    table.iter().find_map(|(key, value)| {
        let here = || (key.span() == *place || value.span() == *place).then(String::new);
        let rest = below(value.get_ref(), place).or_else(here)?;
        Some(format!("{}{rest}", key.get_ref()))
    })
}

/// The same of what a value holds, as it is written after the value's own key.
fn below(value: &DeValue<'_>, place: &Range<usize>) -> Option<String> {
    match value {
        DeValue::Table(table) => keys_to(table, place).map(|keys| format!(".{keys}")),
        DeValue::Array(values) => values.iter().enumerate().find_map(|(index, value)| {
            let here = || (value.span() == *place).then(String::new);
            let rest = below(value.get_ref(), place).or_else(here)?;
            Some(format!("[{index}]{rest}"))
        }),
        _ => None,
    }
}

/// Reads a table that was put together from several places; the problem has none. It is read as a text, too: two ways to
/// read would make the program half a megabyte larger.
///
/// # Errors
/// With the first thing in it that is wrong.
pub(crate) fn read_table<T: DeserializeOwned>(table: &toml::Table) -> Result<T, Problem> {
    read_toml(Path::new(""), &table.to_string()).map_err(|problem| Problem { place: String::new(), ..problem })
}

/// The configuration of what was found on this machine: a text that is no file's. Files and sockets that are not there, or
/// are closed to us, are no mistakes in it.
///
/// # Errors
/// With the first thing in it that is wrong.
pub(crate) fn parse_found(text: &str, environment: &Environment) -> Result<Config, Problem> {
    secret::with_environment(environment.clone(), true, || parse(Path::new("what was found"), text)).0
}

/// What is wrong with a configuration: place, value, what was expected, and the way out.
#[derive(Debug, PartialEq, Eq)]
pub struct Problem {
    place: String,
    message: String,
    hint: Option<String>,
}

fn unreadable(file: &Path, error: &std::io::Error) -> Problem {
    Problem {
        place: file.display().to_string(),
        message: format!("the configuration cannot be read: {error}"),
        hint: Some(format!("name another with --config.file, or start without one: {DEFAULT_FILE} need not exist")),
    }
}

impl Problem {
    /// A problem at a place: a file, with line and column where there is one.
    pub(crate) fn new(place: impl fmt::Display, message: impl Into<String>, hint: impl Into<String>) -> Self {
        Self { place: place.to_string(), message: message.into(), hint: Some(hint.into()) }
    }

    /// The load was cut off: the program is about to end.
    pub(crate) fn interrupted() -> Self {
        Self { place: "the configuration".to_owned(), message: "reading it was cut off".to_owned(), hint: None }
    }

    /// Where it is: file, line and column.
    #[must_use]
    pub fn place(&self) -> &str {
        &self.place
    }

    fn of(file: &Path, text: &str, path: &str, error: &toml::de::Error) -> Self {
        let (line, column) = position(text, error.span().unwrap_or(0..0));
        Self::at(format!("{}:{line}:{column}", file.display()), path, error.message())
    }

    fn at(place: String, path: &str, message: &str) -> Self {
        // The key that is unknown is named by the message already.
        let path = match unknown_field(message) {
            Some((unknown, _)) => path.strip_suffix(unknown).unwrap_or(path).trim_end_matches('.'),
            None => path,
        };
        let (message, hint) = match message.split_once('\n') {
            Some((message, hint)) => (message.to_owned(), Some(hint.replace('\n', " "))),
            None => explained(message),
        };
        let message = if path.is_empty() { message } else { format!("{path}: {message}") };
        Self { place, message, hint }
    }

    /// The same of a text whose tables and keys are written otherwise than those of the configuration.
    #[must_use]
    pub(crate) fn with_example(self, example: &str) -> Self {
        let is_usual = self.hint.as_deref() == Some(EXAMPLE);
        Self { hint: if is_usual { Some(example.to_owned()) } else { self.hint }, ..self }
    }

    /// Place and message, and the way out in a second line: for what is found while something else is read.
    pub(crate) fn lines(&self) -> String {
        let Self { place, message, hint } = self;
        let place = if place.is_empty() { String::new() } else { format!("{place}: ") };
        format!("{place}{message}\n{}", hint.as_deref().unwrap_or_default())
    }
}

/// Line and column, both from 1, of the start of a span.
fn position(text: &str, span: Range<usize>) -> (usize, usize) {
    let before = text.get(..span.start).unwrap_or(text);
    let line = before.matches('\n').count() + 1;
    let column = before.chars().rev().take_while(|c| *c != '\n').count() + 1;
    (line, column)
}

/// toml's own words with a way out, for the mistakes that people make most.
fn explained(message: &str) -> (String, Option<String>) {
    if let Some((unknown, known)) = unknown_field(message) {
        return (format!("unknown key `{unknown}`"), Some(meant(unknown, &known)));
    }
    if message.contains("duplicate key") {
        let hint = "a key or a table stands once; a second target needs a name of its own";
        return (message.to_owned(), Some(hint.to_owned()));
    }
    if let Some(key) = message.strip_prefix("missing field ") {
        return (format!("the key {key} is missing"), Some(format!("add {} = … to this table", key.trim_matches('`'))));
    }
    if let Some((word, known)) =
        message.strip_prefix("unknown variant ").and_then(|rest| rest.split_once(", expected "))
    {
        return (format!("{word} is not known here"), Some(format!("write {known}")));
    }
    (message.to_owned(), Some(EXAMPLE.to_owned()))
}

/// The word of a list that an unknown one was meant to be, or the list.
pub(crate) fn meant(unknown: &str, known: &[&str]) -> String {
    match known.iter().map(|word| (strsim::damerau_levenshtein(unknown, word), word)).min() {
        Some((distance, word)) if distance <= 2 => format!("did you mean `{word}`?"),
        _ => format!("known here: {}", known.join(", ")),
    }
}

/// Takes serde's "unknown field `a`, expected one of `b`, `c`" apart.
fn unknown_field(message: &str) -> Option<(&str, Vec<&str>)> {
    let mut ticked = message.strip_prefix("unknown field ")?.split('`').skip(1).step_by(2);
    Some((ticked.next()?, ticked.collect()))
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.place, self.message)?;
        match &self.hint {
            Some(hint) => write!(f, "\n  hint: {hint}"),
            None => Ok(()),
        }
    }
}

impl std::error::Error for Problem {}
