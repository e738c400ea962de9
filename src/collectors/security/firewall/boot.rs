//! What brings the firewall's rules back after a reboot: a service that is enabled, and what it would load.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::listeners::unreadable;
use super::ranges::Version;
use super::routing::Routing;
use super::{EMPTY, Ruleset};
use crate::collectors::security::verdict::{Cause, Known, Unknown};
use crate::{glob, machine};

/// The most of a file that is read, and the most files that one includes.
const FILE_BYTES: u64 = 1 << 20;
const FILES: usize = 64;

/// The folders that hold systemd's units, the operator's before the packages'.
const UNITS: [&str; 3] = ["etc/systemd/system", "usr/lib/systemd/system", "lib/systemd/system"];

/// The services that load rules at boot.
const SERVICES: [&str; 7] = ["nftables", "ufw", "firewalld", "netfilter-persistent", "iptables", "ip6tables", "csf"];

/// What is done about the firewall at boot.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct AtBoot {
    /// The services that are enabled.
    pub(crate) enabled: Vec<Enabled>,
    /// The services that are installed, and not enabled.
    pub(crate) disabled: Vec<String>,
}

/// A service that is started at boot.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Enabled {
    /// Its name.
    pub(crate) service: String,
    /// What it would load.
    pub(crate) stored: Stored,
}

/// What a service would load.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Stored {
    /// Rules that turn away some of what comes in, by this file.
    Filters(PathBuf),
    /// Nothing that would turn anything away, by this file.
    Nothing(PathBuf),
    /// This file may not be read.
    Unreadable(PathBuf),
    /// It is told in this file to do nothing.
    Off(PathBuf),
}

impl AtBoot {
    /// Looks below `root`, the host's root file system. Blocks.
    pub(crate) fn look(root: &Path) -> Known<Self> {
        let units = root.join(UNITS[0]);
        let no_systemd = |error: io::Error| match error.kind() {
            io::ErrorKind::NotFound => Unknown::new(
                Cause::Unsupported,
                "there is no /etc/systemd/system; only systemd's services are looked at",
            ),
            _ => unreadable("/etc/systemd/system", &error),
        };
        fs::read_dir(&units).map_err(no_systemd)?;
        let wants: Vec<_> = UNITS
            .iter()
            .flat_map(|folder| ["wants", "requires"].map(|kind| format!("/{folder}/*.{kind}")))
            .flat_map(|pattern| glob::expand(root, &pattern))
            .collect();
        let mut found = Self::default();
        for service in SERVICES {
            let unit = format!("{service}.service");
            let installed = UNITS.iter().map(|folder| root.join(folder).join(&unit));
            let Some(file) = installed.into_iter().find(|file| file.symlink_metadata().is_ok()) else { continue };
            let is_masked = fs::read_link(&file).is_ok_and(|target| target == Path::new("/dev/null"));
            if !is_masked && wants.iter().any(|folder| folder.join(&unit).symlink_metadata().is_ok()) {
                found.enabled.push(Enabled { service: service.to_owned(), stored: stored(root, service, &file) });
            } else {
                found.disabled.push(service.to_owned());
            }
        }
        Ok(found)
    }
}

/// A file of the host.
struct Text {
    /// Where it is, on the host.
    path: PathBuf,
    /// What stands in it.
    text: io::Result<String>,
}

impl Text {
    fn read(root: &Path, path: &str) -> Self {
        let text = machine::beginning(&root.join(path), FILE_BYTES);
        Self { path: Path::new("/").join(path), text }
    }

    /// What its text says.
    fn says(self, judged: impl FnOnce(PathBuf, &str) -> Stored) -> Stored {
        match self.text {
            Ok(text) => judged(self.path, &text),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Stored::Nothing(self.path),
            Err(_) => Stored::Unreadable(self.path),
        }
    }
}

/// What a service would load.
fn stored(root: &Path, service: &str, unit: &Path) -> Stored {
    match service {
        "nftables" => nftables(root, unit),
        "ufw" => match Text::read(root, "etc/ufw/ufw.conf") {
            conf if conf.text.as_ref().is_ok_and(|text| setting(text, "ENABLED") == Some("no")) => {
                Stored::Off(conf.path)
            }
            _ => Text::read(root, "etc/default/ufw").says(|path, text| match setting(text, "DEFAULT_INPUT_POLICY") {
                Some("DROP" | "REJECT") => Stored::Filters(path),
                _ => Stored::Nothing(path),
            }),
        },
        "firewalld" => {
            let conf = Text::read(root, "etc/firewalld/firewalld.conf");
            if conf.text.as_ref().is_err_and(|error| error.kind() == io::ErrorKind::PermissionDenied) {
                return Stored::Unreadable(conf.path);
            }
            let text = conf.text.unwrap_or_default();
            let zone = setting(&text, "DefaultZone").filter(|zone| !zone.contains('/')).unwrap_or("public");
            let own = Text::read(root, &format!("etc/firewalld/zones/{zone}.xml"));
            let is_own = !own.text.as_ref().is_err_and(|error| error.kind() == io::ErrorKind::NotFound);
            let file = if is_own { own } else { Text::read(root, &format!("usr/lib/firewalld/zones/{zone}.xml")) };
            file.says(
                |path, text| {
                    if text.contains("target=\"ACCEPT\"") { Stored::Nothing(path) } else { Stored::Filters(path) }
                },
            )
        }
        "netfilter-persistent" => iptables(root, "etc/iptables/rules.v4", Version::V4),
        "iptables" => iptables(root, "etc/sysconfig/iptables", Version::V4),
        "ip6tables" => iptables(root, "etc/sysconfig/ip6tables", Version::V6),
        _ => Text::read(root, "etc/csf/csf.conf").says(|path, text| match setting(text, "TESTING") {
            Some("0") => Stored::Filters(path),
            _ => Stored::Off(path),
        }),
    }
}

