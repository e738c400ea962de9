//! Pools: their status, and what keeps it from us.

use std::collections::BTreeSet;
use std::fs;
use std::io::Write as _;
use std::os::unix::net::UnixStream;
use std::time::Instant;

use tokio::net::UnixListener;
use vitrin::collector::Reason;

use super::{collector, shop, whole};
use crate::support::daemon::{eventually, folder, free_port};
use crate::support::differential::Deviations;
use crate::support::exporter::Exporter;
use crate::support::found::Found;
use crate::support::php_fpm::PhpFpm;
use crate::support::scrape::Page;

const ONE: &str = "pm = static\npm.max_children = 1\npm.status_path = /status";
const TWO: &str = "pm = static\npm.max_children = 2\npm.status_path = /status";
const LAZY: &str = "pm = ondemand\npm.max_children = 3\npm.process_idle_timeout = 1m\npm.status_path = /status";
const BUSY: &str = "pm = dynamic\npm.max_children = 5\npm.start_servers = 2\npm.min_spare_servers = 1\n\
                    pm.max_spare_servers = 3\npm.max_requests = 500\nrequest_terminate_timeout = 30s\n\
                    pm.status_path = /status";

/// All families of hipages' php-fpm_exporter.
const PEER: [&str; 18] = [
    "phpfpm_accepted_connections",
    "phpfpm_active_processes",
    "phpfpm_idle_processes",
    "phpfpm_listen_queue",
    "phpfpm_listen_queue_length",
    "phpfpm_max_active_processes",
    "phpfpm_max_children_reached",
    "phpfpm_max_listen_queue",
    "phpfpm_process_last_request_cpu",
    "phpfpm_process_last_request_memory",
    "phpfpm_process_request_duration",
    "phpfpm_process_requests",
    "phpfpm_process_state",
    "phpfpm_scrape_failures",
    "phpfpm_slow_requests",
    "phpfpm_start_since",
    "phpfpm_total_processes",
    "phpfpm_up",
];

fn with_status_listener(directives: &str) -> String {
    // FPM makes the path relative to no folder of ours, so it is given whole by `status_listen`.
    format!("{directives}\npm.status_listen = STATUS")
}

/// A master whose first pool has a status listener at `status.sock`.
fn master(directives: &str) -> PhpFpm {
    let mut master = PhpFpm::start(&[("admin", LAZY)]);
    let listener = master.file("status.sock");
    let directives = with_status_listener(directives).replace("STATUS", listener.to_str().unwrap());
    master.add("shop", &directives);
    master
}

fn uri(master: &PhpFpm, pool: &str) -> String {
    format!("unix://{};/status", master.socket(pool).display())
}

#[tokio::test]
async fn every_family_of_the_peer_is_there_with_its_labels() {
    let master = PhpFpm::start(&[("shop", BUSY), ("admin", LAZY)]);
    let found = Found::by(&collector(&master.table(""))).await.unwrap();
    whole(&found);
    let deviations = Deviations::of("php_fpm");
    let left_out: BTreeSet<_> = deviations.lines().map(|(_, family)| family).collect();
    let (missing, there): (BTreeSet<_>, BTreeSet<_>) = PEER.into_iter().partition(|name| left_out.contains(name));
    for name in missing {
        assert!(!found.names().contains(name), "{name} is shown on demand only");
    }
    for pool in ["shop", "admin"] {
        let labels = [("pool", pool), ("scrape_uri", &uri(&master, pool)[..])];
        for name in &there {
            found.number(name, &labels);
        }
        assert_eq!(found.number("phpfpm_up", &labels), 1.0);
        assert!(found.number("phpfpm_accepted_connections", &labels) >= 1.0);
    }
    let shop = [("pool", "shop"), ("scrape_uri", &uri(&master, "shop")[..])];
    assert_eq!(found.number("phpfpm_total_processes", &shop), 2.0);
    let active = found.number("phpfpm_active_processes", &shop);
    assert!(active >= 1.0, "one that answers, and perhaps one that has seen the harness look");
}

