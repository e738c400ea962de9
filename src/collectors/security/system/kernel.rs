//! The kernel's settings against floods and forged addresses (DD-05), from `/proc/sys`.

use std::fs;
use std::io::ErrorKind;
use std::path::Path;

use super::super::seen::Seen;
use super::super::verdict::{Cause, Known, Unknown, Verdict};
use crate::machine::beginning;

/// The most network interfaces that are looked at: a machine with many containers has hundreds.
const INTERFACES: usize = 4_096;

/// From which share of its table on connections are about to be refused, and the share that is a risk.
const FULL: f64 = 0.9;
const RISK: f64 = 0.7;

/// The kernel's settings, as they work on each interface: some are the larger, some the lower of the one for all and the
/// interface's own (`Documentation/networking/ip-sysctl.rst`).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Kernel {
    /// `net.ipv4.tcp_syncookies`.
    pub(crate) syncookies: u64,
    /// `net.core.somaxconn`: how many connections may wait to be taken. Shown, not judged.
    pub(crate) waiting: Option<u64>,
    /// Interfaces whose packets may come from any address, by `rp_filter`.
    pub(crate) unfiltered: Vec<String>,
    /// Interfaces on which routers may redirect, each with the setting that allows it.
    pub(crate) redirected: Vec<String>,
    /// Interfaces on which a sender may choose a packet's way, likewise.
    pub(crate) source_routed: Vec<String>,
    /// How many connections are tracked, and how many can be; `None` where none are.
    pub(crate) tracked: Option<(u64, u64)>,
}

/// Reads them below `proc`, where procfs is mounted.
pub(super) fn look(proc: &Path) -> Known<Kernel> {
    let sys = proc.join("sys/net");
    let syncookies = number(&sys.join("ipv4/tcp_syncookies"))?
        .ok_or_else(|| Unknown::new(Cause::Unsupported, "the kernel has no net.ipv4.tcp_syncookies"))?;
    let mut kernel = Kernel {
        syncookies: u64::try_from(syncookies).unwrap_or_default(),
        waiting: number(&sys.join("core/somaxconn"))?.and_then(|number| u64::try_from(number).ok()),
        ..Kernel::default()
    };
    kernel.look_at_ipv4(&sys.join("ipv4/conf"))?;
    kernel.look_at_ipv6(&sys.join("ipv6/conf"))?;
    let tracked = |name: &str| {
        Known::Ok(number(&sys.join("netfilter").join(name))?.and_then(|number| u64::try_from(number).ok()))
    };
    kernel.tracked = tracked("nf_conntrack_count")?.zip(tracked("nf_conntrack_max")?);
    Ok(kernel)
}

impl Kernel {
    fn look_at_ipv4(&mut self, folder: &Path) -> Known<()> {
        let of = |interface: &str, name: &str| {
            let path = folder.join(interface).join(name);
            number(&path)?.ok_or_else(|| Unknown::new(Cause::Unsupported, format!("net.ipv4.conf has no {name}")))
        };
        let all = |name: &str| of("all", name);
        let (filter, redirects, routes) = (all("rp_filter")?, all("accept_redirects")?, all("accept_source_route")?);
        for interface in interfaces(folder)? {
            let own = |name: &str| of(&interface, name);
            if filter.max(own("rp_filter")?) < 1 {
                self.unfiltered.push(format!("net.ipv4.conf.{interface}.rp_filter"));
            }
            // A router takes redirects where both say so, any other machine where either does.
            let redirect = own("accept_redirects")?;
            let takes = if own("forwarding")? > 0 { redirects.min(redirect) } else { redirects.max(redirect) };
            if takes > 0 {
                self.redirected.push(format!("net.ipv4.conf.{interface}.accept_redirects"));
            }
            if routes.min(own("accept_source_route")?) > 0 {
                self.source_routed.push(format!("net.ipv4.conf.{interface}.accept_source_route"));
            }
        }
        Ok(())
    }

    fn look_at_ipv6(&mut self, folder: &Path) -> Known<()> {
        // Booted with ipv6.disable=1, or built without.
        if !folder.exists() {
            return Ok(());
        }
        let of =
            |interface: &str, name: &str| Known::Ok(number(&folder.join(interface).join(name))?.unwrap_or_default());
        let routes = of("all", "accept_source_route")?;
        for interface in interfaces(folder)? {
            let own = |name: &str| of(&interface, name);
            if own("disable_ipv6")? > 0 {
                continue;
            }
            // Redirects are taken by hosts alone, unless it is 2; the one for all only sets those there are.
            if own("accept_redirects")? > 0 && own("forwarding")? == 0 {
                self.redirected.push(format!("net.ipv6.conf.{interface}.accept_redirects"));
            }
            if routes.min(own("accept_source_route")?) > 0 {
                self.source_routed.push(format!("net.ipv6.conf.{interface}.accept_source_route"));
            }
        }
        Ok(())
    }

