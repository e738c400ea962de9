//! The checks at work: the small bundle in `example/` is right, and each way to spoil it is noticed.

use std::fs;

use tempfile::TempDir;

use super::files::Bundle;
use super::{alerts, catalogue, expressions, latch, mutations, runbooks, thresholds, tools, unit_tests};
use crate::support::daemon::{copy, folder};

type Check = fn(&Bundle) -> Vec<String>;

const RULES: &str = "prometheus/rules/mysql.yml";
const TESTS: &str = "prometheus/tests/mysql.yml";
const TABLE: &str = "src/config/objectives/thresholds.tsv";
const DOWN: &str = "docs/runbooks/MySQLDown.md";
const NEAR_LIMIT: &str = "docs/runbooks/MySQLConnectionsNearLimit.md";

/// One change of the example, and what the check must say of it.
struct Spoiled {
    file: &'static str,
    /// What stands there; nothing is the whole file.
    from: &'static str,
    to: &'static str,
    says: &'static str,
}

const fn spoiled(file: &'static str, from: &'static str, to: &'static str, says: &'static str) -> Spoiled {
    Spoiled { file, from, to, says }
}

/// The example in a folder of its own.
fn example() -> TempDir {
    let folder = folder();
    copy(&catalogue::beside("example"), &folder.path().join("bundle"));
    folder
}

/// Fails when the check has something against the example, or does not say what it must of a spoiled one.
#[track_caller]
fn notices(check: Check, ways: &[Spoiled]) {
    let folder = example();
    let root = folder.path().join("bundle");
    super::none(&check(&Bundle::read(&root)));
    for way in ways {
        let path = root.join(way.file);
        let text = fs::read_to_string(&path).unwrap();
        assert!(text.contains(way.from), "{} does not hold {}", way.file, way.from);
        if way.from.is_empty() {
            fs::remove_file(&path).unwrap();
        } else {
            fs::write(&path, text.replacen(way.from, way.to, 1)).unwrap();
        }
        let complaints = check(&Bundle::read(&root));
        assert!(
            complaints.iter().any(|complaint| complaint.contains(way.says)),
            "{}: `{}` instead of `{}` was to be noticed as: {}\nand there are {} complaints:\n{}",
            way.file,
            way.to,
            way.from,
            way.says,
            complaints.len(),
            complaints.join("\n")
        );
        fs::write(&path, text).unwrap();
    }
}

#[test]
fn expressions_are_checked() {
    notices(
        expressions::complaints,
        &[
            spoiled(
                RULES,
                "(mysql_up)",
                "(mysql_upp)",
                "nothing exports or records mysql_upp; mysql_up is the nearest",
            ),
            spoiled(RULES, "(mysql_up)", "(mysql_up", "it does not parse"),
            spoiled(RULES, "(mysql_up)", "({job=\"vitrin\"})", "selects by no name"),
            spoiled(
                RULES,
                "mysql_up)",
                "mysql_up{pool=\"www\"})",
                "mysql_up has no label `pool`; it has instance, job",
            ),
            spoiled(RULES, "target) (mysql_up)", "pool) (mysql_up)", "`max` is grouped by `pool`, which is not"),
            spoiled(RULES, "(mysql_up)", "(rate(mysql_up[5m]))", "`rate` is for a counter, and mysql_up is a gauge"),
            spoiled(
                RULES,
                "(mysql_up)",
                "(deriv(mysql_global_status_questions[5m]))",
                "`deriv` is for a gauge, and mysql_global_status_questions is a counter",
            ),
            spoiled(RULES, "(mysql_up)", "(mysql_global_status_questions)", "is a counter: its value says nothing"),
            spoiled(RULES, "(mysql_up)", "(rate(mysql_global_status_questions[30s]))", "fewer than four scrapes"),
            spoiled(RULES, "(mysql_up)", "(rate((max(mysql_up))[5m:30s]))", "`rate` of a subquery"),
            spoiled(RULES, "(mysql_up)", "(shop_http_request_duration_seconds_bucket)", "rules use no buckets"),
            spoiled(RULES, "up{job=\"vitrin\"}", "up{job=\"vitrine\"}", "it is never \"vitrine\", but one of vitrin"),
            spoiled(RULES, "(mysql_up)", "(vitrin_up{collector=\"mysq\"})", "it is never \"mysq\", but one of"),
            spoiled(RULES, "(mysql_up)", "(node_network_info{duplex=\"x\"})", "its values are not listed: add them"),
            spoiled(RULES, "> on (shop)", "> on (shop, pool)", "left of `>`, `on` names `pool`, which is not"),
            spoiled(RULES, "group_left ()", "group_left (pool)", "`group_left` takes `pool`, which is not"),
            spoiled(RULES, " group_left ()", "", "left of `>` several series may match one, by their labels instance"),
            spoiled(
                RULES,
                "NearLimit\"}\n      or",
                "Near\"}\n      or",
                "no rule makes a series like alert:threshold{",
            ),
            spoiled(
                RULES,
                "> on (shop) group_left ()",
                ">",
                "matched on all labels and never match: only the left has",
            ),
            spoiled(
                RULES,
                "(mysql_up) == 0",
                "(mysql_up) == on (shop, instance, target) max by (shop, instance, target) (probe_results_total)",
                "the target `main` has the label `target` on one side only",
            ),
            spoiled(RULES, "- name: mysql", "- name: mariadb", "its first group is named mariadb, not mysql"),
            spoiled(RULES, "interval: 30s", "interval: 1m", "the first every 30s"),
        ],
    );
}

