//! THE list of the checks: what each is called, how much it counts, and what it takes to see it.
//!
//! What each demands, and who says so, is in `checks.tsv` beside it; a change of either is a new methodology.

use serde::de::Error as _;
use serde::{Deserialize, Deserializer};

/// A part of the score, with a weight that does not change with what is found.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Category {
    /// Who can reach what.
    Firewall,
    /// What it takes to bring the shop down by asking.
    Ddos,
    /// The application, PHP, the database and the cache: all that is behind nginx.
    Api,
    /// Encryption, as a visitor meets it.
    Tls,
    /// Whether anybody would notice.
    Monitoring,
}

impl Category {
    /// All of them, in the order of the report.
    pub(crate) const ALL: [Self; 5] = [Self::Firewall, Self::Ddos, Self::Api, Self::Tls, Self::Monitoring];

    /// How many of the 100 points it is worth.
    pub(crate) const fn weight(self) -> f64 {
        match self {
            Self::Firewall => 25.0,
            Self::Ddos => 15.0,
            Self::Api => 30.0,
            Self::Tls => 20.0,
            Self::Monitoring => 10.0,
        }
    }

    /// The label value.
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Firewall => "firewall",
            Self::Ddos => "ddos",
            Self::Api => "api",
            Self::Tls => "tls",
            Self::Monitoring => "monitoring",
        }
    }
}

/// How much a check counts within its category, in the proportions of the OSSF Scorecard (10, 7.5, 5, 2.5).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Tier {
    /// 1 part.
    Low,
    /// 2 parts.
    Medium,
    /// 3 parts.
    High,
    /// 4 parts.
    Critical,
}

impl Tier {
    /// Its parts.
    pub(crate) const fn parts(self) -> u32 {
        match self {
            Self::Low => 1,
            Self::Medium => 2,
            Self::High => 3,
            Self::Critical => 4,
        }
    }

    /// The label value.
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Low => "low",
            Self::Medium => "medium",
            Self::High => "high",
            Self::Critical => "critical",
        }
    }
}

/// How a check looks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Mode {
    /// It reads what is there.
    Passive,
    /// It asks the shop's own name what any visitor may ask.
    Own,
}

impl Mode {
    /// The label value.
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Passive => "passive",
            Self::Own => "self",
        }
    }
}

/// What it takes to see what a check looks at.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Privilege {
    /// Nothing: every user may.
    None,
    /// A group: that of FPM's socket, of logs, of the shop's configuration.
    Group,
    /// Views of counts in the database, or an account of Redis.
    Grant,
    /// The file that `vitrin facts` writes as root.
    Facts,
}

impl Privilege {
    /// The label value.
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Group => "group",
            Self::Grant => "grant",
            Self::Facts => "facts",
        }
    }
}

macro_rules! checks {
    ($($variant:ident = $id:literal, $category:ident, $tier:ident, $mode:ident, $privilege:ident, $title:literal;)+) => {
        /// A check of methodology 1.0.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub(crate) enum Check {
            $(#[doc = $title] $variant,)+
        }

        impl Check {
            /// All of them, in the order of the report.
            pub(crate) const ALL: [Self; [$($id),+].len()] = [$(Self::$variant),+];

            /// What it is called: the label value.
            pub(crate) const fn id(self) -> &'static str {
                match self { $(Self::$variant => $id,)+ }
            }

            /// What it demands, in a sentence.
            pub(crate) const fn title(self) -> &'static str {
                match self { $(Self::$variant => $title,)+ }
            }

            /// The part of the score that it belongs to.
            pub(crate) const fn category(self) -> Category {
                match self { $(Self::$variant => Category::$category,)+ }
            }

            /// How much it counts there.
            pub(crate) const fn tier(self) -> Tier {
                match self { $(Self::$variant => Tier::$tier,)+ }
            }

            /// How it looks.
            pub(crate) const fn mode(self) -> Mode {
                match self { $(Self::$variant => Mode::$mode,)+ }
            }

            /// What it takes to see.
            pub(crate) const fn privilege(self) -> Privilege {
                match self { $(Self::$variant => Privilege::$privilege,)+ }
            }
        }
    };
}

