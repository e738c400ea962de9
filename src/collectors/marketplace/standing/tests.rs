use super::super::refusals::PAUSES;
use super::*;

const MINUTE: Duration = Duration::from_mins(1);

/// The first auth, by which all probes are made here that show one.
const SHOWN: Shown = Shown { auth: 0, credentials: 1 };

/// An account with two auths and three probes.
fn standing() -> Standing {
    Standing::new(2, 3)
}

fn event(outcome: Outcome) -> Event {
    let shown = Some(SHOWN);
    Event { probe: 0, outcome, shown, expired: false, retry_after: None, interval: MINUTE, chance: 1.0 }
}

/// How long it takes until the next probe may be made.
fn pause(standing: &mut Standing, shown: Option<Shown>, from: Instant) -> Duration {
    let mut waited = Duration::ZERO;
    while standing.skip(0, shown, from + waited).is_some() {
        waited += Duration::from_secs(1);
    }
    waited
}

#[test]
fn whoever_is_asked_to_stay_away_stays_away_with_all_probes_of_the_account() {
    let now = Instant::now();
    let mut standing = standing();
    standing.note(Event { retry_after: Some(Duration::from_secs(90)), ..event(Outcome::RateLimited) }, now);
    assert_eq!(standing.skip(2, None, now), Some(Skip::RetryAfter));
    assert_eq!(pause(&mut standing, None, now), Duration::from_secs(90));
    // Nobody has to wait for longer than a day.
    standing.note(Event { retry_after: Some(Duration::from_hours(1000)), ..event(Outcome::RateLimited) }, now);
    assert_eq!(standing.skip(0, Some(SHOWN), now + LONGEST_WISH), None);
}

#[test]
fn a_shorter_wish_does_not_end_a_longer_one() {
    let now = Instant::now();
    let mut standing = standing();
    for seconds in [600, 5] {
        let retry_after = Some(Duration::from_secs(seconds));
        standing.note(Event { retry_after, ..event(Outcome::RateLimited) }, now);
    }
    assert_eq!(pause(&mut standing, Some(SHOWN), now), Duration::from_mins(10));
}

#[test]
fn where_nothing_is_asked_for_the_pause_doubles_up_to_an_hour_and_three_good_answers_forgive() {
    let mut now = Instant::now();
    let mut standing = standing();
    let mut minutes = Vec::new();
    for _ in 0..8 {
        standing.note(event(Outcome::RateLimited), now);
        let waited = pause(&mut standing, Some(SHOWN), now);
        minutes.push(waited.as_secs() / 60);
        now += waited;
    }
    assert_eq!(minutes, [1, 2, 4, 8, 16, 32, 60, 60]);
    for _ in 0..3 {
        standing.note(event(Outcome::Ok), now);
    }
    standing.note(event(Outcome::RateLimited), now);
    assert_eq!(pause(&mut standing, Some(SHOWN), now), MINUTE);
}

#[test]
fn refused_credentials_are_spared_by_all_that_show_them_and_by_nobody_else() {
    let now = Instant::now();
    let mut standing = standing();
    for _ in 0..2 {
        standing.note(event(Outcome::AuthError), now);
    }
    let other = Shown { auth: 1, credentials: 1 };
    for probe in 0..3 {
        assert_eq!(standing.skip(probe, Some(SHOWN), now), Some(Skip::AuthPaused));
        assert_eq!(standing.skip(probe, Some(other), now), None);
        assert_eq!(standing.skip(probe, None, now), None);
    }
    // That the other auth is good does not make up for this one.
    standing.note(Event { shown: Some(other), ..event(Outcome::Ok) }, now);
    assert_eq!(standing.state(), AuthState::Rejected);
    assert_eq!(pause(&mut standing, Some(SHOWN), now), PAUSES[0]);
    let new = Shown { credentials: 2, ..SHOWN };
    assert_eq!(standing.skip(0, Some(new), now), None);
}

#[test]
fn one_good_answer_in_between_is_enough_to_go_on() {
    let now = Instant::now();
    let mut standing = standing();
    for outcome in [Outcome::AuthError, Outcome::Ok, Outcome::AuthError, Outcome::Timeout, Outcome::Ok] {
        standing.note(event(outcome), now);
        assert_eq!(standing.skip(0, Some(SHOWN), now), None);
    }
    assert_eq!(standing.state(), AuthState::Ok);
}

#[test]
fn what_one_probe_may_not_do_keeps_no_other_from_being_made() {
    let mut now = Instant::now();
    let mut standing = standing();
    let forbidden = Event { probe: 1, ..event(Outcome::Forbidden) };
    standing.note(event(Outcome::Ok), now);
    for expected in PAUSES {
        for _ in 0..2 {
            standing.note(forbidden, now);
            standing.note(event(Outcome::Ok), now);
            assert_eq!(standing.skip(0, Some(SHOWN), now), None);
            assert_eq!(standing.state(), AuthState::Ok, "the credentials are good");
            if standing.skip(1, Some(SHOWN), now).is_some() {
                break;
            }
        }
        assert_eq!(standing.skip(1, Some(SHOWN), now + expected - MINUTE), Some(Skip::AuthPaused));
        assert_eq!(standing.skip(1, Some(SHOWN), now + expected), None);
        now += expected;
    }
    // When there is none that they are good for, it is they who lack something.
    standing.note(event(Outcome::Forbidden), now);
    assert_eq!(standing.state(), AuthState::Forbidden);
    assert!(!standing.is_let_through(0));
    let new = Shown { credentials: 2, ..SHOWN };
    assert_eq!(standing.skip(1, Some(new), now), None, "new ones may have the right");
}

