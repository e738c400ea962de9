//! What flips each check, and that nothing else does.

use std::collections::BTreeMap;
use std::net::IpAddr;

use expect_test::expect;

use super::judge;
use crate::collectors::security::backends::cache::{Cache, Server, Stranger};
use crate::collectors::security::backends::database::{
    Accounts, Api, Database, Files, Settings, ShopAccount, ShopCounts,
};
use crate::collectors::security::backends::package::Package;
use crate::collectors::security::backends::php::{PROGRAMS, Php};
use crate::collectors::security::backends::pool::Pool;
use crate::collectors::security::backends::workers::Workers;
use crate::collectors::security::check::Check;
use crate::collectors::security::config::Config;
use crate::collectors::security::seen::{Listener, Seen};
use crate::collectors::security::shop::{Engine, Shop};
use crate::collectors::security::verdict::{Cap, Cause, Known, State, Unknown, Verdict, Verdicts};

/// 23 November 2026.
const NOW: i64 = 1_795_392_000;

const DAY: i64 = 24 * 60 * 60;

fn unseen<T>(cause: Cause) -> Known<T> {
    Err(Unknown::new(cause, "not looked at"))
}

/// A machine on which every check here passes.
pub(in crate::collectors::security::backends) fn hardened() -> Seen {
    Seen {
        config: Config::default(),
        now: NOW,
        listeners: Ok(vec![listener("127.0.0.1", 6379)]),
        shop: Ok(Shop::bare("/srv/shop", Engine::OpenCart(Some((4, 1, 0))))),
        pools: Ok(vec![pool("www")]),
        php: Ok(php()),
        database: Ok(database()),
        cache: Ok(Cache { servers: vec![server("127.0.0.1:6379", Stranger::Refused)], runs: Some(true) }),
        ..Seen::nothing(Cause::NotConfigured)
    }
}

fn listener(ip: &str, port: u16) -> Listener {
    Listener { ip: ip.parse::<IpAddr>().unwrap(), port, user: 100, account: None }
}

fn pool(name: &str) -> Pool {
    Pool {
        name: name.to_owned(),
        listen: "/run/php/fpm.sock".parse().unwrap(),
        allowed_clients: Vec::new(),
        uid: Some(33),
        gids: vec![33],
        file: "/etc/php/8.2/fpm/pool.d/www.conf".to_owned(),
        workers: Workers {
            most: Some(20),
            terminate_timeout: Some(60),
            sizes: vec![64 << 20; 3],
            shared: 128 << 20,
            machine: Some(8 << 30),
        },
    }
}

fn php() -> Php {
    let settings =
        [("display_errors", ""), ("display_startup_errors", "0"), ("allow_url_include", "0"), ("open_basedir", "set")];
    Php {
        version: "8.4.28".to_owned(),
        settings: settings.map(|(name, value)| (name.to_owned(), value.to_owned())).into(),
        pool: "www".to_owned(),
        user: Some(33),
        package: Ok(Package {
            system: "debian 12".to_owned(),
            installed: Some(("php8.2-fpm".to_owned(), "8.2.36-1~deb12u1".to_owned())),
        }),
        ..Php::default()
    }
}

fn database() -> Database {
    Database {
        address: "/run/mysqld/mysqld.sock".parse().unwrap(),
        user: "vitrin".to_owned(),
        is_mariadb: true,
        settings: Ok(Settings { local_infile: false, files: Files::Folder, requires_tls: false, offers_tls: false }),
        accounts: Ok(Accounts::default()),
        shop_account: Ok(ShopAccount {
            name: "shop".to_owned(),
            schema: "oc_shop".to_owned(),
            hosts: 1,
            ..ShopAccount::default()
        }),
        shop: Ok(ShopCounts {
            engine: "opencart".to_owned(),
            administrators: 2,
            strong: 2,
            api: Some(Api::default()),
            second_factor: Some(true),
            error_display: Some(false),
            login_attempts: Some(5),
        }),
    }
}

