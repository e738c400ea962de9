//! The certificate: TLS-01 to TLS-03.

use crate::collectors::security::outside::certificate::is_hang_up;
use crate::collectors::security::outside::encryption::{Leaf, Shown};
use crate::collectors::security::outside::renewal::Renewal;
use crate::collectors::security::verdict::{Cap, Cause, Known, Unknown, Verdict};
use crate::tls::certificate::date;

/// What the shop shows, at a time.
pub(super) struct Look<'a> {
    /// The shop's host.
    pub(super) host: &'a str,
    /// What it shows.
    pub(super) shown: Result<&'a Shown, &'a Unknown>,
    /// When, in seconds since 1970.
    pub(super) now: i64,
}

/// The shortest RSA key that still is one (SSL Labs, ASVS 5.0, 11.2.3).
pub(super) const RSA_BITS: usize = 2048;

impl Look<'_> {
    /// TLS-01. A port that is closed is nobody's bad certificate; but where the shop is served in clear at the same time,
    /// there is no HTTPS. Who hangs up is there, and has not said what it speaks.
    ///
    /// SSL Labs' guide, T and M; testssl.sh; ASVS 5.0, 12.2.2.
    pub(super) fn validity(&self, is_served_in_clear: bool) -> Verdict {
        let host = self.host;
        let shown = match self.shown {
            Ok(shown) => shown,
            Err(unknown) if unknown.cause == Cause::Unreachable && !is_hang_up(unknown) && is_served_in_clear => {
                let seen = format!("the shop is served by HTTP, and not by HTTPS: {}", unknown.why);
                return Verdict::fail(seen, self.new_certificate()).with_cap(Cap::NoHttps);
            }
            Err(unknown) => return unknown.into(),
        };
        let failure = shown.failure.as_deref().unwrap_or("the server shows no certificate");
        let Some(leaf) = &shown.leaf else {
            return Verdict::fail(format!("no HTTPS is agreed to: {failure}"), self.new_certificate())
                .with_cap(Cap::NoHttps);
        };
        if !shown.flaws.is_empty() {
            let seen: Vec<_> = shown.flaws.iter().map(|flaw| flaw.text.as_str()).collect();
            let fix = match shown.flaws[0].word.as_str() {
                "expired" => format!("certbot renew --cert-name {host} && systemctl reload nginx"),
                "incomplete_chain" => format!("ssl_certificate /etc/letsencrypt/live/{host}/fullchain.pem;"),
                _ => self.new_certificate(),
            };
            return Verdict::fail(seen.join("; "), fix).with_cap(Cap::CertificateInvalid);
        }
        // A key that is too weak to be checked is judged as such, and who speaks versions alone that are out of date too.
        let is_explained = leaf.key == "rsa" && leaf.bits < RSA_BITS;
        match &shown.failure {
            Some(failure) if !is_explained && !failure.contains("which is out of date") => {
                Verdict::fail(format!("nothing is agreed to: {failure}"), "nginx -t && journalctl -u nginx")
            }
            _ => Verdict::pass(format!("valid for {host} until {}", date(leaf.not_after))),
        }
    }

    /// What comes of all other checks where something else than TLS is spoken.
    pub(super) fn without_tls(&self) -> Verdict {
        Verdict::fail("what answers for HTTPS does not speak TLS", self.new_certificate())
    }

    fn new_certificate(&self) -> String {
        format!("certbot --nginx -d {}", self.host)
    }

    /// TLS-02. Of the certificate itself, whatever else is wrong with it: fixed numbers of days make no sense where
    /// certificates live for six days, or 47 (CA/Browser Forum, SC-081v3).
    pub(super) fn horizon(&self) -> Verdict {
        let leaf = match self.leaf() {
            Ok(leaf) => leaf,
            Err(verdict) => return verdict,
        };
        let life = leaf.not_after.saturating_sub(leaf.not_before);
        let left = leaf.not_after.saturating_sub(self.now);
        let seen = if left <= 0 {
            format!("it expired at {}", date(leaf.not_after))
        } else {
            format!("{} of {} are left, until {}", span(left), span(life), date(leaf.not_after))
        };
        let fix = "systemctl enable --now certbot.timer && certbot renew && systemctl reload nginx";
        if life > 0 && left.saturating_mul(3) >= life {
            Verdict::pass(seen)
        } else if life > 0 && left.saturating_mul(6) >= life {
            Verdict::partial(seen, fix)
        } else {
            Verdict::fail(seen, fix)
        }
    }

    /// TLS-03. What is on the wire counts first: a timer whose certificate grows old renews nothing. What may not be read
    /// is no timer that was found, and takes nothing from what is on the wire.
    pub(super) fn renewal(&self, renewal: Result<&Renewal, &Unknown>) -> Verdict {
        const FIX: &str = "systemctl enable --now certbot.timer";
        let leaf = match self.leaf() {
            Ok(leaf) => leaf,
            Err(verdict) => return verdict,
        };
        let life = leaf.not_after.saturating_sub(leaf.not_before);
        let age = self.now.saturating_sub(leaf.not_before);
        let issued = format!("it was issued {} ago, for {}", span(age), span(life));
        let by = renewal.map(|renewal| renewal.found.join(", "));
        if life <= 0 || age > life.saturating_mul(2) / 3 {
            let but = by.ok().filter(|by| !by.is_empty()).map(|by| format!(", though there is {by}"));
            return Verdict::fail(format!("{issued}{}", but.unwrap_or_default()), FIX);
        }
        match (by, renewal) {
            (Ok(by), _) if !by.is_empty() => Verdict::pass(format!("{issued}, and is renewed by {by}")),
            (_, Ok(renewal)) if !renewal.closed.is_empty() => {
                let closed = renewal.closed.join(", ");
                Verdict::partial(
                    format!("{issued}, and no timer was found that renews it; {closed} may not be read"),
                    FIX,
                )
            }
            (_, Ok(_)) => Verdict::partial(format!("{issued}, and no timer was found that renews it"), FIX),
            (_, Err(unknown)) => unknown.into(),
        }
    }

    /// The certificate, or what comes of there being none.
    fn leaf(&self) -> Result<&Leaf, Verdict> {
        let shown: Known<&Shown> = self.shown.map_err(Clone::clone);
        let none = || Verdict::fail("no certificate is shown", self.new_certificate());
        shown.map_err(Verdict::from)?.leaf.as_ref().ok_or_else(none)
    }
}

/// A length of time as people say it.
fn span(seconds: i64) -> String {
    const DAY: i64 = 86_400;
    match seconds {
        ..0 => "less than nothing".to_owned(),
        0..172_800 => format!("{} hours", seconds / 3600),
        _ => format!("{} days", seconds / DAY),
    }
}
