//! `SHOW GLOBAL VARIABLES`: every number and switch in it, and the few texts that are worth a label.

use super::rows::Rows;
use super::value::numeric;
use crate::metric::Table;
use crate::snapshot::Snapshot;

/// Asked for at each scrape; needs no privilege.
pub(super) const STATEMENT: &str = "SHOW GLOBAL VARIABLES";

/// The variables we know.
pub(super) static VARIABLES: Table =
    Table::new("SHOW GLOBAL VARIABLES", "mysql_global_variables_", include_str!("variables.tsv"));

crate::metrics! {
    DropIn as METRICS;
    /// The server's version as `innodb_version`, `version` and `version_comment` say it; always 1.
    VERSION = Gauge("mysql_version_info", None, ["innodb_version", "version", "version_comment"]);
    /// The isolation level that new sessions start with, `transaction_isolation`; always 1.
    ISOLATION = Gauge("mysql_transaction_isolation", None, ["level"]);
    /// Galera: the name of the cluster, `wsrep_cluster_name`; always 1.
    GALERA_INFO = Gauge("mysql_galera_variables_info", None, ["wsrep_cluster_name"]);
    /// Galera: size of the ring buffer for a joining node's missed transactions, `gcache.size` of `wsrep_provider_options`.
    GALERA_GCACHE = Gauge("mysql_galera_gcache_size_bytes", Bytes, []);
}

crate::metrics! {
    Own as OWN;
    /// Part of `max_connections` that is in use: `Threads_connected` divided by it. At 1 the server turns customers away.
    CONNECTIONS_USED = Gauge("mysql_connections_used_ratio", Ratio, []);
}

/// Turns the answer into samples; what is neither a number nor a switch is left alone.
pub(super) fn report(rows: &Rows, out: &mut Snapshot) {
    for row in rows.iter() {
        let (Some(name), Some(value)) = (row.at(0), row.at(1)) else { continue };
        if let Some(number) = numeric(value) {
            out.push_family(VARIABLES.get_or_unknown(&name.to_ascii_lowercase()), &[], number);
        }
    }
    let text = |name| rows.setting(name).unwrap_or_default();
    out.push(&VERSION, [text("innodb_version"), text("version"), text("version_comment")], 1.0);
    // MySQL 5.7 and MariaDB before 11.1 call it tx_isolation.
    if let Some(level) = rows.setting("transaction_isolation").or_else(|| rows.setting("tx_isolation")) {
        out.push(&ISOLATION, [level], 1.0);
    }
    let cluster = text("wsrep_cluster_name");
    if !cluster.is_empty() {
        out.push(&GALERA_INFO, [cluster], 1.0);
    }
    if let Some(bytes) = gcache_bytes(text("wsrep_provider_options")) {
        out.push(&GALERA_GCACHE, [], bytes);
    }
}

/// How much of the connections is used, from both answers.
pub(super) fn report_usage(status: &Rows, variables: &Rows, out: &mut Snapshot) {
    let used = status.setting("threads_connected").and_then(numeric);
    let most = variables.setting("max_connections").and_then(numeric);
    if let (Some(used), Some(most @ 1.0..)) = (used, most) {
        out.push(&CONNECTIONS_USED, [], used / most);
    }
}

/// `gcache.size = 128M` in a list parted by semicolons; the suffixes are powers of 1024.
fn gcache_bytes(options: &str) -> Option<f64> {
    let mut pairs = options.split(';').filter_map(|option| option.split_once('='));
    let (_, size) = pairs.find(|(name, _)| name.trim() == "gcache.size")?;
    let size = size.trim();
    let digits = size.trim_end_matches(|c: char| c.is_ascii_alphabetic());
    let power = match size[digits.len()..].to_ascii_uppercase().as_str() {
        "" => 0,
        "K" => 1,
        "M" => 2,
        "G" => 3,
        "T" => 4,
        _ => return None,
    };
    Some(numeric(digits)? * 1024_f64.powi(power))
}

#[cfg(test)]
mod tests {
    use expect_test::expect;

    use super::*;
    use crate::collectors::mysql::shown;
    use crate::snapshot::Cause;

    fn rows(recorded: &str) -> Rows {
        Rows::recorded(&format!("name\tvalue\n{recorded}"))
    }

    #[test]
    fn texts_worth_a_label_become_labels() {
        let mut out = Snapshot::default();
        report(&rows(include_str!("../../../tests/fixtures/mysql/mysql-9.7-variables.txt")), &mut out);
        expect![[r#"
            mysql_transaction_isolation ["REPEATABLE-READ"] Number(1.0)
            mysql_version_info ["9.7.4", "9.7.4-2", "(Debian)"] Number(1.0)
        "#]]
        .assert_eq(
            &shown(out, "mysql_")
                .lines()
                .filter(|line| !line.starts_with("mysql_global_"))
                .fold(String::new(), |text, line| text + line + "\n"),
        );
    }

    #[test]
    fn two_spellings_of_one_name_cost_one_series_and_are_counted() {
        // The validate_password component and the older plugin of that name, loaded side by side.
        let mut out = Snapshot::default();
        report(&rows("validate_password.length\t8\nvalidate_password_length\t9"), &mut out);
        let (findings, _, dropped) = out.finish();
        let name = "mysql_global_variables_validate_password_length";
        assert_eq!(findings.families().filter(|(family, _)| family.name == name).count(), 1);
        assert_eq!(dropped[&(name.to_owned(), Cause::Duplicate)], 1);
    }

    #[test]
    fn the_ratio_of_connections_needs_both_answers() {
        let mut out = Snapshot::default();
        report_usage(&rows("Threads_connected\t30"), &rows("max_connections\t150"), &mut out);
        report_usage(&rows("Threads_connected\t30"), &rows("port\t3306"), &mut out);
        assert_eq!(shown(out, "mysql_"), "mysql_connections_used_ratio [] Number(0.2)\n");
    }

    #[test]
    fn galera_s_cache_size_is_bytes() {
        let options = "base_dir = /var/lib/mysql/; gcache.page_size = 128M; gcache.size = 256M; gcs.fc_limit = 16;";
        assert_eq!(gcache_bytes(options), Some(268_435_456.0));
        assert_eq!(gcache_bytes("gcache.size = 1024"), Some(1024.0));
        assert_eq!(gcache_bytes(""), None);
    }
}
