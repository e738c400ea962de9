//! OPcache as samples.
//!
//! All pools of one FPM master share one cache, so there is one answer per target, without a `pool` label. Only a pool
//! with an `opcache.enable` of its own can differ.

use std::collections::HashMap;

use super::opcache::{Jit, Told};
use super::settings;
use crate::metric::Metric;
use crate::snapshot::Snapshot;

crate::metrics! {
    Own as CACHE;
    /// The version of PHP, as the pool that was asked for OPcache runs it.
    PHP = Gauge("phpfpm_php_info", None, ["version"]);
    /// Whether OPcache is on in the pool that was asked, 1 or 0.
    ENABLED = Gauge("phpfpm_opcache_enabled", None, []);
    /// Whether OPcache has no more room and caches no further script, 1 or 0.
    CACHE_FULL = Gauge("phpfpm_opcache_cache_full", None, []);
    /// Whether OPcache waits for running requests to end before it empties itself, 1 or 0.
    RESTART_PENDING = Gauge("phpfpm_opcache_restart_pending", None, []);
    /// Whether OPcache is emptying itself, 1 or 0.
    RESTART_IN_PROGRESS = Gauge("phpfpm_opcache_restart_in_progress", None, []);
    /// Shared memory that compiled scripts take.
    MEMORY_USED = Gauge("phpfpm_opcache_memory_used_bytes", Bytes, []);
    /// Shared memory that is free.
    MEMORY_FREE = Gauge("phpfpm_opcache_memory_free_bytes", Bytes, []);
    /// Shared memory that changed scripts have left behind, free only after a restart of OPcache.
    MEMORY_WASTED = Gauge("phpfpm_opcache_memory_wasted_bytes", Bytes, []);
    /// Wasted shared memory as a part of all; above `opcache.max_wasted_percentage` a full OPcache restarts.
    WASTED_RATIO = Gauge("phpfpm_opcache_memory_wasted_ratio", Ratio, []);
    /// Size of the buffer for strings that scripts share.
    STRINGS_BUFFER = Gauge("phpfpm_opcache_interned_strings_buffer_bytes", Bytes, []);
    /// Part of the interned strings buffer that is in use.
    STRINGS_USED = Gauge("phpfpm_opcache_interned_strings_used_bytes", Bytes, []);
    /// Part of the interned strings buffer that is free; at 0 each process keeps further strings to itself.
    STRINGS_FREE = Gauge("phpfpm_opcache_interned_strings_free_bytes", Bytes, []);
    /// Strings in the interned strings buffer.
    STRINGS = Gauge("phpfpm_opcache_interned_strings", None, []);
    /// Scripts in the cache, the one that tells this among them.
    SCRIPTS = Gauge("phpfpm_opcache_cached_scripts", None, []);
    /// Keys in use; a script has several when it is included by several paths.
    KEYS = Gauge("phpfpm_opcache_cached_keys", None, []);
    /// Keys there is room for: the prime number that `opcache.max_accelerated_files` is rounded up to.
    MAX_KEYS = Gauge("phpfpm_opcache_max_cached_keys", None, []);
    /// Scripts served from the cache since OPcache started or restarted.
    HITS = Counter("phpfpm_opcache_hits_total", None, []);
    /// Scripts compiled because the cache did not hold them, since OPcache started or restarted.
    MISSES = Counter("phpfpm_opcache_misses_total", None, []);
    /// Scripts compiled because the blacklist names them, since OPcache started or restarted.
    BLACKLIST_MISSES = Counter("phpfpm_opcache_blacklist_misses_total", None, []);
    /// Hits as a part of hits and misses since OPcache started or restarted; rules use the counters.
    HIT_RATIO = Gauge("phpfpm_opcache_hit_ratio", Ratio, []);
    /// Restarts of OPcache since FPM started: `oom` for memory, `hash` for keys, `manual` for `opcache_reset()`.
    RESTARTS = Counter("phpfpm_opcache_restarts_total", None, ["reason"]);
    /// When OPcache last restarted; absent when it never did.
    LAST_RESTART = Gauge("phpfpm_opcache_last_restart_timestamp_seconds", Seconds, []);
    /// When OPcache started.
    START = Gauge("phpfpm_opcache_start_timestamp_seconds", Seconds, []);
    /// Whether the just-in-time compiler can be used, 1 or 0.
    JIT_ENABLED = Gauge("phpfpm_opcache_jit_enabled", None, []);
    /// Whether the just-in-time compiler is on, 1 or 0.
    JIT_ON = Gauge("phpfpm_opcache_jit_on", None, []);
    /// Size of the buffer for machine code.
    JIT_BUFFER = Gauge("phpfpm_opcache_jit_buffer_bytes", Bytes, []);
    /// Part of the buffer for machine code that is free.
    JIT_FREE = Gauge("phpfpm_opcache_jit_buffer_free_bytes", Bytes, []);
    /// Shared memory that preloaded code takes; absent without preloading.
    PRELOAD_MEMORY = Gauge("phpfpm_opcache_preload_memory_bytes", Bytes, []);
    /// Scripts that were preloaded; absent without preloading.
    PRELOAD_SCRIPTS = Gauge("phpfpm_opcache_preload_scripts", None, []);
    /// Functions that were preloaded; absent without preloading.
    PRELOAD_FUNCTIONS = Gauge("phpfpm_opcache_preload_functions", None, []);
    /// Classes that were preloaded; absent without preloading.
    PRELOAD_CLASSES = Gauge("phpfpm_opcache_preload_classes", None, []);
}