fn server(address: &str, stranger: Stranger) -> Server {
    Server {
        address: address.parse().unwrap(),
        tls: false,
        stranger,
        socket: None,
        port: Some(6379),
        stranger_at_port: None,
    }
}

/// The checks before these, as they are judged by then.
fn before(states: &[(Check, State)]) -> Verdicts {
    let verdict = |state| Verdict { state, ..Verdict::pass("") };
    let all = [Check::Fw04, Check::Fw09, Check::Api02].map(|check| (check, State::Fail));
    all.iter().chain(states).map(|(check, state)| (*check, verdict(*state))).collect()
}

pub(in crate::collectors::security::backends) fn judged(seen: &Seen, states: &[(Check, State)]) -> Verdicts {
    let mut verdicts = before(states);
    judge(seen, &mut verdicts);
    for check in [Check::Fw04, Check::Fw09, Check::Api02] {
        verdicts.remove(&check);
    }
    verdicts
}

/// What is another than on the hardened machine.
#[track_caller]
fn differs(change: impl FnOnce(&mut Seen)) -> Vec<(&'static str, State)> {
    let mut seen = hardened();
    change(&mut seen);
    let verdicts = judged(&seen, &[]);
    assert_eq!(verdicts.len(), 12, "each check has one verdict");
    for (check, verdict) in &verdicts {
        let whole = !matches!(verdict.state, State::Fail | State::Partial) || !verdict.fix.is_empty();
        assert!(whole && !verdict.seen.is_empty(), "{}: {verdict:?}", check.id());
    }
    let other = verdicts.iter().filter(|(_, verdict)| verdict.state != State::Pass);
    other.map(|(check, verdict)| (check.id(), verdict.state)).collect()
}

macro_rules! part {
    ($seen:ident.$whole:ident.$part:ident) => {
        $seen.$whole.as_mut().unwrap().$part.as_mut().unwrap()
    };
}

#[test]
fn a_hardened_machine_passes() {
    assert_eq!(differs(|_| {}), []);
}

/// A change of PHP's settings.
fn set(name: &'static str, value: &'static str) -> impl FnOnce(&mut Seen) {
    move |seen| drop(seen.php.as_mut().unwrap().settings.insert(name.to_owned(), value.to_owned()))
}

#[test]
fn each_setting_of_php_flips_its_own_check() {
    use State::{Fail, Partial};
    assert_eq!(differs(set("display_errors", "1")), [("API-08", Partial)]);
    assert_eq!(differs(set("display_startup_errors", "On")), [("API-08", Partial)]);
    assert_eq!(differs(set("allow_url_include", "1")), [("API-19", Fail)]);
    assert_eq!(differs(set("open_basedir", "")), [("API-19", Partial)]);
    assert_eq!(differs(set("open_basedir", "/")), [("API-19", Partial)]);
    let callable = |seen: &mut Seen| seen.php.as_mut().unwrap().functions.extend(["exec".to_owned()]);
    assert_eq!(differs(callable), [("API-19", Partial)]);
    assert_eq!(differs(|seen| seen.php.as_mut().unwrap().user = Some(0)), [("API-19", Partial)]);
    let weak = |seen: &mut Seen| {
        let php = seen.php.as_mut().unwrap();
        php.functions = PROGRAMS.map(str::to_owned).into();
        php.user = Some(0);
        php.settings.insert("open_basedir".to_owned(), String::new());
    };
    assert_eq!(differs(weak), [("API-19", Fail)]);
    let guarded = |seen: &mut Seen| {
        weak(seen);
        seen.php.as_mut().unwrap().snuffleupagus = Some(true);
    };
    assert_eq!(differs(guarded), []);
    let broken = |seen: &mut Seen| {
        weak(seen);
        seen.php.as_mut().unwrap().snuffleupagus = Some(false);
    };
    assert_eq!(differs(broken), [("API-19", Fail)], "rules that are not read guard nothing");
    let by_folder = |seen: &mut Seen| {
        let folder = [("display_errors".to_owned(), "On".to_owned())];
        seen.php.as_mut().unwrap().folder = Ok(folder.into());
    };
    assert_eq!(differs(by_folder), [("API-08", Partial)]);
    let closed = |seen: &mut Seen| seen.php.as_mut().unwrap().folder = unseen(Cause::Permission);
    assert_eq!(differs(closed), [("API-08", State::Unknown(Cause::Permission))]);
    let silent = |seen: &mut Seen| drop(seen.php.as_mut().unwrap().settings.remove("allow_url_include"));
    assert_eq!(differs(silent), [("API-19", State::Unknown(Cause::Unsupported))]);
}

