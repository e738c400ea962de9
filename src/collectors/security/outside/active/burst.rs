//! more requests than the limit allows, to see that it is one.

use std::time::Duration;

use bytes::Bytes;
use http_body_util::Full;
use serde::{Deserialize, Serialize};
use tokio::time::Instant;

use crate::collectors::security::outside::visitor::{Missed, Visitor};
use crate::collectors::security::verdict::Known;

/// The most requests, whatever the limit.
const REQUESTS: u32 = 200;

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

/// Sends half as many requests again as the limit allows at a time, one after the other, each on a connection of its own,
/// once a day, whatever the hour, and never more than 200.
///
/// # Errors
/// When the first is not answered.
pub(crate) async fn ask_burst(visitor: &Visitor, limit: Limit) -> Known<Burst> {
    let begun = Instant::now();
    let mut burst = Burst { sent: 0, refused: 0, milliseconds: 0, limit };
    let url = visitor.home.join(PAGE).unwrap_or_else(|_| visitor.home.clone());
    // What the limit lets through while they are sent comes on top; half as many again is more than that as a rule.
    let wanted = (f64::from(limit.burst) + limit.rate + 1.0) * 1.5;
    while f64::from(burst.sent) < wanted && burst.sent < REQUESTS && begun.elapsed() < PATIENCE {
        match visitor.ask(&url, |request| request.body(Full::<Bytes>::default()), 0).await {
            Ok((head, _)) => {
                burst.sent += 1;
                burst.refused += u32::from(matches!(head.status.as_u16(), 403 | 429 | 503));
            }
            Err(missed) if burst.sent == 0 => return Err(Missed::unknown(missed)),
            Err(_) => {
                burst.sent += 1;
                burst.refused += 1;
                break;
            }
        }
    }
    burst.milliseconds = u64::try_from(begun.elapsed().as_millis()).unwrap_or(u64::MAX);
    Ok(burst)
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
