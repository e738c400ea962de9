//! The units of a real systemd.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::time::Duration;

use vitrin::collector::{Collector, Context, Failure, Paths, Reason};
use vitrin::collectors::host::config::Systemd as Units;
use vitrin::collectors::host::{Config, Host};

use crate::support::broken::{Answer, Broken};
use crate::support::daemon::{eventually, folder};
use crate::support::differential::{Deviations, Differential};
use crate::support::exporter::Exporter;
use crate::support::found::Found;
use crate::support::fresh::only_root_can;
use crate::support::peers::Peer;
use crate::support::systemd::Systemd;

/// A user who is nobody, which root can make the exporter.
const NOBODY: (u32, u32) = (65_534, 65_534);

/// A service that runs, one that has failed after it was started three times, a timer, a socket, and what is left out.
const UNITS: [(&str, &str); 7] = [
    ("shop.service", "[Service]\nExecStart=/bin/sleep 600\nTasksMax=50\n"),
    (
        "broken.service",
        "[Unit]\nStartLimitBurst=3\nStartLimitIntervalSec=1h\n\
         [Service]\nExecStart=/bin/false\nRestart=on-failure\nRestartSec=10ms\n",
    ),
    ("night.service", "[Service]\nType=oneshot\nExecStart=/bin/true\n"),
    ("night.timer", "[Timer]\nOnActiveSec=1ms\nOnUnitActiveSec=1h\nAccuracySec=1ms\n"),
    ("shop.socket", "[Socket]\nListenStream=/run/shop\n"),
    ("user@1000.service", "[Service]\nExecStart=/bin/sleep 600\n"),
    ("shop.target", "[Unit]\nDescription=Left out, as all targets are\n"),
];

const WANTED: &str = "shop.service broken.service night.timer shop.socket user@1000.service shop.target";

/// A systemd whose units have come to rest.
#[track_caller]
fn systemd() -> Systemd {
    only_root_can("start a systemd");
    let systemd = Systemd::start(&UNITS, WANTED);
    eventually("the units to come to rest", || {
        let states = ["broken.service", "night.timer", "night.service", "shop.service"]
            .map(|unit| systemd.control(&["show", "--property=ActiveState,NRestarts,LastTriggerUSec,Result", unit]));
        let [broken, timer, night, shop] = states;
        broken.contains("ActiveState=failed")
            && timer.contains("LastTriggerUSec=")
            && !timer.contains("LastTriggerUSec=\n")
            && night.contains("ActiveState=inactive")
            && shop.contains("ActiveState=active")
    });
    systemd
}

/// One run of the host collector on the machine whose root this is.
async fn found(root: &Path, config: Config) -> Found {
    let paths = Paths { root: root.to_owned(), ..Paths::default() };
    Found::by(&Host::new(&config, &Context::new(paths))).await.unwrap()
}

/// The gaps that are about systemd: what else is mounted on this machine is not below the root that was named.
fn gaps(found: &Found) -> Vec<&Failure> {
    found.gaps.iter().filter(|gap| gap.to_string().starts_with("the host's systemd")).collect()
}

/// The same once systemd answers: on a machine that is busy it may be late.
async fn answered(root: &Path, config: Config) -> Found {
    let run = async {
        loop {
            let found = found(root, config.clone()).await;
            if gaps(&found).is_empty() {
                return found;
            }
        }
    };
    tokio::time::timeout(Duration::from_mins(1), run).await.expect("systemd answers")
}

fn with_systemd() -> Config {
    Config { systemd: Some(Units::default()), ..Config::default() }
}

#[test]
fn its_units_are_those_that_node_exporter_shows_and_anybody_may_ask() {
    let systemd = systemd();
    let config = "[host.systemd]\nexclude = []\n";
    let root = format!("--path.rootfs={}", systemd.root().display());
    let exporter = Exporter::start_as_with(NOBODY, config, &[&root]);
    let peer = Peer::node_by(
        systemd.inside("prometheus-node-exporter"),
        &[
            "--collector.disable-defaults",
            "--collector.systemd",
            "--collector.systemd.unit-include=.+\\.(service|socket|timer)",
            "--collector.systemd.enable-restarts-metrics",
            "--collector.systemd.enable-start-time-metrics",
            "--collector.systemd.enable-task-metrics",
        ],
    );
    let mut page = exporter.scrape();
    eventually("systemd to answer", || {
        page = exporter.scrape();
        page.family("node_systemd_units").is_some()
    });
    let state =
        |unit, state, kind| page.number("node_systemd_unit_state", &[("name", unit), ("state", state), ("type", kind)]);
    assert_eq!(state("shop.service", "active", "simple"), 1.0);
    assert_eq!(state("broken.service", "failed", "simple"), 1.0);
    assert!(page.number("node_systemd_service_restart_total", &[("name", "broken.service")]) >= 2.0);
    assert_eq!(page.number("node_systemd_unit_tasks_max", &[("name", "shop.service")]), 50.0);
    let (ours, theirs) = (|| exporter.scrape(), || peer.page());
    let deviations = Deviations::of("host");
    Differential { prefix: "node_systemd_", families: 11, ours: &ours, peer: &theirs, deviations }.check();
}