/// Pushes what the script told.
pub(super) fn report(told: &Told, out: &mut Snapshot) {
    out.push(&PHP, [&told.php], 1.0);
    let status = told.status.as_ref().filter(|status| status.opcache_enabled);
    out.push(&ENABLED, [], status.is_some());
    let Some(status) = status else { return };
    settings::report(&told.settings, out);
    for (metric, state) in [
        (&CACHE_FULL, status.cache_full),
        (&RESTART_PENDING, status.restart_pending),
        (&RESTART_IN_PROGRESS, status.restart_in_progress),
    ] {
        if let Some(state) = state {
            out.push(metric, [], state);
        }
    }
    report_memory(&status.memory_usage, out);
    push_all(
        &status.interned_strings_usage,
        &[
            ("buffer_size", &STRINGS_BUFFER),
            ("used_memory", &STRINGS_USED),
            ("free_memory", &STRINGS_FREE),
            ("number_of_strings", &STRINGS),
        ],
        out,
    );
    report_statistics(&status.opcache_statistics, out);
    if let Some(jit) = &status.jit {
        report_jit(jit, out);
    }
    push_all(
        &status.preload,
        &[
            ("memory", &PRELOAD_MEMORY),
            ("scripts", &PRELOAD_SCRIPTS),
            ("functions", &PRELOAD_FUNCTIONS),
            ("classes", &PRELOAD_CLASSES),
        ],
        out,
    );
}