#[test]
fn alerts_are_checked() {
    notices(
        alerts::complaints,
        &[
            spoiled(
                RULES,
                "- alert: MySQLDown",
                "- alert: MySQLConnectionsNearLimit",
                "there is another alert of this name",
            ),
            spoiled(RULES, "- alert: MySQLDown", "- alert: MariaDown", "its name starts with none of MySQL"),
            spoiled(RULES, "- alert: MySQLDown", "- alert: MySQLDownCritical", "`Critical` is for a label"),
            spoiled(
                RULES,
                "level: \"3\", severity",
                "level: \"5\", severity",
                "severity \"critical\" with level \"5\"",
            ),
            spoiled(RULES, "severity: critical", "severity: info", "severity \"info\" with level \"3\""),
            spoiled(RULES, "severity: critical", "severity: none", "severity \"none\" with level \"3\""),
            spoiled(
                RULES,
                "component: mysql, cause",
                "component: redis, cause",
                "its component is \"redis\", not \"mysql\"",
            ),
            spoiled(RULES, "cause: \"true\"", "cause: \"yes\"", "`cause` and `symptom` are \"true\" or not there"),
            spoiled(RULES, "cause: \"true\"", "version: \"8\"", "the label `version` is unknown"),
            spoiled(RULES, "cause: \"true\"", "origin: x", "the label `origin` is reserved"),
            spoiled(RULES, "      description: MySQL has not answered for half a minute.\n", "", "its annotations are"),
            spoiled(RULES, "/MySQLDown.md", "/MySQLGone.md", "its runbook_url is"),
            spoiled(RULES, "vitrin-datastores", "vitrin-mysql", "its dashboard_url is"),
            spoiled(RULES, "summary: '{{ $labels.shop }}:", "summary: '{{ $labels.pool }}:", "shows `$labels.pool`"),
            spoiled(RULES, "for: 30s", "for: 45s", "`for: 45s` is not a multiple of 30s"),
            spoiled(RULES, "for: 30s", "for: 2h", "`for: 2h` is not a multiple of 30s up to 60m"),
            spoiled(RULES, "for: 30s", "for: soon", "`for: soon`"),
            spoiled(
                RULES,
                "for: 30s",
                "for: 10m",
                "MySQLDown waits 10m and its symptom MySQLConnectionsNearLimit only 5m",
            ),
            spoiled(RULES, "max by (shop, instance, target) (mysql_up)", "mysql_up", "leaves the label `job`"),
            spoiled(
                RULES,
                "max by (shop, instance, target) (mysql_up)",
                "max by (instance) (mysql_up)",
                "no label `shop`",
            ),
            spoiled("docs/topics.tsv", "mysql\t", "database\t", "no line of docs/topics.tsv is named as its file"),
        ],
    );
}