#[tokio::test]
async fn settings_come_from_fpms_configuration() {
    let master = PhpFpm::start(&[("shop", BUSY), ("admin", LAZY)]);
    let found = Found::by(&collector(&master.table(""))).await.unwrap();
    for (name, pool, value) in [
        ("phpfpm_pm_max_children", "shop", 5.0),
        ("phpfpm_pm_start_servers", "shop", 2.0),
        ("phpfpm_pm_min_spare_servers", "shop", 1.0),
        ("phpfpm_pm_max_spare_servers", "shop", 3.0),
        ("phpfpm_pm_max_requests", "shop", 500.0),
        ("phpfpm_pm_request_terminate_timeout_seconds", "shop", 30.0),
        ("phpfpm_pm_request_slowlog_timeout_seconds", "shop", 0.0),
        ("phpfpm_pm_status_listen", "shop", 0.0),
        ("phpfpm_pm_max_children", "admin", 3.0),
        ("phpfpm_pm_process_idle_timeout_seconds", "admin", 60.0),
    ] {
        assert_eq!(found.number(name, &[("pool", pool)]), value, "{name}");
    }
    assert_eq!(found.number("phpfpm_pm_info", &[("pool", "admin"), ("pm", "ondemand")]), 1.0);
    assert!(found.get("phpfpm_pm_start_servers", &[("pool", "admin")]).is_none());
}

#[tokio::test]
async fn what_fpm_is_lenient_about_we_are_too() {
    let listener = free_port();
    let odd = format!(
        "PM = OnDemand\npm.Max_Children = \"3\"; three\npm.process_idle_timeout = 90 s\n\
         pm.status_listen = '127.0.0.1':{listener}"
    );
    let master = PhpFpm::start(&[("shop", &odd)]);
    let found = Found::by(&collector(&master.table(""))).await.unwrap();
    whole(&found);
    let uri = format!("tcp://127.0.0.1:{listener}/");
    assert_eq!(found.number("phpfpm_up", &[("pool", "shop"), ("scrape_uri", &uri)]), 1.0);
    for (name, value) in [("max_children", 3.0), ("process_idle_timeout_seconds", 90.0), ("status_listen", 1.0)] {
        assert_eq!(found.number(&format!("phpfpm_pm_{name}"), &[("pool", "shop")]), value, "{name}");
    }
    assert_eq!(found.number("phpfpm_pm_info", &[("pool", "shop"), ("pm", "ondemand")]), 1.0);
}

#[tokio::test]
async fn a_full_pool_tells_all_through_its_status_listener() {
    let master = master(ONE);
    let script = master.script("slow.php", "<?php sleep(60);");
    let held = master.run("shop", &script, &[]);
    let waiting = master.run("shop", &script, &[]);

    let collector = collector(&master.table(""));
    let labels = [("pool", "shop"), ("scrape_uri", &shop(&master)[..])];
    // FPM itself says 0 for the queue of a Unix socket. At first the harness' looks at the socket are in it, too.
    let settled = |found: &Found| found.number("phpfpm_listen_queue", &labels) == 1.0;
    let mut found = Found::by(&collector).await.unwrap();
    for _ in 0..1_000 {
        if settled(&found) {
            break;
        }
        found = Found::by(&collector).await.unwrap();
    }
    assert!(settled(&found), "one request is held and one waits");
    let begun = Instant::now();
    let found = Found::by(&collector).await.unwrap();
    whole(&found);
    assert_eq!(found.number("phpfpm_up", &labels), 1.0);
    assert_eq!(found.number("phpfpm_active_processes", &labels), 1.0);
    assert_eq!(found.number("phpfpm_idle_processes", &labels), 0.0);
    assert_eq!(found.number("phpfpm_pm_busy_ratio", &[("pool", "shop")]), 1.0);
    assert_eq!(found.number("phpfpm_listen_queue", &labels), 1.0);
    assert_eq!(found.number("phpfpm_opcache_enabled", &[]), 1.0);
    assert!(found.number("phpfpm_opcache_cached_scripts", &[]) >= 1.0);
    assert!(begun.elapsed().as_secs_f64() < 1.0, "{:?}", begun.elapsed());
    drop((held, waiting));
}

