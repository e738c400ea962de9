//! What the options of iptables mean, and what is kept of a ruleset.

use super::*;

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

/// Who comes to a container's address from outside is not let in by a rule for the machine's own.
#[test]
fn a_listener_on_one_address_is_judged_by_the_rules_for_it() {
    let ruleset = filter("-A INPUT -d 192.0.2.3/32 -j ACCEPT");
    let knock = |ip: &str| Knock { version: Version::V4, port: 3306, destination: Some(ip.parse::<IpAddr>().unwrap()) };
    assert_eq!(ruleset.admits(&routing(), knock("192.0.2.3")), Ok(Admission::Anybody));
    assert_eq!(ruleset.admits(&routing(), knock("192.0.2.2")), Ok(Admission::Nobody));
}