checks! {
    Fw01 = "FW-01", Firewall, Critical, Passive, Facts, "What comes in is refused unless it is allowed, by IPv4.";
    Fw02 = "FW-02", Firewall, High, Passive, Facts, "What comes in is refused unless it is allowed, by IPv6.";
    Fw03 = "FW-03", Firewall, Critical, Passive, None, "The database is not reachable from outside.";
    Fw04 = "FW-04", Firewall, Critical, Passive, None, "Redis is not reachable from outside.";
    Fw05 = "FW-05", Firewall, Critical, Passive, None, "PHP-FPM is not reachable from outside.";
    Fw06 = "FW-06", Firewall, Medium, Passive, None, "Nothing else is reachable from outside.";
    Fw07 = "FW-07", Firewall, Medium, Passive, None, "The firewall's rules survive a reboot.";
    Fw08 = "FW-08", Firewall, Medium, Passive, None, "SSH takes keys alone, and no root with a password.";
    Fw09 = "FW-09", Firewall, High, Passive, None, "Nobody can make up the address they come from.";
    Fw10 = "FW-10", Firewall, Medium, Passive, Facts, "Only the CDN reaches the origin.";
    Fw11 = "FW-11", Firewall, Low, Passive, Facts, "A declared policy on countries is enforced.";
    Dd01 = "DD-01", Ddos, High, Passive, None, "A limit on requests holds where PHP is served.";
    Dd02 = "DD-02", Ddos, Medium, Passive, None, "A limit on connections of one client holds.";
    Dd03 = "DD-03", Ddos, Medium, Passive, None, "Slow clients are given up on.";
    Dd04 = "DD-04", Ddos, Low, Passive, None, "The size of a request is limited.";
    Dd05 = "DD-05", Ddos, Medium, Passive, None, "The kernel is ready for floods and forged addresses.";
    Dd06 = "DD-06", Ddos, High, Passive, Facts, "Something that bans watches the shop's logs.";
    Dd07 = "DD-07", Ddos, Medium, Passive, Facts, "Bans reach the way of the packets.";
    Dd08 = "DD-08", Ddos, Medium, Passive, None, "PHP's workers cannot be used up.";
    Api01 = "API-01", Api, Critical, Passive, None, "The installer is gone.";
    Api02 = "API-02", Api, High, Passive, None, "The administration is closed to strangers.";
    Api03 = "API-03", Api, High, Passive, Group, "The shop's storage is outside of the web root.";
    Api04 = "API-04", Api, High, Passive, None, "The shop's configuration is closed.";
    Api05 = "API-05", Api, Critical, Passive, None, "No secrets, repositories or backups are served.";
    Api06 = "API-06", Api, Critical, Passive, None, "No PHP runs in folders that are written to.";
    Api07 = "API-07", Api, Medium, Passive, None, "PHP cannot change the shop's code.";
    Api08 = "API-08", Api, Medium, Passive, Grant, "Visitors see no errors.";
    Api09 = "API-09", Api, High, Own, None, "The session's cookie is protected.";
    Api10 = "API-10", Api, High, Own, None, "A Content-Security-Policy holds.";
    Api11 = "API-11", Api, Medium, Own, None, "No other page can frame the shop.";
    Api12 = "API-12", Api, Low, Own, None, "Types, referrers and versions are kept.";
    Api13 = "API-13", Api, High, Own, None, "Other origins get no credentials.";
    Api14 = "API-14", Api, High, Passive, Grant, "Logins are throttled.";
    Api15 = "API-15", Api, Medium, Passive, Grant, "The administration asks for a second factor.";
    Api16 = "API-16", Api, High, Passive, Grant, "Passwords are hashed as they should be.";
    Api17 = "API-17", Api, Medium, Passive, Grant, "Accounts of the API are restricted.";
    Api18 = "API-18", Api, High, Passive, Group, "PHP gets security updates.";
    Api19 = "API-19", Api, High, Passive, Group, "PHP is contained.";
    Api20 = "API-20", Api, Critical, Passive, Grant, "Every account of the database has a password.";
    Api21 = "API-21", Api, Medium, Passive, Grant, "The database is kept tidy.";
    Api22 = "API-22", Api, High, Passive, Grant, "The shop's account of the database has no more rights than it needs.";
    Api23 = "API-23", Api, High, Passive, None, "Redis asks for a password.";
    Tls01 = "TLS-01", Tls, Critical, Own, None, "The certificate is valid.";
    Tls02 = "TLS-02", Tls, High, Own, None, "The certificate lasts for a while.";
    Tls03 = "TLS-03", Tls, Medium, Own, None, "The certificate is renewed by itself.";
    Tls04 = "TLS-04", Tls, High, Own, None, "No version of TLS that is out of date is spoken.";
    Tls05 = "TLS-05", Tls, High, Own, None, "Cipher suites, key and signature are strong.";
    Tls06 = "TLS-06", Tls, Medium, Own, None, "Browsers are told to come by HTTPS alone.";
    Tls07 = "TLS-07", Tls, High, Own, None, "HTTP leads to HTTPS.";
    Tls08 = "TLS-08", Tls, Medium, Passive, Facts, "The private key is closed.";
    Tls09 = "TLS-09", Tls, Low, Passive, None, "What the shop's servers say among each other is not to be overheard.";
    Mon01 = "MON-01", Monitoring, High, Passive, None, "The access log tells what an investigation needs.";
    Mon02 = "MON-02", Monitoring, Medium, Passive, None, "Logs of errors are kept, and closed.";
    Mon03 = "MON-03", Monitoring, High, Passive, None, "No security update waits.";
    Mon04 = "MON-04", Monitoring, Medium, Passive, None, "Updates come by themselves, and the kernel is current.";
    Mon05 = "MON-05", Monitoring, Medium, Passive, Group, "The shop's code is as it was deployed.";
    Mon06 = "MON-06", Monitoring, Low, Passive, None, "The clock is right.";
    Mon07 = "MON-07", Monitoring, Medium, Passive, None, "Logs leave the machine.";
    Mon08 = "MON-08", Monitoring, Medium, Passive, None, "Silence of the alerting is noticed.";
}

impl<'de> Deserialize<'de> for Check {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let id = String::deserialize(deserializer)?;
        Self::named(&id)
            .ok_or_else(|| D::Error::custom(format!("`{id}` is no check\nwrite one of its names, \"FW-08\"")))
    }
}

impl Check {
    /// The check that is called so.
    pub(crate) fn named(id: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|check| check.id() == id)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_are_59_checks_and_their_parts_are_those_of_methodology_1_0() {
        let parts = Category::ALL.map(|category| {
            let of_it = Check::ALL.into_iter().filter(|check| check.category() == category);
            (category.as_str(), of_it.clone().count(), of_it.map(|check| check.tier().parts()).sum::<u32>())
        });
        let expected = [("firewall", 11, 31), ("ddos", 8, 17), ("api", 23, 65), ("tls", 9, 23), ("monitoring", 8, 17)];
        assert_eq!(parts, expected);
        assert_eq!(Check::ALL.len(), 59);
        assert!(Check::ALL.iter().all(|check| Check::named(check.id()) == Some(*check)));
    }
}