#[test]
fn a_branch_of_php_is_supported_by_php_net_or_by_the_distribution_whose_own_it_is() {
    let run = |version: &str, package: Known<Package>, now: i64| {
        let mut seen = hardened();
        seen.now = now;
        let php = seen.php.as_mut().unwrap();
        php.version = version.to_owned();
        php.package = package;
        let verdict = judged(&seen, &[]).remove(&Check::Api18).unwrap();
        (verdict.state, verdict.cap)
    };
    let debian = |version: &str| {
        Ok(Package { system: "debian 12".to_owned(), installed: Some(("php8.2-fpm".to_owned(), version.to_owned())) })
    };
    let none = || Ok(Package { system: "debian 12".to_owned(), installed: None });
    let (pass, partial) = ((State::Pass, None), (State::Partial, None));
    let fail = (State::Fail, Some(Cap::PhpUnsupported));
    let unknown = |cause| (State::Unknown(cause), None);
    assert_eq!(run("8.3.37", none(), NOW), pass);
    assert_eq!(run("8.2.36", none(), NOW), partial, "38 days are less than 90");
    assert_eq!(run("8.2.36", debian("8.2.36-1~deb12u1"), NOW), pass);
    assert_eq!(run("8.2.36", debian("8.2.36-1+0~20261120.1+debian12~1.gbp1"), NOW), partial, "not Debian's");
    assert_eq!(run("8.2.36", debian("8.2.36-1~deb12u1"), NOW + 100 * DAY), pass);
    assert_eq!(run("8.2.36", none(), NOW + 100 * DAY), fail);
    assert_eq!(
        run("8.2.35", debian("8.2.36-1~deb12u1"), NOW + 100 * DAY),
        unknown(Cause::Unsupported),
        "not restarted"
    );
    assert_eq!(run("8.1.34", none(), NOW), fail);
    assert_eq!(run("5.3.29", none(), NOW), fail);
    assert_eq!(run("8.1.34", unseen(Cause::Unsupported), NOW), unknown(Cause::Unsupported), "rpm's may be mended");
    assert_eq!(run("9.0.1", none(), NOW), unknown(Cause::Stale));
    assert_eq!(run("canary", none(), NOW), unknown(Cause::Unparsable));
    assert_eq!(run("8.6.0", none(), NOW + 399 * DAY), pass);
    assert_eq!(run("8.6.0", none(), NOW + 402 * DAY), unknown(Cause::Stale));
}

#[test]
fn each_count_of_the_database_flips_its_own_check() {
    use State::{Fail, Partial};
    assert_eq!(differs(|seen| part!(seen.database.accounts).anonymous = 1), [("API-20", Fail)]);
    assert_eq!(differs(|seen| part!(seen.database.accounts).without_password = 1), [("API-20", Fail)]);
    assert_eq!(differs(|seen| part!(seen.database.accounts).remote_root = 1), [("API-21", Fail)]);
    assert_eq!(differs(|seen| part!(seen.database.accounts).test = 1), [("API-21", Fail)]);
    assert_eq!(differs(|seen| part!(seen.database.shop_account).any_host = 1), [("API-21", Fail)]);
    assert_eq!(differs(|seen| part!(seen.database.settings).local_infile = true), [("API-21", Partial)]);
    assert_eq!(differs(|seen| part!(seen.database.settings).files = Files::Anywhere), [("API-21", Partial)]);
    assert_eq!(differs(|seen| part!(seen.database.settings).files = Files::Nowhere), []);
    assert_eq!(differs(|seen| part!(seen.database.shop_account).global = 1), [("API-22", Fail)]);
    assert_eq!(differs(|seen| part!(seen.database.shop_account).server_schemas = 1), [("API-22", Fail)]);
    assert_eq!(differs(|seen| part!(seen.database.shop_account).other_schemas = 1), [("API-22", Partial)]);
    assert_eq!(differs(|seen| part!(seen.database.shop_account).grant = 1), [("API-22", Partial)]);
    let unknown = |cause| vec![("API-22", State::Unknown(cause))];
    assert_eq!(differs(|seen| part!(seen.database.shop_account).roles = 1), unknown(Cause::Unsupported));
    assert_eq!(differs(|seen| part!(seen.database.shop_account).hosts = 0), unknown(Cause::NotConfigured));
}

