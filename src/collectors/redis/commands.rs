//! What clients ask of the server, and how long it takes: calls, errors, latencies and the slow log.

use redis::Value;

use crate::collector::{Failure, Reason};
use crate::histogram::Histogram;
use crate::snapshot::{Number, Snapshot, Summary};

use super::info::{Info, number, part};

crate::metrics! {
    DropIn as METRICS;
    /// Calls of each command (`cmdstat_*` of INFO).
    CALLS = Counter("redis_commands_total", None, ["cmd"]);
    /// Time the server spent on each command.
    DURATION = Counter("redis_commands_duration_seconds_total", Seconds, ["cmd"]);
    /// Calls of each command that were refused before they ran: wrong arguments, no rights, no memory.
    REJECTED = Counter("redis_commands_rejected_calls_total", None, ["cmd"]);
    /// Calls of each command that failed while they ran.
    FAILED = Counter("redis_commands_failed_calls_total", None, ["cmd"]);
    /// Error replies by the first word of the error (`errorstat_*` of INFO), such as ERR, OOM or WRONGTYPE.
    ERRORS = Counter("redis_errors_total", None, ["err"]);
    /// Percentiles in microseconds of the time each command takes (`latency_percentiles_usec_*` of INFO), since the server started.
    PERCENTILES = Summary("redis_latency_percentiles_usec", None, ["cmd"]);
    /// Microseconds each command takes, in the buckets of LATENCY HISTOGRAM; the bounds differ from command to command.
    LATENCIES = Histogram("redis_commands_latencies_usec", None, ["cmd"]);
    /// When the server last noticed a latency spike of this kind (LATENCY LATEST), in Unix time.
    SPIKE_LAST = Gauge("redis_latency_spike_last", None, ["event_name"]);
    /// How long the last latency spike of this kind was.
    SPIKE_DURATION = Gauge("redis_latency_spike_duration_seconds", Seconds, ["event_name"]);
    /// Entries in the slow log; it is full at `slowlog-max-len`.
    SLOWLOG_LENGTH = Gauge("redis_slowlog_length", None, []);
    /// Id of the newest entry of the slow log: commands logged since the server started, less one; 0 also when the log is empty.
    SLOWLOG_LAST_ID = Gauge("redis_slowlog_last_id", None, []);
    /// How long the command in the newest entry of the slow log took; 0 when the log is empty.
    LAST_SLOW = Gauge("redis_last_slow_execution_duration_seconds", Seconds, []);
}

/// Calls, errors and percentiles, from `INFO`.
pub(super) fn report(info: &Info<'_>, out: &mut Snapshot) {
    for (command, value) in info.with_prefix("cmdstat_") {
        let of = |name| part(value, name).and_then(number);
        if let Some(calls) = of("calls") {
            out.push(&CALLS, [command], calls);
        }
        if let Some(usec) = of("usec") {
            out.push(&DURATION, [command], usec / 1e6);
        }
        // Since Redis 6.2.
        if let Some(rejected) = of("rejected_calls") {
            out.push(&REJECTED, [command], rejected);
        }
        if let Some(failed) = of("failed_calls") {
            out.push(&FAILED, [command], failed);
        }
    }
    for (error, value) in info.with_prefix("errorstat_") {
        if let Some(count) = part(value, "count").and_then(number) {
            out.push(&ERRORS, [error], count);
        }
    }
    for (command, value) in info.with_prefix("latency_percentiles_usec_") {
        let mut quantiles: Vec<_> = value.split(',').filter_map(percentile).collect();
        quantiles.sort_by(|a, b| a.0.total_cmp(&b.0));
        out.push_summary(
            &PERCENTILES,
            [command],
            Summary {
                quantiles,
                count: total(info, command, "calls"),
                sum: total(info, command, "usec").map(Number::number),
            },
        );
    }
}

/// `p99.9=23.039` as the quantile 0.999 and its value.
fn percentile(text: &str) -> Option<(f64, f64)> {
    let (percent, value) = text.strip_prefix('p')?.split_once('=')?;
    // Two whole numbers divided give the float nearest to the decimal, so that 99.9 is 0.999 and not 0.9990000000000001.
    let quantile = (number(percent)? * 1e6).round() / 1e8;
    Some((quantile, number(value)?))
}

/// A part of a command's `cmdstat_` line, exactly of this command.
fn total(info: &Info<'_>, command: &str, name: &str) -> Option<u64> {
    part(info.get(&format!("cmdstat_{command}"))?, name)?.parse().ok()
}

