//! The table of what is looked for in targets, and one search for all of it.

use std::sync::LazyLock;

use aho_corasick::{AhoCorasick, AhoCorasickKind};

use super::decode::Decoded;
use super::labels::Violation;

/// What is looked for.
pub(super) static RULES: LazyLock<Rules> =
    LazyLock::new(|| Rules::parse(include_str!("rules.tsv")).expect("the table is tested"));

/// The rules for paths and those for arguments, each with a search that finds where any of them may apply.
#[derive(Debug)]
pub(super) struct Rules {
    path: Searched,
    args: Searched,
}

#[derive(Debug)]
struct Searched {
    rules: Vec<Rule>,
    search: AhoCorasick,
}

/// One of the table.
#[derive(Clone, Debug)]
struct Rule {
    violation: Violation,
    how: How,
    /// What is searched for: for [`How::File`] and [`How::Below`] what stands before the `*`.
    start: &'static str,
    /// What stands behind it.
    end: &'static str,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum How {
    Part,
    End,
    Segment,
    File,
    Below,
}

/// What was found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Found {
    /// The first of its kinds.
    pub(super) violation: Violation,
    /// Whether the path itself has it.
    pub(super) in_path: bool,
}

impl Rules {
    /// What is wrong with a target. `is_refused` says whether rules for pages that were refused apply, `counts` which do
    /// at all.
    pub(super) fn find(&self, target: &Decoded, counts: impl Fn(Violation) -> bool) -> Option<Found> {
        let path = self.path.first(&target.path, &counts).map(|violation| Found { violation, in_path: true });
        let args = self.args.first(&target.args, &counts).map(|violation| Found { violation, in_path: false });
        match (path, args) {
            (Some(path), Some(args)) if args.violation < path.violation => Some(args),
            (path, args) => path.or(args),
        }
    }

    fn parse(text: &'static str) -> Option<Self> {
        let (mut path, mut args) = (Vec::new(), Vec::new());
        for line in text.lines().filter(|line| !line.is_empty() && !line.starts_with('#')) {
            let mut columns = line.split('\t');
            let violation = Violation::of_label(columns.next()?)?;
            let place = columns.next()?;
            let how = columns.next()?;
            let what = columns.next()?;
            let (how, (start, end)) = match how {
                "part" => (How::Part, (what, "")),
                "end" => (How::End, (what, "")),
                "segment" => (How::Segment, (what, "")),
                "file" => (How::File, what.split_once('*')?),
                "below" => (How::Below, what.split_once('*')?),
                _ => return None,
            };
            let rule = Rule { violation, how, start, end };
            match place {
                "path" => path.push(rule),
                "args" => args.push(rule),
                "both" => {
                    path.push(rule.clone());
                    args.push(rule);
                }
                _ => return None,
            }
            columns.next().is_none().then_some(())?;
        }
        Some(Self { path: Searched::of(path)?, args: Searched::of(args)? })
    }
}

impl Searched {
    fn of(rules: Vec<Rule>) -> Option<Self> {
        // The quickest to search with; 200 KiB, once for all targets.
        let kind = Some(AhoCorasickKind::DFA);
        let search = AhoCorasick::builder().kind(kind).build(rules.iter().map(|rule| rule.start)).ok()?;
        Some(Self { rules, search })
    }

    /// The first kind of violation in a text.
    fn first(&self, text: &[u8], counts: impl Fn(Violation) -> bool) -> Option<Violation> {
        let program = memchr::memmem::rfind(text, b".php/");
        let matches = self.search.find_overlapping_iter(text).filter_map(|found| {
            let rule = &self.rules[found.pattern().as_usize()];
            (counts(rule.violation) && rule.holds(text, found.start(), found.end(), program)).then_some(rule.violation)
        });
        matches.min()
    }
}