#[tokio::test]
async fn a_full_pool_without_a_status_listener_is_a_gap_that_names_it() {
    let master = PhpFpm::start(&[("shop", ONE), ("admin", LAZY)]);
    let held = master.run("shop", &master.script("slow.php", "<?php sleep(60);"), &[]);
    let found = Found::by(&collector(&master.table(""))).await.unwrap();
    let [gap] = &found.gaps[..] else { panic!("{:?}", found.gaps) };
    assert_eq!(gap.reason, Reason::Timeout);
    assert!(gap.to_string().contains("pm.status_listen"), "{gap}");
    assert_eq!(found.number("phpfpm_up", &[("pool", "shop"), ("scrape_uri", &uri(&master, "shop"))]), 0.0);
    assert_eq!(found.number("phpfpm_up", &[("pool", "admin"), ("scrape_uri", &uri(&master, "admin"))]), 1.0);
    assert_eq!(found.number("phpfpm_pm_max_children", &[("pool", "shop")]), 1.0);
    drop(held);
}

#[test]
fn a_pool_that_hangs_costs_the_others_nothing_however_short_the_scrape() {
    let master = PhpFpm::start(&[("shop", ONE), ("admin", LAZY)]);
    let held = master.run("shop", &master.script("slow.php", "<?php sleep(60);"), &[]);
    let exporter = Exporter::start(&format!("[php_fpm.targets.main]\n{}", master.table("")));
    // The first look around has all the time it wants, and is joined by whoever comes meanwhile.
    eventually("the first look around", || !exporter.get("/", &[]).text().contains("not run yet"));
    let up = |page: &Page, pool| page.number("phpfpm_up", &[("pool", pool), ("scrape_uri", &uri(&master, pool))]);
    let page = exporter.scrape_within(2.0);
    assert_eq!((up(&page, "shop"), up(&page, "admin")), (0.0, 1.0), "the log:\n{}", exporter.log());
    assert_eq!(page.number("vitrin_up", &[("collector", "php_fpm"), ("target", "main")]), 1.0);
    drop(held);
}

#[tokio::test]
async fn a_pool_that_hangs_is_down_and_comes_back() {
    let master = PhpFpm::start(&[("shop", TWO)]);
    let collector = collector(&master.table(""));
    let labels = [("pool", "shop"), ("scrape_uri", &uri(&master, "shop")[..])];
    whole(&Found::by(&collector).await.unwrap());

    master.daemon.hang();
    for failures in [1.0, 2.0] {
        let (found, failure) = Found::down(&collector).await;
        assert_eq!(failure.reason, Reason::Timeout, "{failure}");
        assert_eq!(found.number("phpfpm_up", &labels), 0.0);
        assert_eq!(found.number("phpfpm_scrape_failures", &labels), failures);
    }
    master.daemon.resume();
    let found = Found::by(&collector).await.unwrap();
    whole(&found);
    assert_eq!(found.number("phpfpm_up", &labels), 1.0);
    assert_eq!(found.number("phpfpm_scrape_failures", &labels), 2.0);
}

#[tokio::test]
async fn a_master_that_is_gone_is_down_with_every_pool_named() {
    let mut master = PhpFpm::start(&[("shop", ONE), ("admin", ONE)]);
    let collector = collector(&master.table(""));
    whole(&Found::by(&collector).await.unwrap());
    master.daemon.kill();
    let (found, failure) = Found::down(&collector).await;
    assert_eq!(failure.reason, Reason::Connect);
    assert!(failure.to_string().starts_with("no pool answers, 1 besides this one: asking pool admin"), "{failure}");
    for pool in ["shop", "admin"] {
        assert_eq!(found.number("phpfpm_up", &[("pool", pool), ("scrape_uri", &uri(&master, pool))]), 0.0);
    }
}

