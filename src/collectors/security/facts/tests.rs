//! What must hold for the facts as a whole.

use std::cell::RefCell;
use std::fs;

use super::program::Answer;
use super::*;

/// What is put in wherever somebody could have put it, and must not come out.
const ADDRESS: &str = "203.0.113.77";
const SECRET: &str = "canary-secret";

#[expect(clippy::unnecessary_wraps, reason = "as asking a program answers")]
fn said(text: String) -> Known<Option<Answer>> {
    Ok(Some(Answer { is_success: true, text, words: format!("{ADDRESS} {SECRET}") }))
}

/// Programs as they answer on a machine with a firewall, fail2ban and SSH; each with what is nobody's business.
fn answer(program: &str, arguments: &[&str]) -> Known<Option<Answer>> {
    let text = match (program, arguments) {
        ("nft", ["-j", "list", "ruleset"]) => format!(
            r#"{{"nftables": [
            {{"metainfo": {{"version": "1.0.6", "release_name": "Lester Gooch #5", "json_schema_version": 1}}}},
            {{"table": {{"family": "inet", "name": "f2b-table", "handle": 1}}}},
            {{"set": {{"family": "inet", "name": "addr-set-nginx", "table": "f2b-table", "type": "ipv4_addr", "handle": 2,
              "elem": ["{ADDRESS}"]}}}},
            {{"chain": {{"family": "inet", "table": "f2b-table", "name": "f2b-chain", "handle": 1, "type": "filter",
              "hook": "input", "prio": -1, "policy": "accept"}}}},
            {{"rule": {{"family": "inet", "table": "f2b-table", "chain": "f2b-chain", "handle": 3, "comment": "{SECRET}",
              "expr": [{{"match": {{"op": "==", "left": {{"payload": {{"protocol": "ip", "field": "saddr"}}}},
              "right": "@addr-set-nginx"}}}}, {{"reject": {{"type": "icmp", "expr": "port-unreachable"}}}}]}}}}]}}"#
        ),
        ("iptables-save" | "ip6tables-save", []) => {
            format!(
                "*filter\n:INPUT ACCEPT [0:0]\n-A INPUT -s {ADDRESS}/32 -m comment --comment {SECRET} -j DROP\nCOMMIT\n"
            )
        }
        ("fail2ban-client", ["status"]) => "Status\n|- Number of jail:\t1\n`- Jail list:\tnginx-botsearch\n".into(),
        ("fail2ban-client", ["status", "nginx-botsearch"]) => format!(
            "Status for the jail: nginx-botsearch\n|- Filter\n`- Actions\n   |- Currently banned:\t1\n   \
             |- Total banned:\t1\n   `- Banned IP list:\t{ADDRESS}\n"
        ),
        ("fail2ban-client", ["get", "nginx-botsearch", "logpath"]) => {
            "Current monitored log file(s):\n`- /var/log/nginx/access.log\n".into()
        }
        ("sshd", ["-T"]) => format!(
            "port 22\npermitrootlogin no\npasswordauthentication no\nkbdinteractiveauthentication no\n\
             allowusers {SECRET}@{ADDRESS}\nauthorizedkeyscommand /usr/bin/x {SECRET}\nauthenticationmethods any\n"
        ),
        _ => panic!("nobody runs {program} {arguments:?}"),
    };
    said(text)
}

fn machine() -> (tempfile::TempDir, Paths) {
    let root = tempfile::tempdir().unwrap();
    let at = |name: &str| root.path().join(name);
    for folder in ["etc/nginx", "etc/ssh", "proc"] {
        fs::create_dir_all(at(folder)).unwrap();
    }
    fs::write(at("etc/nginx/nginx.conf"), "http { server { ssl_certificate_key key.pem; ssl_password_file x; } }")
        .unwrap();
    fs::write(at("etc/nginx/key.pem"), SECRET).unwrap();
    let ssh = format!("PasswordAuthentication no\nMatch Address {ADDRESS}\nPermitRootLogin yes\nBanner {SECRET}\n");
    fs::write(at("etc/ssh/sshd_config"), ssh).unwrap();
    let paths = Paths { root: root.path().to_owned(), proc: at("proc"), ..Paths::default() };
    (root, paths)
}

#[test]
fn nobody_who_is_banned_no_key_and_no_word_of_a_program_is_in_the_file() {
    let (_root, paths) = machine();
    let facts = look_by(&paths, 7, &answer);
    assert!(facts.ruleset.is_ok() && facts.jails.is_ok() && facts.sshd.is_ok() && facts.keys.is_ok(), "{facts:?}");
    assert_eq!(facts.jails.as_ref().unwrap()[0].banned, 1);
    let sshd = facts.sshd.as_ref().unwrap();
    assert_eq!(sshd["match"], "permitrootlogin yes (/etc/ssh/sshd_config:3)");
    assert_eq!(
        sshd.keys().collect::<Vec<_>>(),
        [
            "authenticationmethods",
            "kbdinteractiveauthentication",
            "match",
            "passwordauthentication",
            "permitrootlogin",
            "port"
        ]
    );
    let text = text(&facts).unwrap();
    assert!(!text.contains(ADDRESS) && !text.contains(SECRET), "{text}");
    assert!(text.contains("nginx-botsearch") && text.contains("/etc/nginx/key.pem"), "{text}");
}

#[test]
fn programs_that_fail_with_secrets_in_their_words_tell_none() {
    let (_root, paths) = machine();
    let words = format!("{SECRET} {ADDRESS}");
    let failing =
        |_: &str, _: &[&str]| Ok(Some(Answer { is_success: false, text: words.clone(), words: words.clone() }));
    let facts = look_by(&paths, 7, &failing);
    assert!(facts.ruleset.is_err() && facts.jails.is_err() && facts.sshd.is_err());
    let text = text(&facts).unwrap();
    assert!(!text.contains(ADDRESS) && !text.contains(SECRET), "{text}");
}

#[test]
fn on_a_machine_without_any_of_it_each_fact_says_so() {
    let root = tempfile::tempdir().unwrap();
    let paths = Paths { root: root.path().to_owned(), proc: "/proc".into(), ..Paths::default() };
    let facts = look_by(&paths, 7, &|_, _| Ok(None));
    assert_eq!(facts.sshd.unwrap_err().cause, Cause::Unsupported);
    assert_eq!(facts.keys.unwrap_err().cause, Cause::Unsupported);
}

#[test]
fn all_programs_share_one_budget_and_fail2ban_is_asked_last() {
    let (_root, paths) = machine();
    let asked = RefCell::new(Vec::new());
    let facts = look_by(&paths, 7, &|program, arguments| {
        asked.borrow_mut().push(program.to_owned());
        // Each takes 20 seconds.
        let gone = Duration::from_secs(20) * u32::try_from(asked.borrow().len() - 1).unwrap();
        left(program, gone).and_then(|_| answer(program, arguments))
    });
    assert_eq!(*asked.borrow(), ["nft", "iptables-save", "ip6tables-save", "sshd", "fail2ban-client"]);
    assert!(facts.ruleset.is_ok(), "{facts:?}");
    for unknown in [facts.sshd.unwrap_err(), facts.jails.unwrap_err()] {
        assert_eq!(unknown.cause, Cause::Timeout);
    }
    assert_eq!(left("nft", Duration::from_secs(57)), Ok(Duration::from_secs(3)));
}
