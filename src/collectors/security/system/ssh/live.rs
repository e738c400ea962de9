//! The parser against OpenSSH's own: `sshd -T` on odd configurations.

use std::fs;
use std::path::Path;
use std::process::Command;

use super::configuration::read_from;
use super::printed;

/// Files that are included, each with its name.
type Files = &'static [(&'static str, &'static str)];

/// Where `FOLDER` stands, the folder of the files is put.
const ODD: [(&str, &str, Files); 16] = [
    ("nothing is said", "", &[]),
    ("the first value wins", "PermitRootLogin no\nPermitRootLogin yes\nPasswordAuthentication no\n", &[]),
    ("names in any case, with an equals sign", "permitROOTlogin=YES\n  passwordauthentication  =  no\n", &[]),
    ("values in quotes", "PermitRootLogin \"no\"\nPasswordAuthentication=\"no\"\n", &[]),
    ("comments", "# PermitRootLogin yes\n\t#PermitRootLogin yes\nPermitRootLogin no # yes\n", &[]),
    ("what OpenSSH called it before", "ChallengeResponseAuthentication no\nKbdInteractiveAuthentication yes\n", &[]),
    ("a Match block for some", "PasswordAuthentication no\nMatch User x\nPasswordAuthentication yes\n", &[]),
    ("Match all goes before what is outside", "PermitRootLogin yes\nMatch all\nPermitRootLogin no\n", &[]),
    (
        "the first Match all wins",
        "Match all\nPermitRootLogin no\nMatch User x\nMatch all\nPermitRootLogin yes\nPasswordAuthentication no\n",
        &[],
    ),
    (
        "an include stands where it is included",
        "PasswordAuthentication no\nInclude FOLDER/d/*.conf\nPermitRootLogin no\n",
        &[
            ("d/b.conf", "PermitRootLogin yes\nPasswordAuthentication yes\n"),
            ("d/a.conf", "PermitRootLogin prohibit-password\n"),
        ],
    ),
    (
        "a Match block of an include ends with it",
        "Include FOLDER/a\nPermitRootLogin no\n",
        &[("a", "Match User x\nPermitRootLogin yes\n")],
    ),
    (
        "an include within a Match block is for some",
        "Match User x\nInclude FOLDER/a\nMatch all\nPermitRootLogin yes\n",
        &[("a", "PermitRootLogin no\nMatch all\nPasswordAuthentication no\n")],
    ),
    (
        "an include of nothing, and of several",
        "Include FOLDER/none/*.conf FOLDER/a\n",
        &[("a", "PermitRootLogin yes\n")],
    ),
    (
        "ways that take several steps",
        "AuthenticationMethods publickey,password publickey\nPermitRootLogin forced-commands-only\n",
        &[],
    ),
    ("several ports", "Port 2222\nPort 22\nListenAddress 127.0.0.1:2022\nListenAddress [::1]:2023\n", &[]),
    (
        "the older word for a key alone, and Windows' lines",
        "PermitRootLogin without-password\r\nPasswordAuthentication no\r\n",
        &[],
    ),
];

#[test]
fn what_is_read_is_what_sshd_makes_of_it() {
    for (what, text, files) in ODD {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        let here = folder.path().display().to_string();
        for (name, text) in files {
            fs::create_dir_all(at(name).parent().unwrap()).unwrap();
            fs::write(at(name), text.replace("FOLDER", &here)).unwrap();
        }
        fs::write(at("sshd_config"), text.replace("FOLDER", &here)).unwrap();
        let expected = asked(folder.path());
        let configured = read_from(Path::new("/"), &at("sshd_config")).unwrap();
        let plain = configured.plain();
        let mut compared = 0;
        for (name, value) in expected.iter().filter(|(name, _)| plain.contains_key(*name)) {
            assert_eq!(same(&plain[name]), same(value), "{what}: {name}");
            compared += 1;
        }
        assert_eq!(compared, 4, "{what}: {expected:?}");
        for port in expected["port"].split(' ').map(|port| port.parse::<u16>().unwrap()) {
            assert!(configured.ports.contains(&port), "{what}: {:?} has no {port}", configured.ports);
        }
    }
}

/// One word for two that mean the same.
fn same(value: &str) -> &str {
    if value == "without-password" { "prohibit-password" } else { value }
}

/// What sshd makes of the configuration in a folder. It wants a key, and a folder in /run that its service makes.
fn asked(folder: &Path) -> std::collections::BTreeMap<String, String> {
    let script = "ssh-keygen -q -t ed25519 -N '' -f \"$1/key\"; mount -t tmpfs tmpfs /run; mkdir /run/sshd; \
                  exec /usr/sbin/sshd -T -h \"$1/key\" -f \"$1/sshd_config\"";
    let output = Command::new("unshare").args(["--mount", "sh", "-euc", script, "sh"]).arg(folder).output().unwrap();
    let words = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "openssh-server, asked by root: {words}");
    printed(&String::from_utf8(output.stdout).unwrap())
}