/// The histograms of `LATENCY HISTOGRAM`: for each command its name, its calls, and a running count at each bound.
/// The sums are those of `INFO`, which must have been asked for later.
///
/// # Errors
/// `protocol` when the reply is built otherwise.
pub(super) fn report_histograms(reply: &Value, info: &Info<'_>, out: &mut Snapshot) -> Result<(), Failure> {
    for pair in array(reply)?.chunks_exact(2) {
        let [command, details] = pair else { continue };
        let (command, details) = (string(command)?, array(details)?);
        let calls = after(details, "calls").and_then(count);
        let bounds = after(details, "histogram_usec").map(array).transpose()?;
        let (Some(calls), Some(bounds)) = (calls, bounds) else { return Err(odd("LATENCY HISTOGRAM")) };
        let Some(sum) = total(info, command, "usec") else { continue };
        let mut buckets = Vec::with_capacity(bounds.len() / 2 + 1);
        let mut below = 0;
        for bucket in bounds.chunks_exact(2) {
            let [Value::Int(bound), upto] = bucket else { return Err(odd("LATENCY HISTOGRAM")) };
            let upto = count(upto).ok_or_else(|| odd("LATENCY HISTOGRAM"))?;
            buckets.push((bound.number(), upto.saturating_sub(below)));
            below = upto;
        }
        buckets.push((f64::INFINITY, calls.saturating_sub(below)));
        let sum = sum.number();
        out.push_histogram(&LATENCIES, [command], Histogram { buckets, sum, native: None });
    }
    Ok(())
}

/// The spikes of `LATENCY LATEST`: event, time, length in milliseconds, longest ever; Valkey appends more.
///
/// # Errors
/// `protocol` when the reply is built otherwise.
pub(super) fn report_spikes(reply: &Value, out: &mut Snapshot) -> Result<(), Failure> {
    for spike in array(reply)? {
        let [event, Value::Int(time), Value::Int(milliseconds), ..] = array(spike)? else {
            return Err(odd("LATENCY LATEST"));
        };
        let event = string(event)?;
        out.push(&SPIKE_LAST, [event], *time);
        out.push(&SPIKE_DURATION, [event], milliseconds.number() / 1e3);
    }
    Ok(())
}

/// The length of the slow log.
///
/// # Errors
/// `protocol` when the reply is no number.
pub(super) fn report_slowlog_length(reply: &Value, out: &mut Snapshot) -> Result<(), Failure> {
    let length = count(reply).ok_or_else(|| odd("SLOWLOG LEN"))?;
    out.push(&SLOWLOG_LENGTH, [], length);
    Ok(())
}

/// The newest entry of the slow log: id, time, microseconds, and the command, which is not looked at.
///
/// # Errors
/// `protocol` when the reply is built otherwise.
pub(super) fn report_slowlog_last(reply: &Value, out: &mut Snapshot) -> Result<(), Failure> {
    let (id, usec) = match array(reply)?.first().map(array).transpose()? {
        Some([Value::Int(id), _, Value::Int(usec), ..]) => (*id, *usec),
        Some(_) => return Err(odd("SLOWLOG GET")),
        None => (0, 0),
    };
    out.push(&SLOWLOG_LAST_ID, [], id);
    out.push(&LAST_SLOW, [], usec.number() / 1e6);
    Ok(())
}

/// The values of an array reply.
pub(super) fn array(value: &Value) -> Result<&[Value], Failure> {
    match value {
        Value::Array(values) => Ok(values),
        _ => Err(odd("a command that lists things")),
    }
}

/// The text of a reply, where it is text.
pub(super) fn string(value: &Value) -> Result<&str, Failure> {
    match value {
        Value::BulkString(bytes) => std::str::from_utf8(bytes).map_err(|error| Failure::new(Reason::Protocol, error)),
        Value::SimpleString(text) => Ok(text),
        _ => Err(odd("a command that names things")),
    }
}

/// In a list of names and values, the value of a name.
pub(super) fn after<'a>(list: &'a [Value], name: &str) -> Option<&'a Value> {
    list.chunks_exact(2).find(|pair| string(&pair[0]).is_ok_and(|found| found == name)).map(|pair| &pair[1])
}

fn count(value: &Value) -> Option<u64> {
    match value {
        Value::Int(number) => u64::try_from(*number).ok(),
        _ => None,
    }
}

