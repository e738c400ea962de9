//! What holds of all rulesets.

use super::*;

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
