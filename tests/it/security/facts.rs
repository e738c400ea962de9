//! `vitrin facts`: what root writes down, by the programs themselves, and who gets to read it.

use std::fs;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::path::Path;
use std::process::{Command, Output};

use expect_test::expect;
use serde_json::Value;

use crate::support::daemon::{copy, folder};
use crate::support::fresh::only_root_can;
use crate::support::systemd::Systemd;

const VITRIN: &str = env!("CARGO_BIN_EXE_vitrin");

/// Somebody whom the service bans, in the test.
const BANNED: &str = "203.0.113.77";

/// A machine of its own for as long as this takes: its processes, its network with its rules, its /run.
const MACHINE: &str = r#"
mount --make-rprivate /
for folder in /run /var/lib/fail2ban /etc/fail2ban/jail.d /etc/nginx/conf.d /etc/ssh/sshd_config.d; do
  mkdir -p "$folder"
  mount -t tmpfs tmpfs "$folder"
done
mkdir /run/sshd /run/fail2ban
touch /run/access.log
umask 022
"#;

/// Runs a script there and returns what it printed.
#[track_caller]
fn on_a_machine(script: &str) -> String {
    only_root_can("make a machine of its own");
    let mut command = Command::new("unshare");
    command.args(["--mount", "--net", "--pid", "--fork", "--kill-child", "--mount-proc", "sh", "-euc"]);
    let output = command.arg(format!("{MACHINE}{script}")).args(["sh", VITRIN]).output().unwrap();
    assert!(output.status.success(), "{output:?}");
    String::from_utf8(output.stdout).unwrap()
}

/// A fact that is known.
#[track_caller]
fn known<'a>(facts: &'a Value, name: &str) -> &'a Value {
    facts["facts"][name].get("Ok").unwrap_or_else(|| panic!("{name}: {}", facts["facts"][name]))
}

#[test]
fn fail2ban_nftables_sshd_and_nginx_are_told_of_without_whom_they_ban() {
    let text = on_a_machine(&format!(
        r#"
        cat >/etc/fail2ban/jail.d/shop.conf <<'END'
[DEFAULT]
banaction = nftables-multiport
backend = polling
[sshd]
enabled = false
[nginx-botsearch]
enabled = true
logpath = /run/access.log
END
        printf 'server {{ listen 8443 ssl; ssl_certificate_key /run/key.pem; }}\n' >/etc/nginx/conf.d/shop.conf
        (umask 077; echo canary >/run/key.pem)
        printf 'PermitRootLogin no\nMatch Address 10.0.0.0/8\nPermitRootLogin yes\n' >/etc/ssh/sshd_config.d/shop.conf
        fail2ban-server -x -b --logtarget /run/fail2ban.log start >&2
        until fail2ban-client ping >/dev/null 2>&1; do :; done
        fail2ban-client set nginx-botsearch banip {BANNED} >&2
        nft list ruleset | grep -q {BANNED}
        "$1" facts --stdout
        "#
    ));
    assert!(!text.contains(BANNED) && !text.contains("canary"), "{text}");
    let facts: Value = serde_json::from_str(&text).unwrap();
    assert_eq!(facts["version"], 1);
    known(&facts, "ruleset");
    let jails = known(&facts, "jails");
    assert_eq!(*jails, serde_json::json!([{ "name": "nginx-botsearch", "files": ["/run/access.log"], "banned": 1 }]));
    let sshd = known(&facts, "sshd");
    assert_eq!((&sshd["permitrootlogin"], &sshd["port"]), (&Value::from("no"), &Value::from("22")));
    assert_eq!(sshd["match"], "permitrootlogin yes (/etc/ssh/sshd_config.d/shop.conf:3)");
    let key = &known(&facts, "keys")[0];
    assert_eq!((&key["file"]["path"], &key["file"]["mode"]), (&Value::from("/run/key.pem"), &Value::from(0o600)));
    assert_eq!(key["folders"][0]["path"], "/run");
}

#[test]
fn a_machine_where_nothing_runs_is_a_fact_too() {
    let facts: Value = serde_json::from_str(&on_a_machine("\"$1\" facts --stdout")).unwrap();
    assert_eq!(*known(&facts, "jails"), Value::Array(Vec::new()));
    known(&facts, "ruleset");
    known(&facts, "sshd");
}

