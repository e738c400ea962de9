//! Rules that other tools make: ufw, firewalld, Docker, fail2ban, CrowdSec, and lists of countries.

use super::*;

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
