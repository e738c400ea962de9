//! Cipher suites of before TLS 1.3, by what they are worth. The numbers are IANA's.

/// Suites that are alike.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Group {
    /// RC4, which leaks what it hides (RFC 7465).
    Rc4,
    /// DES, 3DES and IDEA: blocks of 64 bits repeat (CVE-2016-2183).
    SmallBlocks,
    /// No encryption at all.
    Null,
    /// Keys that were made to be broken.
    Export,
    /// Nobody shows who they are.
    Anonymous,
    /// Whoever learns the server's key can read all that was ever sent.
    StaticKey,
    /// A new key each time, and encryption whose padding has been attacked (CVE-2013-0169).
    Chained,
    /// A new key each time, and encryption that notices changes.
    Authenticated,
}

impl Group {
    /// All of them, the worst first.
    pub(crate) const ALL: [Self; 8] = [
        Self::Rc4,
        Self::SmallBlocks,
        Self::Null,
        Self::Export,
        Self::Anonymous,
        Self::StaticKey,
        Self::Chained,
        Self::Authenticated,
    ];

    /// Those that nobody must agree to.
    pub(crate) const BROKEN: [Self; 5] = [Self::Rc4, Self::SmallBlocks, Self::Null, Self::Export, Self::Anonymous];

    /// What people call it.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Rc4 => "RC4",
            Self::SmallBlocks => "3DES",
            Self::Null => "NULL",
            Self::Export => "EXPORT",
            Self::Anonymous => "anonymous suites",
            Self::StaticKey => "suites without forward secrecy",
            Self::Chained => "CBC suites",
            Self::Authenticated => "AEAD suites with forward secrecy",
        }
    }

    /// Its suites.
    pub(super) const fn suites(self) -> &'static [u16] {
        match self {
            Self::Rc4 => &[0xc007, 0xc011, 0xc002, 0xc00c, 0x0005, 0x0004],
            Self::SmallBlocks => &[
                0xc008, 0xc012, 0xc003, 0xc00d, 0x0016, 0x0013, 0x0010, 0x000d, 0x000a, 0x0007, 0x0015, 0x0012, 0x000f,
                0x000c, 0x0009,
            ],
            Self::Null => &[0xc006, 0xc010, 0xc001, 0xc00b, 0x003b, 0x0002, 0x0001],
            Self::Export => &[
                0x0003, 0x0006, 0x0008, 0x000b, 0x000e, 0x0011, 0x0014, 0x0060, 0x0061, 0x0062, 0x0063, 0x0064, 0x0065,
            ],
            Self::Anonymous => &[
                0x00a7, 0x00a6, 0x006d, 0x006c, 0x003a, 0x0034, 0x0089, 0x0046, 0x00c5, 0x00bf, 0x009b, 0xc019, 0xc018,
                0xc017, 0xc016, 0xc015, 0x001b, 0x001a, 0x0019, 0x0018, 0x0017,
            ],
            Self::StaticKey => &[
                0x009d, 0x009c, 0xc09d, 0xc09c, 0xc0a1, 0xc0a0, 0xc051, 0xc050, 0xc07b, 0xc07a, 0x003d, 0x003c, 0x0035,
                0x002f, 0x00c0, 0x00ba, 0x0084, 0x0041, 0x0096, 0xc02e, 0xc02d, 0xc032, 0xc031, 0xc026, 0xc025, 0xc02a,
                0xc029, 0xc005, 0xc004, 0xc00f, 0xc00e,
            ],
            Self::Chained => &[
                0xc024, 0xc023, 0xc028, 0xc027, 0xc00a, 0xc009, 0xc014, 0xc013, 0xc073, 0xc072, 0xc077, 0xc076, 0x006b,
                0x0067, 0x0039, 0x0033, 0x0088, 0x0045, 0x00c4, 0x00be, 0x009a, 0x006a, 0x0040, 0x0038, 0x0032, 0x0087,
                0x0044, 0x0099,
            ],
            Self::Authenticated => &[
                0xc02c, 0xc02b, 0xc030, 0xc02f, 0xcca9, 0xcca8, 0xccaa, 0x009f, 0x009e, 0xc0ad, 0xc0ac, 0xc0af, 0xc0ae,
                0xc09f, 0xc09e, 0xc0a3, 0xc0a2, 0xc05d, 0xc05c, 0xc061, 0xc060, 0xc053, 0xc052, 0xc087, 0xc086, 0xc08b,
                0xc08a, 0xc07d, 0xc07c, 0x00a3, 0x00a2,
            ],
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::tls::suites;

    #[test]
    fn no_suite_is_of_two_groups_and_each_group_has_its_place() {
        let mut groups = BTreeMap::new();
        for (place, group) in Group::ALL.into_iter().enumerate() {
            assert_eq!(group as usize, place);
            for suite in group.suites() {
                assert_eq!(groups.insert(suite, group), None, "{suite:#06x}");
            }
        }
    }

    #[test]
    fn a_suite_is_of_the_group_that_its_name_says() {
        let mut known = 0;
        for group in Group::ALL {
            for name in group.suites().iter().map(|suite| suites::name(*suite)).filter(|name| *name != "other") {
                known += 1;
                let has = |part: &str| name.contains(part);
                let by_name = if has("RC4") {
                    Group::Rc4
                } else if has("3DES") {
                    Group::SmallBlocks
                } else if !has("DHE_") {
                    Group::StaticKey
                } else if has("CBC") {
                    Group::Chained
                } else {
                    Group::Authenticated
                };
                assert_eq!(group, by_name, "{name}");
            }
        }
        // All that are offered elsewhere.
        assert_eq!(known, suites::before_1_3().count());
    }
}