fn odd(command: &str) -> Failure {
    Failure::message(Reason::Protocol, format!("the reply to {command} is built in a way we do not know"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::collectors::redis::tests::{number_of, reply, series};
    use crate::snapshot;

    const REDIS_8: &str = include_str!("../../../tests/fixtures/redis/redis-8.0.6-info.txt");

    #[test]
    fn calls_and_errors_are_counted_by_their_names() {
        let found = series(|out| report(&Info::parse(REDIS_8), out));
        assert_eq!(number_of(&found, "redis_commands_total", &["get"]), Some(3.0));
        assert_eq!(number_of(&found, "redis_commands_duration_seconds_total", &["get"]), Some(12e-6));
        assert_eq!(number_of(&found, "redis_commands_rejected_calls_total", &["incr"]), Some(1.0));
        assert_eq!(number_of(&found, "redis_errors_total", &["ERR"]), Some(2.0));
    }

    #[test]
    fn an_old_line_without_the_newer_counts_is_read_as_far_as_it_goes() {
        let text = "cmdstat_get:calls=21,usec=175,usec_per_call=8.33\r\ncmdstat_odd:later=1\r\n";
        let found = series(|out| report(&Info::parse(text), out));
        assert_eq!(number_of(&found, "redis_commands_total", &["get"]), Some(21.0));
        assert_eq!(number_of(&found, "redis_commands_failed_calls_total", &["get"]), None);
        assert_eq!(found.len(), 2);
    }

    #[test]
    fn percentiles_are_quantiles_from_0_to_1() {
        let text =
            "cmdstat_get:calls=21,usec=175\r\nlatency_percentiles_usec_get:p99.9=30,p50=7.007,p99=nan,p100=31\r\n";
        let found = series(|out| report(&Info::parse(text), out));
        let (.., value) = found.iter().find(|(name, ..)| name == "redis_latency_percentiles_usec").unwrap();
        let summary =
            Summary { quantiles: vec![(0.5, 7.007), (0.999, 30.0), (1.0, 31.0)], count: Some(21), sum: Some(175.0) };
        assert_eq!(*value, snapshot::Value::Summary(Box::new(summary)));
    }

    #[test]
    fn running_counts_become_counts_of_each_bucket() {
        let histograms = reply(include_bytes!("../../../tests/fixtures/redis/redis-8.0.6-latency-histogram.resp"));
        let found = series(|out| report_histograms(&histograms, &Info::parse(REDIS_8), out).unwrap());
        let of = |command: &str| {
            let (.., value) = found.iter().find(|(_, labels, _)| labels == &[command]).unwrap();
            value.clone()
        };
        let histogram = Histogram { buckets: vec![(4.0, 2), (8.0, 1), (f64::INFINITY, 0)], sum: 12.0, native: None };
        assert_eq!(of("get"), snapshot::Value::Histogram(histogram.into()));
        // INFO itself was not in the INFO that was recorded before: no sum, no histogram.
        assert!(!found.iter().any(|(_, labels, _)| labels == &["info"]));
    }

    #[test]
    fn spikes_and_slow_commands_of_every_server_are_read() {
        for (latest, slow) in [
            (
                include_bytes!("../../../tests/fixtures/redis/redis-7.0.15-latency-latest.resp").as_slice(),
                include_bytes!("../../../tests/fixtures/redis/redis-7.0.15-slowlog-get.resp").as_slice(),
            ),
            (
                include_bytes!("../../../tests/fixtures/redis/valkey-9.1.2-latency-latest.resp"),
                include_bytes!("../../../tests/fixtures/redis/valkey-9.1.2-slowlog-get.resp"),
            ),
        ] {
            let found = series(|out| {
                report_spikes(&reply(latest), out).unwrap();
                report_slowlog_last(&reply(slow), out).unwrap();
            });
            assert_eq!(number_of(&found, "redis_latency_spike_duration_seconds", &["command"]), Some(0.02));
            assert_eq!(number_of(&found, "redis_slowlog_last_id", &[]), Some(1.0));
            let slow = number_of(&found, "redis_last_slow_execution_duration_seconds", &[]).unwrap();
            assert!((0.003..0.004).contains(&slow), "{slow}");
        }
    }

    #[test]
    fn an_empty_slow_log_is_0_and_a_strange_one_a_protocol_error() {
        let found = series(|out| report_slowlog_last(&Value::Array(Vec::new()), out).unwrap());
        assert_eq!(number_of(&found, "redis_slowlog_last_id", &[]), Some(0.0));
        let error = report_slowlog_last(&Value::Okay, &mut Snapshot::default()).unwrap_err();
        assert_eq!(error.reason, Reason::Protocol);
    }
}