/// `NAME=value`, `NAME = "value"`; the last one holds.
fn setting<'a>(text: &'a str, name: &str) -> Option<&'a str> {
    let value = |line: &'a str| Some(line.trim().strip_prefix(name)?.trim_start().strip_prefix('=')?.trim());
    text.lines().filter_map(value).next_back().map(|value| value.trim_matches('"'))
}

/// What `iptables-save` wrote is evaluated like what is loaded.
fn iptables(root: &Path, path: &str, version: Version) -> Stored {
    Text::read(root, path).says(|path, text| {
        let (v4, v6) = match version {
            Version::V4 => (Some(text), None),
            Version::V6 => (None, Some(text)),
        };
        match Ruleset::parse(EMPTY, v4, v6) {
            Ok(ruleset) if ruleset.share(&Routing::default(), version).closed > 0 => Stored::Filters(path),
            _ => Stored::Nothing(path),
        }
    })
}

/// nft's own language is not evaluated: what it would load has an input hook, and something that turns away. A chain
/// that is hooked and empty, as Debian's package brings it, protects nothing.
fn nftables(root: &Path, unit: &Path) -> Stored {
    let unit = machine::beginning(unit, FILE_BYTES).unwrap_or_default();
    let loaded = unit.lines().filter(|line| line.starts_with("ExecStart=")).find_map(|line| {
        let mut words = line.split_ascii_whitespace().skip_while(|word| *word != "-f");
        words.nth(1)?.strip_prefix('/')
    });
    let first = loaded.unwrap_or("etc/nftables.conf").to_owned();
    let (mut waiting, mut words, mut next) = (vec![first.clone()], Vec::new(), 0);
    while let Some(path) = waiting.get(next).cloned().filter(|_| next < FILES) {
        next += 1;
        let file = Text::read(root, &path);
        match file.text {
            Ok(text) => {
                for line in text.lines().map(|line| line.split('#').next().unwrap_or_default()) {
                    if let Some(included) = line.trim().strip_prefix("include") {
                        waiting.extend(included_files(root, included));
                    }
                    words.extend(line.split(|c: char| c.is_whitespace() || ";{}".contains(c)).map(str::to_owned));
                }
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(_) => return Stored::Unreadable(file.path),
        }
    }
    words.retain(|word| !word.is_empty());
    let has_input = words.windows(2).any(|pair| pair[0] == "hook" && pair[1] == "input");
    let turns_away = words.iter().any(|word| ["drop", "reject"].contains(&word.as_str()));
    let path = Path::new("/").join(first);
    if has_input && turns_away { Stored::Filters(path) } else { Stored::Nothing(path) }
}

/// The files that `include "…"` means: a path or a pattern, below `/etc` where it is none from the root.
fn included_files(root: &Path, text: &str) -> Vec<String> {
    let pattern = text.trim().trim_matches(['"', '\'', ';']);
    let pattern = if pattern.starts_with('/') { pattern.to_owned() } else { format!("/etc/{pattern}") };
    let below = |path: PathBuf| Some(path.strip_prefix(root).ok()?.to_str()?.trim_start_matches('/').to_owned());
    glob::expand(root, &pattern).into_iter().filter_map(below).take(FILES).collect()
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    fn host(service: &str, files: &[(&str, &str)]) -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path();
        let wants = root.join("etc/systemd/system/multi-user.target.wants");
        fs::create_dir_all(&wants).unwrap();
        fs::create_dir_all(root.join("lib/systemd/system")).unwrap();
        let unit = format!("{service}.service");
        fs::write(
            root.join("lib/systemd/system").join(&unit),
            "[Service]\nExecStart=/usr/sbin/nft -f /etc/nftables.conf\n",
        )
        .unwrap();
        symlink(format!("/lib/systemd/system/{unit}"), wants.join(&unit)).unwrap();
        for (path, text) in files {
            fs::create_dir_all(root.join(path).parent().unwrap()).unwrap();
            fs::write(root.join(path), text).unwrap();
        }
        folder
    }

    fn stored_by(service: &str, files: &[(&str, &str)]) -> Stored {
        let folder = host(service, files);
        let found = AtBoot::look(folder.path()).unwrap();
        assert_eq!(found.enabled.len(), 1, "{found:?}");
        found.enabled[0].stored.clone()
    }

    const STOCK: &str = "#!/usr/sbin/nft -f\nflush ruleset\ntable inet filter {\n\tchain input {\n\
        \t\ttype filter hook input priority filter;\n\t}\n}\n";

    #[test]
    fn the_file_that_debian_s_package_brings_protects_nothing() {
        let conf = || "/etc/nftables.conf".into();
        assert_eq!(stored_by("nftables", &[("etc/nftables.conf", STOCK)]), Stored::Nothing(conf()));
        assert_eq!(stored_by("nftables", &[]), Stored::Nothing(conf()));
        let commented = format!("{STOCK}# policy drop;\n");
        assert_eq!(stored_by("nftables", &[("etc/nftables.conf", &commented)]), Stored::Nothing(conf()));
        let drops = STOCK.replace("filter;\n", "filter; policy drop;\n");
        assert_eq!(stored_by("nftables", &[("etc/nftables.conf", &drops)]), Stored::Filters(conf()));
    }

    #[test]
    fn rules_may_be_in_files_that_are_included() {
        let rules = STOCK.replace("filter;\n", "filter; policy drop;\n");
        let files = [("etc/nftables.conf", "include \"/etc/nftables.d/*.nft\"\n"), ("etc/nftables.d/a.nft", &*rules)];
        assert_eq!(stored_by("nftables", &files), Stored::Filters("/etc/nftables.conf".into()));
        let endless = [("etc/nftables.conf", "include \"/etc/nftables.conf\"\n")];
        assert_eq!(stored_by("nftables", &endless), Stored::Nothing("/etc/nftables.conf".into()));
    }

    #[test]
    fn what_iptables_saved_is_evaluated() {
        let file = "etc/iptables/rules.v4";
        let drops = "*filter\n:INPUT DROP [0:0]\n-A INPUT -p tcp -m tcp --dport 22 -j ACCEPT\nCOMMIT\n";
        assert_eq!(stored_by("netfilter-persistent", &[(file, drops)]), Stored::Filters(format!("/{file}").into()));
        let accepts = "*filter\n:INPUT DROP [0:0]\n-A INPUT -j ACCEPT\nCOMMIT\n";
        assert_eq!(stored_by("netfilter-persistent", &[(file, accepts)]), Stored::Nothing(format!("/{file}").into()));
    }

    #[test]
    fn ufw_firewalld_and_csf_say_whether_they_are_on() {
        let default = ("etc/default/ufw", "IPV6=yes\nDEFAULT_INPUT_POLICY=\"DROP\"\n");
        let stored = stored_by("ufw", &[("etc/ufw/ufw.conf", "ENABLED=yes\nLOGLEVEL=low\n"), default]);
        assert_eq!(stored, Stored::Filters("/etc/default/ufw".into()));
        let stored = stored_by("ufw", &[("etc/ufw/ufw.conf", "ENABLED=no\n"), default]);
        assert_eq!(stored, Stored::Off("/etc/ufw/ufw.conf".into()));
        let zones = ("usr/lib/firewalld/zones/public.xml", "<zone><service name=\"ssh\"/></zone>");
        assert_eq!(stored_by("firewalld", &[zones]), Stored::Filters(format!("/{}", zones.0).into()));
        let trusted = ("usr/lib/firewalld/zones/trusted.xml", "<zone target=\"ACCEPT\"></zone>");
        let stored = stored_by("firewalld", &[("etc/firewalld/firewalld.conf", "DefaultZone=trusted\n"), trusted]);
        assert_eq!(stored, Stored::Nothing(format!("/{}", trusted.0).into()));
        let stored = stored_by("csf", &[("etc/csf/csf.conf", "TESTING = \"1\"\n")]);
        assert_eq!(stored, Stored::Off("/etc/csf/csf.conf".into()));
    }

    #[test]
    fn a_service_that_is_masked_or_only_installed_is_not_enabled() {
        let folder = host("nftables", &[("etc/nftables.conf", STOCK), ("lib/systemd/system/ufw.service", "")]);
        symlink("/dev/null", folder.path().join("etc/systemd/system/nftables.service")).unwrap();
        let found = AtBoot::look(folder.path()).unwrap();
        assert_eq!((found.enabled.len(), &found.disabled[..]), (0, &["nftables".to_owned(), "ufw".to_owned()][..]));
        assert_eq!(AtBoot::look(Path::new("/nowhere")).unwrap_err().cause, Cause::Unsupported);
    }
}
