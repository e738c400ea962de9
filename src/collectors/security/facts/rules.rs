//! The rules of the firewall, from the programs that tell of them.

use std::fs;

use super::program::Ask;
use crate::collector::Paths;
use crate::collectors::security::firewall::{EMPTY, Ruleset};
use crate::collectors::security::verdict::{Cause, Known, Unknown};
use crate::machine::beginning;

/// What iptables-save of the newer kind says where rules of the older one are loaded, too; it does not show them.
const OTHERS: &str = "iptables-legacy tables present";

/// What to do where iptables is the older one: it asks by a raw socket of the network's, which the unit does not allow.
const OLDER: &str = "it is of the older iptables (legacy), which takes a raw socket. Move the rules to nftables: \
    iptables-legacy-save | iptables-nft-restore, then update-alternatives --set iptables /usr/sbin/iptables-nft; or \
    systemctl edit vitrin-facts.service: [Service], CapabilityBoundingSet=CAP_NET_RAW, \
    RestrictAddressFamilies=AF_INET AF_INET6";

/// The rules that are loaded.
///
/// A program that is missing is no proof that there are no rules: other programs load some, too. It is one where the kernel
/// has not loaded what rules are kept in.
pub(super) fn look(paths: &Paths, ask: &Ask<'_>) -> Known<Ruleset> {
    let nft = match said(ask, "nft", &["-j", "list", "ruleset"])? {
        Some(text) => text,
        None if is_absent(paths, &["nf_tables"]) => EMPTY.to_owned(),
        None => {
            let why = "there is no `nft` to tell which rules are loaded: install nftables";
            return Err(Unknown::new(Cause::Unsupported, why));
        }
    };
    let saved = |program| said(ask, program, &[]);
    let (v4, v6) = (saved("iptables-save")?, saved("ip6tables-save")?);
    let of_others = [&v4, &v6].into_iter().flatten().any(|text| text.contains(OTHERS));
    let unsaved = v4.is_none() && !is_absent(paths, &["ip_tables"]) && has_tables(paths, "ip_tables_names");
    if of_others || unsaved {
        let why = "rules of the older iptables are loaded beside those of nft, and both decide (iptables-legacy-save): \
                   move them to one, with iptables-legacy-save | iptables-nft-restore, then iptables-legacy -F";
        return Err(Unknown::new(Cause::Unsupported, why));
    }
    Ruleset::parse(&nft, v4.as_deref(), v6.as_deref())
}

/// What a program prints; `None` when it is not there.
fn said(ask: &Ask<'_>, program: &str, arguments: &[&str]) -> Known<Option<String>> {
    match ask(program, arguments)? {
        None => Ok(None),
        Some(answer) if answer.is_success => Ok(Some(answer.text)),
        Some(answer) if answer.words.contains("(legacy)") => {
            Err(Unknown::new(Cause::Permission, format!("{program} may not look: {OLDER}")))
        }
        Some(answer) if answer.words.contains("not permitted") || answer.words.contains("ermission denied") => {
            Err(Unknown::new(Cause::Permission, format!("{program} may not look: it takes CAP_NET_ADMIN")))
        }
        Some(_) => Err(Unknown::new(Cause::Unsupported, format!("{program} fails: run it by hand to see why"))),
    }
}

/// Whether the kernel has not loaded these modules, and they are modules. What cannot be seen may be loaded.
fn is_absent(paths: &Paths, modules: &[&str]) -> bool {
    let release = fs::read_to_string(paths.proc.join("sys/kernel/osrelease")).unwrap_or_default();
    let built_in = paths.root.join("lib/modules").join(release.trim()).join("modules.builtin");
    let (Ok(loaded), Ok(built_in)) = (beginning(&paths.proc.join("modules"), 1 << 20), beginning(&built_in, 1 << 20))
    else {
        return false;
    };
    let is_loaded = |module: &str| loaded.lines().any(|line| line.split(' ').next() == Some(module));
    let is_built_in = |module: &str| built_in.lines().any(|line| line.ends_with(&format!("/{module}.ko")));
    modules.iter().all(|module| !is_loaded(module) && !is_built_in(module))
}

/// Whether tables of the older iptables are loaded.
fn has_tables(paths: &Paths, names: &str) -> bool {
    let names = beginning(&paths.proc.join("net").join(names), 4 << 10);
    names.is_ok_and(|names| !names.trim().is_empty())
}