#[tokio::test]
async fn pools_added_and_removed_are_seen_at_the_next_scrape() {
    let mut master = PhpFpm::start(&[("shop", TWO)]);
    let collector = collector(&master.table(""));
    let pools = |found: &Found| -> BTreeSet<_> {
        let known = ["shop", "api"].into_iter();
        known.filter(|pool| found.get("phpfpm_pm_max_children", &[("pool", pool)]).is_some()).collect()
    };
    assert_eq!(pools(&Found::by(&collector).await.unwrap()), BTreeSet::from(["shop"]));
    master.add("api", LAZY);
    let found = Found::by(&collector).await.unwrap();
    whole(&found);
    assert_eq!(pools(&found), BTreeSet::from(["api", "shop"]));
    master.remove("api");
    let found = Found::by(&collector).await.unwrap();
    whole(&found);
    assert_eq!(pools(&found), BTreeSet::from(["shop"]));
}

#[tokio::test]
async fn a_pool_without_a_status_page_is_up_and_says_what_to_set() {
    let master = PhpFpm::start(&[("shop", "pm = static\npm.max_children = 1")]);
    let found = Found::by(&collector(&master.table(""))).await.unwrap();
    let [gap] = &found.gaps[..] else { panic!("{:?}", found.gaps) };
    assert_eq!(gap.reason, Reason::Protocol);
    assert!(gap.to_string().contains("pool shop has no status page: set `pm.status_path"), "{gap}");
    let address = format!("unix://{};", master.socket("shop").display());
    assert_eq!(found.number("phpfpm_up", &[("pool", "shop"), ("scrape_uri", &address)]), 1.0);
    assert_eq!(found.number("phpfpm_opcache_enabled", &[]), 1.0);
}

#[tokio::test]
async fn a_wrong_status_path_says_what_to_set() {
    let master = PhpFpm::start(&[("shop", "pm = static\npm.max_children = 1\npm.status_path = /other")]);
    let table = format!("pools = ['{}']\nopcache = false", master.socket("shop").display());
    let (found, failure) = Found::down(&collector(&table)).await;
    assert_eq!(failure.reason, Reason::Protocol);
    assert!(failure.to_string().contains("set `pm.status_path`"), "{failure}");
    // Its name was never heard; an empty label is none.
    assert_eq!(found.number("phpfpm_up", &[("pool", ""), ("scrape_uri", &uri(&master, "shop"))]), 0.0);
}

#[tokio::test]
async fn pools_can_be_given_by_a_pattern_and_keep_their_names() {
    let mut master = PhpFpm::start(&[("shop", ONE), ("admin", ONE)]);
    let table = format!("pools = ['unix:{}/*.sock']\nopcache = false", master.daemon.folder().display());
    let collector = collector(&table);
    let found = Found::by(&collector).await.unwrap();
    whole(&found);
    for pool in ["shop", "admin"] {
        assert_eq!(found.number("phpfpm_up", &[("pool", pool), ("scrape_uri", &uri(&master, pool))]), 1.0);
    }
    assert!(!found.names().contains("phpfpm_pm_max_children"), "nobody has told us");
    master.daemon.kill();
    let (found, _) = Found::down(&collector).await;
    assert_eq!(found.number("phpfpm_up", &[("pool", "shop"), ("scrape_uri", &uri(&master, "shop"))]), 0.0);
}

#[tokio::test]
async fn children_are_shown_on_demand() {
    let master = PhpFpm::start(&[("shop", TWO)]);
    let found = Found::by(&collector(&master.table("processes = true"))).await.unwrap();
    whole(&found);
    let uri = uri(&master, "shop");
    let running = ["0", "1"].map(|child| {
        let labels = [("pool", "shop"), ("child", child), ("scrape_uri", &uri)];
        assert!(found.number("phpfpm_process_requests", &labels) >= 0.0);
        assert!(found.number("phpfpm_process_request_duration", &labels) >= 0.0);
        assert!(found.number("phpfpm_process_last_request_memory", &labels) >= 0.0);
        assert!(found.number("phpfpm_process_last_request_cpu", &labels) >= 0.0);
        found.number("phpfpm_process_state", &[labels[0], labels[1], labels[2], ("state", "Running")])
    });
    assert_eq!(running.iter().sum::<f64>(), 1.0);
}

