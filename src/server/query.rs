//! What a request asks for: which jobs, by names that are known already. Nothing in it is an address or a credential.

use std::collections::BTreeSet;

use crate::collectors;
use crate::config::types::MAIN;
use crate::schedule::{Schedule, Selection};

/// How much of a word of the client's is repeated to it.
const WORD_CHARS: usize = 64;

/// The jobs that the query of `/metrics` asks for: `collect[]` and `exclude[]` name collectors, as in node_exporter.
/// Other parameters are not looked at, as Prometheus may be configured to send them to every target.
///
/// # Errors
/// When a collector is not one of the program's, or both parameters are there; the message is for the client.
pub(super) fn selection(query: &str) -> Result<Selection, String> {
    let named = |parameter: &str| {
        let values = form_urlencoded::parse(query.as_bytes()).filter(|(name, _)| name == parameter);
        values.map(|(_, collector)| known(&collector)).collect::<Result<BTreeSet<_>, _>>()
    };
    let (only, without) = (named("collect[]")?, named("exclude[]")?);
    match (only.is_empty(), without.is_empty()) {
        (true, true) => Ok(Selection::All),
        (false, true) => Ok(Selection::Only(only)),
        (true, false) => Ok(Selection::Without(without)),
        (false, false) => {
            Err("collect[] and exclude[] exclude each other\n  hint: name the collectors in one of them".to_owned())
        }
    }
}

fn known(collector: &str) -> Result<String, String> {
    let names = collectors::all().map(|(name, _)| name);
    if names.contains(&collector) {
        return Ok(collector.to_owned());
    }
    Err(format!("{} is not a collector\n  hint: there are {}", shown(collector), names.join(", ")))
}

/// The one job that the query of `/probe` asks for: `collector`, and `target`, which is `main` when it is not there.
///
/// # Errors
/// When there is no such job in the schedule; the message is for the client.
pub(super) fn one(query: &str, schedule: &Schedule) -> Result<Selection, String> {
    let value = |parameter: &str| {
        form_urlencoded::parse(query.as_bytes())
            .find(|(name, _)| name == parameter)
            .map(|(_, value)| value.into_owned())
    };
    let Some(collector) = value("collector") else {
        return Err("no collector is named\n  hint: /probe?collector=mysql&target=main".to_owned());
    };
    let target = value("target").unwrap_or_else(|| MAIN.to_owned());
    let selection = Selection::One { collector: collector.clone(), target: target.clone() };
    if schedule.jobs().iter().any(|job| selection.takes(job.collector(), job.target())) {
        return Ok(selection);
    }
    let jobs: Vec<_> = schedule.jobs().iter().map(|job| format!("{}/{}", job.collector(), job.target())).collect();
    Err(format!("{}/{} is not configured\n  hint: there are {}", shown(&collector), shown(&target), jobs.join(", ")))
}

/// A word of the client's as it can be shown: short, and on one line.
fn shown(word: &str) -> String {
    let plain: String = word.chars().take(WORD_CHARS).map(|c| if c.is_control() { ' ' } else { c }).collect();
    format!("`{plain}`")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(names: &[&str]) -> BTreeSet<String> {
        names.iter().map(|&name| name.to_owned()).collect()
    }

    #[test]
    fn collectors_are_chosen_by_name() {
        for (query, expected) in [
            ("", Selection::All),
            ("shop=eu&x", Selection::All),
            ("collect[]=redis", Selection::Only(names(&["redis"]))),
            ("collect%5B%5D=redis&collect[]=host&collect[]=redis", Selection::Only(names(&["host", "redis"]))),
            ("exclude[]=mysql_tables", Selection::Without(names(&["mysql_tables"]))),
        ] {
            assert_eq!(selection(query), Ok(expected), "{query}");
        }
    }

    #[test]
    fn a_collector_that_does_not_exist_is_an_error_that_names_those_that_do() {
        let error = selection("collect[]=redsi%0a").unwrap_err();
        assert!(error.starts_with("`redsi ` is not a collector\n"), "{error}");
        assert!(error.contains("redis, redis_key_groups"), "{error}");
        assert!(selection("collect[]=").is_err());
        assert!(selection("collect[]=redis&exclude[]=host").is_err());
    }

    #[test]
    fn what_the_client_wrote_is_not_repeated_without_end() {
        let error = selection(&format!("collect[]={}", "x".repeat(10_000))).unwrap_err();
        assert!(error.len() < 300, "{error}");
    }
}