    /// How much of the table of tracked connections is in use.
    #[expect(clippy::cast_precision_loss, reason = "a share needs no more digits")]
    fn share(&self) -> Option<f64> {
        self.tracked.filter(|(_, most)| *most > 0).map(|(now, most)| now as f64 / most as f64)
    }
}

/// The interfaces that a folder of settings has, the one for new interfaces among them; not the loopback.
fn interfaces(folder: &Path) -> Known<Vec<String>> {
    let failed = |error| unknown(folder, &error);
    let entries = fs::read_dir(folder).map_err(failed)?;
    let mut names: Vec<_> = entries
        .take(INTERFACES)
        .filter_map(|entry| entry.ok()?.file_name().into_string().ok())
        .filter(|name| !["all", "lo"].contains(&name.as_str()))
        .collect();
    names.sort();
    Ok(names)
}

/// The number in a file; `None` where there is no such file.
fn number(path: &Path) -> Known<Option<i64>> {
    match beginning(path, 64) {
        Ok(text) => match text.trim().parse() {
            Ok(number) => Ok(Some(number)),
            Err(_) => Err(Unknown::new(Cause::Unparsable, format!("{} holds no number", path.display()))),
        },
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(unknown(path, &error)),
    }
}

fn unknown(path: &Path, error: &std::io::Error) -> Unknown {
    let cause = if error.kind() == ErrorKind::PermissionDenied { Cause::Permission } else { Cause::Unsupported };
    Unknown::new(cause, format!("reading {}: {error}", path.display()))
}

/// Judges DD-05. An interface that is made later has what `default` says, so that counts, too.
pub(super) fn judge(seen: &Seen) -> Verdict {
    let kernel = match &seen.system.kernel {
        Ok(kernel) => kernel,
        Err(unknown) => return unknown.into(),
    };
    let share = kernel.share();
    let (mut open, mut fix) = (Vec::new(), Vec::new());
    let is_flooded = kernel.syncookies == 0;
    if is_flooded {
        open.push("net.ipv4.tcp_syncookies is 0".to_owned());
        fix.push("net.ipv4.tcp_syncookies = 1".to_owned());
    }
    for (names, what, value) in [
        (&kernel.unfiltered, "take packets from forged addresses", 1),
        (&kernel.redirected, "take redirects", 0),
        (&kernel.source_routed, "take routes from senders", 0),
    ] {
        if let Some(first) = names.first() {
            let more = if names.len() > 1 { format!(" and {} more", names.len() - 1) } else { String::new() };
            open.push(format!("{first}{more} {what}"));
            fix.extend(names.iter().take(20).map(|name| format!("{name} = {value}")));
            fix.extend(set_for_all(names, value));
        }
    }
    let tracked = kernel.tracked.map(|(now, most)| format!("{now} of {most} connections are tracked"));
    if let (Some(share), Some((_, most))) = (share, kernel.tracked)
        && share >= RISK
    {
        open.push(tracked.clone().unwrap_or_default());
        fix.push(format!("net.netfilter.nf_conntrack_max = {}", most.saturating_mul(2)));
    }
    if open.is_empty() {
        let waiting = kernel.waiting.map(|waiting| format!("somaxconn {waiting}"));
        let all = ["SYN cookies are on, no forged address, redirect or route is taken".to_owned()];
        let told = all.into_iter().chain(tracked).chain(waiting).collect::<Vec<_>>().join("; ");
        return Verdict::pass(told);
    }
    let fix = format!("# /etc/sysctl.d/99-vitrin.conf, then: sysctl --system\n{}", fix.join("\n"));
    let seen = open.join("; ");
    if is_flooded || share.is_some_and(|share| share >= FULL) {
        Verdict::fail(seen, fix)
    } else {
        Verdict::partial(seen, fix)
    }
}

/// The lines for all interfaces: where one of them has the setting, each kind of address has its own.
fn set_for_all(names: &[String], value: u8) -> Vec<String> {
    let mut lines: Vec<_> = names
        .iter()
        .filter_map(|name| {
            let (kind, rest) = name.split_once(".conf.")?;
            let setting = rest.rsplit('.').next()?;
            Some(format!("{kind}.conf.all.{setting} = {value}"))
        })
        .collect();
    lines.sort();
    lines.dedup();
    lines
}

#[cfg(test)]
mod tests {
    use super::super::tests::seen;
    use super::*;

