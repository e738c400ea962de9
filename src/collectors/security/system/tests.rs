//! What tests of this folder begin with, and what holds for all of its checks.

use super::super::check::Check;
use super::super::facts::Facts;
use super::super::seen::{Listener, Seen};
use super::super::verdict::{Cause, Known, State, Unknown, Verdicts};
use super::judge;
use super::ssh::{Ssh, read};

fn unknown<T>(cause: Cause) -> Known<T> {
    Err(Unknown::new(cause, "not looked at"))
}

/// A round that has seen nothing: each part is unknown.
pub(super) fn seen() -> Seen {
    Seen { now: 1_790_000_000, facts: unknown(Cause::Permission), ..Seen::nothing(Cause::Unreachable) }
}

/// Facts that hold nothing.
pub(super) fn facts() -> Facts {
    let written = seen().now;
    Facts {
        written,
        ruleset: unknown(Cause::Unsupported),
        jails: Ok(Vec::new()),
        sshd: unknown(Cause::Unsupported),
        keys: Ok(Vec::new()),
    }
}

const OWN: [Check; 9] = [
    Check::Fw08,
    Check::Dd05,
    Check::Dd06,
    Check::Tls08,
    Check::Mon03,
    Check::Mon04,
    Check::Mon06,
    Check::Mon07,
    Check::Mon08,
];

#[test]
fn a_round_that_saw_nothing_knows_nothing_of_each_check() {
    let mut verdicts = Verdicts::new();
    judge(&seen(), &mut verdicts);
    assert_eq!(verdicts.keys().copied().collect::<Vec<_>>(), OWN);
    for (check, verdict) in verdicts {
        assert!(matches!(verdict.state, State::Unknown(_)) && verdict.cap.is_none(), "{}: {verdict:?}", check.id());
        assert!(!verdict.seen.is_empty(), "{}", check.id());
    }
}

/// A machine whose SSH has this configuration, where these listen.
struct Door {
    seen: Seen,
}

impl Door {
    fn new(configuration: &str, listeners: &[(&str, u16)]) -> Self {
        let root = tempfile::tempdir().unwrap();
        std::fs::create_dir_all(root.path().join("etc/ssh")).unwrap();
        std::fs::write(root.path().join("etc/ssh/sshd_config"), configuration).unwrap();
        let mut seen = seen();
        let listener =
            |(ip, port): &(&str, u16)| Listener { ip: ip.parse().unwrap(), port: *port, user: 0, account: None };
        seen.listeners = Ok(listeners.iter().map(listener).collect());
        seen.system.ssh = Ok(Ssh { configured: read(root.path()), servers: vec!["sshd"], hides_processes: false });
        Self { seen }
    }

    fn state(&self) -> State {
        self.verdict().0
    }

    fn verdict(&self) -> (State, String, String) {
        let mut verdicts = Verdicts::new();
        judge(&self.seen, &mut verdicts);
        let verdict = verdicts.remove(&Check::Fw08).unwrap();
        (verdict.state, verdict.seen, verdict.fix.into_owned())
    }
}

const OPEN: &[(&str, u16)] = &[("0.0.0.0", 22), ("0.0.0.0", 443)];
const KEYS: &str = "PasswordAuthentication no\nKbdInteractiveAuthentication no\n";

#[test]
fn ssh_passes_with_keys_alone_and_halves_with_one_of_two() {
    let with = |text: &str| Door::new(text, OPEN).state();
    assert_eq!(with(KEYS), State::Pass);
    assert_eq!(with("PasswordAuthentication no\n"), State::Partial, "keyboard-interactive asks for passwords, too");
    assert_eq!(with(""), State::Partial);
    assert_eq!(with("PermitRootLogin yes\n"), State::Fail);
    assert_eq!(with(&format!("{KEYS}PermitRootLogin yes\n")), State::Partial);
    assert_eq!(with("AuthenticationMethods publickey,password publickey\n"), State::Pass);
    assert_eq!(with("AuthenticationMethods publickey password\n"), State::Partial);
}

#[test]
fn ssh_says_which_line_it_is_and_what_mends_it() {
    let (_, seen, fix) = Door::new("\nPermitRootLogin yes\nKbdInteractiveAuthentication no\n", OPEN).verdict();
    expect_test::expect![[r#"
        permitrootlogin yes (/etc/ssh/sshd_config:2), passwordauthentication yes, kbdinteractiveauthentication no (/etc/ssh/sshd_config:3), authenticationmethods any
        # /etc/ssh/sshd_config.d/00-vitrin.conf
        PasswordAuthentication no
        KbdInteractiveAuthentication no
        PermitRootLogin prohibit-password
        # then: sshd -t && systemctl reload ssh
    "#]]
    .assert_eq(&format!("{seen}\n{fix}\n"));
}

#[test]
fn a_match_block_that_opens_ssh_leaves_it_unknown_and_one_that_closes_counts_for_nothing() {
    let with = |text: &str| Door::new(text, OPEN).state();
    let opens = format!("{KEYS}Match Address 10.0.0.0/8\nPasswordAuthentication yes\n");
    assert_eq!(with(&opens), State::Unknown(Cause::Unsupported));
    assert_eq!(with(&format!("PermitRootLogin yes\nMatch User x\n{KEYS}")), State::Fail);
    assert_eq!(with(&format!("PermitRootLogin yes\nMatch all\n{KEYS}PermitRootLogin no\n")), State::Pass);
}

#[test]
fn ssh_does_not_apply_only_where_nobody_takes_it_from_outside() {
    assert_eq!(Door::new(KEYS, &[("127.0.0.1", 22)]).state(), State::NotApplicable);
    assert_eq!(Door::new("Port 2222\n", &[("0.0.0.0", 2222)]).state(), State::Partial);
    // It runs, and where it listens is in no file.
    assert_eq!(Door::new(KEYS, &[("0.0.0.0", 443)]).state(), State::Unknown(Cause::Unsupported));
    let mut without = Door::new(KEYS, &[("0.0.0.0", 443)]);
    without.seen.system.ssh.as_mut().unwrap().servers.clear();
    assert_eq!(without.state(), State::NotApplicable);
    without.seen.system.ssh.as_mut().unwrap().hides_processes = true;
    assert_eq!(without.state(), State::Unknown(Cause::Permission));
    without.seen.listeners = unknown(Cause::Permission);
    assert_eq!(without.state(), State::Unknown(Cause::Permission));
}

#[test]
fn what_sshd_itself_says_goes_before_what_was_read() {
    let mut door = Door::new("PermitRootLogin yes\n", OPEN);
    let said = [
        ("permitrootlogin", "without-password"),
        ("passwordauthentication", "no"),
        ("kbdinteractiveauthentication", "no"),
    ];
    let said = |more: &[(&str, &str)]| {
        said.iter().chain(more).map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
    };
    door.seen.facts = Ok(Facts { sshd: Ok(said(&[])), ..facts() });
    assert_eq!(door.state(), State::Pass);
    door.seen.facts =
        Ok(Facts { sshd: Ok(said(&[("match", "passwordauthentication yes (/etc/ssh/a:3)")])), ..facts() });
    assert_eq!(door.state(), State::Unknown(Cause::Unsupported));
    door.seen.facts =
        Ok(Facts { sshd: Ok(said(&[("passwordauthentication", "yes"), ("port", "2222 22")])), ..facts() });
    assert_eq!(door.state(), State::Partial);
}

#[test]
fn what_is_kept_between_rounds_takes_a_file_of_another_version() {
    let memory: super::Memory = serde_json::from_str("{}").unwrap();
    assert_eq!(memory, super::Memory::default());
}
