//! `Content-Security-Policy`: what the policies of a page hold, as a browser of today enforces them.
//!
//! Each policy is enforced by itself (CSP Level 3, section 4.2), so that what one of them forbids is forbidden, whatever
//! the others allow. What counts as broad is what counts at MDN's HTTP Observatory.

use std::collections::BTreeMap;

/// What all policies of a page hold together.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "each is found by itself")]
pub(crate) struct Held {
    /// Whether any of them says from where scripts or objects come at all.
    pub(crate) concerns_scripts: bool,
    /// Whether scripts that stand in the page run that nobody has marked, or those of any server.
    pub(crate) inline: bool,
    /// Whether text can be run as a script.
    pub(crate) eval: bool,
    /// Whether plugins come from anywhere.
    pub(crate) objects: bool,
    /// Whether a page can be told to find all its scripts elsewhere.
    pub(crate) base: bool,
    /// Who may frame the page; `None` when no policy says.
    pub(crate) framing: Option<Framing>,
}

/// Who may frame a page.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Framing {
    /// Nobody, or pages of the same origin.
    Own,
    /// Those that are named, too.
    Named,
    /// Anybody.
    Anybody,
}

/// Sources that are as good as none: all servers, or all of a scheme.
const BROAD: [&str; 8] = ["*", "http:", "https:", "ftp:", "http://*", "https://*", "http://*.*", "https://*.*"];

impl Held {
    /// What policies hold, each header's value apart; commas part policies within one.
    pub(crate) fn by<'a>(headers: impl IntoIterator<Item = &'a str>) -> Self {
        let policies: Vec<_> = headers.into_iter().flat_map(|header| header.split(',')).map(Policy::parse).collect();
        let none = |forbids: fn(&Policy) -> bool| !policies.iter().any(forbids);
        Self {
            concerns_scripts: policies
                .iter()
                .any(|policy| policy.any(&["script-src", "script-src-elem", "object-src", "default-src"])),
            inline: none(Policy::marks_scripts),
            eval: none(|policy| {
                policy.list(&["script-src", "default-src"]).is_some_and(|list| !list.has("'unsafe-eval'"))
            }),
            objects: none(|policy| policy.list(&["object-src", "default-src"]).is_some_and(|list| !list.is_broad())),
            base: none(|policy| policy.list(&["base-uri"]).is_some_and(|list| !list.is_broad() && !list.has("data:"))),
            framing: policies.iter().filter_map(Policy::framing).min(),
        }
    }

    /// Whether nothing is left open that a Content-Security-Policy is there to close.
    pub(crate) fn is_safe(self) -> bool {
        !(self.inline || self.eval || self.objects || self.base)
    }
}

/// A policy: its directives by name, each with its sources.
struct Policy(BTreeMap<String, Sources>);

/// Where something may come from, in lower case.
struct Sources(Vec<String>);

impl Policy {
    fn parse(text: &str) -> Self {
        let mut directives = BTreeMap::new();
        for directive in text.split(';') {
            let mut words = directive.split_ascii_whitespace();
            let Some(name) = words.next() else { continue };
            let sources = Sources(words.map(str::to_ascii_lowercase).collect());
            // Of two that are alike the first one counts.
            directives.entry(name.to_ascii_lowercase()).or_insert(sources);
        }
        Self(directives)
    }

    fn any(&self, names: &[&str]) -> bool {
        names.iter().any(|name| self.0.contains_key(*name))
    }

    /// The sources of the first of these that is there: each stands in for the one before.
    fn list(&self, names: &[&str]) -> Option<&Sources> {
        names.iter().find_map(|name| self.0.get(*name))
    }

    /// Whether only those scripts run that somebody has marked, or that come from servers that are named.
    fn marks_scripts(&self) -> bool {
        let of = |own: &str| self.list(&[own, "script-src", "default-src"]);
        of("script-src-elem").is_some_and(|list| !list.allows_inline() && !list.allows_strangers())
            && of("script-src-attr").is_some_and(|list| !list.allows_inline())
    }

