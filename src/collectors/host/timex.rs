//! How well the kernel's clock is kept, from adjtimex(2).

use std::io;

use rtime_clock::adjtime::{Timex, adjtimex};

use super::source::{Hole, Source};
use crate::snapshot::{Number, Snapshot};

crate::metrics! {
    DropIn as METRICS;
    /// Whether the clock is kept in step with a reference, by NTP for example.
    SYNC_STATUS = Gauge("node_timex_sync_status", None, []);
    /// Offset between the clock and its reference that is being worked off.
    OFFSET = Gauge("node_timex_offset_seconds", Seconds, []);
    /// Correction of the clock's speed: 1.00001 is 10 microseconds faster each second.
    FREQUENCY = Gauge("node_timex_frequency_adjustment_ratio", Ratio, []);
    /// Largest error that the clock may have.
    MAX_ERROR = Gauge("node_timex_maxerror_seconds", Seconds, []);
    /// Error that the clock is estimated to have.
    ESTIMATED_ERROR = Gauge("node_timex_estimated_error_seconds", Seconds, []);
    /// Status bits of the clock (`STA_` in adjtimex(2)); 64 is `STA_UNSYNC`.
    STATUS = Gauge("node_timex_status", None, []);
    /// Time constant of the phase-locked loop, a power of 2.
    TIME_CONSTANT = Gauge("node_timex_loop_time_constant", None, []);
    /// Seconds between two ticks of the clock.
    TICK = Gauge("node_timex_tick_seconds", Seconds, []);
    /// Seconds that atomic time (TAI) is ahead of UTC; 0 when nobody has told the kernel.
    TAI_OFFSET = Gauge("node_timex_tai_offset_seconds", Seconds, []);
    /// Frequency of the pulse-per-second signal, as a correction.
    PPS_FREQUENCY = Gauge("node_timex_pps_frequency_hertz", Hertz, []);
    /// Jitter of the pulse-per-second signal.
    PPS_JITTER = Gauge("node_timex_pps_jitter_seconds", Seconds, []);
    /// Length of the calibration interval of the pulse-per-second signal.
    PPS_SHIFT = Gauge("node_timex_pps_shift_seconds", Seconds, []);
    /// Wander of the frequency of the pulse-per-second signal.
    PPS_STABILITY = Gauge("node_timex_pps_stability_hertz", Hertz, []);
    /// Times that the jitter of the pulse-per-second signal was too large.
    PPS_JITTER_EXCEEDED = Counter("node_timex_pps_jitter_total", None, []);
    /// Calibration intervals of the pulse-per-second signal.
    PPS_CALIBRATIONS = Counter("node_timex_pps_calibration_total", None, []);
    /// Calibration errors of the pulse-per-second signal.
    PPS_ERRORS = Counter("node_timex_pps_error_total", None, []);
    /// Times that the frequency of the pulse-per-second signal wandered too far.
    PPS_STABILITY_EXCEEDED = Counter("node_timex_pps_stability_exceeded_total", None, []);
}

/// The answer of adjtimex(2) to a clock that is not kept by anybody: `TIME_ERROR`.
const UNSYNCHRONIZED: i32 = 5;

/// Status bit: times are in nanoseconds, not in microseconds (`STA_NANO`).
const NANOSECONDS: i32 = 0x2000;

/// Status bit: nobody keeps it (`STA_UNSYNC`).
const UNKEPT: i32 = 0x40;

/// Frequencies are in parts per million with 16 bits after the point.
const PARTS_PER_MILLION: f64 = 65_536.0 * 1e6;

/// Asks and reports. Asking needs no privilege; a sandbox may still refuse it.
pub(super) fn collect(_: &mut Source, out: &mut Snapshot) -> Result<(), Hole> {
    // All zero asks for the state and changes nothing.
    let mut timex = Timex::new();
    let state = adjtimex(&mut timex).map_err(|error| Hole::io(error, "adjtimex"))?;
    report(state, &timex, out);
    Ok(())
}

/// Whether the clock is kept in step with a reference, and by how many seconds it is off.
pub(in crate::collectors) fn kept() -> io::Result<(bool, f64)> {
    let mut timex = Timex::new();
    let state = adjtimex(&mut timex)?;
    let is_kept = state != UNSYNCHRONIZED && timex.0.status & UNKEPT == 0;
    Ok((is_kept, timex.0.offset.number() / unit(&timex)))
}

/// How many of its offset's units a second has.
fn unit(Timex(timex): &Timex) -> f64 {
    if timex.status & NANOSECONDS == 0 { 1e6 } else { 1e9 }
}

fn report(state: i32, timex: &Timex, out: &mut Snapshot) {
    let unit = unit(timex);
    let Timex(timex) = timex;
    out.push(&SYNC_STATUS, [], state != UNSYNCHRONIZED);
    out.push(&OFFSET, [], timex.offset.number() / unit);
    out.push(&FREQUENCY, [], 1.0 + timex.freq.number() / PARTS_PER_MILLION);
    out.push(&MAX_ERROR, [], timex.maxerror.number() / 1e6);
    out.push(&ESTIMATED_ERROR, [], timex.esterror.number() / 1e6);
    out.push(&STATUS, [], timex.status);
    out.push(&TIME_CONSTANT, [], timex.constant);
    out.push(&TICK, [], timex.tick.number() / 1e6);
    out.push(&TAI_OFFSET, [], timex.tai);
    out.push(&PPS_FREQUENCY, [], timex.ppsfreq.number() / PARTS_PER_MILLION);
    out.push(&PPS_JITTER, [], timex.jitter.number() / unit);
    out.push(&PPS_SHIFT, [], timex.shift);
    out.push(&PPS_STABILITY, [], timex.stabil.number() / PARTS_PER_MILLION);
    out.push(&PPS_JITTER_EXCEEDED, [], timex.jitcnt);
    out.push(&PPS_CALIBRATIONS, [], timex.calcnt);
    out.push(&PPS_ERRORS, [], timex.errcnt);
    out.push(&PPS_STABILITY_EXCEEDED, [], timex.stbcnt);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::collectors::host::source::tests::text;

    fn found(state: i32, set: impl FnOnce(&mut Timex)) -> String {
        let mut timex = Timex::new();
        set(&mut timex);
        let mut out = Snapshot::default();
        report(state, &timex, &mut out);
        text(out)
    }

    #[test]
    fn a_clock_kept_by_ntp_in_nanoseconds() {
        let found = found(0, |timex| {
            timex.0.status = NANOSECONDS | 1;
            timex.0.offset = -1_500_000;
            timex.0.freq = -65_536 * 25;
            timex.0.maxerror = 16_000;
        });
        for line in [
            "node_timex_sync_status{} 1",
            "node_timex_offset_seconds{} -0.0015",
            "node_timex_frequency_adjustment_ratio{} 0.999975",
            "node_timex_maxerror_seconds{} 0.016",
        ] {
            assert!(found.lines().any(|found| found == line), "{line}: {found}");
        }
    }

    #[test]
    fn a_clock_nobody_keeps_in_microseconds() {
        let found = found(UNSYNCHRONIZED, |timex| timex.0.offset = 7);
        assert!(found.contains("node_timex_sync_status{} 0\n"), "{found}");
        assert!(found.contains("node_timex_offset_seconds{} 0.000007\n"), "{found}");
    }
}
