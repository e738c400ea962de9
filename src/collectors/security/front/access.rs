//! The phases before the answer: limits, and who may have one.

use super::answer::{Control, Key, Limit, Outcome, Request};
use super::ranges::{RULES, lets_strangers_in};
use super::tree::Directive;
use super::values::is_of_client;
use super::walk::{Walk, answer};
use crate::collectors::security::firewall::ranges::{Range, Version};
use crate::collectors::security::verdict::{Cause, Known, Unknown};

/// What one kind of control does with strangers.
enum Door {
    /// There is none.
    None,
    Open,
    /// They are refused with this status.
    Closed(u16),
}

impl Walk<'_> {
    /// Puts the limits of this level in force. Only the first set of a request counts that counts anything
    /// (`r->main->limit_req_status`).
    pub(super) fn limit(&mut self) -> Known<()> {
        if self.requests.is_empty() {
            self.requests = self.limits("limit_req", "limit_req_zone", "limit_req_dry_run")?;
        }
        if self.connections.is_empty() {
            self.connections = self.limits("limit_conn", "limit_conn_zone", "limit_conn_dry_run")?;
        }
        Ok(())
    }

    fn limits(&mut self, name: &str, zones: &str, rehearsal: &str) -> Known<Vec<Limit>> {
        let is_rehearsal = self.flag(rehearsal, false);
        let mut found = Vec::new();
        for said in self.effective(&[name]) {
            // `limit_req zone=a burst=5;` and `limit_conn a 5;`
            let zone = match said.values.iter().find_map(|value| value.strip_prefix("zone=")) {
                Some(zone) => zone,
                None => said.value(),
            };
            let is_it = |defined: &&Directive| {
                let named = defined.values.iter().find_map(|value| value.strip_prefix("zone="));
                defined.name == zones && named.is_some_and(|named| named.split(':').next() == Some(zone))
            };
            let Some(defined) = self.front.tree.http.iter().find(is_it) else {
                let why = format!("{}: there is no zone `{zone}`", said.place);
                return Err(Unknown::new(Cause::Unparsable, why));
            };
            let key = self.key(defined.value());
            // Requests with an empty key are not counted.
            if let Some(key) = key.transpose() {
                let value = |words: &[String], name: &str| {
                    words.iter().find_map(|word| Some(word.strip_prefix(name)?.to_owned()))
                };
                let rate = value(&defined.values, "rate=").and_then(|rate| per_second(&rate));
                let burst = value(&said.values, "burst=").and_then(|burst| burst.parse().ok()).unwrap_or(0);
                found.push(Limit { zone: zone.to_owned(), key, rate, burst, is_rehearsal, place: said.place.clone() });
            }
        }
        Ok(found)
    }

    fn key(&mut self, template: &str) -> Known<Option<Key>> {
        let [key, disguised] = self.both(template);
        let key = key?;
        Ok(match key.as_str() {
            "" => None,
            _ if disguised? != key => Some(Key::Chosen),
            key if is_of_client(key) => Some(Key::Client),
            _ => Some(Key::Shared),
        })
    }

    /// The status that a stranger is refused with here, if it is.
    pub(super) fn refusal(&mut self) -> Known<Option<u16>> {
        let mut refusals = Vec::new();
        let mut admissions = 0;
        let mut take = |control, door| match door {
            Door::Closed(status) => refusals.push((control, status)),
            Door::Open => admissions += 1,
            Door::None => {}
        };
        take(Control::Address, self.address()?);
        take(Control::Password, self.password()?);
        take(Control::Elsewhere, self.elsewhere()?);
        let satisfies_any = self.said("satisfy").is_some_and(|said| said.value() == "any");
        if satisfies_any && admissions > 0 {
            return Ok(None);
        }
        self.controls.extend(refusals.iter().map(|(control, _)| *control));
        let mut statuses = refusals.iter().map(|(_, status)| *status);
        Ok(if satisfies_any {
            // To ask for a password is more than to say no.
            let all: Vec<_> = statuses.collect();
            all.iter().copied().find(|status| *status == 401).or(all.last().copied())
        } else {
            statuses.next()
        })
    }

    /// `allow` and `deny`.
    fn address(&self) -> Known<Door> {
        let rules = self.effective(&["allow", "deny"]);
        if rules.is_empty() {
            return Ok(Door::None);
        }
        let mut ranges = Vec::new();
        for rule in &rules {
            let is_let_in = rule.name == "allow";
            match rule.value() {
                "all" => ranges.extend(Version::ALL.map(|version| (is_let_in, version.everything()))),
                "unix:" => {}
                text => match Range::parse(text) {
                    // The CDN brings everybody.
                    Some(range) if is_let_in && self.front.edge.contains(range.first) => return Ok(Door::Open),
                    Some(range) => ranges.push((is_let_in, range)),
                    None => {
                        let why = format!("{}: `{}` is not understood", rule.place, rule.name);
                        return Err(Unknown::new(Cause::Unparsable, why));
                    }
                },
            }
        }
        if ranges.len() > RULES {
            return Err(Unknown::new(Cause::Unsupported, format!("{}: there are too many addresses", rules[0].place)));
        }
        Ok(if lets_strangers_in(&ranges, self.front.has_v6) { Door::Open } else { Door::Closed(403) })
    }

    fn password(&self) -> Known<Door> {
        let Some(realm) = self.said("auth_basic") else { return Ok(Door::None) };
        // Without a file of users there is nobody to ask for (`ngx_http_auth_basic_handler`).
        if self.said("auth_basic_user_file").is_none() || self.text(realm.value())? == "off" {
            return Ok(Door::None);
        }
        Ok(Door::Closed(401))
    }

    fn elsewhere(&self) -> Known<Door> {
        let Some(said) = self.said("auth_request").filter(|said| said.value() != "off") else { return Ok(Door::None) };
        let to = self.text(said.value())?;
        let (uri, args) = to.split_once('?').unwrap_or((&to, ""));
        let request = Request { uri, args, method: "GET", planted: &[] };
        match answer(self.front, &request, self.asked + 1)?.outcome {
            Outcome::Denied(status @ (401 | 403)) => Ok(Door::Closed(status)),
            Outcome::Denied(_) | Outcome::Missing => Ok(Door::Closed(500)),
            Outcome::Other(_) => Ok(Door::Open),
            _ => {
                let why = format!("{}: whom `auth_request` lets in is another server's word", said.place);
                Err(Unknown::new(Cause::Unsupported, why))
            }
        }
    }

    /// Whether the server takes nobody without a certificate.
    pub(super) fn wants_certificate(&self) -> bool {
        self.front.is_tls && self.said("ssl_verify_client").is_some_and(|said| said.value() == "on")
    }
}

/// `10r/s` or `30r/m`, in requests a second.
fn per_second(rate: &str) -> Option<f64> {
    let (number, period) = rate.split_once("r/")?;
    let number: f64 = number.parse().ok()?;
    match period {
        "s" => Some(number),
        "m" => Some(number / 60.0),
        _ => None,
    }
}
