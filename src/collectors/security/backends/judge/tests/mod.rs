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
        post_max_size: None,
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

/// A change of PHP's settings.
fn set(name: &'static str, value: &'static str) -> impl FnOnce(&mut Seen) {
    move |seen| drop(seen.php.as_mut().unwrap().settings.insert(name.to_owned(), value.to_owned()))
}

macro_rules! part {
    ($seen:ident.$whole:ident.$part:ident) => {
        $seen.$whole.as_mut().unwrap().$part.as_mut().unwrap()
    };
}

mod database;
mod php;
mod redis;
mod unknown;
mod workers;

#[test]
fn a_hardened_machine_passes() {
    assert_eq!(differs(|_| {}), []);
}
