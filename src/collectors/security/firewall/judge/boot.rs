//! FW-07: the firewall's rules survive a reboot.

use super::list;
use crate::collectors::security::firewall::boot::{Enabled, Stored};
use crate::collectors::security::seen::Seen;
use crate::collectors::security::verdict::Verdict;

/// Judges it. The best of several services counts: it is the one that turns away.
pub(super) fn judge(seen: &Seen) -> Verdict {
    let at_boot = match &seen.at_boot {
        Ok(at_boot) => at_boot,
        Err(unknown) => return unknown.into(),
    };
    let find = |is: fn(&Stored) -> bool| at_boot.enabled.iter().find(|enabled| is(&enabled.stored));
    if let Some(Enabled { service, stored: Stored::Filters(path) }) =
        find(|stored| matches!(stored, Stored::Filters(_)))
    {
        return Verdict::pass(format!("{service} is enabled, and {} turns away what comes in", path.display()));
    }
    let save = "(echo 'flush ruleset'; nft list ruleset) > /etc/nftables.conf";
    if let Some(Enabled { service, stored: Stored::Unreadable(path) }) =
        find(|stored| matches!(stored, Stored::Unreadable(_)))
    {
        let seen = format!("{service} is enabled, and {} may not be read", path.display());
        return Verdict::partial(seen, format!("chmod o+r {}", path.display()));
    }
    if let Some(Enabled { service, stored: Stored::Nothing(path) }) =
        find(|stored| matches!(stored, Stored::Nothing(_)))
    {
        let seen = format!("{service} is enabled, and {} turns nothing away", path.display());
        let fix = match service.as_str() {
            "nftables" => save.to_owned(),
            "netfilter-persistent" => "netfilter-persistent save".to_owned(),
            "ufw" => "ufw default deny incoming".to_owned(),
            "firewalld" => "firewall-cmd --set-default-zone=public".to_owned(),
            _ => format!("{service}-save > {}", path.display()),
        };
        return Verdict::partial(seen, fix);
    }
    if let Some(Enabled { service, stored: Stored::Off(path) }) = at_boot.enabled.first() {
        let fix = match service.as_str() {
            "ufw" => "ufw enable".to_owned(),
            _ => format!("TESTING = \"0\"  # in {}", path.display()),
        };
        return Verdict::fail(format!("{service} is enabled, and told in {} to do nothing", path.display()), fix);
    }
    let seen = match &at_boot.disabled[..] {
        [] => "no service that brings a firewall back is installed".to_owned(),
        disabled => format!("no service that brings the firewall back is enabled, though there is {}", list(disabled)),
    };
    let fix = match at_boot.disabled.first().map(String::as_str) {
        None => format!("apt-get install nftables\n{save}\nsystemctl enable nftables"),
        Some("nftables") => format!("{save}\nsystemctl enable nftables"),
        Some("ufw") => "ufw enable".to_owned(),
        Some(service) => format!("systemctl enable {service}"),
    };
    Verdict::fail(seen, fix)
}
