//! How often a probe is made: as often as it is wanted, if neither its preset nor a documented limit says less often.

use std::fmt;
use std::time::Duration;

use super::schema::DocumentedLimit;
use crate::config::types::Period;

/// The most often when the preset does not say: what is more is a load, not a look.
const FLOOR: Duration = Duration::from_secs(1);

/// How often a probe is made.
#[derive(Clone, Debug, PartialEq)]
pub struct Pace {
    /// How often it is.
    pub every: Duration,
    /// How often it was to be.
    pub wanted: Duration,
    /// Why it is not, when it is not: `its min_interval is 30s`.
    pub clamped: Option<String>,
    /// The part of the documented limit that it uses; `None` where none is documented.
    pub budget: Option<f64>,
    /// Whether that is all that it may use.
    pub is_least: bool,
}

/// A documented limit, and how much of it there is for one probe.
#[derive(Clone, Copy, Debug)]
pub(super) struct Allowance<'a> {
    pub(super) limit: &'a DocumentedLimit,
    /// The part of it that may be used, when the limit itself does not say.
    pub(super) share: f64,
    /// How many probes use it.
    pub(super) probes: u32,
}

impl Pace {
    /// The pace of a probe that is wanted so often and allowed so much.
    pub(super) fn new(wanted: Duration, min_interval: Option<Duration>, allowance: Option<Allowance<'_>>) -> Self {
        let floor = min_interval.unwrap_or(FLOOR);
        let limit = allowance.map(|allowance| allowance.limit);
        let allowed = allowance.map(|allowance| (allowance, allowance.interval()));
        let least = allowed.map_or(floor, |(_, allowed)| allowed.max(floor));
        let clamped = (wanted < least).then(|| match allowed {
            Some((allowance, allowed)) if allowed == least => format!("{allowance} is one every {}", shown(allowed)),
            _ => format!("its min_interval is {}", shown(floor)),
        });
        let every = wanted.max(least);
        let budget = limit.map(|limit| limit.per.0.as_secs_f64() / every.as_secs_f64() / limit.requests.0);
        let is_least = allowed.is_some_and(|(_, allowed)| allowed == every);
        Self { every, wanted, clamped, budget, is_least }
    }
}

impl Allowance<'_> {
    /// The part that all probes together may use.
    fn share(&self) -> f64 {
        self.limit.budget_share.map_or(self.share, |share| share.0)
    }

    /// The time from one request to the next of each probe; whole milliseconds, a year at most.
    fn interval(&self) -> Duration {
        let limit = self.limit;
        let seconds = limit.per.0.as_secs_f64() / (limit.requests.0 * self.share()) * f64::from(self.probes);
        // Ten thousandths of a millisecond are what is lost in the division, not what is allowed.
        let millis = (seconds * 1e3 - 1e-4).ceil();
        Duration::try_from_secs_f64(millis / 1e3).map_or(Period::LONGEST, |allowed| allowed.min(Period::LONGEST))
    }
}

impl fmt::Display for Allowance<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (limit, share) = (self.limit, percent(self.share()));
        write!(f, "{share} % of the documented {} requests in {}", limit.requests.0, shown(limit.per.0))?;
        if self.probes > 1 { write!(f, ", for {} probes,", self.probes) } else { Ok(()) }
    }
}

/// A share in hundredths, without digits that say nothing.
fn percent(share: f64) -> f64 {
    (share * 1e6).round() / 1e4
}

