//! What keeps the score from being known. What would make it better, and all that takes, is what `vitrin security` says.

use std::path::Path;

use super::facts::REMEDY;
use super::score::Score;
use super::verdict::{State, Unknown};
use crate::remedy::Remedy;

/// The unit that writes what only root sees, where packages put it and where people do.
const TIMERS: [&str; 2] = ["usr/lib/systemd/system/vitrin-facts.timer", "etc/systemd/system/vitrin-facts.timer"];

/// What is not known of a score.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Missed {
    /// How many checks.
    checks: usize,
    /// How many points they are worth.
    points: f64,
}

impl Missed {
    /// What is not known of this one.
    pub(super) fn of(score: &Score) -> Self {
        let unknown = score.checks.iter().filter(|scored| matches!(scored.verdict.state, State::Unknown(_)));
        let add = |sum: Self, points| Self { checks: sum.checks + 1, points: sum.points + points };
        unknown.map(|scored| scored.points).fold(Self::default(), add)
    }
}

/// The ways out, with why the facts are not known, below the host's root file system. Nothing is wrong without them: what
/// is not known is no part of a target that failed.
pub(super) fn ways(missed: Missed, facts: Option<&Unknown>, root: &Path) -> Vec<Remedy> {
    let facts = facts.map(|unknown| {
        let why = "What only root sees of the firewall, fail2ban, SSH and the certificates' keys is not there for the \
                   security score.";
        let has_timer = TIMERS.iter().any(|timer| root.join(timer).symlink_metadata().is_ok());
        // A timer that is there and on is not what is wrong with a file that is old, or not believed.
        if has_timer && unknown.why.contains(REMEDY) {
            Remedy::mend(why, format!("{REMEDY}\n"))
        } else {
            Remedy::by_hand(why, format!("{}\n", unknown.why))
        }
    });
    let Missed { checks, points } = missed;
    let rest = (checks > 0).then(|| {
        let many = if checks == 1 { "One check".to_owned() } else { format!("{checks} checks") };
        let why = format!("{many} of the security score cannot be made: {points:.1} of 100 points that count as lost.");
        Remedy::by_hand(why, "vitrin security\n")
    });
    facts.into_iter().chain(rest).map(Remedy::as_more).collect()
}

#[cfg(test)]
mod tests {
    use std::fs;

    use expect_test::expect;

    use super::*;
    use crate::collectors::security::verdict::Cause;
    use crate::remedy::Kind;

    fn told(missed: Missed, facts: Option<&Unknown>, root: &Path) -> String {
        let ways = ways(missed, facts, root);
        assert!(ways.iter().all(|way| way.kind == Kind::More), "nothing is wrong with a target");
        ways.iter().map(|way| [&way.why, "\n$ ", &way.run, "| ", &way.by_hand, "\n"].concat()).collect()
    }

    #[test]
    fn the_timer_is_switched_on_where_it_is_and_not_on() {
        let root = tempfile::tempdir().unwrap();
        let missing = Unknown::new(Cause::Permission, format!("/run/f is not there: as root, run `{REMEDY}`"));
        let by_hand = told(Missed::default(), Some(&missing), root.path());
        assert!(
            by_hand.ends_with("$ | /run/f is not there: as root, run `systemctl enable --now vitrin-facts.timer`\n\n")
        );
        fs::create_dir_all(root.path().join("etc/systemd/system")).unwrap();
        fs::write(root.path().join(TIMERS[1]), "").unwrap();
        expect![[r#"
            What only root sees of the firewall, fail2ban, SSH and the certificates' keys is not there for the security score.
            $ systemctl enable --now vitrin-facts.timer
            | 
            14 checks of the security score cannot be made: 22.1 of 100 points that count as lost.
            $ | vitrin security

        "#]]
        .assert_eq(&told(Missed { checks: 14, points: 22.14 }, Some(&missing), root.path()));
        let old = Unknown::new(Cause::Stale, "/run/f is 20 minutes old: systemctl status vitrin-facts.timer");
        assert!(told(Missed::default(), Some(&old), root.path()).contains("$ | /run/f is 20 minutes old"));
    }

    #[test]
    fn where_all_is_known_nothing_is_said() {
        assert_eq!(told(Missed::default(), None, Path::new("/nowhere")), "");
    }
}
