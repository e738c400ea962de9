//! Names that files may not give: those that this program has itself, now or with other settings.
//!
//! There are never two truths of one name: a script's `mysql_up` beside ours would silence an alert that is right.

use std::collections::BTreeSet;
use std::sync::OnceLock;

use crate::collectors::{all, catalogue};
use crate::metric::{Catalogue, Desc, Kind};

/// What begins so is ours, Prometheus' or a rule's: the operator's queries are `mysql_query_`.
const OURS: [&str; 4] = ["vitrin_", "mysql_query_", "scrape_", "node_textfile_"];

/// Names that Prometheus makes itself.
const PROMETHEUS: [&str; 3] = ["up", "ALERTS", "ALERTS_FOR_STATE"];

/// Whether this name, of a sample or of a family, is taken.
pub(super) fn is_taken(name: &str) -> bool {
    let base = name.strip_suffix("_total").unwrap_or(name);
    PROMETHEUS.contains(&name)
        || OURS.iter().any(|prefix| name.starts_with(prefix))
        || open().iter().any(|prefix| name.starts_with(prefix))
        || [name, base].iter().any(|name| declared().contains(*name))
}

/// The beginnings of names that a server's own words make.
fn open() -> Vec<&'static str> {
    let tables = all().into_iter().flat_map(|(_, metrics)| metrics);
    let prefix = |catalogue: &Catalogue| match catalogue {
        Catalogue::Table { table, open: true } => Some(table.prefix()),
        _ => None,
    };
    tables.filter_map(prefix).collect()
}

/// Every name of a sample or a family that the program has, in any format.
fn declared() -> &'static BTreeSet<String> {
    static DECLARED: OnceLock<BTreeSet<String>> = OnceLock::new();
    DECLARED.get_or_init(|| catalogue().into_iter().flat_map(names).collect())
}

fn names(desc: &'static Desc) -> Vec<String> {
    let mut names = vec![desc.name.to_string()];
    names.extend(desc.name.strip_suffix("_total").map(str::to_owned));
    if matches!(desc.kind, Kind::Histogram | Kind::Summary) {
        names.extend(["_bucket", "_sum", "_count"].map(|suffix| format!("{}{suffix}", desc.name)));
    }
    names
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_program_says_itself_is_taken() {
        for name in [
            "mysql_up",
            "node_load1",
            "node_reboot_required",
            "mysql_global_status_made_up_by_a_server",
            "mysql_query_orders_n",
            "shop_orders_recent",
            "shop_http_request_duration_seconds_sum",
            "shop_http_requests",
            "vitrin_anything",
            "node_textfile_mtime_seconds",
            "up",
            "scrape_duration_seconds",
        ] {
            assert!(is_taken(name), "{name}");
        }
        for name in ["backup_size_bytes", "shop_backup_last_success_timestamp_seconds", "apt_upgrades_pending", "upper"]
        {
            assert!(!is_taken(name), "{name}");
        }
    }
}
