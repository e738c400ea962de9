//! DD-08: PHP's workers cannot be used up.

use crate::collectors::security::backends::Pool;
use crate::collectors::security::seen::Seen;
use crate::collectors::security::verdict::{Cause, Known, Unknown, Verdict};

/// How long a request may take at most, in seconds.
const LONGEST: u64 = 120;

/// How much of the machine's memory all workers may take together, in percent.
const SHARE: u64 = 80;

const MIB: u64 = 1 << 20;

/// DD-08: a request ends within 120 s, and all workers of all pools together fit into 80 % of the memory.
///
/// A worker's size is what is its own, at the 95th percentile; what workers share counts once. The time is asked of the
/// shop's pool, where it is known which that is, and of all where not: a pool for long jobs is no weakness of the shop.
pub(super) fn limited(seen: &Seen) -> Known<Verdict> {
    let pools = seen.pools.as_ref().map_err(Clone::clone)?;
    if pools.is_empty() {
        return Err(Unknown::new(Cause::Unreachable, "PHP-FPM has no pool"));
    }
    let of_shop = seen.php.as_ref().ok().and_then(|php| pools.iter().position(|pool| pool.name == php.pool));
    let serving = of_shop.map_or(&pools[..], |index| &pools[index..=index]);
    let memory = Memory::of(pools)?;
    let (mut wrong, mut fixes) = (Vec::new(), Vec::new());
    for pool in serving {
        let unset = || {
            Unknown::new(
                Cause::Unparsable,
                format!("request_terminate_timeout of the pool {} is set by a variable", pool.name),
            )
        };
        let seconds = pool.workers.terminate_timeout.ok_or_else(unset)?;
        if !(1..=LONGEST).contains(&seconds) {
            let time = if seconds == 0 { "for ever".to_owned() } else { format!("for {seconds} s") };
            wrong.push(format!("a request may keep a worker of the pool {} {time}", pool.name));
            fixes.push(format!("{}, [{}]: request_terminate_timeout = 60s", pool.file, pool.name));
        }
    }
    let keeps_time = wrong.is_empty();
    if !memory.fits() {
        wrong.push(format!("{memory}"));
        fixes.extend(memory.fix(serving));
    }
    Ok(match (keeps_time, memory.fits()) {
        (true, true) => Verdict::pass(format!("requests end within {LONGEST} s, and {memory}")),
        (false, false) => Verdict::fail(wrong.join("; "), fixes.join("\n")),
        _ => Verdict::partial(wrong.join("; "), fixes.join("\n")),
    })
}

/// What all workers would take, if as many ran as may.
struct Memory {
    workers: u64,
    usual: u64,
    most: u64,
    shared: u64,
    machine: u64,
}

impl Memory {
    fn of(pools: &[Pool]) -> Known<Self> {
        let machine = pools.iter().find_map(|pool| pool.workers.machine);
        let machine =
            machine.ok_or_else(|| Unknown::new(Cause::Unsupported, "/proc/meminfo does not tell the memory"))?;
        // A pool in which nothing runs now has workers like those of the others.
        let usual = pools.iter().filter_map(|pool| pool.workers.usual()).max();
        let usual = usual.ok_or_else(|| {
            Unknown::new(
                Cause::Unreachable,
                "no worker of PHP-FPM is running, or to be seen, whose memory could be measured",
            )
        })?;
        let (mut workers, mut most) = (0_u64, 0_u64);
        for pool in pools {
            let unset =
                || Unknown::new(Cause::Unparsable, format!("pm.max_children of the pool {} cannot be told", pool.name));
            let count = pool.workers.most.ok_or_else(unset)?;
            workers = workers.saturating_add(count);
            most = most.saturating_add(count.saturating_mul(pool.workers.usual().unwrap_or(usual)));
        }
        let shared = pools.iter().map(|pool| pool.workers.shared).max().unwrap_or(0);
        Ok(Self { workers, usual, most: most.saturating_add(shared), shared, machine })
    }

    fn fits(&self) -> bool {
        self.most <= self.machine / 100 * SHARE
    }

    /// As many workers as fit.
    fn fix(&self, pools: &[Pool]) -> Option<String> {
        let [pool] = pools else { return Some(format!("pm.max_children of all pools together: {}", self.fitting())) };
        let others = self.workers.saturating_sub(pool.workers.most?);
        let fitting = self.fitting().saturating_sub(others).max(1);
        Some(format!("{}, [{}]: pm.max_children = {fitting}", pool.file, pool.name))
    }

    fn fitting(&self) -> u64 {
        ((self.machine / 100 * SHARE).saturating_sub(self.shared) / self.usual.max(1)).max(1)
    }
}

impl std::fmt::Display for Memory {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { workers, usual, most, machine, .. } = self;
        let (usual, most, machine) = (usual / MIB, most / MIB, machine / MIB);
        write!(f, "{workers} workers of {usual} MiB would take {most} of {machine} MiB")
    }
}
