//! `SHOW GLOBAL STATUS`: every number in it, and the families that several fields share.

use super::rows::Rows;
use super::value::numeric;
use crate::metric::Table;
use crate::snapshot::Snapshot;

/// Asked for at each scrape; needs no privilege.
pub(super) const STATEMENT: &str = "SHOW GLOBAL STATUS";

/// The fields with a family of their own.
pub(super) static STATUS: Table = Table::new("SHOW GLOBAL STATUS", "mysql_global_status_", include_str!("status.tsv"));

crate::metrics! {
    DropIn as METRICS;
    /// Statements of each kind that were begun: the `Com_*` fields of SHOW GLOBAL STATUS.
    COMMANDS = Counter("mysql_global_status_commands_total", None, ["command"]);
    /// Calls of the storage engines' row operations: the `Handler_*` fields of SHOW GLOBAL STATUS.
    HANDLERS = Counter("mysql_global_status_handlers_total", None, ["handler"]);
    /// Connections that failed on the server's side, by cause: the `Connection_errors_*` fields of SHOW GLOBAL STATUS.
    CONNECTION_ERRORS = Counter("mysql_global_status_connection_errors_total", None, ["error"]);
    /// Pages of the InnoDB buffer pool by what they hold: the `Innodb_buffer_pool_pages_*` fields that are states.
    BUFFER_POOL_PAGES = Gauge("mysql_global_status_buffer_pool_pages", None, ["state"]);
    /// Pages of the InnoDB buffer pool that were changed and not yet written: `Innodb_buffer_pool_pages_dirty`.
    BUFFER_POOL_DIRTY = Gauge("mysql_global_status_buffer_pool_dirty_pages", None, []);
    /// Things done to pages of the InnoDB buffer pool: the `Innodb_buffer_pool_pages_*` fields that are operations.
    BUFFER_POOL_CHANGES = Counter("mysql_global_status_buffer_pool_page_changes_total", None, ["operation"]);
    /// Rows that InnoDB read or changed: the `Innodb_rows_*` fields of SHOW GLOBAL STATUS.
    ROW_OPERATIONS = Counter("mysql_global_status_innodb_row_ops_total", None, ["operation"]);
    /// Things `performance_schema` had no memory to watch: the `Performance_schema_*` fields of SHOW GLOBAL STATUS.
    PERFORMANCE_SCHEMA_LOST = Counter("mysql_global_status_performance_schema_lost_total", None, ["instrumentation"]);
    /// Galera: identities of the node's and the cluster's state and the provider's version, from the `wsrep_*` fields; always 1.
    GALERA_INFO = Gauge(
        "mysql_galera_status_info", None, ["wsrep_local_state_uuid", "wsrep_cluster_state_uuid", "wsrep_provider_version"]
    );
    /// Galera: shortest time a message took to all nodes, first part of `wsrep_evs_repl_latency`.
    GALERA_LATENCY_MIN = Gauge("mysql_galera_evs_repl_latency_min_seconds", Seconds, []);
    /// Galera: mean time a message took to all nodes, second part of `wsrep_evs_repl_latency`.
    GALERA_LATENCY_AVG = Gauge("mysql_galera_evs_repl_latency_avg_seconds", Seconds, []);
    /// Galera: longest time a message took to all nodes, third part of `wsrep_evs_repl_latency`.
    GALERA_LATENCY_MAX = Gauge("mysql_galera_evs_repl_latency_max_seconds", Seconds, []);
    /// Galera: standard deviation of the time messages took, in seconds, fourth part of `wsrep_evs_repl_latency`.
    GALERA_LATENCY_STDEV = Gauge("mysql_galera_evs_repl_latency_stdev", None, []);
    /// Galera: number of messages measured, fifth part of `wsrep_evs_repl_latency`.
    GALERA_LATENCY_SAMPLES = Gauge("mysql_galera_evs_repl_latency_sample_size", None, []);
}

/// Turns the answer into samples; what is not a number is left alone.
pub(super) fn report(rows: &Rows, out: &mut Snapshot) {
    for row in rows.iter() {
        let (Some(name), Some(value)) = (row.at(0), row.at(1)) else { continue };
        let name = name.to_ascii_lowercase();
        if name == "wsrep_evs_repl_latency" {
            galera_latency(value, out);
        } else if let Some(number) = numeric(value) {
            field(&name, number, out);
        }
    }
    galera_info(rows, out);
}

