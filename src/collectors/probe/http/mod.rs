//! A probe of a page: each hop looked up, connected to, asked and read by itself, with the time of each part.

mod cookies;
mod exchange;
mod journey;
mod settings;
mod visited;

use super::ending::{Ending, Trouble};
use super::findings::{Findings, public};
use super::handshake::Means;
use crate::collector::Reason;
use crate::net::connect::{connect, is_private};
use crate::net::phases::Phase;
use exchange::{Answer, Exchange};
use journey::{Journey, origin};

pub(super) use settings::{Expected, Login, Page, Request};
pub(crate) use settings::{HeaderName, Method, PageUrl, Redirects, Size, Statuses, Text};
pub(super) use visited::{METRICS, Visited};

impl Page {
    /// Asks for the page, follows its redirects, and holds the last answer against what is expected.
    pub(super) async fn probe(&self, found: &mut Findings, means: &Means<'_>) -> Result<(), Trouble> {
        found.expects_words();
        found.visited = Some(Visited::default());
        let mut journey = Journey::begin(self);
        let mut private = self.allow_private;
        loop {
            let answer = self.hop(&journey, &mut private, found, means).await;
            let answer = answer.map_err(|trouble| trouble.context(format!("asking {}", origin(&journey.url))))?;
            let Some(next) = journey.redirect(answer.head.status, &answer.head.headers) else {
                return self.expected.check(&answer, found);
            };
            let next = next?;
            if visited(found).redirects() == self.redirects.0 {
                let message = format!("more than {} redirects, the last one to {}", self.redirects.0, origin(&next));
                return Err(Trouble::new(Ending::Redirect, message));
            }
            journey.go(answer.head.status, &answer.head.headers, next)?;
            visited(found).redirected();
        }
    }

    /// One request and its answer. `private` is whether networks may be entered that are not public.
    async fn hop(
        &self,
        journey: &Journey<'_>,
        private: &mut bool,
        found: &mut Findings,
        means: &Means<'_>,
    ) -> Result<Answer, Trouble> {
        visited(found).phases.begin(Phase::Resolve);
        let mut addresses = found.resolve(&journey.host(), journey.port(), self.ip).await?;
        visited(found).phases.begin(Phase::Connect);
        let is_first = visited(found).redirects() == 0;
        if !is_first && !*private {
            let host = journey.host();
            addresses = public(addresses);
            if addresses.is_empty() {
                let message = format!(
                    "a redirect leads to `{host}`, whose address is private (allow_private = true lets a probe go there)"
                );
                return Err(Trouble::because(Ending::Redirect, Reason::Permission, message));
            }
        }
        let (stream, address) = connect(&addresses, means.deadline).await?;
        found.reached(address.ip());
        // By the address that was gone to: a name may have another that is not, and nobody need listen there.
        *private |= is_first && is_private(address.ip());
        let exchange = Exchange { page: self, journey, means };
        exchange.over(stream, address, found).await
    }
}

impl Expected {
    /// Holds an answer against what is expected.
    fn check(&self, answer: &Answer, found: &mut Findings) -> Result<(), Trouble> {
        let status = answer.head.status;
        if !self.status.contain(status.as_u16()) {
            let reason = match status.as_u16() {
                401 | 407 => Reason::Auth,
                403 => Reason::Permission,
                _ => Reason::Protocol,
            };
            let message = format!("the status is {status}, not {}", self.status);
            return Err(Trouble::because(Ending::Status, reason, message));
        }
        let mut check = |good: bool, message: &dyn Fn() -> String| {
            if good {
                return Ok(());
            }
            found.fail_by_words();
            Err(Trouble::new(Ending::Content, message()))
        };
        for (name, pattern) in &self.headers {
            let values = answer.head.headers.get_all(&name.0);
            let matches = values.iter().any(|value| pattern.is_in(value.as_bytes()));
            check(matches, &|| format!("no header `{}` has `{}`", name.0, pattern.as_str()))?;
        }
        if let Some(pattern) = &self.body {
            check(pattern.is_in(&answer.body), &|| format!("the body has no `{}`", pattern.as_str()))?;
        }
        if let Some(pattern) = &self.not_body {
            check(!pattern.is_in(&answer.body), &|| format!("the body has `{}`", pattern.as_str()))?;
        }
        Ok(())
    }
}

/// What is known of the page so far.
fn visited(found: &mut Findings) -> &mut Visited {
    found.visited.get_or_insert_default()
}
