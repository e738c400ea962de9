//! CPU time by mode, from `/proc/stat`.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use super::source::{Hole, Source};
use crate::snapshot::Snapshot;

crate::metrics! {
    DropIn as METRICS;
    /// Seconds each CPU has spent in each mode since boot; `user` and `nice` include the time of guests.
    SECONDS = Counter("node_cpu_seconds_total", Seconds, ["cpu", "mode"]);
    /// Seconds each CPU has spent running virtual machines since boot, at normal (`user`) and low (`nice`) priority.
    GUEST_SECONDS = Counter("node_cpu_guest_seconds_total", Seconds, ["cpu", "mode"]);
}

/// The columns of a `cpu` line that are modes, in the order of proc(5).
const MODES: [&str; 8] = ["user", "nice", "system", "idle", "iowait", "irq", "softirq", "steal"];

/// A step back by more than this many seconds is a CPU that came back, not the kernel's rounding.
const STEP_BACK_SECONDS: f64 = 3.0;

/// The seconds last shown for each CPU and mode.
///
/// The kernel's `idle` and `iowait` may step back a little when a CPU wakes up (proc(5) warns of it). A counter that
/// steps back looks like a restart to `rate()`, which then adds all of it again.
#[derive(Clone, Debug, Default)]
pub(super) struct Shown(Arc<Mutex<HashMap<String, [f64; MODES.len()]>>>);

impl Shown {
    /// What to show of a CPU: never a little less than before.
    fn hold(&self, cpu: &str, mut seconds: [f64; MODES.len()]) -> [f64; MODES.len()] {
        let mut shown = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match shown.get_mut(cpu) {
            None => {
                shown.insert(cpu.to_owned(), seconds);
            }
            Some(before) => {
                for (new, old) in seconds.iter_mut().zip(before.iter()) {
                    if *new < *old && old - *new < STEP_BACK_SECONDS {
                        *new = *old;
                    }
                }
                *before = seconds;
            }
        }
        seconds
    }
}

/// Reads and reports.
pub(super) fn collect(source: &mut Source, out: &mut Snapshot) -> Result<(), Hole> {
    #[expect(clippy::cast_precision_loss, reason = "it is 100, or 1024 at most")]
    let ticks = rustix::param::clock_ticks_per_second() as f64;
    let shown = source.cpu_shown.clone();
    report(source.proc.read("stat", &mut source.buffer)?, ticks, &shown, out)
}

pub(super) fn report(text: &str, ticks_per_second: f64, shown: &Shown, out: &mut Snapshot) -> Result<(), Hole> {
    let mut cpus = 0;
    for line in text.lines() {
        let mut words = line.split_ascii_whitespace();
        let Some(cpu) = words.next().and_then(|word| word.strip_prefix("cpu")) else { break };
        if cpu.is_empty() {
            // The first line is the sum of the others.
            continue;
        }
        let mut ticks = [0.0; MODES.len() + 2];
        for (column, word) in ticks.iter_mut().zip(words) {
            let count: f64 = word.parse().map_err(|_| Hole::garbled("stat", line))?;
            *column = count / ticks_per_second;
        }
        let [modes @ .., guest, guest_nice] = ticks;
        for (mode, seconds) in MODES.iter().zip(shown.hold(cpu, modes)) {
            out.push(&SECONDS, [cpu, mode], seconds);
        }
        out.push(&GUEST_SECONDS, [cpu, "user"], guest);
        out.push(&GUEST_SECONDS, [cpu, "nice"], guest_nice);
        cpus += 1;
    }
    if cpus == 0 { Err(Hole::garbled("stat", text)) } else { Ok(()) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::collectors::host::source::tests::text;

    fn reported(stat: &str, shown: &Shown) -> String {
        let mut out = Snapshot::default();
        report(stat, 100.0, shown, &mut out).unwrap();
        text(out)
    }

    #[test]
    fn each_cpu_has_its_modes_in_seconds() {
        let found = reported("cpu  3 0 0 0 0 0 0 0 0 0\ncpu1 150 2 3 4 5 6 7 8 9 10\nintr 5\n", &Shown::default());
        expect_test::expect![[r#"
            node_cpu_guest_seconds_total{cpu="1",mode="nice"} 0.1
            node_cpu_guest_seconds_total{cpu="1",mode="user"} 0.09
            node_cpu_seconds_total{cpu="1",mode="idle"} 0.04
            node_cpu_seconds_total{cpu="1",mode="iowait"} 0.05
            node_cpu_seconds_total{cpu="1",mode="irq"} 0.06
            node_cpu_seconds_total{cpu="1",mode="nice"} 0.02
            node_cpu_seconds_total{cpu="1",mode="softirq"} 0.07
            node_cpu_seconds_total{cpu="1",mode="steal"} 0.08
            node_cpu_seconds_total{cpu="1",mode="system"} 0.03
            node_cpu_seconds_total{cpu="1",mode="user"} 1.5
        "#]]
        .assert_eq(&found);
    }

    #[test]
    fn idle_time_does_not_step_back_but_a_returning_cpu_starts_anew() {
        let shown = Shown::default();
        let idle = |stat: &str| {
            let found = reported(stat, &shown);
            found.lines().find(|line| line.contains("idle")).unwrap().rsplit(' ').next().unwrap().to_owned()
        };
        assert_eq!(idle("cpu0 0 0 0 1000 0 0 0 0 0 0\n"), "10");
        assert_eq!(idle("cpu0 0 0 0 998 0 0 0 0 0 0\n"), "10");
        assert_eq!(idle("cpu0 0 0 0 1005 0 0 0 0 0 0\n"), "10.05");
        assert_eq!(idle("cpu0 0 0 0 7 0 0 0 0 0 0\n"), "0.07");
    }

    #[test]
    fn a_text_without_cpus_is_a_failure() {
        assert!(report("hello", 100.0, &Shown::default(), &mut Snapshot::default()).is_err());
    }
}
