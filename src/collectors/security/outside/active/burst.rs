//! more requests than the limit allows, to see that it is one.

use std::time::Duration;

use bytes::Bytes;
use http_body_util::Full;
use serde::{Deserialize, Serialize};
use tokio::time::Instant;

use crate::collectors::security::outside::answer::is_no_answer;
use crate::collectors::security::outside::visitor::{Missed, Visitor};
use crate::collectors::security::verdict::{Cause, Known, Unknown};

/// The most requests, whatever the limit.
const REQUESTS: u32 = 200;

/// After how many that were lost it is over.
const LOST: u32 = 8;

/// How long they may take, all together.
const PATIENCE: Duration = Duration::from_secs(30);

/// A page that PHP makes, and that costs next to nothing.
const PAGE: &str = "index.php?route=common/language";

/// What a client may do, by nginx' configuration: so many requests a second, and so many more at a time.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Limit {
    /// Requests a second.
    pub(crate) rate: f64,
    /// Requests beside.
    pub(crate) burst: u32,
}

/// What came of the burst.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Burst {
    /// How many requests were answered.
    pub(crate) sent: u32,
    /// How many of them were turned away.
    pub(crate) refused: u32,
    /// How long they took.
    pub(crate) milliseconds: u64,
    /// What is meant to be allowed.
    pub(crate) limit: Limit,
}

impl Burst {
    /// Whether more was answered than the limit would let through, and nothing turned away. Whose requests were slowed
    /// down, or were too slow by themselves, have shown nothing.
    #[expect(clippy::cast_precision_loss, reason = "a few seconds")]
    pub(crate) fn is_unlimited(&self) -> bool {
        let seconds = self.milliseconds as f64 / 1000.0;
        let allowed = self.limit.rate.mul_add(seconds, f64::from(self.limit.burst) + 1.0);
        self.refused == 0 && f64::from(self.sent) > allowed * 1.1
    }
}

/// Sends half as many requests again as the limit allows at a time, four at once, each on a connection of its own, once a
/// day, whatever the hour, and never more than 200. One after the other a slow way would keep within any rate; four are as
/// many as a browser's at most, and below any limit on connections that shops live with.
///
/// What is lost was neither served nor refused. That there is a limit is known by a refusal alone, and that there is none
/// by [more answers than it allows](Burst::is_unlimited).
///
/// # Errors
/// When the first are not answered, or neither was seen: so that what was found before stays.
pub(crate) async fn ask_burst(visitor: &Visitor, limit: Limit) -> Known<Burst> {
    let begun = Instant::now();
    let mut burst = Burst { sent: 0, refused: 0, milliseconds: 0, limit };
    let (mut asked, mut lost, mut missed) = (0, 0, None);
    let url = visitor.home.join(PAGE).unwrap_or_else(|_| visitor.home.clone());
    let one = || Box::pin(visitor.ask(&url, |request| request.body(Full::<Bytes>::default()), 0));
    // What the limit lets through while they are sent comes on top; half as many again is more than that as a rule.
    let wanted = (f64::from(limit.burst) + limit.rate + 1.0) * 1.5;
    while f64::from(asked) < wanted && asked < REQUESTS && lost < LOST && begun.elapsed() < PATIENCE {
        let (a, b, c, d) = tokio::join!(one(), one(), one(), one());
        for answer in [a, b, c, d] {
            asked += 1;
            match answer.map(|(head, _)| head.status.as_u16()) {
                Ok(403 | 429 | 503) => {
                    burst.sent += 1;
                    burst.refused += 1;
                }
                Ok(status) if is_no_answer(status) => {
                    lost += 1;
                    missed = Some(Unknown::new(Cause::Unreachable, format!("the shop answers {status}")));
                }
                Ok(_) => burst.sent += 1,
                Err(why) => {
                    lost += 1;
                    missed = Some(Missed::unknown(why));
                }
            }
        }
        if burst.sent == 0 {
            break;
        }
    }
    burst.milliseconds = u64::try_from(begun.elapsed().as_millis()).unwrap_or(u64::MAX);
    if burst.refused > 0 || burst.is_unlimited() {
        return Ok(burst);
    }
    let told = format!("{} of {asked} requests were answered within {} ms", burst.sent, burst.milliseconds);
    Err(match missed {
        Some(missed) => Unknown::new(missed.cause, format!("{told}: {}", missed.why)),
        None => Unknown::new(Cause::Timeout, format!("{told}, which is no more than the limit allows")),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_a_limit_would_have_refused_shows_that_there_is_none() {
        let burst = |sent, refused, milliseconds| {
            let limit = Limit { rate: 10.0, burst: 20 };
            Burst { sent, refused, milliseconds, limit }.is_unlimited()
        };
        assert!(burst(60, 0, 1000));
        assert!(!burst(60, 1, 1000));
        // As slow as nginx makes them that delays what is too much.
        assert!(!burst(60, 0, 6000));
        assert!(!burst(20, 0, 100));
    }
}