#[test]
fn a_probe_without_credentials_that_is_forbidden_says_nothing_of_any() {
    let now = Instant::now();
    let mut standing = standing();
    for outcome in [Outcome::Forbidden, Outcome::AuthError, Outcome::Forbidden, Outcome::AuthError] {
        standing.note(Event { shown: None, ..event(outcome) }, now);
    }
    assert_eq!(standing.state(), AuthState::Unknown);
    assert_eq!((standing.skip(0, None, now), standing.skip(0, Some(SHOWN), now)), (None, None));
}

#[test]
fn the_worst_of_several_auths_is_told_and_one_that_was_not_used_is_not() {
    let now = Instant::now();
    let mut standing = standing();
    let mut states = vec![standing.state().as_str()];
    for (auth, outcome, expired) in [
        (1, Outcome::Ok, false),
        (0, Outcome::Forbidden, false),
        (0, Outcome::Blocked, false),
        (0, Outcome::AuthError, false),
        (1, Outcome::AuthError, true),
        (0, Outcome::Ok, false),
        (1, Outcome::Ok, false),
    ] {
        let shown = Some(Shown { auth, ..SHOWN });
        standing.note(Event { shown, expired, ..event(outcome) }, now);
        states.push(standing.state().as_str());
    }
    assert_eq!(states, ["unknown", "ok", "forbidden", "blocked", "rejected", "expired", "expired", "ok"]);
}

#[test]
fn a_wall_is_left_alone_by_everybody_longer_each_time_and_as_long_as_it_asks_for() {
    let mut now = Instant::now();
    let mut standing = standing();
    let mut minutes = Vec::new();
    for hours in [0, 0, 0, 0, 7, 1000] {
        let retry_after = (hours > 0).then(|| Duration::from_hours(hours));
        standing.note(Event { shown: None, retry_after, ..event(Outcome::Blocked) }, now);
        let waited = pause(&mut standing, None, now);
        minutes.push(waited.as_secs() / 60);
        now += waited;
    }
    assert_eq!(minutes, [15, 60, 360, 360, 420, 1440]);
    assert_eq!(standing.state(), AuthState::Unknown, "a probe without credentials says nothing of them");
}

#[test]
fn a_page_for_everybody_that_is_had_through_a_wall_does_not_end_it() {
    let mut now = Instant::now();
    let mut standing = standing();
    let anybody = Event { probe: 1, shown: None, ..event(Outcome::Ok) };
    let mut minutes = Vec::new();
    for through in [anybody, anybody, event(Outcome::Ok), anybody] {
        standing.note(event(Outcome::Blocked), now);
        let waited = pause(&mut standing, None, now);
        minutes.push(waited.as_secs() / 60);
        now += waited;
        standing.note(through, now);
    }
    assert_eq!(minutes, [15, 60, 360, 15]);
}

#[test]
fn a_wall_that_is_gone_is_not_told_any_more_whatever_is_behind_it() {
    let now = Instant::now();
    for (outcome, state) in [
        (Outcome::Timeout, AuthState::Unknown),
        (Outcome::ServerError, AuthState::Unknown),
        (Outcome::RateLimited, AuthState::Unknown),
        (Outcome::AuthError, AuthState::Rejected),
        (Outcome::Blocked, AuthState::Blocked),
    ] {
        let mut standing = standing();
        standing.note(event(Outcome::Blocked), now);
        assert_eq!(standing.state(), AuthState::Blocked);
        standing.note(event(outcome), now);
        assert_eq!(standing.state(), state, "{outcome}");
    }
}

#[test]
fn what_fails_on_the_way_changes_nothing() {
    let now = Instant::now();
    let mut standing = standing();
    standing.note(event(Outcome::Ok), now);
    for outcome in [Outcome::Timeout, Outcome::ServerError, Outcome::ConnectError, Outcome::TokenError] {
        standing.note(event(outcome), now);
        assert_eq!(standing.skip(0, Some(SHOWN), now), None);
        assert_eq!(standing.state(), AuthState::Ok);
    }
}

#[test]
fn a_restart_forgets_no_pause() {
    let now = Instant::now();
    let other = Shown { auth: 1, credentials: 7 };
    for (events, state) in [
        (vec![event(Outcome::AuthError); 2], AuthState::Rejected),
        (vec![Event { shown: Some(other), ..event(Outcome::AuthError) }; 3], AuthState::Rejected),
        ([0, 1, 2, 0, 1, 2].map(|probe| Event { probe, ..event(Outcome::Forbidden) }).to_vec(), AuthState::Forbidden),
        // What the others may is not known yet.
        (vec![Event { probe: 2, ..event(Outcome::Forbidden) }; 2], AuthState::Unknown),
        (vec![event(Outcome::Blocked)], AuthState::Blocked),
        (vec![Event { shown: None, ..event(Outcome::RateLimited) }], AuthState::Unknown),
    ] {
        let (mut before, mut after) = (standing(), standing());
        for event in &events {
            before.note(*event, now);
        }
        after.restore(before.pauses(now), |_| Some(0), now);
        assert_eq!(after.state(), state, "{events:?}");
        assert_eq!(after.pauses(now), before.pauses(now), "{events:?}");
        for (probe, shown) in [(0, SHOWN), (1, other), (2, SHOWN)] {
            let skips = [&mut before, &mut after].map(|standing| standing.skip(probe, Some(shown), now));
            assert_eq!(skips[0], skips[1], "{events:?}");
        }
    }
}
