//! Error logs: what a real FPM and its PHP write, counted once each, whatever becomes of the files.

use std::fs::{self, OpenOptions, Permissions};
use std::io::Write as _;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};

use rustix::process::Signal;
use tempfile::TempDir;

use crate::support::daemon::{eventually, folder, until_content};
use crate::support::exporter::Exporter;
use crate::support::fresh::only_root_can;
use crate::support::nginx::Nginx;
use crate::support::php_fpm::PhpFpm;
use crate::support::scrape::Page;

/// A shop's pool, whose PHP has a log of its own.
const SHOP: &str = "pm = static\npm.max_children = 1\npm.status_path = /status\nphp_admin_value[error_log] = LOG\n\
                    php_admin_value[error_reporting] = 32767\nphp_admin_flag[log_errors] = on\n";

/// Scripts that go wrong, what is then in a log, and what it must be counted as.
const WRONG: [(&str, &str, [&str; 3]); 11] = [
    ("throw new RuntimeException(\"boom\\nand more\");", "PHP Fatal error:  Uncaught Runtime", FATAL),
    (
        "ini_set('memory_limit', '4M'); $a = str_repeat('x', 64 << 20);",
        "PHP Fatal error:  Allowed memory size",
        ["php", "fatal", "memory"],
    ),
    ("set_time_limit(1); while (true) { }", "PHP Fatal error:  Maximum execution", ["php", "fatal", "timeout"]),
    ("new PDO('mysql:host=127.0.0.1;port=1', 'a', 'b');", "Uncaught PDOException", ["php", "fatal", "database"]),
    (
        "abstract class A { abstract function f(); } class B extends A { }",
        "PHP Fatal error:  Class B contains",
        ["php", "fatal", "other"],
    ),
    ("if ( ;", "PHP Parse error:  ", ["php", "parse", "other"]),
    ("echo $nothing;", "PHP Warning:  Undefined variable", ["php", "warning", "other"]),
    ("trigger_error('a', E_USER_NOTICE);", "PHP Notice:  a", ["php", "notice", "other"]),
    ("trigger_error('a', E_USER_DEPRECATED);", "PHP Deprecated:  a", ["php", "deprecated", "other"]),
    ("error_log('the shop says so');", "the shop says so", ["php", "message", "other"]),
    ("posix_kill(getmypid(), 11); sleep(60);", "exited on signal 11", ["fpm", "warning", "crash"]),
];

const FATAL: [&str; 3] = ["php", "fatal", "exception"];

/// A master with this pool and others, whose log is `php.log`.
fn master(shop: &str, others: &[(&str, &str)]) -> PhpFpm {
    let mut master = PhpFpm::start(&[("idle", "pm = ondemand\npm.max_children = 1")]);
    let log = master.file("php.log");
    fresh(&log);
    for (name, directives) in [("shop", shop)].iter().chain(others) {
        master.add(name, &directives.replace("LOG", log.to_str().unwrap()));
    }
    master
}

/// An empty log that PHP's user may write to.
fn fresh(log: &Path) {
    fs::write(log, "").unwrap();
    fs::set_permissions(log, Permissions::from_mode(0o666)).unwrap();
}

/// Runs this code in a pool, to its end.
fn run(master: &PhpFpm, pool: &str, code: &str) {
    // A name of its own: for two seconds OPcache runs what was in the file before.
    static SCRIPTS: AtomicUsize = AtomicUsize::new(0);
    let name = format!("wrong-{}.php", SCRIPTS.fetch_add(1, Ordering::Relaxed));
    let script = master.script(&name, &format!("<?php {code}"));
    master.run(pool, &script, &[]).end();
}

/// How often a log says this, in all.
fn times(log: &Path, what: &str) -> u32 {
    matches(&String::from_utf8_lossy(&fs::read(log).unwrap_or_default()), what)
}

fn matches(text: &str, what: &str) -> u32 {
    text.matches(what).count().try_into().unwrap()
}

fn counted(page: &Page, [source, level, kind]: [&str; 3]) -> f64 {
    let labels = [("source", source), ("level", level), ("kind", kind), ("target", "main")];
    page.number("phpfpm_errors_total", &labels)
}

fn watching(master: &PhpFpm, state: &TempDir, more: &str) -> Exporter {
    let (state, table) = (state.path().display(), master.table(more));
    Exporter::start(&format!("state_dir = '{state}'\n[host]\nenabled = false\n[php_fpm.targets.main]\n{table}"))
}

