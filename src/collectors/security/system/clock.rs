//! The clock (MON-06): whether anything keeps it in step, and by how much it is off.

use super::super::seen::Seen;
use super::super::verdict::{Cause, Known, Unknown, Verdict};
use crate::collectors::host::timex;

/// How far it may be off, in seconds.
const OFFSET: f64 = 1.0;

/// The kernel's clock.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Clock {
    /// Whether something keeps it in step with a reference.
    pub(crate) is_kept: bool,
    /// By how much it is off, in seconds, as far as the kernel was told; chrony works an offset off by itself and leaves 0.
    pub(crate) offset: f64,
}

/// Asks the kernel.
pub(super) fn look() -> Known<Clock> {
    let failed = |error: std::io::Error| {
        let cause =
            if error.kind() == std::io::ErrorKind::PermissionDenied { Cause::Permission } else { Cause::Unsupported };
        Unknown::new(cause, format!("adjtimex: {error}"))
    };
    timex::kept().map(|(is_kept, offset)| Clock { is_kept, offset }).map_err(failed)
}

/// Judges MON-06.
pub(super) fn judge(seen: &Seen) -> Verdict {
    let Clock { is_kept, offset } = match &seen.system.clock {
        Ok(clock) => *clock,
        Err(unknown) => return unknown.into(),
    };
    if !is_kept {
        let fix = "apt-get install chrony  # or: systemctl enable --now systemd-timesyncd";
        return Verdict::fail("nothing keeps the clock: adjtimex says that it is not synchronised", fix);
    }
    if offset.abs() < OFFSET {
        return Verdict::pass(format!("the clock is kept, and off by {offset:.3} s"));
    }
    Verdict::partial(format!("the clock is kept, and off by {offset:.1} s"), "chronyc makestep")
}

#[cfg(test)]
mod tests {
    use super::super::super::verdict::State;
    use super::super::tests::seen;
    use super::*;

    #[test]
    fn a_clock_is_kept_and_right_or_not() {
        for (is_kept, offset, expected) in [
            (true, -0.5, State::Pass),
            (true, 1.0, State::Partial),
            (true, -7.0, State::Partial),
            (false, 0.0, State::Fail),
        ] {
            let mut seen = seen();
            seen.system.clock = Ok(Clock { is_kept, offset });
            assert_eq!(judge(&seen).state, expected, "{is_kept} {offset}");
        }
    }
}