impl Rule {
    /// Whether a rule whose beginning was found in a text holds there; `program` is where the last program with more
    /// behind its name has its end, which all of [`How::Below`] have.
    fn holds(&self, text: &[u8], from: usize, to: usize, program: Option<usize>) -> bool {
        let is_name = from > 0 && text[from - 1] == b'/';
        match self.how {
            How::Part => true,
            How::End => to == text.len(),
            How::Segment => is_name && text.get(to).is_none_or(|next| *next == b'/'),
            How::File => is_name && text[to..].ends_with(self.end.as_bytes()) && !text[to..].contains(&b'/'),
            // A program may be asked for with more behind its name.
            How::Below => text[to..].ends_with(self.end.as_bytes()) || program.is_some_and(|at| at >= to),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::plain::is_plain;
    use super::*;

    /// Kinds that count only when the page was refused.
    const REFUSED: [Violation; 2] = [Violation::AdminProbe, Violation::ForeignCms];

    fn found(path: &str, args: &str) -> Option<(&'static str, bool)> {
        let mut decoded = Decoded::default();
        decoded.read(path.as_bytes(), args.as_bytes());
        RULES.find(&decoded, |_| true).map(|found| (found.violation.as_str(), found.in_path))
    }

    /// A path and arguments that each row of the table is about.
    fn examples() -> impl Iterator<Item = (Violation, String, String)> {
        let of = |rule: &Rule| {
            let before = if matches!(rule.how, How::Segment | How::File) { "/" } else { "" };
            let between = if matches!(rule.how, How::File | How::Below) { "x" } else { "" };
            (rule.violation, format!("{before}{}{between}{}", rule.start, rule.end))
        };
        // Decoded once, this is what the row says.
        let of = move |rule: &Rule| {
            let (violation, text) = of(rule);
            (violation, text.replace('%', "%25"))
        };
        let path = RULES.path.rules.iter().map(of).map(|(violation, text)| (violation, text, String::new()));
        let args = RULES.args.rules.iter().map(of).map(|(violation, text)| (violation, "/".to_owned(), text));
        path.chain(args)
    }

    #[test]
    fn every_row_finds_what_it_says() {
        assert!(examples().count() > 150);
        for (violation, path, args) in examples() {
            let (found, in_path) = found(&path, &args).unwrap_or_else(|| panic!("{path}?{args}"));
            // What is worse comes first: a dump below `.git`.
            assert!(Violation::of_label(found).unwrap() <= violation, "{path}?{args}: {found}");
            assert_eq!(in_path, args.is_empty(), "{path}?{args}");
        }
    }

    #[test]
    fn no_row_is_written_as_it_never_comes() {
        for rule in RULES.path.rules.iter().chain(&RULES.args.rules) {
            let lower = rule.start.to_ascii_lowercase();
            assert_eq!(rule.start, lower, "decoded text is in lower case");
            assert!(rule.how != How::Below || rule.end == ".php", "{rule:?}");
            assert!(!rule.start.contains(['+', '\t']) && !rule.start.contains("  "), "{rule:?}");
        }
    }

    #[test]
    fn nothing_that_is_found_is_plain() {
        for (violation, path, args) in examples().filter(|(violation, ..)| !REFUSED.contains(violation)) {
            let target = if args.is_empty() { path } else { format!("{path}?a={args}") };
            for target in [target.clone(), target.to_ascii_uppercase(), format!("/shop{target}")] {
                assert!(!is_plain(target.as_bytes()), "{violation:?}: {target}");
            }
        }
    }

    #[test]
    fn what_shops_have_is_not_found() {
        for path in [
            "/sitemap.xml.gz",
            "/download/catalogue.zip",
            "/.well-known/acme-challenge/abc",
            "/backup-solutions/brochure.pdf",
            "/backups",
            "/image/cache/catalog/golden-retriever.jpg",
            "/a..b",
            "/user/login-help",
        ] {
            let found = found(path, "").map(|(violation, _)| violation);
            assert!(matches!(found, None | Some("foreign_cms")), "{path}: {found:?}");
        }
        for args in
            ["search=o'neill", "search=union+square", "search=select", "q=tom%20%26%20jerry", "order=asc", "t=a--b"]
        {
            assert_eq!(found("/index.php", args), None, "{args}");
        }
    }

    #[test]
    fn the_worst_is_said_and_whether_the_path_has_it() {
        assert_eq!(found("/image/x.php", "a=../../etc/passwd"), Some(("webshell", true)));
        assert_eq!(found("/index.php", "a=../../etc/passwd"), Some(("traversal", false)));
        assert_eq!(found("/backup.sql", "a=${jndi:ldap://x}"), Some(("rce_probe", false)));
        assert_eq!(found("/image/x.php/y.jpg", ""), Some(("webshell", true)));
        assert_eq!(found("/backup/2026-01-01.zip", ""), None);
        assert_eq!(found("/backup-2026-01-01.zip", ""), Some(("sensitive_file", true)));
        assert_eq!(found("/%2egit/config", ""), Some(("sensitive_file", true)));
        assert_eq!(found("/x/%252e%252e/%252e%252e", ""), Some(("traversal", true)));
    }

    proptest! {
        #[test]
        fn a_plain_target_has_nothing_to_be_found(
            parts in prop::collection::vec(
                prop_oneof![
                    prop::sample::select(examples().map(|(_, path, args)| path + &args).collect::<Vec<_>>()),
                    "[a-zA-Z0-9/._=&?-]{0,6}",
                    "[ -~]{0,3}",
                ],
                1..5,
            ),
        ) {
            let target = parts.concat();
            let (path, args) = target.split_once('?').unwrap_or((&target, ""));
            let mut decoded = Decoded::default();
            decoded.read(path.as_bytes(), args.as_bytes());
            let found = RULES.find(&decoded, |violation| !REFUSED.contains(&violation));
            prop_assert!(found.is_none() || !is_plain(target.as_bytes()), "{}: {:?}", target, found);
        }
    }
}