#[test]
fn each_count_of_the_shop_flips_its_own_check() {
    use State::{Fail, Partial};
    assert_eq!(differs(|seen| part!(seen.database.shop).error_display = Some(true)), [("API-08", Partial)]);
    let both = |seen: &mut Seen| {
        part!(seen.database.shop).error_display = Some(true);
        set("display_errors", "stderr")(seen);
    };
    assert_eq!(differs(both), [("API-08", Fail)]);
    assert_eq!(differs(|seen| part!(seen.database.shop).second_factor = Some(false)), [("API-15", Fail)]);
    assert_eq!(differs(|seen| part!(seen.database.shop).second_factor = None), [("API-15", Fail)]);
    assert_eq!(differs(|seen| part!(seen.database.shop).strong = 1), [("API-16", Partial)]);
    let third = |seen: &mut Seen| {
        part!(seen.database.shop).strong = 1;
        seen.shop.as_mut().unwrap().engine = Engine::OpenCart(Some((3, 0, 3)));
    };
    assert_eq!(differs(third), [("API-16", Fail)]);
    let of_old = |seen: &mut Seen| {
        part!(seen.database.shop).strong = 0;
        seen.shop = unseen(Cause::Permission);
    };
    assert_eq!(differs(of_old), [("API-16", Fail)]);
    let unknown = State::Unknown(Cause::Unparsable);
    assert_eq!(differs(|seen| part!(seen.database.shop).administrators = 0), [("API-16", unknown)]);
    let api = |enabled, without_addresses| {
        move |seen: &mut Seen| part!(seen.database.shop).api = Some(Api { enabled, without_addresses })
    };
    assert_eq!(differs(api(2, 1)), [("API-17", Fail)]);
    assert_eq!(differs(api(2, 0)), [("API-17", Partial)], "FW-09 fails here");
    let wordpress = |seen: &mut Seen| {
        let counts =
            ShopCounts { engine: "wordpress".to_owned(), administrators: 1, strong: 1, ..ShopCounts::default() };
        seen.database.as_mut().unwrap().shop = Ok(counts);
    };
    let unsupported = State::Unknown(Cause::Unsupported);
    assert_eq!(differs(wordpress), [("API-08", unsupported), ("API-15", unsupported), ("API-17", unsupported)]);
}

#[test]
fn other_checks_decide_where_they_are_named() {
    let mut seen = hardened();
    part!(seen.database.shop).second_factor = Some(false);
    part!(seen.database.shop).api = Some(Api { enabled: 1, without_addresses: 0 });
    let state = |states: &[(Check, State)], check| judged(&seen, states)[&check].state;
    assert_eq!(state(&[(Check::Api02, State::Pass)], Check::Api15), State::Partial);
    assert_eq!(state(&[(Check::Api02, State::Partial)], Check::Api15), State::Fail);
    let unknown = State::Unknown(Cause::Permission);
    assert_eq!(state(&[(Check::Api02, unknown)], Check::Api15), unknown);
    assert_eq!(state(&[(Check::Fw09, State::Pass)], Check::Api17), State::Pass);
    assert_eq!(state(&[(Check::Fw09, unknown)], Check::Api17), State::Partial);
}

/// The verdict of API-23 for one server.
fn redis(server: Server, listeners: Vec<Listener>, firewall: State) -> State {
    let mut seen = hardened();
    seen.listeners = Ok(listeners);
    seen.cache = Ok(Cache { servers: vec![server], runs: Some(true) });
    judged(&seen, &[(Check::Fw04, firewall)])[&Check::Api23].state
}