/// A length of time as it is written in the configuration.
pub(super) fn shown(length: Duration) -> String {
    humantime::format_duration(length).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn limit(text: &str) -> DocumentedLimit {
        toml::from_str(text).unwrap()
    }

    fn alone(limit: &DocumentedLimit) -> Allowance<'_> {
        Allowance { limit, share: 0.01, probes: 1 }
    }

    fn seconds(seconds: f64) -> Duration {
        Duration::from_secs_f64(seconds)
    }

    #[test]
    fn a_probe_is_made_as_often_as_it_is_wanted_where_nothing_speaks_against_it() {
        let pace = Pace::new(seconds(60.0), Some(seconds(10.0)), Some(alone(&limit("requests = 1000\nper = '60s'"))));
        assert_eq!((pace.every, pace.wanted, pace.clamped), (seconds(60.0), seconds(60.0), None));
        assert_eq!(pace.budget, Some(0.001));
        let pace = Pace::new(seconds(60.0), None, None);
        assert_eq!((pace.every, pace.clamped, pace.budget), (seconds(60.0), None, None));
    }

    #[test]
    fn a_hundredth_of_a_documented_limit_is_the_most() {
        for (limit_of, wanted, every, budget, why) in [
            (
                "requests = 30\nper = '60s'",
                60.0,
                200.0,
                0.01,
                "1 % of the documented 30 requests in 1m is one every 3m 20s",
            ),
            (
                "requests = 25000\nper = '1d'\nbudget_share = 0.06",
                10.0,
                57.6,
                0.06,
                "6 % of the documented 25000 requests in 1day is one every 57s 600ms",
            ),
            (
                "requests = 0.016\nper = '1s'\nbudget_share = 0.25",
                1.0,
                250.0,
                0.25,
                "25 % of the documented 0.016 requests in 1s is one every 4m 10s",
            ),
            (
                "requests = 1\nper = '5s'\nbudget_share = 0.05",
                1.0,
                100.0,
                0.05,
                "5 % of the documented 1 requests in 5s is one every 1m 40s",
            ),
        ] {
            let pace = Pace::new(seconds(wanted), None, Some(alone(&limit(limit_of))));
            assert_eq!(pace.every, seconds(every), "{limit_of}");
            assert!((pace.budget.unwrap() - budget).abs() < 1e-9, "{limit_of}: {pace:?}");
            assert_eq!(pace.clamped.as_deref(), Some(why));
        }
    }

    #[test]
    fn the_higher_of_two_floors_counts_and_is_named() {
        let limit = limit("requests = 50\nper = '1s'");
        let pace = Pace::new(seconds(1.0), Some(seconds(30.0)), Some(alone(&limit)));
        assert_eq!((pace.every, pace.clamped.as_deref()), (seconds(30.0), Some("its min_interval is 30s")));
        let pace = Pace::new(seconds(1.0), Some(seconds(1.5)), Some(alone(&limit)));
        let why = "1 % of the documented 50 requests in 1s is one every 2s";
        assert_eq!((pace.every, pace.clamped.as_deref()), (seconds(2.0), Some(why)));
    }

    #[test]
    fn a_second_is_the_floor_where_none_is_said() {
        let pace = Pace::new(seconds(0.05), None, None);
        assert_eq!((pace.every, pace.clamped.as_deref()), (seconds(1.0), Some("its min_interval is 1s")));
        let pace = Pace::new(seconds(0.05), Some(seconds(0.01)), None);
        assert_eq!((pace.every, pace.clamped), (seconds(0.05), None));
    }

    #[test]
    fn a_limit_that_allows_next_to_nothing_is_a_probe_a_year() {
        let pace = Pace::new(seconds(60.0), None, Some(alone(&limit("requests = 1e-300\nper = '1d'"))));
        assert_eq!(pace.every, Period::LONGEST);
    }

    #[test]
    fn probes_that_use_one_limit_share_what_may_be_used_of_it() {
        let limit = limit("requests = 50\nper = '1s'");
        let pace = Pace::new(seconds(1.0), None, Some(Allowance { probes: 3, ..alone(&limit) }));
        let why = "1 % of the documented 50 requests in 1s, for 3 probes, is one every 6s";
        assert_eq!((pace.every, pace.clamped.as_deref()), (seconds(6.0), Some(why)));
        assert!((pace.budget.unwrap() * 3.0 - 0.01).abs() < 1e-9, "{pace:?}");
    }
}