#[test]
fn everything_that_goes_wrong_is_counted_as_what_it_is() {
    let master = master(
        SHOP,
        &[
            (
                "small",
                "pm = dynamic\npm.max_children = 1\npm.start_servers = 1\npm.min_spare_servers = 1\n\
                 pm.max_spare_servers = 1",
            ),
            ("strict", "pm = ondemand\npm.max_children = 2\nrequest_terminate_timeout = 1s"),
            ("slow", "pm = ondemand\npm.max_children = 2\nrequest_slowlog_timeout = 1s\nslowlog = /dev/null"),
        ],
    );
    let (fpm, php) = (master.file("fpm.log"), master.file("php.log"));
    let mut watched = None;
    // What FPM has to say of its start comes late, and is counted if it comes after the first look.
    eventually("FPM to be silent", || {
        let (before, state) = (fs::read_to_string(&fpm).unwrap(), folder());
        let exporter = watching(&master, &state, "");
        let first = exporter.scrape();
        let is_silent = fs::read_to_string(&fpm).unwrap() == before;
        watched = Some((exporter, state, first, before));
        is_silent
    });
    let (exporter, _state, first, before) = watched.expect("waited for above");
    let started = |what: &str| matches(&before, what);
    for (_, _, labels) in WRONG {
        assert_eq!(counted(&first, labels), 0.0, "{labels:?} is there before the first");
    }
    for (code, _, _) in WRONG {
        run(&master, "shop", code);
    }
    run(&master, "shop", "posix_kill(getmypid(), 9); sleep(60);");
    let sleep = master.script("sleep.php", "<?php sleep(60);");
    let _sleepers = ["small", "strict", "slow"].map(|pool| master.run(pool, &sleep, &[]));
    let of_master = [
        ("exited on signal 11", ["fpm", "warning", "crash"]),
        ("exited on signal 9", ["fpm", "warning", "killed"]),
        ("max_children setting", ["fpm", "warning", "max_children"]),
        ("execution timed out", ["fpm", "warning", "timeout"]),
        ("executing too slow", ["fpm", "warning", "slow"]),
    ];
    for (what, _) in of_master {
        eventually(what, || times(&fpm, what) > started(what));
    }
    let page = exporter.scrape();
    for (_, what, labels) in WRONG.iter().filter(|(_, _, labels)| labels[0] == "php") {
        assert_eq!((counted(&page, *labels), times(&php, what)), (1.0, 1), "{what}");
    }
    // FPM may have more to say at any time.
    until_content("all that FPM wrote", || {
        let page = exporter.scrape();
        let wrong = of_master.iter().find(|(what, labels)| {
            // A worker that was killed for its time is one of those that a signal has ended.
            let also = if labels[2] == "killed" { times(&fpm, "exited on signal 15") } else { 0 };
            counted(&page, *labels) != f64::from(times(&fpm, what) - started(what) + also)
        });
        wrong.map(|(what, labels)| {
            format!("{what}: {} in\n{}", counted(&page, *labels), fs::read_to_string(&fpm).unwrap())
        })
    });
}

#[test]
fn counts_are_exact_over_rotations_and_restarts() {
    let master = master(SHOP, &[]);
    let (fpm, php) = (master.file("fpm.log"), master.file("php.log"));
    let state = folder();
    let boom = || run(&master, "shop", "throw new Exception('boom');");
    let rotate = |generation: usize| {
        for log in [&php, &fpm] {
            for older in (1..generation).rev() {
                fs::rename(format!("{}.{older}", log.display()), format!("{}.{}", log.display(), older + 1)).unwrap();
            }
            fs::rename(log, format!("{}.1", log.display())).unwrap();
        }
        fresh(&php);
        // FPM writes to the old one until it is told.
        boom();
        master.daemon.signal(Signal::USR1);
        eventually("FPM to open its log anew", || times(&fpm, "error log file re-opened") > 0);
    };
    let crash = || run(&master, "shop", "posix_kill(getmypid(), 11); sleep(60);");
    let crashes = || {
        let old = (1..9).map(|older| times(Path::new(&format!("{}.{older}", fpm.display())), "signal 11"));
        old.sum::<u32>() + times(&fpm, "signal 11")
    };

    boom();
    let exporter = watching(&master, &state, "");
    assert_eq!(counted(&exporter.scrape(), FATAL), 0.0, "what was before Vitrin is not counted");
    boom();
    assert_eq!(counted(&exporter.scrape(), FATAL), 1.0);
    rotate(1);
    boom();
    crash();
    eventually("a crash", || crashes() == 1);
    let page = exporter.scrape();
    assert_eq!((counted(&page, FATAL), counted(&page, ["fpm", "warning", "crash"])), (3.0, 1.0));
    // It is killed, and the logs go on: also to the third generation.
    drop(exporter);
    boom();
    rotate(2);
    boom();
    crash();
    eventually("a crash", || crashes() == 2);
    rotate(3);
    boom();
    let exporter = watching(&master, &state, "");
    let page = exporter.scrape();
    assert_eq!((counted(&page, FATAL), counted(&page, ["fpm", "warning", "crash"])), (8.0, 2.0));
    // A reload that changes the target gives its state on.
    let config = fs::read_to_string(exporter.configuration()).unwrap();
    exporter.configure(
        &config.replace("[host]", "[exposition]\n[host]").replace("opcache_script", "processes = true\nopcache_script"),
    );
    exporter.hang_up();
    boom();
    eventually("the reload", || exporter.scrape().samples("phpfpm_process_requests").count() > 0);
    assert_eq!(counted(&exporter.scrape(), FATAL), 9.0);
    assert!(exporter.stop().0.success());
}