#[test]
fn redis_asks_strangers_for_a_password_or_is_reached_by_few() {
    use State::{Fail, Partial, Pass};
    let loopback = || vec![listener("127.0.0.1", 6379), listener("::1", 6379)];
    let open = || vec![listener("127.0.0.1", 6379), listener("0.0.0.0", 6379)];
    let tcp = |stranger| server("127.0.0.1:6379", stranger);
    let unknown = State::Unknown(Cause::Permission);
    assert_eq!(redis(tcp(Stranger::Refused), open(), Fail), Pass);
    assert_eq!(redis(tcp(Stranger::Certificate), open(), Fail), Pass);
    assert_eq!(redis(tcp(Stranger::Served), loopback(), unknown), Partial);
    assert_eq!(redis(tcp(Stranger::Served), open(), Fail), Fail);
    assert_eq!(redis(tcp(Stranger::Served), open(), unknown), Fail, "not known to be closed");
    assert_eq!(redis(tcp(Stranger::Served), open(), Pass), Partial, "for some alone");
    assert_eq!(redis(tcp(Stranger::Served), vec![], Fail), Fail, "nobody saw that it is on loopback");
    assert_eq!(redis(tcp(Stranger::Protected), open(), Fail), Partial);
    assert_eq!(redis(tcp(Stranger::Restricted), open(), Fail), State::Unknown(Cause::Unsupported));
    assert_eq!(redis(server("10.0.0.9:6379", Stranger::Served), loopback(), Pass), Fail, "it came by the network");
    let socket = |mode, port, at_port| Server {
        socket: Some(mode),
        port,
        stranger_at_port: at_port,
        ..server("/run/redis/redis.sock", Stranger::Served)
    };
    assert_eq!(redis(socket(0o770, Some(0), None), vec![], Fail), Pass);
    assert_eq!(redis(socket(0o700, Some(0), None), vec![], Fail), Pass);
    assert_eq!(redis(socket(0o777, Some(0), None), vec![], Fail), Partial);
    assert_eq!(redis(socket(0o770, None, None), vec![], Fail), unknown, "it may have a port");
    assert_eq!(redis(socket(0o770, Some(6379), Some(Ok(Stranger::Served))), open(), Fail), Fail);
    assert_eq!(redis(socket(0o770, Some(6379), Some(Ok(Stranger::Served))), loopback(), Fail), Partial);
    assert_eq!(redis(socket(0o770, Some(6379), Some(Ok(Stranger::Certificate))), open(), Fail), Pass);
    assert_eq!(
        redis(socket(0o770, Some(6379), Some(unseen(Cause::Timeout))), open(), Fail),
        State::Unknown(Cause::Timeout)
    );
}

#[test]
fn the_worst_of_several_servers_decides() {
    let mut seen = hardened();
    let refused = || server("127.0.0.1:6379", Stranger::Refused);
    let both = |other| Ok(Cache { servers: vec![refused(), other, refused()], runs: Some(true) });
    seen.cache = both(server("127.0.0.1:6379", Stranger::Served));
    assert_eq!(judged(&seen, &[])[&Check::Api23].state, State::Partial);
    seen.cache = both(server("127.0.0.1:6379", Stranger::Restricted));
    assert_eq!(judged(&seen, &[])[&Check::Api23].state, State::Unknown(Cause::Unsupported));
}