fn as_somebody(user: u32, group: u32, command: &[&str]) -> Output {
    let (user, group) = (user.to_string(), group.to_string());
    let mut somebody = Command::new("setpriv");
    somebody.args(["--reuid", &user, "--regid", &group, "--clear-groups"]).args(command).output().unwrap()
}

#[test]
fn the_file_is_for_one_group_and_nobody_else() {
    only_root_can("write facts");
    let folder = folder();
    let file = folder.path().join("run/facts.json");
    let path = file.to_str().unwrap();
    let write = |group: &str| Command::new(VITRIN).args(["facts", "--out", path, "--group", group]).output().unwrap();
    let written = write("daemon");
    assert!(written.status.success() && written.stdout.is_empty() && written.stderr.is_empty(), "{written:?}");
    let modes = |path: &Path| fs::metadata(path).map(|file| (file.mode() & 0o7777, file.uid(), file.gid())).unwrap();
    assert_eq!((modes(&file), modes(file.parent().unwrap())), ((0o640, 0, 1), (0o750, 0, 1)));
    assert_eq!(fs::read_dir(file.parent().unwrap()).unwrap().count(), 1);
    assert!(as_somebody(65_534, 1, &["cat", path]).status.success());
    assert!(!as_somebody(65_534, 65_534, &["cat", path]).status.success());

    let nobody = write("vitrin-no-such-group");
    assert_eq!(nobody.status.code(), Some(2));
    expect![[r#"
        there is no group `vitrin-no-such-group` in /etc/group
          hint: name the one that Vitrin serves as with --group
    "#]]
    .assert_eq(&String::from_utf8(nobody.stderr).unwrap());
}

#[test]
fn a_root_without_users_is_told_with_the_way_out() {
    only_root_can("write facts");
    let folder = folder();
    let root = folder.path().to_str().unwrap();
    for (command, file) in [("facts", "etc/group"), ("security", "etc/passwd")] {
        let output = Command::new(VITRIN).args([command, "--path.rootfs", root]).output().unwrap();
        let told = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(2), "{told}");
        assert!(told.contains(&format!("{root}/{file}: ")) && told.contains("hint: --path.rootfs names"), "{told}");
    }
}

#[test]
fn whoever_is_not_root_writes_no_facts() {
    only_root_can("become somebody else");
    let folder = folder();
    let program = folder.path().join("vitrin");
    copy(Path::new(VITRIN), &program);
    fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).unwrap();
    let output = as_somebody(65_534, 65_534, &[program.to_str().unwrap(), "facts", "--stdout"]);
    assert_eq!((output.status.code(), output.stdout.len()), (Some(2), 0));
    expect![[r#"
        only root sees what `vitrin facts` writes down
          hint: systemctl enable --now vitrin-facts.timer
    "#]]
    .assert_eq(&String::from_utf8(output.stderr).unwrap());
}

#[test]
fn behind_the_walls_of_its_unit_root_sees_the_same() {
    only_root_can("start a systemd");
    let unit =
        fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("packaging/vitrin-facts.service")).unwrap();
    // A group that every machine has, and the program where the test puts it.
    let unit = unit
        .replace("Group=vitrin", "Group=daemon")
        .replace("/usr/bin/vitrin facts", "/run/program facts --group daemon");
    let systemd = Systemd::start(&[("vitrin-facts.service", &unit)], "");
    let at = |name: &str| systemd.root().join("run").join(name);
    copy(Path::new(VITRIN), &at("program"));
    fs::create_dir(at("sshd")).unwrap();
    systemd.control(&["start", "vitrin-facts.service"]);
    let state = systemd.control(&["show", "--property=Result,ActiveState", "vitrin-facts.service"]);
    assert!(state.contains("Result=success\n") && state.contains("ActiveState=inactive\n"), "{state}");
    let file = fs::metadata(at("vitrin/facts.json")).unwrap();
    assert_eq!((file.mode() & 0o7777, file.uid(), file.gid()), (0o640, 0, 1), "it outlives the unit");
    let inside: Value = serde_json::from_slice(&fs::read(at("vitrin/facts.json")).unwrap()).unwrap();
    let outside = systemd.inside("/run/program").args(["facts", "--stdout"]).output().unwrap();
    let mut outside: Value = serde_json::from_slice(&outside.stdout).unwrap();
    outside["facts"]["written"] = inside["facts"]["written"].clone();
    assert_eq!(inside, outside);
}
