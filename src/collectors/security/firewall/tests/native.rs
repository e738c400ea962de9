//! Rules of nftables' own, and packets that they turn away.

use super::*;

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
