//! The settings of OPcache as samples.

use std::collections::HashMap;

use crate::snapshot::Snapshot;

crate::metrics! {
    Own as SETTINGS;
    /// Whether changed scripts are noticed, `opcache.validate_timestamps`, 1 or 0; at 0 a deployment must reload FPM.
    VALIDATE_TIMESTAMPS = Gauge("phpfpm_opcache_validate_timestamps", None, []);
    /// How long a script is served before it is looked at again, `opcache.revalidate_freq`.
    REVALIDATE_FREQ = Gauge("phpfpm_opcache_revalidate_freq_seconds", Seconds, []);
    /// Shared memory for compiled scripts, `opcache.memory_consumption`.
    MEMORY_CONSUMPTION = Gauge("phpfpm_opcache_memory_consumption_bytes", Bytes, []);
    /// Files there should be room for, `opcache.max_accelerated_files`.
    MAX_FILES = Gauge("phpfpm_opcache_max_accelerated_files", None, []);
    /// Part of the memory that may be wasted before a full OPcache restarts, `opcache.max_wasted_percentage`.
    MAX_WASTED = Gauge("phpfpm_opcache_max_wasted_ratio", Ratio, []);
    /// Files larger than this are not cached, `opcache.max_file_size`; 0 when all are.
    MAX_FILE_SIZE = Gauge("phpfpm_opcache_max_file_size_bytes", Bytes, []);
    /// Whether comments are kept in compiled scripts, `opcache.save_comments`, 1 or 0; annotations need them.
    SAVE_COMMENTS = Gauge("phpfpm_opcache_save_comments", None, []);
    /// Whether `file_exists()` and the like ask the cache first, `opcache.enable_file_override`, 1 or 0.
    FILE_OVERRIDE = Gauge("phpfpm_opcache_enable_file_override", None, []);
    /// Whether compiled scripts are kept on disk alone, `opcache.file_cache_only`, 1 or 0.
    FILE_CACHE_ONLY = Gauge("phpfpm_opcache_file_cache_only", None, []);
}

/// Pushes the settings; those this PHP does not have are absent.
pub(super) fn report(settings: &HashMap<String, String>, out: &mut Snapshot) {
    const MEBIBYTE: f64 = 1_048_576.0;
    for (name, metric) in [
        ("validate_timestamps", &VALIDATE_TIMESTAMPS),
        ("save_comments", &SAVE_COMMENTS),
        ("enable_file_override", &FILE_OVERRIDE),
        ("file_cache_only", &FILE_CACHE_ONLY),
    ] {
        if let Some(value) = settings.get(name) {
            out.push(metric, [], is_on(value));
        }
    }
    for (name, scale, metric) in [
        ("revalidate_freq", 1.0, &REVALIDATE_FREQ),
        ("memory_consumption", MEBIBYTE, &MEMORY_CONSUMPTION),
        ("max_accelerated_files", 1.0, &MAX_FILES),
        ("max_wasted_percentage", 0.01, &MAX_WASTED),
        ("max_file_size", 1.0, &MAX_FILE_SIZE),
    ] {
        if let Some(value) = settings.get(name).and_then(|value| value.trim().parse::<u32>().ok()) {
            out.push(metric, [], f64::from(value) * scale);
        }
    }
}

/// A switch of php.ini, as `ini_get()` gives it: PHP's reader turns the words of a file into `1` and nothing, but not
/// those of `php_admin_value`.
fn is_on(value: &str) -> bool {
    let value = value.trim();
    ["on", "yes", "true"].iter().any(|word| value.eq_ignore_ascii_case(word))
        || value.parse::<i64>().is_ok_and(|number| number != 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn switches_are_read_in_every_spelling() {
        for (value, on) in [("1", true), ("On", true), ("yes", true), ("", false), ("0", false), ("Off", false)] {
            assert_eq!(is_on(value), on, "{value}");
        }
    }
}