#[tokio::test]
async fn as_many_units_are_shown_as_are_wanted_failed_ones_first_and_none_without_being_asked() {
    let systemd = systemd();
    let root = systemd.root();
    let state = |found: &Found, unit, state| {
        found.get("node_systemd_unit_state", &[("name", unit), ("state", state), ("type", "simple")]).is_some()
    };
    let all = answered(root, with_systemd()).await;
    assert!(all.dropped.is_empty(), "{:?}", all.dropped);
    assert_eq!(all.number("node_scrape_collector_success", &[("collector", "systemd")]), 1.0);
    assert!(state(&all, "shop.service", "active") && !state(&all, "user@1000.service", "active"));

    let one: Config = toml::from_str("[systemd]\nunits = 1").unwrap();
    let one = answered(root, one).await;
    assert!(state(&one, "broken.service", "failed") && !state(&one, "shop.service", "active"));
    let active = [("state", "active")];
    assert!(one.number("node_systemd_units", &active) >= 5.0, "the sum is that of all");

    let names = found(root, Config::default()).await.names();
    assert!(!names.iter().any(|name| name.starts_with("node_systemd_")), "{names:?}");
}

#[tokio::test]
async fn a_bus_that_is_broken_costs_the_units_and_nothing_else() {
    const WELCOME: &[u8] = b"DATA\r\nOK 0123456789abcdef0123456789abcdef\r\n";
    /// The head of a message of almost 4 GiB.
    const HUGE: &[u8] = b"DATA\r\nOK 0\r\nl\x02\0\x01\xf0\xff\xff\xff\x01\0\0\0\x08\0\0\0";
    for (answer, reason) in [
        (Answer::silence(), Reason::Timeout),
        (Answer::close(), Reason::Protocol),
        (Answer::garbage(), Reason::Protocol),
        (Answer::then_close(b"REJECTED EXTERNAL\r\n"), Reason::Auth),
        (Answer::then_close(WELCOME), Reason::Protocol),
        (Answer::then_silence(WELCOME), Reason::Timeout),
        (Answer::endless(WELCOME, b"\xff"), Reason::Protocol),
        (Answer::endless(b"DATA\r\n", b"O"), Reason::Protocol),
        (Answer::endless(HUGE, b"\0"), Reason::Limit),
        (Answer::dribble(WELCOME), Reason::Timeout),
    ] {
        let bus = Broken::unix(answer);
        let root = bus.path().parent().unwrap();
        fs::create_dir_all(root.join("run/dbus")).unwrap();
        symlink("../../socket", root.join("run/dbus/system_bus_socket")).unwrap();
        let found = found(root, with_systemd()).await;
        let gaps = gaps(&found);
        assert!(matches!(gaps[..], [gap] if gap.reason == reason), "{answer:?}: {gaps:?}");
        assert_eq!(found.number("node_scrape_collector_success", &[("collector", "systemd")]), 0.0, "{answer:?}");
        assert!(found.names().contains("node_memory_MemTotal_bytes"), "{answer:?}");
    }
}

#[tokio::test]
async fn a_machine_without_a_bus_is_told_where_it_was_looked_for() {
    let nowhere = folder();
    let found = found(nowhere.path(), with_systemd()).await;
    let [gap] = gaps(&found)[..] else { panic!("{:?}", found.gaps) };
    let place = nowhere.path().join("run/dbus/system_bus_socket");
    let expected = format!(
        "the host's systemd: connecting to D-Bus at `{}`: No such file or directory (os error 2)",
        place.display()
    );
    assert_eq!((gap.reason, gap.to_string()), (Reason::Connect, expected));
}