#[tokio::test]
async fn a_pool_is_asked_over_tcp() {
    let port = free_port();
    let master = PhpFpm::start(&[("shop", &format!("{TWO}\npm.status_listen = {port}"))]);
    let uri = format!("tcp://127.0.0.1:{port}/status");
    let labels = [("pool", "shop"), ("scrape_uri", &uri[..])];
    for table in [master.table(""), format!("pools = ['127.0.0.1:{port}']\nopcache = false")] {
        let found = Found::by(&collector(&table)).await.unwrap();
        whole(&found);
        assert_eq!(found.number("phpfpm_up", &labels), 1.0);
        assert_eq!(found.number("phpfpm_total_processes", &labels), 2.0);
    }
}

/// FPM now and then leaves a request to an `ondemand` pool unanswered. That cannot be brought about at will, so here
/// something in front of FPM takes the first connection and says nothing.
#[tokio::test]
async fn a_request_that_is_left_unanswered_is_asked_again() {
    let master = PhpFpm::start(&[("shop", LAZY)]);
    let folder = folder();
    let front = folder.path().join("front.sock");
    let listener = UnixListener::bind(&front).unwrap();
    let forward = async {
        let (unanswered, _) = listener.accept().await.unwrap();
        let (mut asked, _) = listener.accept().await.unwrap();
        let mut fpm = tokio::net::UnixStream::connect(master.socket("shop")).await.unwrap();
        tokio::io::copy_bidirectional(&mut asked, &mut fpm).await.unwrap();
        unanswered
    };
    let collector = collector(&format!("pools = ['{}']\nopcache = false", front.display()));
    let (found, _) = tokio::join!(Found::by(&collector), forward);
    let found = found.unwrap();
    whole(&found);
    let uri = format!("unix://{};/status", front.display());
    assert_eq!(found.number("phpfpm_up", &[("pool", "shop"), ("scrape_uri", &uri)]), 1.0);
}

#[tokio::test]
async fn a_worker_that_reads_headers_counts_as_active() {
    let master = master(TWO);
    // The first byte of a record: the worker that takes it waits for the rest.
    let mut slow = UnixStream::connect(master.socket("shop")).unwrap();
    slow.write_all(&[1]).unwrap();
    let collector = collector(&master.table(""));
    let labels = [("pool", "shop"), ("scrape_uri", &shop(&master)[..])];
    // FPM's own count has been seen to miss it, and the children's states to come a moment later.
    for _ in 0..1_000 {
        let found = Found::by(&collector).await.unwrap();
        assert_eq!(found.number("phpfpm_total_processes", &labels), 2.0);
        if found.number("phpfpm_active_processes", &labels) == 1.0 {
            return;
        }
    }
    panic!("the worker was never seen");
}

#[tokio::test]
async fn secrets_in_fpms_configuration_stay_there() {
    let secret = "env[DB_PASSWORD] = canary-1\nphp_admin_value[mysqli.default_pw] = canary-2";
    let master = PhpFpm::start(&[("shop", &format!("{TWO}\n{secret}"))]);
    let collector = collector(&master.table("processes = true"));
    Found::by(&collector).await.unwrap();
    assert!(!format!("{collector:?}").contains("canary"));
    // Nor does a configuration that cannot be used show its lines.
    fs::write(master.configuration(), "[shop]\nlisten = ${CANARY}\nenv[A] = canary-3\n").unwrap();
    let (_, failure) = Found::down(&collector).await;
    assert!(failure.to_string().contains("list the pool's address in `pools`"), "{failure}");
    assert!(!failure.to_string().contains("canary"), "{failure}");
}

#[tokio::test]
async fn pools_whose_address_nobody_can_tell_count_their_failures_each() {
    let folder = folder();
    let configuration = folder.path().join("php-fpm.conf");
    fs::write(&configuration, "[admin]\nlisten = ${ADMIN}\n[shop]\nlisten = ${SHOP}\n").unwrap();
    let collector = collector(&format!("configuration = '{}'", configuration.display()));
    for failures in [1.0, 2.0] {
        let (found, _) = Found::down(&collector).await;
        for pool in ["admin", "shop"] {
            let labels = [("pool", pool), ("scrape_uri", "")];
            assert_eq!(found.number("phpfpm_scrape_failures", &labels), failures, "{pool}");
        }
    }
}