#[test]
fn what_holds_alerts_is_checked() {
    notices(
        latch::complaints,
        &[
            spoiled(
                RULES,
                "or on (shop, instance, target) alert:held{alertname=\"MySQLDown\", component=\"mysql\"}",
                "",
                "would be over",
            ),
            spoiled(RULES, "held{alertname=\"MySQLDown\"", "held{alertname=\"MySQLGone\"", "it is held by `or on"),
            spoiled(
                RULES,
                "or on (shop, instance, target) alert",
                "or on (shop, instance) alert",
                "it is held by `or on",
            ),
            spoiled(
                RULES,
                "(mysql_up) == 0",
                "(label_replace(up, \"target\", \"a\", \"\", \"\")) == 0",
                "so needs nothing",
            ),
            spoiled(RULES, "slo, file, name)", "slo, name)", "alert:held is grouped by"),
            spoiled(RULES, "instance=\"\"", "instance=\"a\"", "alert:held has not"),
            spoiled(RULES, "labels: {component: mysql}", "labels: {component: redis}", "alert:held has the labels"),
            spoiled(RULES, "- record: alert:held", "- record: alert:kept", "no rule that records alert:held"),
            spoiled(
                RULES,
                "  - record: alert:held",
                "  - {record: a:b, expr: up}\n  - record: alert:held",
                "is not the first rule",
            ),
        ],
    );
}

#[test]
fn thresholds_are_checked() {
    notices(
        thresholds::complaints,
        &[
            spoiled(TABLE, "NearLimit", "Low", "MySQLConnectionsLow: there is no such alert"),
            spoiled(TABLE, "NearLimit", "Low", "its threshold is not in src/config"),
            spoiled(TABLE, "critical", "warning", "its severity is warning here and critical in its rule"),
            spoiled(TABLE, "upper", "lower", "it is a lower bound and compared as one that is upper"),
            spoiled(TABLE, "MySQLConnectionsNearLimit", "MySQLDown", "it is compared with no alert:threshold"),
            spoiled(RULES, "> on (shop)", "< on (shop)", "it is a upper bound and compared as one that is lower"),
            spoiled(
                RULES,
                "threshold{alert=\"MySQLConnectionsNearLimit\"",
                "threshold{alert=\"MySQLDown\"",
                "it compares with the threshold of MySQLDown",
            ),
            spoiled(RULES, "{alert=\"MySQLConnectionsNearLimit\"}", "", "is every alert's threshold"),
        ],
    );
}

#[test]
fn tests_of_rules_are_checked() {
    notices(
        unit_tests::complaints,
        &[
            spoiled(TESTS, "", "", "nothing tests it: write prometheus/tests/mysql.yml"),
            spoiled(TESTS, ", ../rules/mysql.yml", "", "it does not load ../rules/mysql.yml"),
            spoiled("prometheus/rules/thresholds.yml", "", "", "there is no prometheus/rules/thresholds.yml"),
            spoiled(
                TESTS,
                "  - {eval_time: 2m, alertname: MySQLDown, exp_alerts: []}\n",
                "",
                "no case in which it stays quiet",
            ),
            spoiled(TESTS, "alertname: MySQLDown", "alertname: MySQLGone", "MySQLGone: there is no such alert"),
            spoiled(TESTS, "cause: \"true\"", "mode: x", "`mode` is not a label of an alert"),
            spoiled(TESTS, "runbooks: https://runbooks.example, ", "", "its external label runbooks is None"),
            spoiled(TESTS, "- name: connections become few\n  interval", "- interval", "a case has no name"),
            spoiled(TESTS, "shop=\"main\", ", "", "has no shop, as every target has"),
        ],
    );
}

