//! What is made of recorded rules and of listeners.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use expect_test::{Expect, expect};

use super::*;
use crate::collectors::security::backends::Pool;
use crate::collectors::security::config::{Config, Edge, GeoPolicy};
use crate::collectors::security::facts::{Facts, Jail};
use crate::collectors::security::firewall::Ruleset;
use crate::collectors::security::firewall::boot::{AtBoot, Enabled, Stored};
use crate::collectors::security::firewall::ranges::Range;
use crate::collectors::security::firewall::tests::{recorded, routing};
use crate::collectors::security::seen::{Listener, Servers};
use crate::collectors::security::shop::{Engine, Shop};
use crate::collectors::security::system::CrowdSec;
use crate::collectors::security::verdict::{Cap, Cause, State, Unknown, Verdict};
use crate::config::types::Address;

fn unseen<T>() -> Known<T> {
    Err(Unknown::new(Cause::Stale, "not looked at"))
}

/// A machine with these rules, whose listeners are `address:port account`, each in a line.
pub(in crate::collectors::security::firewall) fn seen(ruleset: Known<Ruleset>, listeners: &str) -> Seen {
    let listener = |line: &str| {
        let (address, account) = line.split_once(' ').unwrap();
        let (ip, port) = address.rsplit_once(':').unwrap();
        let ip = ip.trim_matches(['[', ']']).parse().unwrap();
        Listener { ip, port: port.parse().unwrap(), user: 100, account: Some(account.to_owned()) }
    };
    Seen {
        config: Config::default(),
        now: 1_800_000_000,
        listeners: Ok(listeners.lines().map(listener).collect()),
        has_public_ipv6: Ok(true),
        routing: Ok(routing()),
        at_boot: Ok(AtBoot::default()),
        cache_in_sight: Ok(None),
        servers: Servers::default(),
        facts: Ok(Facts {
            written: 0,
            ruleset,
            jails: Ok(Vec::new()),
            sshd: Ok(BTreeMap::new()),
            keys: Ok(Vec::new()),
        }),
        ..Seen::nothing(Cause::Stale)
    }
}

fn shop(uses_redis: bool) -> Shop {
    Shop { uses_redis, ..Shop::bare("/var/www/shop", Engine::OpenCart(None)) }
}

fn pool(listen: &str, allowed_clients: &[&str]) -> Pool {
    let allowed_clients = allowed_clients.iter().map(|client| (*client).to_owned()).collect();
    Pool { allowed_clients, ..Pool::bare(listen) }
}

const PUBLIC: &str = "0.0.0.0:22 root\n[::]:443 root\n0.0.0.0:3306 mysql\n[::]:6379 redis\n127.0.0.1:9000 www-data";
const PRIVATE: &str = "0.0.0.0:22 root\n0.0.0.0:443 root\n127.0.0.1:3306 mysql\n127.0.0.1:6379 redis\n[::1]:6379 redis";

fn verdict(seen: &Seen, check: Check) -> Verdict {
    let mut verdicts = Verdicts::new();
    judge(seen, &unseen(), &mut verdicts);
    verdicts.remove(&check).unwrap()
}

fn state(seen: &Seen, check: Check) -> State {
    verdict(seen, check).state
}

fn check(seen: &Seen, expected: &Expect) {
    let mut verdicts = Verdicts::new();
    judge(seen, &unseen(), &mut verdicts);
    let mut text = String::new();
    for (check, verdict) in verdicts {
        write!(text, "{} {:?}: {}", check.id(), verdict.state, verdict.seen).unwrap();
        if let Some(cap) = verdict.cap {
            write!(text, " [{}]", cap.as_str()).unwrap();
        }
        text.push('\n');
        for line in verdict.fix.lines() {
            writeln!(text, "    {line}").unwrap();
        }
    }
    expected.assert_eq(&text);
}