#[test]
fn no_redis_is_seen_and_not_said() {
    let without = |change: fn(&mut Seen)| {
        differs(|seen| {
            seen.listeners = Ok(vec![listener("0.0.0.0", 443)]);
            seen.cache = Ok(Cache { servers: vec![], runs: Some(false) });
            change(seen);
        })
    };
    assert_eq!(without(|_| {}), [("API-23", State::NotApplicable)]);
    let unknown = |cause| [("API-23", State::Unknown(cause)), ("TLS-09", State::Unknown(cause))];
    let named = unknown(Cause::NotConfigured);
    assert_eq!(without(|seen| seen.cache.as_mut().unwrap().runs = Some(true)), named);
    assert_eq!(without(|seen| seen.cache.as_mut().unwrap().runs = None), named);
    assert_eq!(without(|seen| seen.listeners = Ok(vec![listener("127.0.0.1", 6379)])), named);
    let owned = |seen: &mut Seen| {
        let account = Some("redis".to_owned());
        seen.listeners = Ok(vec![Listener { account, ..listener("127.0.0.1", 7000) }]);
    };
    assert_eq!(without(owned), named);
    assert_eq!(without(|seen| seen.shop.as_mut().unwrap().uses_redis = true), named);
    assert_eq!(without(|seen| seen.listeners = unseen(Cause::Permission)), unknown(Cause::Permission));
}

#[test]
fn servers_elsewhere_are_spoken_to_by_tls() {
    use State::{Fail, Partial};
    let database = |requires_tls, offers_tls| {
        move |seen: &mut Seen| {
            seen.database.as_mut().unwrap().address = "10.0.0.5:3306".parse().unwrap();
            let settings = part!(seen.database.settings);
            (settings.requires_tls, settings.offers_tls) = (requires_tls, offers_tls);
        }
    };
    assert_eq!(differs(database(true, true)), []);
    assert_eq!(differs(database(false, true)), [("TLS-09", Partial)]);
    assert_eq!(differs(database(false, false)), [("TLS-09", Fail)]);
    let redis = |tls, port| {
        move |seen: &mut Seen| {
            let server = Server { tls, port, ..server("10.0.0.9:6380", Stranger::Refused) };
            seen.cache = Ok(Cache { servers: vec![server], runs: Some(false) });
        }
    };
    assert_eq!(differs(redis(true, Some(6380))), []);
    assert_eq!(differs(redis(true, Some(6379))), [("TLS-09", Partial)]);
    assert_eq!(differs(redis(true, None)), [("TLS-09", Partial)]);
    assert_eq!(differs(redis(false, Some(6380))), [("TLS-09", Fail)]);
}

#[test]
fn workers_are_bound_in_time_and_in_number() {
    use State::{Fail, Partial};
    let workers =
        |change: fn(&mut Workers)| move |seen: &mut Seen| change(&mut seen.pools.as_mut().unwrap()[0].workers);
    assert_eq!(differs(workers(|workers| workers.terminate_timeout = Some(0))), [("DD-08", Partial)]);
    assert_eq!(differs(workers(|workers| workers.terminate_timeout = Some(121))), [("DD-08", Partial)]);
    assert_eq!(differs(workers(|workers| workers.terminate_timeout = Some(120))), []);
    assert_eq!(differs(workers(|workers| workers.most = Some(200))), [("DD-08", Partial)]);
    // (8192 * 0.8 - 128) / 64 is 100.4.
    assert_eq!(differs(workers(|workers| workers.most = Some(100))), []);
    assert_eq!(differs(workers(|workers| workers.most = Some(101))), [("DD-08", Partial)]);
    let neither = |workers: &mut Workers| (workers.most, workers.terminate_timeout) = (Some(500), Some(0));
    assert_eq!(differs(workers(neither)), [("DD-08", Fail)]);
    let unknown = |cause| vec![("DD-08", State::Unknown(cause))];
    assert_eq!(differs(workers(|workers| workers.most = None)), unknown(Cause::Unparsable));
    assert_eq!(differs(workers(|workers| workers.terminate_timeout = None)), unknown(Cause::Unparsable));
    assert_eq!(differs(workers(|workers| workers.sizes.clear())), unknown(Cause::Unreachable));
    assert_eq!(differs(workers(|workers| workers.machine = None)), unknown(Cause::Unsupported));
}