#[test]
fn runbooks_are_checked() {
    notices(
        runbooks::complaints,
        &[
            spoiled(DOWN, "", "", "docs/runbooks/MySQLDown.md: it is missing"),
            spoiled(
                RULES,
                "- alert: MySQLDown",
                "- alert: MySQLGone",
                "docs/runbooks/MySQLDown.md: there is no such alert",
            ),
            spoiled(DOWN, "# MySQLDown", "# MySQL down", "it does not begin with `# MySQLDown`"),
            spoiled(DOWN, "## Impact", "## Effect", "its headings are"),
            spoiled(DOWN, "MySQL does not answer.", "", "nothing stands under `## Meaning`"),
            spoiled(DOWN, "```sh", "```", "does not begin with a block of `sh`"),
            spoiled(DOWN, "vitrin collect mysql", "systemctl status mysql", "begins as none of"),
            spoiled(DOWN, "vitrin collect mysql/main", "mysql -e 'SELECT 1' <host>", "holds `<`"),
            spoiled(DOWN, "vitrin collect", "vitrin gather", "vitrin has no command `gather`"),
            spoiled(DOWN, "--config.file", "--config.fil", "`vitrin collect` has no flag `--config.fil`"),
            spoiled(DOWN, "mysql/main", "mariadb/main", "`mariadb/main` is no collector"),
            spoiled(DOWN, "'^mysql_up'", "'^mysql_ups'", "there is no metric `mysql_ups`; mysql_up is the nearest"),
            spoiled(
                DOWN,
                "(MySQLConnectionsNearLimit.md)",
                "(MySQLConnections.md)",
                "its link MySQLConnections.md leads nowhere",
            ),
            spoiled(NEAR_LIMIT, "'mysql_global", "'rate(mysql_global", "it does not parse"),
            spoiled(
                NEAR_LIMIT,
                "threads_connected'",
                "threads'",
                "nothing exports or records mysql_global_status_threads",
            ),
            spoiled(NEAR_LIMIT, "http_latency", "http_latenc", "its configuration is refused"),
            spoiled(NEAR_LIMIT, "`[objectives.thresholds]`", "it", "its `## Mitigation` does not say"),
            spoiled(DOWN, "Start it.", "`[objectives.thresholds]`", "there is no such threshold"),
        ],
    );
}

#[test]
fn shell_in_runbooks_is_checked() {
    notices(runbooks::shellcheck, &[spoiled(DOWN, "'^mysql_up'", "'^mysql_up", "docs/runbooks/MySQLDown-1")]);
}

#[test]
fn promtool_is_listened_to() {
    notices(
        tools::promtool,
        &[
            spoiled(RULES, "(mysql_up)", "(mysql_up", "prometheus/rules/mysql.yml: promtool was to find 3 rules"),
            spoiled(RULES, "(mysql_up) == 0", "(mysql_up) == 2", "prometheus/tests/mysql.yml: "),
            spoiled("prometheus/prometheus.yml", "rules/*.yml", "rules/t*.yml", "was to find all 2 files of rules"),
            spoiled(
                "prometheus/prometheus.yml",
                "scrape_configs",
                "scrapes: 1\nscrape_configs",
                "prometheus.yml: promtool",
            ),
        ],
    );
}

#[test]
fn amtool_is_listened_to() {
    const FILE: &str = "alertmanager/alertmanager.yml";
    notices(
        tools::amtool,
        &[
            spoiled(FILE, "{receiver: team}", "{receiver: teem}", "amtool was to find templates and no mistake"),
            spoiled(FILE, "*.tmpl", "*.html", "the templates are not read"),
            spoiled("alertmanager/templates/mail.tmpl", "{{ end }}", "", "amtool was to find templates"),
        ],
    );
}

#[test]
fn tests_that_do_not_bite_are_noticed() {
    notices(
        mutations::complaints,
        &[
            spoiled(
                TESTS,
                "eval_time: 9m30s",
                "eval_time: 3m30s",
                "MySQLConnectionsNearLimit: no case notices that it does not wait",
            ),
            spoiled(TESTS, "80x9 90x20", "10x9 190x20", "notices that its threshold is doubled"),
            spoiled(TESTS, "80x9 90x20", "1x9 90x20", "notices that its threshold is halved"),
            spoiled(
                TESTS,
                "eval_time: 8m,",
                "eval_time: 4m,",
                "no case notices that nothing holds alerts when vitrin dies",
            ),
        ],
    );
}