fn push_all(values: &HashMap<String, f64>, metrics: &[(&str, &'static Metric<0>)], out: &mut Snapshot) {
    for (name, metric) in metrics {
        if let Some(value) = values.get(*name) {
            out.push(metric, [], *value);
        }
    }
}

fn report_memory(memory: &HashMap<String, f64>, out: &mut Snapshot) {
    let parts = [("used_memory", &MEMORY_USED), ("free_memory", &MEMORY_FREE), ("wasted_memory", &MEMORY_WASTED)];
    push_all(memory, &parts, out);
    let total: f64 = parts.iter().filter_map(|(name, _)| memory.get(*name)).sum();
    if let Some(wasted) = memory.get("wasted_memory").filter(|_| total > 0.0) {
        out.push(&WASTED_RATIO, [], wasted / total);
    }
}

fn report_statistics(statistics: &HashMap<String, f64>, out: &mut Snapshot) {
    push_all(
        statistics,
        &[
            ("num_cached_scripts", &SCRIPTS),
            ("num_cached_keys", &KEYS),
            ("max_cached_keys", &MAX_KEYS),
            ("hits", &HITS),
            ("misses", &MISSES),
            ("blacklist_misses", &BLACKLIST_MISSES),
        ],
        out,
    );
    for (name, metric) in [("last_restart_time", &LAST_RESTART), ("start_time", &START)] {
        // 0 says that it never happened.
        if let Some(time) = statistics.get(name).filter(|time| **time > 0.0) {
            out.push(metric, [], *time);
        }
    }
    for (name, reason) in [("oom_restarts", "oom"), ("hash_restarts", "hash"), ("manual_restarts", "manual")] {
        if let Some(restarts) = statistics.get(name) {
            out.push(&RESTARTS, [reason], *restarts);
        }
    }
    if let (Some(hits), Some(misses)) = (statistics.get("hits"), statistics.get("misses"))
        && hits + misses > 0.0
    {
        out.push(&HIT_RATIO, [], hits / (hits + misses));
    }
}

fn report_jit(jit: &Jit, out: &mut Snapshot) {
    out.push(&JIT_ENABLED, [], jit.enabled);
    out.push(&JIT_ON, [], jit.on);
    out.push(&JIT_BUFFER, [], jit.buffer_size);
    out.push(&JIT_FREE, [], jit.buffer_free);
}

#[cfg(test)]
mod tests {
    use std::fmt::Write as _;

    use expect_test::expect;

    use super::*;
    use crate::collectors::php_fpm::fastcgi::Answer;
    use crate::snapshot::Value;

    fn reported(body: &str) -> String {
        let answer = Answer { status: 200, body: body.as_bytes().to_vec(), stderr: String::new() };
        let mut out = Snapshot::default();
        report(&crate::collectors::php_fpm::opcache::parse(&answer).unwrap(), &mut out);
        let mut text = String::new();
        for (family, group) in out.finish().0.families() {
            for (labels, value) in group.samples() {
                let Value::Number(value) = value else { unreachable!() };
                writeln!(text, "{} {:?} {value}", family.name, labels.collect::<Vec<_>>()).unwrap();
            }
        }
        text
    }

    #[test]
    fn a_recorded_answer_becomes_samples() {
        expect![[r#"
            phpfpm_opcache_blacklist_misses_total [] 0
            phpfpm_opcache_cache_full [] 0
            phpfpm_opcache_cached_keys [] 2
            phpfpm_opcache_cached_scripts [] 2
            phpfpm_opcache_enable_file_override [] 0
            phpfpm_opcache_enabled [] 1
            phpfpm_opcache_file_cache_only [] 0
            phpfpm_opcache_hit_ratio [] 0
            phpfpm_opcache_hits_total [] 0
            phpfpm_opcache_interned_strings [] 5164
            phpfpm_opcache_interned_strings_buffer_bytes [] 8388608
            phpfpm_opcache_interned_strings_free_bytes [] 6050808
            phpfpm_opcache_interned_strings_used_bytes [] 2337800
            phpfpm_opcache_jit_buffer_bytes [] 67108848
            phpfpm_opcache_jit_buffer_free_bytes [] 67106347
            phpfpm_opcache_jit_enabled [] 1
            phpfpm_opcache_jit_on [] 0
            phpfpm_opcache_max_accelerated_files [] 10000
            phpfpm_opcache_max_cached_keys [] 16229
            phpfpm_opcache_max_file_size_bytes [] 0
            phpfpm_opcache_max_wasted_ratio [] 0.05
            phpfpm_opcache_memory_consumption_bytes [] 134217728
            phpfpm_opcache_memory_free_bytes [] 124935720
            phpfpm_opcache_memory_used_bytes [] 9282008
            phpfpm_opcache_memory_wasted_bytes [] 0
            phpfpm_opcache_memory_wasted_ratio [] 0
            phpfpm_opcache_misses_total [] 2
            phpfpm_opcache_restart_in_progress [] 0
            phpfpm_opcache_restart_pending [] 0
            phpfpm_opcache_restarts_total ["hash"] 0
            phpfpm_opcache_restarts_total ["manual"] 0
            phpfpm_opcache_restarts_total ["oom"] 0
            phpfpm_opcache_revalidate_freq_seconds [] 2
            phpfpm_opcache_save_comments [] 1
            phpfpm_opcache_start_timestamp_seconds [] 1795381658
            phpfpm_opcache_validate_timestamps [] 1
            phpfpm_php_info ["8.4.27"] 1
        "#]]
        .assert_eq(&reported(include_str!("../../../tests/fixtures/php_fpm/php-8.4-opcache.json")));
    }

    #[test]
    fn an_opcache_that_is_off_is_0_and_nothing_else() {
        let off =
            r#"{"vitrin":1,"php":"8.2.36","loaded":true,"callable":true,"restricted":false,"settings":{"enable":"0"}}"#;
        expect![[r#"
            phpfpm_opcache_enabled [] 0
            phpfpm_php_info ["8.2.36"] 1
        "#]]
        .assert_eq(&reported(off));
    }
}