#[test]
fn a_pool_for_long_jobs_has_its_time_and_takes_memory() {
    let second = |most, name: &'static str| {
        move |seen: &mut Seen| {
            let mut jobs = pool("jobs");
            (jobs.workers.terminate_timeout, jobs.workers.most) = (Some(0), Some(most));
            jobs.workers.sizes.clear();
            seen.pools.as_mut().unwrap().push(jobs);
            seen.php.as_mut().unwrap().pool = name.to_owned();
        }
    };
    assert_eq!(differs(second(80, "www")), []);
    assert_eq!(differs(second(81, "www")), [("DD-08", State::Partial)]);
    assert_eq!(differs(second(80, "nowhere")), [("DD-08", State::Partial)], "it may be the shop's");
}

#[test]
fn what_was_not_seen_is_unknown_by_its_own_cause() {
    let states = |change: fn(&mut Seen)| {
        let other = differs(change);
        other.into_iter().map(|(check, state)| (check, format!("{state:?}"))).collect::<BTreeMap<_, _>>()
    };
    let nothing = states(|seen| {
        seen.php = unseen(Cause::Permission);
        seen.pools = unseen(Cause::NotConfigured);
        seen.database = unseen(Cause::Unreachable);
        seen.cache = unseen(Cause::Timeout);
    });
    expect![[r#"
        {
            "API-08": "Unknown(Permission)",
            "API-15": "Unknown(Unreachable)",
            "API-16": "Unknown(Unreachable)",
            "API-17": "Unknown(Unreachable)",
            "API-18": "Unknown(Permission)",
            "API-19": "Unknown(Permission)",
            "API-20": "Unknown(Unreachable)",
            "API-21": "Unknown(Unreachable)",
            "API-22": "Unknown(Unreachable)",
            "API-23": "Unknown(Timeout)",
            "DD-08": "Unknown(NotConfigured)",
            "TLS-09": "Unknown(Unreachable)",
        }
    "#]]
    .assert_debug_eq(&nothing);
}

#[test]
fn views_that_are_missing_are_made_by_a_command() {
    let mut seen = hardened();
    let database = seen.database.as_mut().unwrap();
    database.accounts = unseen(Cause::Permission);
    database.shop = unseen(Cause::Permission);
    let fix = "vitrin security-views --server mariadb --schema oc_shop --account shop --user vitrin | mariadb";
    let verdicts = judged(&seen, &[]);
    for check in [Check::Api08, Check::Api15, Check::Api16, Check::Api17, Check::Api20, Check::Api21] {
        assert_eq!(
            (verdicts[&check].state, &*verdicts[&check].fix),
            (State::Unknown(Cause::Permission), fix),
            "{check:?}"
        );
    }
    assert_eq!(verdicts[&Check::Api22].state, State::Pass);
}

#[test]
fn what_is_known_to_be_wrong_fails_whatever_else_is_not_known() {
    let mut seen = hardened();
    part!(seen.database.shop_account).any_host = 1;
    seen.database.as_mut().unwrap().accounts = unseen(Cause::Permission);
    assert_eq!(judged(&seen, &[])[&Check::Api21].state, State::Fail);
}

/// The worst of all machines: every line of its report, as a person reads it.
#[test]
fn a_weak_machine_is_told_what_to_write() {
    let mut seen = hardened();
    seen.now = NOW + 60 * DAY;
    seen.listeners = Ok(vec![listener("0.0.0.0", 6379)]);
    seen.cache = Ok(Cache { servers: vec![server("127.0.0.1:6379", Stranger::Served)], runs: Some(true) });
    let workers = &mut seen.pools.as_mut().unwrap()[0].workers;
    (workers.most, workers.terminate_timeout) = (Some(500), Some(0));
    let php = seen.php.as_mut().unwrap();
    php.version = "8.1.34".to_owned();
    php.package = Ok(Package { system: "debian 12".to_owned(), installed: None });
    php.functions = PROGRAMS.map(str::to_owned).into();
    for (name, value) in [("display_errors", "1"), ("open_basedir", "")] {
        php.settings.insert(name.to_owned(), value.to_owned());
    }
    let database = seen.database.as_mut().unwrap();
    database.accounts = Ok(Accounts { anonymous: 1, without_password: 2, remote_root: 1, test: 1 });
    let account = database.shop_account.as_mut().unwrap();
    (account.any_host, account.global) = (1, 1);
    database.shop = Ok(ShopCounts {
        strong: 0,
        api: Some(Api { enabled: 1, without_addresses: 1 }),
        second_factor: Some(false),
        error_display: Some(true),
        ..database.shop.clone().unwrap()
    });
    database.address = "10.0.0.5:3306".parse().unwrap();
    let told: Vec<_> = judged(&seen, &[])
        .into_iter()
        .map(|(check, verdict)| format!("{} {:?}: {}\n{}\n", check.id(), verdict.state, verdict.seen, verdict.fix))
        .collect();
    expect![[r#"
        DD-08 Fail: a request may keep a worker of the pool www for ever; 500 workers of 64 MiB would take 32128 of 8192 MiB
        /etc/php/8.2/fpm/pool.d/www.conf, [www]: request_terminate_timeout = 60s
        /etc/php/8.2/fpm/pool.d/www.conf, [www]: pm.max_children = 100

        API-08 Fail: PHP (pool www) and OpenCart (config_error_display) show errors
        /etc/php/8.2/fpm/pool.d/www.conf, [www]: php_admin_flag[display_errors] = off
        /etc/php/8.2/fpm/pool.d/www.conf, [www]: php_admin_flag[display_startup_errors] = off
        System > Settings > Server > Display Errors: No

        API-15 Fail: OpenCart asks its administrators for no second factor (config_user_2fa is 0)
        System > Settings > Option > Security: two-factor authentication

        API-16 Partial: 2 of 2 active administrators have a password hashed by MD5, SHA-1 or the like
        let each of them log in once, or set a new password

        API-17 Fail: 1 of 1 enabled accounts of OpenCart's API may be used from any address
        System > Users > API: disable it, or list the addresses that may use it

        API-18 Fail: FPM runs PHP 8.1.34, whose security holes nobody mends since 2025-12-31
        move to PHP 8.6, or to the PHP of a distribution that is supported

        API-19 Partial: in the pool www exec, passthru, popen, proc_open, shell_exec, system can be called; open_basedir does not limit which files it opens
        /etc/php/8.2/fpm/pool.d/www.conf, [www]: php_admin_value[disable_functions] = exec,passthru,shell_exec,system,proc_open,popen
        /etc/php/8.2/fpm/pool.d/www.conf, [www]: php_admin_value[open_basedir] = /srv/shop:/usr/share/vitrin:/tmp

        API-20 Fail: accounts of the database without a name: 1; let in without a password: 2
        DROP USER ''@'localhost'; and likewise for the other hosts of SELECT Host FROM mysql.user WHERE User = ''
        SELECT User, Host FROM mysql.global_priv WHERE COALESCE(JSON_VALUE(Priv, '$.authentication_string'), '') = ''; then ALTER USER … IDENTIFIED BY …

        API-21 Fail: root may log in from other hosts; the schema `test` is there, or everybody has rights on schemas called so; the shop's account may log in from any host
        DROP USER 'root'@'%'; and likewise for its other hosts
        DROP DATABASE IF EXISTS test; DELETE FROM mysql.db WHERE User IN ('', 'PUBLIC') AND Db LIKE 'test%'; FLUSH PRIVILEGES;
        RENAME USER 'shop'@'%' TO 'shop'@'localhost';

        API-22 Fail: the shop's account `shop` has rights on the whole server
        REVOKE ALL PRIVILEGES, GRANT OPTION FROM 'shop'@'%';
        GRANT SELECT, INSERT, UPDATE, DELETE, CREATE, ALTER, DROP, INDEX, CREATE TEMPORARY TABLES, LOCK TABLES ON `oc_shop`.* TO 'shop'@'%';

        API-23 Fail: Redis at 127.0.0.1:6379 serves strangers without a password, and does not listen on loopback alone
        redis.conf: user vitrin on >… +ping +info, user shop on >… ~* &* +@all -@dangerous, user default off; or requirepass …, and the same in the shop's configuration

        TLS-09 Fail: the database at 10.0.0.5:3306 cannot encrypt connections
        [mysqld] require_secure_transport = ON
    "#]].assert_eq(&told.join("\n"));
}