fn field(name: &str, value: f64, out: &mut Snapshot) {
    if let Some(command) = name.strip_prefix("com_") {
        out.push(&COMMANDS, [command], value);
    } else if let Some(handler) = name.strip_prefix("handler_") {
        out.push(&HANDLERS, [handler], value);
    } else if let Some(error) = name.strip_prefix("connection_errors_") {
        out.push(&CONNECTION_ERRORS, [error], value);
    } else if let Some(pages) = name.strip_prefix("innodb_buffer_pool_pages_") {
        buffer_pool(pages, value, out);
    } else if let Some(operation) = name.strip_prefix("innodb_rows_") {
        out.push(&ROW_OPERATIONS, [operation], value);
    } else if let Some(instrumentation) = name.strip_prefix("performance_schema_") {
        out.push(&PERFORMANCE_SCHEMA_LOST, [instrumentation], value);
    } else {
        out.push_family(STATUS.get_or_unknown(name), &[], value);
    }
}

fn buffer_pool(pages: &str, value: f64, out: &mut Snapshot) {
    match pages {
        "data" | "free" | "misc" | "old" => out.push(&BUFFER_POOL_PAGES, [pages], value),
        // Some of the pages with data: a state beside them would be counted twice in a sum.
        "dirty" => out.push(&BUFFER_POOL_DIRTY, [], value),
        // The sum of the states.
        "total" => {}
        operation => out.push(&BUFFER_POOL_CHANGES, [operation], value),
    }
}

/// `wsrep_evs_repl_latency` reads `min/avg/max/stdev/samples`, all 0 on a node alone.
fn galera_latency(value: &str, out: &mut Snapshot) {
    let parts: Vec<_> = value.split('/').map(numeric).collect();
    if let [Some(min), Some(avg), Some(max), Some(stdev), Some(samples)] = parts[..] {
        out.push(&GALERA_LATENCY_MIN, [], min);
        out.push(&GALERA_LATENCY_AVG, [], avg);
        out.push(&GALERA_LATENCY_MAX, [], max);
        out.push(&GALERA_LATENCY_STDEV, [], stdev);
        out.push(&GALERA_LATENCY_SAMPLES, [], samples);
    }
}

fn galera_info(rows: &Rows, out: &mut Snapshot) {
    let text = |name| rows.setting(name).unwrap_or_default();
    let local = text("wsrep_local_state_uuid");
    // The field is there, and empty, on a MariaDB that is no node.
    if !local.is_empty() {
        out.push(&GALERA_INFO, [local, text("wsrep_cluster_state_uuid"), text("wsrep_provider_version")], 1.0);
    }
}

#[cfg(test)]
mod tests {
    use expect_test::expect;

    use super::*;
    use crate::collectors::mysql::shown;

    fn reported(recorded: &str) -> Snapshot {
        let mut out = Snapshot::default();
        report(&Rows::recorded(&format!("name\tvalue\n{recorded}")), &mut out);
        out
    }

    const MYSQL: &str = include_str!("../../../tests/fixtures/mysql/mysql-9.7-status.txt");
    const GALERA: &str = include_str!("../../../tests/fixtures/mysql/mariadb-10.11-galera-status.txt");

    #[test]
    fn fields_that_belong_together_share_a_family() {
        let text = shown(reported(MYSQL), "mysql_global_status_");
        for prefix in ["com_", "handler_", "connection_errors_accept", "innodb_rows_", "innodb_buffer_pool_pages_"] {
            assert!(!text.contains(&format!("mysql_global_status_{prefix}")), "{prefix}");
        }
        for name in
            ["commands_total [\"select\"]", "handlers_total [\"read_rnd_next\"]", "buffer_pool_pages [\"free\"]"]
        {
            assert!(text.contains(&format!("mysql_global_status_{name}")), "{name}");
        }
        assert!(text.lines().count() > 400, "{text}");
    }

    #[test]
    fn a_galera_node_shows_its_identity_and_latency() {
        expect![[r#"
            mysql_galera_evs_repl_latency_avg_seconds [] Number(0.0)
            mysql_galera_evs_repl_latency_max_seconds [] Number(0.0)
            mysql_galera_evs_repl_latency_min_seconds [] Number(0.0)
            mysql_galera_evs_repl_latency_sample_size [] Number(0.0)
            mysql_galera_evs_repl_latency_stdev [] Number(0.0)
            mysql_galera_status_info ["bf0d9e66-e6b8-11f1-a91c-e36497be02f9", "bf0d9e66-e6b8-11f1-a91c-e36497be02f9", "4.23(rXXXX)"] Number(1.0)
        "#]]
        .assert_eq(&shown(reported(GALERA), "mysql_galera_"));
    }
}