#[test]
fn pools_without_a_log_are_counted_where_their_errors_go() {
    let catching = "pm = ondemand\npm.max_children = 1\ncatch_workers_output = yes\n";
    let master = master(SHOP, &[("web", "pm = ondemand\npm.max_children = 1"), ("caught", catching)]);
    let script = master.script("warns.php", "<?php echo $a; echo $b; throw new Exception('boom');");
    let (script, home) = (script.display(), master.daemon.folder().display());
    let nginx = Nginx::start(&format!(
        "location /web {{ fastcgi_pass unix:{home}/web.sock; fastcgi_param SCRIPT_FILENAME {script}; \
         fastcgi_param REQUEST_METHOD GET; }}"
    ));
    let log = nginx.daemon.folder().join("error.log");
    let state = folder();
    let exporter = watching(&master, &state, &format!("error_logs = ['{}']", log.display()));
    exporter.scrape();
    assert_eq!(nginx.get("/web/?;%20PHP%20message:%20PHP%20Fatal%20error:").status, 500);
    eventually("nginx to write", || times(&log, "while reading") > 0);
    let page = exporter.scrape();
    assert_eq!((counted(&page, ["php", "warning", "other"]), counted(&page, FATAL)), (2.0, 1.0));
    run(&master, "caught", "ini_set('log_errors', '1'); throw new Exception('boom');");
    eventually("FPM to write", || times(&master.file("fpm.log"), "said into stderr: \"NOTICE: PHP message") > 0);
    assert_eq!(counted(&exporter.scrape(), FATAL), 2.0);
}

#[test]
fn whatever_is_written_there_are_no_more_series() {
    let master = master(SHOP, &[]);
    let state = folder();
    let exporter = watching(&master, &state, "");
    let series = |page: &Page| page.samples("phpfpm_errors_total").count();
    let before = series(&exporter.scrape());
    let mut log = OpenOptions::new().append(true).open(master.file("php.log")).unwrap();
    for number in 0..20_000 {
        writeln!(log, "[23-Nov-2026 00:00:00 UTC] PHP Level {number}:  kind {number}\0\u{1F600}").unwrap();
    }
    log.write_all(&vec![b'x'; 1 << 20]).unwrap();
    writeln!(log, "\n[23-Nov-2026 00:00:00 UTC] PHP Fatal error:  Uncaught the end").unwrap();
    let page = exporter.scrape();
    assert_eq!(series(&page), before);
    assert_eq!((counted(&page, ["php", "message", "other"]), counted(&page, FATAL)), (20_000.0, 1.0));
}

#[test]
fn a_log_that_may_not_be_read_is_a_gap_and_says_who_opens_it() {
    only_root_can("serve as somebody else");
    let master = master(SHOP, &[]);
    let table = master.table("opcache = false");
    let exporter =
        Exporter::start_as((65_534, 65_534), &format!("[host]\nenabled = false\n[php_fpm.targets.main]\n{table}"));
    let page = exporter.scrape();
    let labels = [("collector", "php_fpm_errors"), ("target", "main"), ("reason", "permission")];
    assert!(page.number("vitrin_collect_failures_total", &labels) >= 1.0, "{}", exporter.log());
    assert_eq!(page.number("vitrin_up", &labels[..2]), 1.0);
    assert_eq!(counted(&page, FATAL), 0.0, "PHP's own log is open");
    assert!(exporter.log().contains("fpm.log"), "{}", exporter.log());
}