    /// A tree with these settings, and for each of `eth0` and `default` all that is asked for.
    fn tree(changes: &[(&str, &str)]) -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        let write = |name: &str, value: &str| {
            let path = folder.path().join("sys/net").join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, format!("{value}\n")).unwrap();
        };
        write("ipv4/tcp_syncookies", "1");
        write("core/somaxconn", "4096");
        for interface in ["all", "default", "lo", "eth0"] {
            for (name, value) in
                [("rp_filter", "1"), ("accept_redirects", "0"), ("accept_source_route", "0"), ("forwarding", "0")]
            {
                write(&format!("ipv4/conf/{interface}/{name}"), value);
                if name != "rp_filter" {
                    write(&format!("ipv6/conf/{interface}/{name}"), value);
                }
            }
        }
        for (name, value) in changes {
            write(name, value);
        }
        folder
    }

    fn judged(changes: &[(&str, &str)]) -> String {
        let mut seen = seen();
        seen.system.kernel = look(tree(changes).path());
        let verdict = judge(&seen);
        format!("{:?}: {}\n{}\n", verdict.state, verdict.seen, verdict.fix)
    }

    #[test]
    fn all_is_well_where_every_setting_works_on_every_interface() {
        expect_test::expect![[r#"
            Pass: SYN cookies are on, no forged address, redirect or route is taken; 7 of 100 connections are tracked; somaxconn 4096

        "#]]
        .assert_eq(&judged(&[("netfilter/nf_conntrack_count", "7"), ("netfilter/nf_conntrack_max", "100")]));
    }

    #[test]
    fn a_setting_works_as_the_kernel_puts_it_together() {
        let is_pass = |changes: &[(&str, &str)]| judged(changes).starts_with("Pass");
        // The larger of the two filters.
        assert!(is_pass(&[("ipv4/conf/eth0/rp_filter", "0")]));
        assert!(is_pass(&[("ipv4/conf/all/rp_filter", "0")]));
        assert!(!is_pass(&[("ipv4/conf/all/rp_filter", "0"), ("ipv4/conf/eth0/rp_filter", "0")]));
        // A host takes redirects where either says so, a router where both do.
        assert!(!is_pass(&[("ipv4/conf/all/accept_redirects", "1")]));
        let routers = ["default", "eth0"].map(|name| format!("ipv4/conf/{name}/forwarding"));
        let router = [("ipv4/conf/all/accept_redirects", "1"), (&routers[0], "1"), (&routers[1], "1")];
        assert!(is_pass(&router));
        // Routes of senders, where both do.
        assert!(is_pass(&[("ipv4/conf/all/accept_source_route", "1")]));
        // What is said for all does nothing by itself in IPv6.
        assert!(is_pass(&[("ipv6/conf/all/accept_redirects", "1")]));
        assert!(!is_pass(&[("ipv6/conf/eth0/accept_redirects", "1")]));
        assert!(is_pass(&[("ipv6/conf/eth0/accept_redirects", "1"), ("ipv6/conf/eth0/disable_ipv6", "1")]));
        // The loopback is nobody's way in.
        assert!(is_pass(&[("ipv6/conf/lo/accept_redirects", "1")]));
    }

    #[test]
    fn what_is_open_is_named_with_the_lines_that_close_it() {
        expect_test::expect![[r#"
            Partial: net.ipv6.conf.default.accept_redirects and 1 more take redirects
            # /etc/sysctl.d/99-vitrin.conf, then: sysctl --system
            net.ipv6.conf.default.accept_redirects = 0
            net.ipv6.conf.eth0.accept_redirects = 0
            net.ipv6.conf.all.accept_redirects = 0
        "#]]
        .assert_eq(&judged(&[("ipv6/conf/eth0/accept_redirects", "1"), ("ipv6/conf/default/accept_redirects", "1")]));
    }

    #[test]
    fn no_cookies_and_a_full_table_are_failures() {
        assert!(judged(&[("ipv4/tcp_syncookies", "0")]).starts_with("Fail"));
        let table =
            |now: &'static str| judged(&[("netfilter/nf_conntrack_count", now), ("netfilter/nf_conntrack_max", "100")]);
        assert!(
            table("69").starts_with("Pass") && table("70").starts_with("Partial") && table("90").starts_with("Fail")
        );
    }

    #[test]
    fn what_cannot_be_read_is_unknown() {
        assert_eq!(look(Path::new("/nowhere")).unwrap_err().cause, Cause::Unsupported);
        assert_eq!(look(tree(&[("ipv4/tcp_syncookies", "x")]).path()).unwrap_err().cause, Cause::Unparsable);
    }
}
