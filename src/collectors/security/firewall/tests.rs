//! Rulesets that were recorded from nft 1.0.6 and iptables 1.8.9, and what becomes of packets by them.

use std::fmt::Write as _;
use std::net::IpAddr;

use expect_test::{Expect, expect};
use proptest::prelude::*;

use super::admission::{Admission, Knock, Listed};
use super::ranges::{Range, Version};
use super::routing::Routing;
use super::*;

/// A recorded ruleset.
macro_rules! recorded {
    ($name:literal) => {
        recorded!($name, None, None)
    };
    ($name:literal, iptables) => {
        recorded!($name, Some(recorded!(@ $name, "iptables")), None)
    };
    ($name:literal, both) => {
        recorded!($name, Some(recorded!(@ $name, "iptables")), Some(recorded!(@ $name, "ip6tables")))
    };
    ($name:literal, $v4:expr, $v6:expr) => {
        Ruleset::parse(recorded!(@ $name, "nft.json"), $v4, $v6).unwrap()
    };
    (@ $name:literal, $file:literal) => {
        include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/security/firewall/", $name, "/", $file))
    };
}
pub(super) use recorded;

/// The routes of a machine whose uplink is eth0, and which has containers.
pub(super) fn routing() -> Routing {
    let route = |network: &str, name: &str| (Range::parse(network).unwrap(), name.to_owned());
    Routing {
        routes: vec![
            route("0.0.0.0/0", "eth0"),
            route("::/0", "eth0"),
            route("192.0.2.0/24", "eth0"),
            route("172.17.0.0/16", "docker0"),
        ],
        own: ["127.0.0.1", "192.0.2.2", "172.17.0.1", "::1", "2001:db8::2"].map(|ip| ip.parse().unwrap()).to_vec(),
    }
}

fn admits(ruleset: &Ruleset, version: Version, port: u16) -> Known<Admission> {
    ruleset.admits(&routing(), Knock { version, port, destination: None })
}

fn shown(admission: &Known<Admission>) -> String {
    match admission {
        Ok(Admission::Anybody) => "anybody".to_owned(),
        Ok(Admission::Nobody) => "nobody".to_owned(),
        Ok(Admission::Only(Listed { networks, unseen })) => {
            let networks = networks.iter().map(|range| format!("{}-{}", range.first, range.last));
            networks.chain(unseen.iter().map(|name| format!("@{name}"))).collect::<Vec<_>>().join(" ")
        }
        Err(unknown) => format!("unknown: {}", unknown.cause.as_str()),
    }
}

/// Who is let in at some ports, and how many ports are open.
fn check(ruleset: &Ruleset, expected: &Expect) {
    let mut text = String::new();
    for version in Version::ALL {
        let share = ruleset.share(&routing(), version);
        writeln!(text, "{}: {} open, {} closed, {} unknown", version.as_str(), share.open, share.closed, share.unknown)
            .unwrap();
        for port in [22, 80, 443, 3306, 6379, 8000, 8080] {
            writeln!(text, "  {port}: {}", shown(&admits(ruleset, version, port))).unwrap();
        }
    }
    let (reached, all) = ruleset.bans(&routing(), &[22, 80, 443]);
    if !all.is_empty() {
        writeln!(text, "bans: {reached:?} of {all:?}").unwrap();
    }
    expected.assert_eq(&text);
}