#[test]
fn a_machine_without_a_firewall_shows_all_that_listens() {
    check(
        &seen(Ok(recorded!("empty")), PUBLIC),
        &expect![[r#"
            FW-01 Fail: by IPv4, no rule looks at what comes in, which lets strangers in at 65535 of 65535 ports
                nft add table inet vitrin
                nft 'add chain inet vitrin input { type filter hook input priority 10; policy accept; }'
                nft add rule inet vitrin input ct state established,related accept
                nft add rule inet vitrin input iif lo accept
                nft 'add rule inet vitrin input meta l4proto { icmp, ipv6-icmp } accept'
                nft 'add rule inet vitrin input tcp dport { 22, 80, 443 } accept'
                nft 'add chain inet vitrin input { type filter hook input priority 10; policy drop; }'
            FW-02 Fail: by IPv6, no rule looks at what comes in, which lets strangers in at 65535 of 65535 ports
                nft add table inet vitrin
                nft 'add chain inet vitrin input { type filter hook input priority 10; policy accept; }'
                nft add rule inet vitrin input ct state established,related accept
                nft add rule inet vitrin input iif lo accept
                nft 'add rule inet vitrin input meta l4proto { icmp, ipv6-icmp } accept'
                nft 'add rule inet vitrin input tcp dport { 22, 80, 443 } accept'
                nft 'add chain inet vitrin input { type filter hook input priority 10; policy drop; }'
            FW-03 Fail: anybody is let in to the database at 0.0.0.0:3306 (mysql) [database_exposed]
                bind-address = 127.0.0.1  # below [mysqld]; then restart the database
            FW-04 Fail: anybody is let in to Redis at [::]:6379 (redis) [cache_exposed]
                bind 127.0.0.1 -::1
                protected-mode yes  # both in redis.conf; then restart Redis
            FW-05 Unknown(Stale): not looked at
            FW-06 Fail: anybody is let in at 0.0.0.0:3306 (mysql), [::]:6379 (redis)
                stop what nobody needs, or bind it to 127.0.0.1, or drop its port in the firewall: 0.0.0.0:3306 (mysql), [::]:6379 (redis)
            FW-07 Fail: no service that brings a firewall back is installed
                apt-get install nftables
                (echo 'flush ruleset'; nft list ruleset) > /etc/nftables.conf
                systemctl enable nftables
            FW-10 NotApplicable: no CDN is configured ([security.edge])
            FW-11 NotApplicable: no policy on countries is declared ([security.geo_policy])
            DD-07 Fail: nothing that bans is in the firewall, and fail2ban has no jail
                banaction = nftables-multiport  # below [DEFAULT] in /etc/fail2ban/jail.local; for CrowdSec: apt-get install crowdsec-firewall-bouncer-nftables
        "#]],
    );
}

#[test]
fn a_machine_without_a_firewall_may_still_listen_on_the_loopback_alone() {
    let seen = seen(Ok(recorded!("empty")), PRIVATE);
    for (check, expected) in
        [(Check::Fw01, State::Fail), (Check::Fw03, State::Pass), (Check::Fw04, State::Pass), (Check::Fw06, State::Pass)]
    {
        assert_eq!(state(&seen, check), expected, "{}", check.id());
    }
}

#[test]
fn a_firewall_closes_what_listens() {
    check(
        &seen(Ok(recorded!("firewalld")), PUBLIC),
        &expect![[r#"
            FW-01 Pass: by IPv4 strangers are refused at 65531 of 65535 ports, and let in at 4 ports
            FW-02 Pass: by IPv6 strangers are refused at 65531 of 65535 ports, and let in at 4 ports
            FW-03 Pass: the database is let in to by sources that the firewall lists alone: 0.0.0.0:3306 (mysql)
            FW-04 Pass: Redis listens at [::]:6379 (redis), where the firewall refuses strangers
            FW-05 Unknown(Stale): not looked at
            FW-06 Partial: only sources that the firewall lists are let in at 0.0.0.0:3306 (mysql)
                stop what nobody needs, or bind it to 127.0.0.1, or drop its port in the firewall: 0.0.0.0:3306 (mysql)
            FW-07 Fail: no service that brings a firewall back is installed
                apt-get install nftables
                (echo 'flush ruleset'; nft list ruleset) > /etc/nftables.conf
                systemctl enable nftables
            FW-10 NotApplicable: no CDN is configured ([security.edge])
            FW-11 NotApplicable: no policy on countries is declared ([security.geo_policy])
            DD-07 Fail: nothing that bans is in the firewall, and fail2ban has no jail
                banaction = nftables-multiport  # below [DEFAULT] in /etc/fail2ban/jail.local; for CrowdSec: apt-get install crowdsec-firewall-bouncer-nftables
        "#]],
    );
}

#[test]
fn without_the_facts_what_listens_to_all_is_unknown_and_not_well() {
    let mut seen = seen(Ok(Ruleset::default()), PUBLIC);
    seen.facts = Err(Unknown::new(Cause::NotConfigured, "/run/vitrin/facts.json: no such file"));
    check(
        &seen,
        &expect![[r#"
            FW-01 Unknown(NotConfigured): /run/vitrin/facts.json: no such file
            FW-02 Unknown(NotConfigured): /run/vitrin/facts.json: no such file
            FW-03 Unknown(NotConfigured): the database listens at 0.0.0.0:3306 (mysql), and /run/vitrin/facts.json: no such file
                bind-address = 127.0.0.1  # below [mysqld]; then restart the database
            FW-04 Unknown(NotConfigured): Redis listens at [::]:6379 (redis), and /run/vitrin/facts.json: no such file
                bind 127.0.0.1 -::1
                protected-mode yes  # both in redis.conf; then restart Redis
            FW-05 Unknown(Stale): not looked at
            FW-06 Unknown(NotConfigured): servers listen at 0.0.0.0:3306 (mysql), [::]:6379 (redis), and /run/vitrin/facts.json: no such file
                stop what nobody needs, or bind it to 127.0.0.1, or drop its port in the firewall: 0.0.0.0:3306 (mysql), [::]:6379 (redis)
            FW-07 Fail: no service that brings a firewall back is installed
                apt-get install nftables
                (echo 'flush ruleset'; nft list ruleset) > /etc/nftables.conf
                systemctl enable nftables
            FW-10 NotApplicable: no CDN is configured ([security.edge])
            FW-11 NotApplicable: no policy on countries is declared ([security.geo_policy])
            DD-07 Unknown(NotConfigured): /run/vitrin/facts.json: no such file
        "#]],
    );
}

#[test]
fn drops_of_what_listens_are_half_a_firewall() {
    let rules = || Ok(recorded!("accept-some-drops"));
    let one = verdict(&seen(rules(), "0.0.0.0:22 root\n0.0.0.0:3306 mysql"), Check::Fw01);
    assert_eq!(one.state, State::Partial, "{one:?}");
    assert_eq!(state(&seen(rules(), "0.0.0.0:3306 mysql\n0.0.0.0:8080 java"), Check::Fw01), State::Fail);
    // Nobody who must not be reached listens: then there is nothing that the drops are seen to protect.
    assert_eq!(state(&seen(rules(), "0.0.0.0:22 root"), Check::Fw01), State::Fail);
}

#[test]
fn ipv6_does_not_matter_where_there_is_none() {
    let mut seen = seen(Ok(recorded!("native-final-drop", iptables)), "[::]:3306 mysql");
    assert_eq!(state(&seen, Check::Fw03), State::Fail);
    seen.has_public_ipv6 = Ok(false);
    assert_eq!((state(&seen, Check::Fw02), state(&seen, Check::Fw03)), (State::NotApplicable, State::Pass));
    seen.has_public_ipv6 = unseen();
    assert_eq!(state(&seen, Check::Fw02), State::Unknown(Cause::Stale));
}

#[test]
fn a_database_that_a_container_publishes_is_exposed_though_nothing_listens_here() {
    let found = verdict(&seen(Ok(recorded!("docker", iptables)), "0.0.0.0:22 root"), Check::Fw03);
    assert_eq!((found.state, found.cap), (State::Fail, Some(Cap::DatabaseExposed)), "{found:?}");
    expect!["publish it on the loopback alone: -p 127.0.0.1:3307:…, instead of -p 3307:…"].assert_eq(&found.fix);
}

#[test]
fn a_database_on_another_port_is_known_by_its_account_and_by_the_configuration() {
    let mut seen = seen(Ok(recorded!("empty")), "0.0.0.0:3310 mysql\n0.0.0.0:4444 systemd-coredump");
    let found = verdict(&seen, Check::Fw03);
    assert!(found.state == State::Fail && found.seen.contains("3310") && !found.seen.contains("4444"), "{found:?}");
    seen.servers.databases = vec!["127.0.0.1:4444".parse().unwrap()];
    assert!(verdict(&seen, Check::Fw03).seen.contains("4444"));
}

#[test]
fn a_database_of_another_machine_is_not_judged_from_here() {
    let mut seen = seen(Ok(recorded!("native-drop")), "0.0.0.0:22 root");
    assert_eq!(state(&seen, Check::Fw03), State::Pass);
    seen.servers.databases = vec!["db.shop.example:3306".parse().unwrap()];
    assert_eq!(state(&seen, Check::Fw03), State::Unknown(Cause::Unsupported));
    seen.servers.databases = vec!["192.0.2.2:3306".parse().unwrap()];
    assert_eq!(state(&seen, Check::Fw03), State::Pass);
}

#[test]
fn sources_that_the_firewall_lists_may_come_to_the_database() {
    let found = verdict(&seen(Ok(recorded!("native-drop")), "0.0.0.0:3306 mysql"), Check::Fw03);
    assert_eq!(found.state, State::Pass);
    assert!(found.seen.contains("lists"), "{found:?}");
}

#[test]
fn redis_does_not_apply_only_where_it_was_seen_that_there_is_none() {
    let mut seen = seen(Ok(recorded!("native-drop")), "0.0.0.0:22 root");
    assert_eq!(state(&seen, Check::Fw04), State::Unknown(Cause::Stale), "the shop is not known");
    seen.shop = Ok(shop(false));
    assert_eq!(state(&seen, Check::Fw04), State::NotApplicable);
    seen.cache_in_sight = Err(Unknown::new(Cause::Permission, "hidden"));
    assert_eq!(state(&seen, Check::Fw04), State::Unknown(Cause::Permission));
    seen.cache_in_sight = Ok(Some("the socket /run/redis/redis-server.sock".into()));
    assert_eq!(state(&seen, Check::Fw04), State::Pass);
    (seen.cache_in_sight, seen.shop) = (Ok(None), Ok(shop(true)));
    assert_eq!(state(&seen, Check::Fw04), State::Unknown(Cause::Unsupported), "another machine's");
    seen.servers.caches = vec![Address::Unix("/run/redis/redis-server.sock".into())];
    assert_eq!(state(&seen, Check::Fw04), State::Pass);
    seen.listeners = Err(Unknown::new(Cause::Permission, "hidden"));
    assert_eq!(state(&seen, Check::Fw04), State::Unknown(Cause::Permission));
}

#[test]
fn a_pool_that_anybody_reaches_caps_the_score() {
    let open = |pools: Vec<Pool>, listeners: &str| {
        let mut seen = seen(Ok(recorded!("empty")), listeners);
        seen.pools = Ok(pools);
        let found = verdict(&seen, Check::Fw05);
        (found.state, found.cap)
    };
    let everywhere = "0.0.0.0:9000 www-data";
    assert_eq!(open(vec![pool("0.0.0.0:9000", &[])], everywhere), (State::Fail, Some(Cap::PhpOpen)));
    assert_eq!(open(vec![pool("0.0.0.0:9000", &["any"])], everywhere), (State::Fail, Some(Cap::PhpOpen)));
    assert_eq!(open(vec![pool("0.0.0.0:9000", &["10.0.0.7"])], everywhere), (State::Fail, None));
    assert_eq!(open(vec![pool("0.0.0.0:9000", &[])], "0.0.0.0:80 root"), (State::Pass, None), "it does not run");
    assert_eq!(open(vec![pool("127.0.0.1:9000", &[]), pool("/run/php/php.sock", &[])], ""), (State::Pass, None));
    assert_eq!(open(Vec::new(), everywhere).0, State::Unknown(Cause::Unsupported));
    let mut closed = seen(Ok(recorded!("native-drop")), everywhere);
    closed.pools = Ok(vec![pool("0.0.0.0:9000", &[])]);
    assert_eq!(state(&closed, Check::Fw05), State::Pass);
    closed.facts = unseen();
    assert_eq!(state(&closed, Check::Fw05), State::Unknown(Cause::Stale));
}

#[test]
fn a_pool_of_which_it_is_not_known_is_not_hidden_by_one_that_does_not_run() {
    let mut seen = seen(Ok(Ruleset::default()), "0.0.0.0:9001 root");
    seen.pools = Ok(vec![pool("0.0.0.0:9000", &[]), pool("0.0.0.0:9001", &[])]);
    seen.facts = unseen();
    assert_eq!(state(&seen, Check::Fw05), State::Unknown(Cause::Stale));
}

#[test]
fn a_master_that_nobody_configured_is_seen_by_its_port() {
    let with = |rules: Known<Ruleset>, listeners: &str| {
        let mut seen = seen(rules, listeners);
        seen.pools = Ok(vec![pool("/run/php/php.sock", &[]), pool("127.0.0.1:9000", &[])]);
        seen
    };
    let second = "127.0.0.1:9000 root\n0.0.0.0:9001 root";
    let found = verdict(&with(Ok(recorded!("empty")), second), Check::Fw05);
    assert_eq!((found.state, found.cap), (State::Fail, None), "{found:?}");
    assert!(found.seen.contains("0.0.0.0:9001"), "{found:?}");
    assert_eq!(state(&with(Ok(recorded!("native-drop")), second), Check::Fw05), State::Pass);
    assert_eq!(state(&with(unseen(), second), Check::Fw05), State::Unknown(Cause::Stale));
    let owned = "0.0.0.0:9002 mysql\n0.0.0.0:9010 root";
    assert_eq!(state(&with(Ok(recorded!("empty")), owned), Check::Fw05), State::Pass);
    let mut allowed = with(Ok(recorded!("empty")), second);
    allowed.config.allowed_ports.push(9001);
    assert_eq!(state(&allowed, Check::Fw05), State::Pass);
}

#[test]
fn without_the_rules_what_containers_publish_is_unknown_and_not_absent() {
    let exposed = [Check::Fw03, Check::Fw04, Check::Fw05, Check::Fw06];
    let with = |bridge: Option<&str>, facts: bool| {
        let mut seen = seen(Ok(recorded!("native-drop")), PRIVATE);
        (seen.pools, seen.shop) = (Ok(vec![pool("/run/php/php.sock", &[])]), Ok(shop(false)));
        if !facts {
            seen.facts = unseen();
        }
        let network = Range::network("172.17.0.0".parse().unwrap(), 16).unwrap();
        let mut routing = routing();
        routing.routes = bridge.map(|bridge| (network, bridge.to_owned())).into_iter().collect();
        seen.routing = Ok(routing);
        exposed.map(|check| state(&seen, check))
    };
    for bridge in ["docker0", "br-5f0e1c2d3b4a", "cni-podman0", "podman1"] {
        assert_eq!(with(Some(bridge), false), [State::Unknown(Cause::Stale); 4], "{bridge}");
    }
    assert_eq!(with(Some("docker0"), true), [State::Pass; 4]);
    assert_eq!(with(Some("eth0"), false), [State::Pass; 4]);
    assert_eq!(with(None, false), [State::Pass; 4]);
    let mut seen = seen(Ok(Ruleset::default()), "0.0.0.0:22 root");
    (seen.facts, seen.shop, seen.routing) = (unseen(), Ok(shop(false)), unseen());
    assert_eq!(state(&seen, Check::Fw04), State::Unknown(Cause::Stale), "not even the routes are known");
}

#[test]
fn other_listeners_are_expected_refused_listed_or_open() {
    let on = |listeners: &str| verdict(&seen(Ok(recorded!("native-drop")), listeners), Check::Fw06).state;
    assert_eq!(on("0.0.0.0:22 root\n0.0.0.0:443 root\n127.0.0.1:9100 root\n[fe80::1]:546 root"), State::Pass);
    assert_eq!(on("0.0.0.0:9100 root"), State::Pass);
    assert_eq!(on("0.0.0.0:3306 mysql"), State::Partial);
    let mut open = seen(Ok(recorded!("empty")), "0.0.0.0:2222 root");
    assert_eq!(state(&open, Check::Fw06), State::Fail);
    if let Ok(facts) = &mut open.facts {
        facts.sshd = Ok([("port".to_owned(), "2222".to_owned())].into());
    }
    assert_eq!(state(&open, Check::Fw06), State::Pass);
}

#[test]
fn an_origin_is_locked_where_only_the_edge_gets_in() {
    let edge = |ruleset: Ruleset, networks: &[&str]| {
        let mut seen = seen(Ok(ruleset), "0.0.0.0:80 root\n[::]:443 root");
        let networks = networks.iter().map(|text| (*text).to_owned()).collect::<Vec<_>>();
        seen.config.edge = Edge { provider: Some("cloudflare".into()), networks: networks.try_into().unwrap() };
        verdict(&seen, Check::Fw10).state
    };
    let own = ["173.245.48.0/20", "103.21.244.0/22", "2400:cb00::/32"];
    assert_eq!(edge(recorded!("edge-only"), &own), State::Pass);
    assert_eq!(edge(recorded!("edge-only"), &own[..1]), State::Fail, "much of IPv6 is not the edge's");
    assert_eq!(edge(recorded!("edge-only"), &own[1..]), State::Pass, "a few networks beside are the operator's own");
    assert_eq!(edge(recorded!("edge-only"), &[]), State::Unknown(Cause::NotConfigured));
    assert_eq!(edge(recorded!("native-drop"), &own), State::Fail);
    let nobody_named = seen(Ok(recorded!("native-drop")), "0.0.0.0:443 root");
    assert_eq!(state(&nobody_named, Check::Fw10), State::NotApplicable);
}

#[test]
fn a_policy_on_countries_that_is_declared_must_be_enforced() {
    let declared = |ruleset: Ruleset| {
        let mut seen = seen(Ok(ruleset), "0.0.0.0:443 root");
        seen.config.geo_policy = GeoPolicy { declared: true };
        seen
    };
    assert_eq!(state(&seen(Ok(recorded!("geo")), ""), Check::Fw11), State::NotApplicable);
    assert_eq!(state(&declared(recorded!("geo")), Check::Fw11), State::Partial);
    let without = declared(recorded!("crowdsec"));
    assert_eq!(state(&without, Check::Fw11), State::Unknown(Cause::Stale));
    let front = |is_enforced, written| countries::judge(&without, &Ok(InFront { is_enforced, written })).state;
    let day = 86_400;
    assert_eq!(front(false, unseen()), State::Fail);
    assert_eq!(front(true, Ok(without.now - 34 * day)), State::Pass);
    assert_eq!(front(true, Ok(without.now - 36 * day)), State::Partial);
    assert_eq!(front(true, unseen()), State::Partial);
}

#[test]
fn bans_count_where_packets_come_to_them() {
    for ruleset in [
        recorded!("fail2ban-iptables-multiport", both),
        recorded!("fail2ban-nftables-multiport", iptables),
        recorded!("crowdsec"),
    ] {
        assert_eq!(state(&seen(Ok(ruleset), ""), Check::Dd07), State::Pass);
    }
    // The chain is there, and stands behind the rule that lets everybody in.
    let filter = |rules: &str| {
        let text = format!(
            "*filter\n:INPUT ACCEPT [0:0]\n:f2b-web - [0:0]\n{rules}\n-A f2b-web -s 203.0.113.1/32 -j DROP\nCOMMIT\n"
        );
        Ruleset::parse(r#"{"nftables": []}"#, Some(&text), None)
    };
    let late = filter("-A INPUT -j ACCEPT\n-A INPUT -p tcp -j f2b-web");
    assert_eq!(state(&seen(late, ""), Check::Dd07), State::Fail);
    assert_eq!(state(&seen(filter(""), ""), Check::Dd07), State::Fail);
    assert_eq!(state(&seen(filter("-A INPUT -p tcp -j f2b-web"), ""), Check::Dd07), State::Pass);
}

#[test]
fn a_bouncer_that_asks_for_decisions_carries_out_bans() {
    let with = |rules: Known<Ruleset>, ago: Option<i64>, was_seen| {
        let mut seen = seen(Ok(Ruleset::default()), "");
        if let Ok(facts) = &mut seen.facts {
            facts.ruleset = rules;
        }
        let bouncer = ago.map(|ago| seen.now - ago);
        seen.system.crowdsec = Ok(Some(CrowdSec { bouncer, was_seen, ..CrowdSec::default() }));
        state(&seen, Check::Dd07)
    };
    assert_eq!(with(unseen(), Some(300), true), State::Pass);
    assert_eq!(with(unseen(), Some(301), true), State::Unknown(Cause::Stale));
    assert_eq!(with(unseen(), None, false), State::Unknown(Cause::Stale));
    // The firewall has no list of its own for it: it is nginx's, or PHP's.
    assert_eq!(with(Ok(recorded!("native-drop")), Some(10), true), State::Partial);
    assert_eq!(with(Ok(recorded!("native-drop")), Some(301), true), State::Fail);
    assert_eq!(with(Ok(recorded!("native-drop")), None, true), State::Fail);
    assert_eq!(with(Ok(recorded!("native-drop")), None, false), State::Unknown(Cause::Stale));
    assert_eq!(with(Ok(recorded!("crowdsec")), None, true), State::Pass);
    // A list that no packet comes to bans nobody, whoever asks for what is in it.
    let unused = r#"{"nftables": [{"table": {"family": "ip", "name": "crowdsec", "handle": 1}}, {"set": {"family": "ip",
        "name": "crowdsec-blacklists", "table": "crowdsec", "type": "ipv4_addr", "handle": 2}}]}"#;
    assert_eq!(with(Ruleset::parse(unused, None, None), Some(10), true), State::Fail);
}

#[test]
fn without_a_chain_of_bans_it_depends_on_whether_anybody_is_banned() {
    let with = |jails: Known<Vec<Jail>>| {
        let mut seen = seen(Ok(recorded!("native-drop")), "");
        if let Ok(facts) = &mut seen.facts {
            facts.jails = jails;
        }
        state(&seen, Check::Dd07)
    };
    let jail = |banned| Jail { name: "nginx-botsearch".into(), files: Vec::new(), banned };
    assert_eq!(with(Ok(vec![jail(3)])), State::Fail);
    assert_eq!(with(Ok(vec![jail(0)])), State::Unknown(Cause::Unsupported));
    assert_eq!(with(Ok(Vec::new())), State::Fail);
    assert_eq!(with(unseen()), State::Unknown(Cause::Stale));
}

#[test]
fn the_best_service_that_is_enabled_decides_about_a_reboot() {
    let with = |enabled: Vec<(&str, Stored)>, disabled: &[&str]| {
        let mut seen = seen(Ok(recorded!("native-drop")), "");
        let enabled = enabled.into_iter().map(|(service, stored)| Enabled { service: service.to_owned(), stored });
        let disabled = disabled.iter().map(|name| (*name).to_owned()).collect();
        seen.at_boot = Ok(AtBoot { enabled: enabled.collect(), disabled });
        let found = verdict(&seen, Check::Fw07);
        (found.state, found.fix.into_owned())
    };
    let nothing = || ("nftables", Stored::Nothing("/etc/nftables.conf".into()));
    let filters = || ("ufw", Stored::Filters("/etc/default/ufw".into()));
    let closed = || ("netfilter-persistent", Stored::Unreadable("/etc/iptables/rules.v4".into()));
    let off = || ("ufw", Stored::Off("/etc/ufw/ufw.conf".into()));
    assert_eq!(with(vec![nothing(), filters()], &[]), (State::Pass, String::new()));
    assert_eq!(with(vec![closed()], &[]).0, State::Partial);
    assert_eq!(with(vec![nothing()], &[]).0, State::Partial);
    assert_eq!(with(vec![off()], &[]), (State::Fail, "ufw enable".to_owned()));
    assert_eq!(with(vec![], &["firewalld"]), (State::Fail, "systemctl enable firewalld".to_owned()));
    assert_eq!(with(vec![], &[]).0, State::Fail);
}

#[test]
fn every_check_gets_one_verdict_whatever_is_known() {
    let mut blind = seen(Ok(Ruleset::default()), "");
    (blind.listeners, blind.facts, blind.has_public_ipv6) = (unseen(), unseen(), unseen());
    (blind.at_boot, blind.cache_in_sight, blind.routing) = (unseen(), unseen(), unseen());
    let mut verdicts = Verdicts::new();
    judge(&blind, &unseen(), &mut verdicts);
    let shown: Vec<_> = verdicts.iter().map(|(check, verdict)| format!("{} {:?}", check.id(), verdict.state)).collect();
    expect![[r#"
        FW-01 Unknown(Stale)
        FW-02 Unknown(Stale)
        FW-03 Unknown(Stale)
        FW-04 Unknown(Stale)
        FW-05 Unknown(Stale)
        FW-06 Unknown(Stale)
        FW-07 Unknown(Stale)
        FW-10 NotApplicable
        FW-11 NotApplicable
        DD-07 Unknown(Stale)"#]]
    .assert_eq(&shown.join("\n"));
}
