//! One run of one collector, without the program around it.

use std::collections::BTreeSet;

use vitrin::collector::{Collector, Failure};
use vitrin::snapshot::{Dropped, Findings, Snapshot, Value};

/// What a run found.
pub(crate) struct Found {
    findings: Findings,
    pub(crate) gaps: Vec<Failure>,
    pub(crate) dropped: Dropped,
}

impl Found {
    /// Runs the collector once.
    pub(crate) async fn by(collector: &impl Collector) -> Result<Self, Failure> {
        let mut out = Snapshot::default();
        collector.collect(&mut out).await?;
        Ok(Self::in_snapshot(out))
    }

    /// Runs the collector once, of a target that is down: why, and what it has to say about it.
    pub(crate) async fn down(collector: &impl Collector) -> (Self, Failure) {
        let (found, failure) = Self::whether_up(collector).await;
        (found, failure.expect("the target is down"))
    }

    /// Runs the collector once, of a target that may be down: what it has to say, and why if it is.
    pub(crate) async fn whether_up(collector: &impl Collector) -> (Self, Option<Failure>) {
        let mut out = Snapshot::default();
        match collector.collect(&mut out).await {
            Ok(()) => (Self::in_snapshot(out), None),
            Err(failure) => (Self::in_snapshot(out.failed()), Some(failure)),
        }
    }

    fn in_snapshot(out: Snapshot) -> Self {
        let (findings, gaps, dropped) = out.finish();
        Self { findings, gaps, dropped }
    }

    /// The value of the series with exactly these labels, in any order.
    pub(crate) fn get(&self, name: &str, labels: &[(&str, &str)]) -> Option<&Value> {
        let (family, group) = self.findings.families().find(|(family, _)| family.name == name)?;
        let mut samples = group.samples();
        let wanted: BTreeSet<_> = labels.iter().copied().collect();
        let (_, value) = samples.find(|(values, _)| {
            wanted == family.labels.iter().map(AsRef::as_ref).zip(values.clone()).collect::<BTreeSet<(&str, &str)>>()
        })?;
        Some(value)
    }

    /// The number of that series; fails with what there is when it is not there.
    #[track_caller]
    pub(crate) fn number(&self, name: &str, labels: &[(&str, &str)]) -> f64 {
        match self.get(name, labels) {
            Some(Value::Number(number)) => *number,
            other => panic!("{name}{labels:?} is {other:?}; there are {:?}", self.names()),
        }
    }

    /// The names of all families.
    pub(crate) fn names(&self) -> BTreeSet<String> {
        self.findings.families().map(|(family, _)| family.name.to_string()).collect()
    }

    /// How many series there are.
    pub(crate) fn len(&self) -> usize {
        self.findings.len()
    }
}