#[cfg(test)]
mod tests {
    use super::super::program::Answer;
    use super::*;

    fn machine(modules: &str, built_in: &str) -> (tempfile::TempDir, Paths) {
        let folder = tempfile::tempdir().unwrap();
        let at = |path: &str| folder.path().join(path);
        for folder in ["proc/sys/kernel", "proc/net", "lib/modules/6.1.0-40-amd64"] {
            fs::create_dir_all(at(folder)).unwrap();
        }
        fs::write(at("proc/sys/kernel/osrelease"), "6.1.0-40-amd64\n").unwrap();
        fs::write(at("proc/modules"), modules).unwrap();
        fs::write(at("lib/modules/6.1.0-40-amd64/modules.builtin"), built_in).unwrap();
        let paths = Paths { proc: at("proc"), root: folder.path().to_owned(), ..Paths::default() };
        (folder, paths)
    }

    #[expect(clippy::unnecessary_wraps, reason = "as asking a program answers")]
    fn answer(is_success: bool, text: &str, words: &str) -> Known<Option<Answer>> {
        Ok(Some(Answer { is_success, text: text.to_owned(), words: words.to_owned() }))
    }

    #[test]
    fn no_program_and_no_module_are_no_rules_and_no_program_alone_says_nothing() {
        let absent = |_: &str, _: &[&str]| Ok(None);
        let (_folder, paths) = machine("ext4 1 2 - Live 0x0\n", "kernel/fs/btrfs/btrfs.ko\n");
        assert!(look(&paths, &absent).is_ok());
        for (modules, built_in) in [
            ("nf_tables 1 2 - Live 0x0\n", "kernel/fs/btrfs/btrfs.ko\n"),
            ("ext4 1 2 - Live 0x0\n", "kernel/net/netfilter/nf_tables.ko\n"),
        ] {
            let (_folder, paths) = machine(modules, built_in);
            assert_eq!(look(&paths, &absent).unwrap_err().cause, Cause::Unsupported);
        }
        // A kernel that shows neither.
        let nowhere = Paths { proc: "/nowhere".into(), root: "/nowhere".into(), ..Paths::default() };
        assert!(look(&nowhere, &absent).is_err());
    }

    #[test]
    fn rules_that_no_program_shows_together_are_unknown() {
        let (_folder, paths) = machine("nf_tables 1 2 - Live 0x0\n", "");
        let warned = |program: &str, _: &[&str]| match program {
            "nft" => answer(true, EMPTY, ""),
            _ => answer(true, "# Warning: iptables-legacy tables present, use iptables-legacy-save to see them\n", ""),
        };
        assert!(look(&paths, &warned).is_err_and(|unknown| unknown.cause == Cause::Unsupported));
        let plain = |program: &str, _: &[&str]| if program == "nft" { answer(true, EMPTY, "") } else { Ok(None) };
        assert!(look(&paths, &plain).is_ok());
        fs::write(paths.proc.join("net/ip_tables_names"), "filter\n").unwrap();
        fs::write(paths.proc.join("modules"), "ip_tables 1 2 - Live 0x0\n").unwrap();
        assert!(look(&paths, &plain).is_err());
    }

    #[test]
    fn of_the_older_iptables_it_is_told_what_to_do() {
        let (_folder, paths) = machine("", "");
        // iptables 1.8.9, below a filter for families of addresses.
        let words = "iptables-save v1.8.9 (legacy): Cannot initialize: Address family not supported by protocol\n";
        let legacy = |program: &str, _: &[&str]| match program {
            "nft" => answer(true, EMPTY, ""),
            _ => answer(false, "", words),
        };
        let unknown = look(&paths, &legacy).unwrap_err();
        assert_eq!(unknown.cause, Cause::Permission);
        for line in ["CAP_NET_RAW", "AF_INET AF_INET6", "iptables-nft-restore"] {
            assert!(unknown.why.contains(line), "{}", unknown.why);
        }
    }

    #[test]
    fn without_the_right_it_is_a_matter_of_permission() {
        let (_folder, paths) = machine("", "");
        let refused = |_: &str, _: &[&str]| answer(false, "", "Operation not permitted (you must be root)");
        assert_eq!(look(&paths, &refused).unwrap_err().cause, Cause::Permission);
    }
}
