//! The faults of other indices, as tests: nobody gains by seeing less, by failing, or by what merely is there.

use proptest::prelude::*;

use super::*;

const NONE: &BTreeSet<Cap> = &BTreeSet::new();

const CAUSE: State = State::Unknown(Cause::Permission);

fn verdict(state: State) -> Verdict {
    Verdict { state, seen: String::new(), fix: "".into(), cap: None }
}

/// Verdicts of these states, with all the caps that a check can have.
fn verdicts(states: &[State]) -> Verdicts {
    let verdict = |(check, state): (Check, &State)| {
        let cap = Cap::ALL.into_iter().find(|cap| cap.checks() == [check]).filter(|_| *state == State::Fail);
        (check, Verdict { cap, ..verdict(*state) })
    };
    Check::ALL.into_iter().zip(states).map(verdict).collect()
}

fn all(state: State) -> Verdicts {
    verdicts(&[state; 59])
}

/// A state that this check may be in.
fn states() -> impl Strategy<Value = Vec<State>> {
    let one = (0..5u8, any::<bool>());
    proptest::collection::vec(one, Check::ALL.len()).prop_map(|drawn| {
        let state = |(check, (number, _)): (Check, (u8, bool))| match number {
            0 => State::Fail,
            1 => State::Partial,
            2 => State::Pass,
            4 if OPTIONAL.contains(&check) => State::NotApplicable,
            _ => CAUSE,
        };
        Check::ALL.into_iter().zip(drawn).map(state).collect()
    })
}

#[test]
fn all_well_is_100_and_nothing_known_is_0() {
    let score = Score::of(all(State::Pass), NONE);
    assert!((score.lower() - 100.0).abs() < 1e-9 && (score.upper() - 100.0).abs() < 1e-9);
    let score = Score::of(Verdicts::new(), NONE);
    assert_eq!((score.lower(), score.coverage().abs() < 1e-9), (0.0, true));
    assert!((score.upper() - 100.0).abs() < 1e-9);
}

#[test]
fn points_are_those_of_the_published_table() {
    let mut seen = all(State::Pass);
    // FW-10 and FW-11 apply to few.
    seen.insert(Check::Fw10, verdict(State::NotApplicable));
    seen.insert(Check::Fw11, verdict(State::NotApplicable));
    let score = Score::of(seen, NONE);
    let points = |check| score.checks.iter().find(|scored| scored.check == check).unwrap().points;
    for (check, expected) in [
        (Check::Fw04, 25.0 * 4.0 / 28.0),
        (Check::Fw11, 0.0),
        (Check::Dd01, 15.0 * 3.0 / 17.0),
        (Check::Api05, 30.0 * 4.0 / 65.0),
        (Check::Tls09, 20.0 / 23.0),
        (Check::Mon03, 10.0 * 3.0 / 17.0),
    ] {
        assert!((points(check) - expected).abs() < 1e-12, "{} {}", check.id(), points(check));
    }
}

#[test]
fn a_redis_that_is_open_to_the_world_is_no_matter_of_a_few_points() {
    let mut seen = all(State::Pass);
    seen.insert(Check::Fw04, verdict(State::Fail).with_cap(Cap::CacheExposed));
    assert_eq!(Score::of(seen.clone(), NONE).lower(), 79.0);
    seen.insert(Check::Api23, verdict(State::Fail));
    let score = Score::of(seen.clone(), NONE);
    assert_eq!((score.lower(), score.upper()), (19.0, 19.0));
    assert_eq!(score.caps, [Cap::CacheOpen, Cap::CacheExposed].into());
    // Not known to be open is not open: a cap takes what was seen.
    seen.insert(Check::Fw04, verdict(CAUSE));
    assert!(Score::of(seen.clone(), NONE).lower() > 79.0);
    // What was seen holds until it is seen otherwise.
    let score = Score::of(seen.clone(), &score.caps);
    assert_eq!((score.lower(), score.caps.len()), (19.0, 2));
    seen.insert(Check::Api23, verdict(State::Pass));
    assert_eq!(Score::of(seen.clone(), &score.caps).caps, [Cap::CacheExposed].into());
    seen.insert(Check::Fw04, verdict(State::NotApplicable));
    assert!(Score::of(seen, &score.caps).caps.is_empty());
}

#[test]
fn a_cap_on_what_is_not_known_does_not_count() {
    let mut seen = all(State::Pass);
    seen.insert(Check::Tls01, verdict(CAUSE).with_cap(Cap::CertificateInvalid));
    assert!(Score::of(seen, NONE).caps.is_empty());
}

#[test]
fn only_what_a_machine_may_lack_can_be_left_out() {
    let mut seen = all(State::Pass);
    seen.insert(Check::Fw01, verdict(State::NotApplicable));
    let score = Score::of(seen, NONE);
    let firewall = score.checks.iter().find(|scored| scored.check == Check::Fw01).unwrap();
    assert!(firewall.is_unknown() && firewall.points > 0.0);
    assert!(score.lower() < 97.0);
}

proptest! {
    #[test]
    fn the_points_are_always_100_and_the_truth_lies_between(states in states()) {
        let score = Score::of(verdicts(&states), NONE);
        prop_assert!((score.checks.iter().map(|scored| scored.points).sum::<f64>() - 100.0).abs() < 1e-9);
        prop_assert!(score.lower() <= score.upper() + 1e-12);
        // Whatever comes to light, it lies within, unless it is one of the findings that limit the whole.
        let (least, most) = (score.base(), score.base() + score.unknown());
        for ending in [State::Pass, State::Partial, State::Fail] {
            let known: Vec<_> = states.iter().map(|&state| if state == CAUSE { ending } else { state }).collect();
            let truth = Score::of(verdicts(&known), NONE).base();
            prop_assert!(least - 1e-9 <= truth && truth <= most + 1e-9);
        }
    }

    #[test]
    fn nobody_gains_by_seeing_less(states in states(), at in 0..Check::ALL.len()) {
        let before = Score::of(verdicts(&states), NONE);
        let mut less = states.clone();
        less[at] = CAUSE;
        // What did not apply was seen not to.
        if states[at] != State::NotApplicable {
            prop_assert!(Score::of(verdicts(&less), &before.caps).lower() <= before.lower() + 1e-9);
        }
    }

    #[test]
    fn points_do_not_depend_on_how_a_check_ends(states in states(), at in 0..Check::ALL.len()) {
        let points = |states: &[State]| {
            Score::of(verdicts(states), NONE).checks.iter().map(|scored| scored.points).collect::<Vec<_>>()
        };
        let mut other = states.clone();
        if states[at] != State::NotApplicable {
            for ending in [State::Fail, State::Partial, State::Pass, CAUSE] {
                other[at] = ending;
                prop_assert_eq!(points(&states), points(&other));
            }
        }
    }

    #[test]
    fn what_does_not_apply_changes_no_other_category(states in states(), at in 0..OPTIONAL.len()) {
        let check = OPTIONAL[at];
        let mut other = states.clone();
        other[Check::ALL.iter().position(|one| *one == check).unwrap()] = State::NotApplicable;
        let (before, after) = (Score::of(verdicts(&states), NONE), Score::of(verdicts(&other), NONE));
        for category in Category::ALL.into_iter().filter(|category| *category != check.category()) {
            prop_assert_eq!(before.category(category), after.category(category));
        }
    }
}
