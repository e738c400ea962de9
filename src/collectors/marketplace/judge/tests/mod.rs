//! Answers of each marketplace, judged by the rules of its preset.
//!
//! No marketplace can be asked here: the answers are written as their documentation and their clients' sources have
//! them. `canary` stands for what belongs to the shop or its buyers.

mod abroad;
mod common;
mod turkey;

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::LazyLock;

use super::fuzz::now;
use super::rules::Rules;
use super::{Verdict, fuzz, judge};
use crate::collectors::marketplace::preset::{Library, Preset};
use crate::collectors::marketplace::result::Outcome;

/// The rules of every probe, by the names of its preset and its own: of the presets that Vitrin brings, and of those in the
/// documents.
static RULES: LazyLock<BTreeMap<(String, String), Rules>> = LazyLock::new(|| {
    let documents = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/marketplaces");
    let library = Library::open(&[documents]).unwrap();
    let presets = library.names().into_iter().map(|name| library.preset(name).unwrap());
    let of = |preset: Preset| preset.rules().map(|(probe, rules)| ((preset.name().to_owned(), probe), rules)).collect();
    presets.flat_map(|preset| -> Vec<_> { of(preset) }).collect()
});

/// One probe of a preset.
struct Probe {
    preset: &'static str,
    name: &'static str,
    /// An answer that all is well.
    good: &'static str,
}

impl Probe {
    fn rules(&self) -> &'static Rules {
        let name = (self.preset.to_owned(), self.name.to_owned());
        RULES.get(&name).unwrap_or_else(|| panic!("there is no {name:?}"))
    }

    fn whole_name(&self) -> String {
        format!("{} {}", self.preset, self.name)
    }

    fn judge(&self, environment: &str, answer: &str) -> Verdict {
        let parsed = fuzz::read(answer.as_bytes()).unwrap_or_else(|| panic!("no answer: {answer}"));
        let verdict = judge(self.rules(), environment, &parsed, now());
        assert!(!format!("{:?}", verdict.because).contains("canary"), "{}: {verdict:?}", self.whole_name());
        // Whatever it is, it keeps the promises of the fuzzer too.
        fuzz::answer(answer.as_bytes());
        verdict
    }

    /// Judges answers in production, each with its outcome and the name of its error.
    fn expect(&self, answers: &[(&str, Outcome, Option<&str>)]) {
        for (answer, outcome, code) in answers {
            let verdict = self.judge("production", answer);
            let came = (verdict.outcome, verdict.error_code.as_deref());
            assert_eq!(came, (*outcome, *code), "{}: {answer}\n{:#?}", self.whole_name(), verdict.because);
        }
    }

    /// Judges the good answer, and shows what was read from it.
    fn read(&self) -> String {
        let verdict = self.judge("production", self.good);
        assert_eq!(verdict.outcome, Outcome::Ok, "{}: {:#?}", self.whole_name(), verdict.because);
        let numbers = verdict.numbers.iter().map(|number| match number.label() {
            "" => format!("{} {}\n", number.metric.name(), number.value),
            label => format!("{}{{{label}}} {}\n", number.metric.name(), number.value),
        });
        let limits = verdict.limits.iter().map(|limit| {
            let said = [
                ("limit", limit.limit),
                ("remaining", limit.remaining),
                ("refill", limit.refill),
                ("reset", limit.reset),
                ("window", limit.window),
            ];
            let said: Vec<String> =
                said.iter().filter_map(|(name, value)| Some(format!("{name} {}", (*value)?))).collect();
            format!("{} ({}): {}\n", limit.bucket, if limit.is_api { "api" } else { "header" }, said.join(", "))
        });
        numbers.chain(limits).collect()
    }
}