#[test]
fn a_policy_of_drop_lets_in_what_rules_accept() {
    check(
        &recorded!("native-drop"),
        &expect![[r#"
        IPv4: 3 open, 65532 closed, 0 unknown
          22: anybody
          80: anybody
          443: anybody
          3306: 198.51.100.0-198.51.100.255 203.0.113.8-203.0.113.15
          6379: nobody
          8000: 198.51.100.7-198.51.100.7
          8080: nobody
        IPv6: 3 open, 65532 closed, 0 unknown
          22: anybody
          80: anybody
          443: anybody
          3306: nobody
          6379: nobody
          8000: nobody
          8080: nobody
    "#]],
    );
}

#[test]
fn a_last_rule_that_rejects_is_as_good_as_a_policy() {
    check(
        &recorded!("native-final-drop", iptables),
        &expect![[r#"
        IPv4: 2 open, 65533 closed, 0 unknown
          22: anybody
          80: anybody
          443: 10.0.0.0-10.255.255.255 198.51.100.0-198.51.100.255
          3306: nobody
          6379: nobody
          8000: nobody
          8080: nobody
        IPv6: 65535 open, 0 closed, 0 unknown
          22: anybody
          80: anybody
          443: anybody
          3306: anybody
          6379: anybody
          8000: anybody
          8080: anybody
    "#]],
    );
}

#[test]
fn an_empty_ruleset_and_one_that_accepts_everything_let_anybody_in() {
    let expected = expect![[r#"
        IPv4: 65535 open, 0 closed, 0 unknown
          22: anybody
          80: anybody
          443: anybody
          3306: anybody
          6379: anybody
          8000: anybody
          8080: anybody
        IPv6: 65535 open, 0 closed, 0 unknown
          22: anybody
          80: anybody
          443: anybody
          3306: anybody
          6379: anybody
          8000: anybody
          8080: anybody
    "#]];
    check(&recorded!("empty"), &expected);
    check(&recorded!("accept-all"), &expected);
}

#[test]
fn drops_of_single_ports_leave_the_others_open() {
    check(
        &recorded!("accept-some-drops"),
        &expect![[r#"
        IPv4: 65532 open, 3 closed, 0 unknown
          22: anybody
          80: anybody
          443: anybody
          3306: nobody
          6379: nobody
          8000: anybody
          8080: anybody
        IPv6: 65532 open, 3 closed, 0 unknown
          22: anybody
          80: anybody
          443: anybody
          3306: nobody
          6379: nobody
          8000: anybody
          8080: anybody
    "#]],
    );
}

#[test]
fn a_rule_for_addresses_of_ipv4_says_nothing_of_ipv6() {
    let ruleset = recorded!("implied-version");
    assert_eq!(shown(&admits(&ruleset, Version::V4, 3306)), "198.51.100.0-198.51.100.255");
    assert_eq!(shown(&admits(&ruleset, Version::V6, 3306)), "anybody");
}

#[test]
fn what_one_chain_accepts_the_next_still_drops() {
    check(
        &recorded!("chains"),
        &expect![[r#"
        IPv4: 0 open, 65533 closed, 2 unknown
          22: nobody
          80: unknown: unsupported
          443: unknown: unsupported
          3306: 198.51.100.0-198.51.100.255
          6379: nobody
          8000: nobody
          8080: nobody
        IPv6: 0 open, 65533 closed, 2 unknown
          22: nobody
          80: unknown: unsupported
          443: unknown: unsupported
          3306: nobody
          6379: nobody
          8000: nobody
          8080: nobody
    "#]],
    );
}

/// nft 1.0.6 prints the name of a table in place of its flags, so that a table may be asleep or not.
#[test]
fn a_table_that_is_asleep_drops_nothing() {
    let nft = recorded!(@ "chains", "nft.json");
    let ruleset = |flags: &str| Ruleset::parse(&nft.replace(r#""flags": "asleep""#, flags), None, None).unwrap();
    for (flags, expected) in [(r#""flags": "dormant""#, "anybody"), (r#""flags": ["owner"]"#, "nobody")] {
        assert_eq!(shown(&admits(&ruleset(flags), Version::V4, 443)), expected, "{flags}");
        assert_eq!(shown(&admits(&ruleset(flags), Version::V4, 80)), expected, "{flags}");
    }
}

#[test]
fn what_is_not_understood_is_unknown_and_what_the_sender_chooses_is_open() {
    check(
        &recorded!("unclear"),
        &expect![[r#"
        IPv4: 65535 open, 0 closed, 0 unknown
          22: anybody
          80: anybody
          443: anybody
          3306: anybody
          6379: anybody
          8000: anybody
          8080: anybody
        IPv6: 65535 open, 0 closed, 0 unknown
          22: anybody
          80: anybody
          443: anybody
          3306: anybody
          6379: anybody
          8000: anybody
          8080: anybody
    "#]],
    );
}

#[test]
fn ufw_is_read_from_what_iptables_saves() {
    check(
        &recorded!("ufw", both),
        &expect![[r#"
        IPv4: 3 open, 65532 closed, 0 unknown
          22: anybody
          80: anybody
          443: anybody
          3306: 198.51.100.0-198.51.100.255
          6379: nobody
          8000: nobody
          8080: nobody
        IPv6: 2 open, 65533 closed, 0 unknown
          22: nobody
          80: anybody
          443: anybody
          3306: nobody
          6379: nobody
          8000: nobody
          8080: nobody
    "#]],
    );
}

#[test]
fn one_more_line_of_ufw_opens_redis() {
    let ruleset = recorded!("ufw-redis-open", both);
    assert_eq!(admits(&ruleset, Version::V4, 6379), Ok(Admission::Anybody));
    assert_eq!(admits(&ruleset, Version::V6, 6379), Ok(Admission::Anybody));
}

#[test]
fn without_what_iptables_saves_its_rules_are_unknown() {
    for ruleset in [recorded!("ufw"), recorded!("ufw", iptables)] {
        assert!(admits(&ruleset, Version::V6, 3306).is_err());
    }
    assert!(admits(&recorded!("ufw"), Version::V4, 3306).is_err());
    assert!(admits(&recorded!("fail2ban-iptables-multiport"), Version::V4, 443).is_err());
}

#[test]
fn firewalld_is_understood() {
    check(
        &recorded!("firewalld"),
        &expect![[r#"
        IPv4: 4 open, 65531 closed, 0 unknown
          22: anybody
          80: anybody
          443: anybody
          3306: 198.51.100.0-198.51.100.255
          6379: nobody
          8000: nobody
          8080: anybody
        IPv6: 4 open, 65531 closed, 0 unknown
          22: anybody
          80: anybody
          443: anybody
          3306: nobody
          6379: nobody
          8000: nobody
          8080: anybody
    "#]],
    );
}

#[test]
fn a_port_that_docker_publishes_is_open_though_input_drops() {
    let ruleset = recorded!("docker", iptables);
    check(
        &ruleset,
        &expect![[r#"
        IPv4: 4 open, 65531 closed, 0 unknown
          22: anybody
          80: anybody
          443: anybody
          3306: nobody
          6379: nobody
          8000: nobody
          8080: nobody
        IPv6: 65535 open, 0 closed, 0 unknown
          22: anybody
          80: anybody
          443: anybody
          3306: anybody
          6379: anybody
          8000: anybody
          8080: anybody
    "#]],
    );
    assert_eq!(admits(&ruleset, Version::V4, 3307), Ok(Admission::Anybody));
    expect![[r#"
        [
            Published {
                ports: (
                    3307,
                    3307,
                ),
                at: None,
                version: V4,
                to: Some(
                    3306,
                ),
            },
        ]
    "#]]
    .assert_debug_eq(&ruleset.published());
}

#[test]
fn clients_who_are_banned_close_nothing_to_others_and_are_forgotten() {
    for (ruleset, expected) in [
        (
            recorded!("fail2ban-iptables-multiport", both),
            expect![[r#"
            IPv4: 3 open, 65532 closed, 0 unknown
              22: anybody
              80: anybody
              443: anybody
              3306: nobody
              6379: nobody
              8000: nobody
              8080: nobody
            IPv6: 65535 open, 0 closed, 0 unknown
              22: anybody
              80: anybody
              443: anybody
              3306: anybody
              6379: anybody
              8000: anybody
              8080: anybody
            bans: {"f2b-nginx-botsearch"} of {"f2b-nginx-botsearch"}
        "#]],
        ),
        (
            recorded!("fail2ban-nftables-multiport", iptables),
            expect![[r#"
            IPv4: 3 open, 65532 closed, 0 unknown
              22: anybody
              80: anybody
              443: anybody
              3306: nobody
              6379: nobody
              8000: nobody
              8080: nobody
            IPv6: 65535 open, 0 closed, 0 unknown
              22: anybody
              80: anybody
              443: anybody
              3306: anybody
              6379: anybody
              8000: anybody
              8080: anybody
            bans: {"addr-set-nginx-botsearch", "addr6-set-nginx-botsearch"} of {"addr-set-nginx-botsearch", "addr6-set-nginx-botsearch"}
        "#]],
        ),
        (
            recorded!("crowdsec"),
            expect![[r#"
            IPv4: 3 open, 65532 closed, 0 unknown
              22: anybody
              80: anybody
              443: anybody
              3306: nobody
              6379: nobody
              8000: nobody
              8080: nobody
            IPv6: 3 open, 65532 closed, 0 unknown
              22: anybody
              80: anybody
              443: anybody
              3306: nobody
              6379: nobody
              8000: nobody
              8080: nobody
            bans: {"crowdsec-blacklists", "crowdsec6-blacklists"} of {"crowdsec-blacklists", "crowdsec6-blacklists"}
        "#]],
        ),
    ] {
        check(&ruleset, &expected);
        let kept = serde_json::to_string(&ruleset).unwrap();
        for banned in ["203.0.113.66", "203.0.113.67", "2001:db8::66"] {
            assert!(!kept.contains(banned), "{kept}");
        }
    }
}

#[test]
fn the_networks_of_an_edge_are_kept() {
    check(
        &recorded!("edge-only"),
        &expect![[r#"
        IPv4: 1 open, 65534 closed, 0 unknown
          22: anybody
          80: 103.21.244.0-103.21.247.255 173.245.48.0-173.245.63.255
          443: 103.21.244.0-103.21.247.255 173.245.48.0-173.245.63.255
          3306: nobody
          6379: nobody
          8000: nobody
          8080: nobody
        IPv6: 1 open, 65534 closed, 0 unknown
          22: anybody
          80: 2400:cb00::-2400:cb00:ffff:ffff:ffff:ffff:ffff:ffff
          443: 2400:cb00::-2400:cb00:ffff:ffff:ffff:ffff:ffff:ffff
          3306: nobody
          6379: nobody
          8000: nobody
          8080: nobody
    "#]],
    );
}

#[test]
fn a_list_of_countries_is_seen_to_be_enforced_and_its_networks_are_forgotten() {
    let ruleset = recorded!("geo");
    let knock = Knock { version: Version::V4, port: 443, destination: None };
    assert_eq!(ruleset.countries(&routing(), knock), [("away".to_owned(), Some(124))]);
    assert_eq!(ruleset.countries(&routing(), Knock { port: 22, ..knock }), []);
    assert!(!serde_json::to_string(&ruleset).unwrap().contains("192.2.0.0"));
}

#[test]
fn the_older_iptables_is_not_in_nft_at_all() {
    let text =
        "*filter\n:INPUT DROP [0:0]\n:FORWARD ACCEPT [0:0]\n-A INPUT -p tcp -m tcp --dport 443 -j ACCEPT\nCOMMIT\n";
    let ruleset = Ruleset::parse(recorded!(@ "empty", "nft.json"), Some(text), None).unwrap();
    assert_eq!(admits(&ruleset, Version::V4, 443), Ok(Admission::Anybody));
    assert_eq!(admits(&ruleset, Version::V4, 3306), Ok(Admission::Nobody));
    assert_eq!(admits(&ruleset, Version::V6, 3306), Ok(Admission::Anybody));
}

/// A chain of `input` whose policy is to drop, with these rules of iptables before it.
fn filter(rules: &str) -> Ruleset {
    let text = format!("*filter\n:INPUT DROP [0:0]\n:web - [0:0]\n{rules}\nCOMMIT\n");
    Ruleset::parse(recorded!(@ "empty", "nft.json"), Some(&text), None).unwrap()
}

#[test]
fn each_option_of_iptables_means_what_its_manual_says() {
    for (rule, expected) in [
        ("-A INPUT -j ACCEPT", "anybody"),
        ("-A INPUT -i lo -j ACCEPT", "nobody"),
        ("-A INPUT -i eth+ -j ACCEPT", "anybody"),
        ("-A INPUT ! -i eth0 -j ACCEPT", "nobody"),
        ("-A INPUT -p udp -m udp --dport 443 -j ACCEPT", "nobody"),
        ("-A INPUT -p tcp -m multiport --dports 80,400:500 -j ACCEPT", "anybody"),
        ("-A INPUT -p tcp -m multiport ! --dports 80,400:500 -j ACCEPT", "nobody"),
        ("-A INPUT -p tcp -m tcp --sport 1024:65535 -j ACCEPT", "anybody"),
        ("-A INPUT -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT", "nobody"),
        ("-A INPUT -m state --state NEW -j ACCEPT", "anybody"),
        ("-A INPUT -p tcp -m tcp ! --tcp-flags FIN,SYN,RST,ACK SYN -j ACCEPT", "nobody"),
        ("-A INPUT -s 198.51.100.0/24 -j ACCEPT", "198.51.100.0-198.51.100.255"),
        ("-A INPUT ! -s 198.51.100.0/24 -j ACCEPT", "anybody"),
        ("-A INPUT -s 0.0.0.0/1 -j ACCEPT\n-A INPUT -s 128.0.0.0/1 -j ACCEPT", "anybody"),
        ("-A INPUT -m iprange --src-range 198.51.100.1-198.51.100.9 -j ACCEPT", "198.51.100.1-198.51.100.9"),
        ("-A INPUT -m set --match-set office src -j ACCEPT", "@office"),
        ("-A INPUT -m set ! --match-set office src -j ACCEPT", "anybody"),
        ("-A INPUT -m geoip --source-country TR -j ACCEPT", "@countries TR"),
        ("-A INPUT -d 192.0.2.2/32 -j ACCEPT", "anybody"),
        ("-A INPUT -d 192.0.2.3/32 -j ACCEPT", "nobody"),
        ("-A INPUT -m limit --limit 3/min -j ACCEPT", "anybody"),
        ("-A INPUT -m hashlimit --hashlimit-above 9/sec --hashlimit-name x -j DROP\n-A INPUT -j ACCEPT", "anybody"),
        (
            "-A INPUT -p tcp -m connlimit --connlimit-above 20 --connlimit-mask 32 -j REJECT\n-A INPUT -j ACCEPT",
            "anybody",
        ),
        ("-A INPUT -m recent --rcheck --seconds 30 --name KNOCKED --rsource -j ACCEPT", "nobody"),
        ("-A INPUT -m mark --mark 0x1 -j ACCEPT", "unknown: unsupported"),
        ("-A INPUT -m something --new -j ACCEPT", "unknown: unsupported"),
        ("-A INPUT -m something --new -j DROP", "nobody"),
        ("-A INPUT -p tcp -m tcp --dport 443 -j NFQUEUE --queue-num 0", "unknown: unsupported"),
        ("-A INPUT -m comment --comment \"-j DROP ! \\\" --dport 80\" -j ACCEPT", "anybody"),
        ("-A INPUT -m addrtype --dst-type LOCAL -j ACCEPT", "anybody"),
        ("-A INPUT -m addrtype ! --dst-type LOCAL -j DROP\n-A INPUT -j ACCEPT", "anybody"),
        ("-A INPUT -j web\n-A INPUT -j ACCEPT\n-A web -j RETURN\n-A web -j DROP", "anybody"),
        ("-A INPUT -g web\n-A INPUT -j ACCEPT\n-A web -j RETURN", "nobody"),
        ("-A INPUT -j web\n-A web -j INPUT", "unknown: unsupported"),
        ("-A INPUT -j LOG\n-A INPUT -p tcp -m tcp --dport 443", "nobody"),
        ("-A INPUT -j NOTHING", "unknown: unsupported"),
    ] {
        assert_eq!(shown(&admits(&filter(rule), Version::V4, 443)), expected, "{rule}");
    }
}

#[test]
fn an_ip_that_is_let_in_here_and_banned_there_is_banned() {
    let ruleset =
        filter("-A INPUT -s 198.51.100.7/32 -j DROP\n-A INPUT -s 198.51.100.7/32 -p tcp -m tcp --dport 443 -j ACCEPT");
    assert_eq!(admits(&ruleset, Version::V4, 80), Ok(Admission::Nobody));
    let kept = serde_json::to_string(&filter("-A INPUT -s 203.0.113.9/32 -j web\n-A web -j DROP\n-A INPUT -j ACCEPT"));
    assert!(!kept.unwrap().contains("203.0.113.9"), "turned away in a chain of its own");
}

#[test]
fn a_ruleset_survives_its_file() {
    for ruleset in [recorded!("ufw", both), recorded!("docker", iptables), recorded!("native-drop"), recorded!("geo")] {
        let text = serde_json::to_string(&ruleset).unwrap();
        assert_eq!(serde_json::from_str::<Ruleset>(&text).unwrap(), ruleset);
    }
}

#[test]
fn what_is_no_ruleset_is_said_to_be_none() {
    for text in ["", "{}", "[]", "Error: Operation not permitted", r#"{"nftables": 1}"#] {
        assert_eq!(Ruleset::parse(text, None, None).unwrap_err().cause, Cause::Unparsable, "{text}");
    }
}

#[test]
fn a_thousand_bans_one_by_one_cost_one_rule() {
    let bans: Vec<_> = (0..1_000).map(|i| format!("-A web -s 203.{}.113.{}/32 -j REJECT", i / 250, i % 250)).collect();
    let ruleset = filter(&format!("-A INPUT -j web\n{}\n-A INPUT -j ACCEPT", bans.join("\n")));
    assert!(ruleset.chains.iter().all(|chain| chain.rules.len() <= 2));
    assert_eq!(admits(&ruleset, Version::V4, 443), Ok(Admission::Anybody));
}

/// Rules of iptables, for a chain.
fn rule() -> impl Strategy<Value = String> {
    let conditions = proptest::sample::select(vec![
        "",
        "-i lo",
        "-i eth0",
        "-p udp",
        "-p tcp -m tcp --dport 443",
        "-p tcp -m tcp --dport 1:1000",
        "-p tcp -m tcp --sport 53",
        "-s 198.51.100.0/24",
        "! -s 198.51.100.0/24",
        "-m mark --mark 0x1",
        "-m set --match-set office src",
        "-m conntrack --ctstate ESTABLISHED",
        "-d 192.0.2.2/32",
        "-d 192.0.2.9/32",
    ]);
    let targets = proptest::sample::select(vec!["-j ACCEPT", "-j DROP", "-j RETURN", "-j web", "-g web", "-j LOG"]);
    let chains = proptest::sample::select(vec!["INPUT", "web"]);
    (chains, conditions, targets).prop_map(|(chain, condition, target)| {
        // A chain that leads into itself, no kernel takes.
        let target = if chain == "web" { target.replace(" web", " RETURN") } else { target.to_owned() };
        format!("-A {chain} {condition} {}", target.replace("-g RETURN", "-j RETURN"))
    })
}

/// How much is open: nobody knows may be anything, so that it compares with nothing.
fn openness(admission: &Known<Admission>) -> Option<u8> {
    match admission {
        Ok(Admission::Anybody) => Some(2),
        Ok(Admission::Only(_)) => Some(1),
        Ok(Admission::Nobody) => Some(0),
        Err(_) => None,
    }
}

proptest! {
    #[test]
    fn no_text_panics(nft: String, tables in "[*:A-Za-z0-9 !./,\"\\\\-]{0,80}") {
        drop(Ruleset::parse(&nft, Some(&tables), Some(&nft)));
        let rules = format!("*filter\n:INPUT DROP\n-A INPUT {tables}\n-A INPUT {nft}\nCOMMIT");
        let ruleset = Ruleset::parse(r#"{"nftables": []}"#, Some(&rules), Some(&rules)).unwrap();
        let _known = admits(&ruleset, Version::V4, 443);
    }

    #[test]
    fn no_json_panics(at in 0_usize..1_000_000, text in "[a-z@0-9.:\\[\\]{}\",-]{0,12}") {
        for whole in [recorded!(@ "native-drop", "nft.json"), recorded!(@ "chains", "nft.json")] {
            let mut changed = whole.to_owned();
            let at = at % whole.len();
            changed.replace_range(at..(at + text.len()).min(whole.len()), &text);
            if let Ok(ruleset) = Ruleset::parse(&changed, None, None) {
                let _known = admits(&ruleset, Version::V4, 443);
            }
        }
    }

    /// Wherever a rule that drops is put, nothing is more open than before.
    #[test]
    fn no_drop_opens_a_port(rules in proptest::collection::vec(rule(), 0..10), at in 0_usize..10, condition in rule()) {
        let before = filter(&rules.join("\n"));
        let mut more = rules.clone();
        let condition = condition.rsplit_once(" -").unwrap().0.to_owned();
        more.insert(at.min(rules.len()), format!("{condition} -j DROP"));
        let after = filter(&more.join("\n"));
        for port in [80, 443, 3306] {
            let (before, after) = (admits(&before, Version::V4, port), admits(&after, Version::V4, port));
            if let (Some(before), Some(after)) = (openness(&before), openness(&after)) {
                prop_assert!(after <= before, "{more:?}");
            }
            // What was certainly closed to strangers cannot become uncertain by a drop.
            prop_assert!(before != Ok(Admission::Nobody) || after == Ok(Admission::Nobody), "{more:?}");
        }
    }

    /// A chain that accepts everything, before or after, changes nothing.
    #[test]
    fn another_chain_that_accepts_opens_nothing(rules in proptest::collection::vec(rule(), 0..10), early: bool) {
        let text = format!("*filter\n:INPUT DROP [0:0]\n:web - [0:0]\n{}\nCOMMIT\n", rules.join("\n"));
        let table = if early { "mangle" } else { "security" };
        let more = format!("{text}*{table}\n:INPUT ACCEPT [0:0]\n-A INPUT -j ACCEPT\nCOMMIT\n");
        let parse = |text: &str| Ruleset::parse(r#"{"nftables": []}"#, Some(text), None).unwrap();
        for port in [80, 443] {
            prop_assert_eq!(admits(&parse(&text), Version::V4, port), admits(&parse(&more), Version::V4, port));
        }
    }
}

/// Who comes to a container's address from outside is not let in by a rule for the machine's own.
#[test]
fn a_listener_on_one_address_is_judged_by_the_rules_for_it() {
    let ruleset = filter("-A INPUT -d 192.0.2.3/32 -j ACCEPT");
    let knock = |ip: &str| Knock { version: Version::V4, port: 3306, destination: Some(ip.parse::<IpAddr>().unwrap()) };
    assert_eq!(ruleset.admits(&routing(), knock("192.0.2.3")), Ok(Admission::Anybody));
    assert_eq!(ruleset.admits(&routing(), knock("192.0.2.2")), Ok(Admission::Nobody));
}
