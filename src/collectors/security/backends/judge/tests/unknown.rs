//! What was not seen, and what is said of it.

use super::*;

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