    fn framing(&self) -> Option<Framing> {
        let list = self.list(&["frame-ancestors"])?;
        Some(if list.is_broad() {
            Framing::Anybody
        } else if list.0.iter().all(|source| source == "'none'" || source == "'self'") {
            Framing::Own
        } else {
            Framing::Named
        })
    }
}

impl Sources {
    fn has(&self, source: &str) -> bool {
        self.0.iter().any(|one| one == source)
    }

    fn is_broad(&self) -> bool {
        BROAD.iter().any(|broad| self.has(broad))
    }

    /// Whether scripts are marked one by one: browsers that know of marks then forget about `'unsafe-inline'`.
    fn marks(&self) -> bool {
        self.0.iter().any(|source| {
            let mark = source.strip_prefix('\'').and_then(|source| source.strip_suffix('\''));
            let value = mark.and_then(|mark| {
                ["nonce-", "sha256-", "sha384-", "sha512-"].iter().find_map(|kind| mark.strip_prefix(kind))
            });
            // A mark without a value, or with one that is no base64, is none.
            value.is_some_and(|value| {
                let value = value.trim_end_matches('=');
                !value.is_empty() && value.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"+/-_".contains(&byte))
            })
        })
    }

    fn allows_inline(&self) -> bool {
        self.has("'unsafe-inline'") && !self.marks()
    }

    /// Whether scripts of servers come that nobody named. `'strict-dynamic'` switches names off, given a mark: without
    /// one nothing would ever run, and browsers that do not know it go by the names.
    fn allows_strangers(&self) -> bool {
        let names_count = !(self.has("'strict-dynamic'") && self.marks());
        names_count && (self.is_broad() || self.has("data:") || self.has("'strict-dynamic'"))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// What is left open, in words.
    fn open(headers: &[&str]) -> String {
        let held = Held::by(headers.iter().copied());
        let open = [("inline", held.inline), ("eval", held.eval), ("objects", held.objects), ("base", held.base)];
        open.iter().filter(|(_, open)| *open).map(|(word, _)| *word).collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn a_policy_holds_what_browsers_enforce() {
        for (policy, left) in [
            ("default-src 'self'; base-uri 'self'", ""),
            ("default-src 'none'; base-uri 'none'", ""),
            ("script-src 'nonce-r4nd0m'; object-src 'none'; base-uri 'none'", ""),
            // Google's strict policy, with what is there for old browsers alone.
            (
                "object-src 'none'; script-src 'nonce-r4nd0m' 'unsafe-inline' 'strict-dynamic' https: http:; base-uri 'none'",
                "",
            ),
            (
                "script-src 'sha256-q2sY7jlDS4SrxBg6oq/NBYk9XVSwDsterXWpH99SAn0=' 'unsafe-inline'; object-src 'none'; base-uri 'self'",
                "",
            ),
            ("SCRIPT-SRC 'SELF';OBJECT-SRC 'NONE';BASE-URI 'SELF'", ""),
            ("default-src 'self' 'unsafe-inline'; base-uri 'self'", "inline"),
            ("default-src 'self'; script-src 'self' 'unsafe-inline' 'unsafe-eval'; base-uri 'self'", "inline eval"),
            ("default-src 'self' 'UNSAFE-INLINE'; base-uri 'self'", "inline"),
            ("default-src 'self'", "base"),
            ("script-src 'self'; base-uri 'self'", "objects"),
            ("script-src https:; object-src 'none'; base-uri 'none'", "inline"),
            ("script-src 'self' data:; object-src 'none'; base-uri 'none'", "inline"),
            ("script-src *; object-src *; base-uri *", "inline objects base"),
            ("script-src 'self' 'wasm-unsafe-eval'; object-src 'none'; base-uri 'none'", ""),
            // Marks that are none.
            ("script-src 'nonce-' 'unsafe-inline'; object-src 'none'; base-uri 'none'", "inline"),
            ("script-src nonce-r4nd0m 'unsafe-inline'; object-src 'none'; base-uri 'none'", "inline"),
            ("script-src 'nonce-<?php ?>' 'unsafe-inline'; object-src 'none'; base-uri 'none'", "inline"),
            ("script-src 'md5-abc' 'unsafe-inline'; object-src 'none'; base-uri 'none'", "inline"),
            // Without a mark it is for nobody.
            ("script-src 'strict-dynamic' https:; object-src 'none'; base-uri 'none'", "inline"),
            // The first of two counts.
            ("script-src 'unsafe-inline'; script-src 'self'; object-src 'none'; base-uri 'none'", "inline"),
            // What stands in the more special directive counts.
            ("script-src 'self'; script-src-elem 'unsafe-inline'; object-src 'none'; base-uri 'none'", "inline"),
            ("script-src 'self'; script-src-attr 'unsafe-inline'; object-src 'none'; base-uri 'none'", "inline"),
            ("script-src-elem 'self'; object-src 'none'; base-uri 'none'", "inline eval"),
            // Styles are none of it.
            ("default-src 'self'; style-src 'unsafe-inline'; base-uri 'self'", ""),
            // No sources at all are nobody.
            ("script-src; object-src; base-uri", ""),
            ("", "inline eval objects base"),
        ] {
            assert_eq!(open(&[policy]), left, "{policy}");
        }
    }

    #[test]
    fn what_one_policy_forbids_is_forbidden() {
        let two = "default-src 'self' 'unsafe-inline'; base-uri 'self', script-src 'nonce-abc'";
        assert_eq!(open(&[two]), "");
        assert_eq!(open(&["script-src *; object-src *; base-uri *", "default-src 'none'"]), "base");
    }

    #[test]
    fn a_policy_of_something_else_says_nothing_of_scripts() {
        for policy in ["upgrade-insecure-requests", "frame-ancestors 'self'", "", ";;", "img-src 'self'"] {
            assert!(!Held::by([policy]).concerns_scripts, "{policy}");
        }
        assert!(Held::by(["img-src *", "default-src *"]).concerns_scripts);
    }

    #[test]
    fn who_may_frame_is_the_fewest_of_all_policies() {
        for (policy, framing) in [
            ("frame-ancestors 'none'", Some(Framing::Own)),
            ("frame-ancestors 'self'", Some(Framing::Own)),
            ("frame-ancestors", Some(Framing::Own)),
            ("Frame-Ancestors 'self' https://partner.example", Some(Framing::Named)),
            ("frame-ancestors https:", Some(Framing::Anybody)),
            ("frame-ancestors 'self' *", Some(Framing::Anybody)),
            ("frame-ancestors *, frame-ancestors 'self'", Some(Framing::Own)),
            // It has no other directive to stand in for it.
            ("default-src 'none'", None),
        ] {
            assert_eq!(Held::by([policy]).framing, framing, "{policy}");
        }
    }

    proptest! {
        #[test]
        fn no_text_is_too_much(text in "(?s).{0,300}") {
            Held::by([text.as_str()]);
        }

        #[test]
        fn another_policy_never_opens_anything(
            first in "(script-src|default-src|base-uri|object-src)( 'self'| 'unsafe-inline'| \\*| 'nonce-a'| data:){0,3}",
            second in "(script-src|default-src|base-uri|object-src)( 'self'| 'unsafe-eval'| https:| 'strict-dynamic'){0,3}"
        ) {
            let (one, both) = (Held::by([first.as_str()]), Held::by([first.as_str(), second.as_str()]));
            for (before, after) in [
                (one.inline, both.inline), (one.eval, both.eval), (one.objects, both.objects), (one.base, both.base),
            ] {
                prop_assert!(before || !after, "{} | {}", first, second);
            }
        }
    }
}
