//! What nft's expressions ask of a packet.

use std::collections::HashMap;

use serde_json::Value;

use super::builder::{ALTERNATIVES, Builder, Condition, both, certain, flags, ports, sender, state, test, unknown};
use super::nft::{Table, words};
use super::ranges::{Range, Version};
use super::rules::{Family, Of, Sources};

/// The elements of each set and map, by its table and name.
pub(super) type Sets<'a> = HashMap<(Family, &'a str, &'a str), &'a [Value]>;

/// Whether what a `match` asks holds.
pub(super) fn holds<'a>(builder: &mut Builder, sets: &Sets<'a>, table: Table<'a>, body: &'a Value) -> Condition {
    let (Some(left), Some(right)) = (body.get("left"), body.get("right")) else { return unknown() };
    let asked = match body.get("op").and_then(Value::as_str) {
        Some("==" | "in") => Asked { sets, table, right, not: false },
        Some("!=") => Asked { sets, table, right, not: true },
        Some(order @ ("<" | ">" | "<=" | ">=")) => return ordered(left, order, right),
        _ => return unknown(),
    };
    asked.of(builder, left)
}

/// Whether an expression has a value.
pub(super) fn equals<'a>(
    builder: &mut Builder,
    sets: &Sets<'a>,
    table: Table<'a>,
    key: &'a Value,
    value: &'a Value,
) -> Condition {
    Asked { sets, table, right: value, not: false }.of(builder, key)
}

/// Ports are in order; what else is, the sender may choose or nobody knows.
fn ordered(left: &Value, order: &str, right: &Value) -> Condition {
    let (protocol, field) = payload(left);
    let (Some("tcp" | "th"), Some("dport")) = (protocol, field) else {
        return if protocol.is_some() { sender() } else { unknown() };
    };
    let Some(port) = right.as_u64().and_then(|port| u16::try_from(port).ok()) else { return unknown() };
    let range = match order {
        "<" => port.checked_sub(1).map(|last| (0, last)),
        ">" => port.checked_add(1).map(|first| (first, u16::MAX)),
        "<=" => Some((0, port)),
        _ => Some((port, u16::MAX)),
    };
    ports(range.into_iter().collect(), false)
}

/// The protocol and the field that an expression names.
fn payload(expression: &Value) -> (Option<&str>, Option<&str>) {
    let payload = expression.get("payload");
    let name = |key| payload.and_then(|payload| payload.get(key)).and_then(Value::as_str);
    (name("protocol"), name("field"))
}

/// What an expression is compared with.
struct Asked<'s, 'a> {
    sets: &'s Sets<'a>,
    table: Table<'a>,
    right: &'a Value,
    not: bool,
}

impl<'a> Asked<'_, 'a> {
    /// Whether that holds of an expression.
    fn of(&self, builder: &mut Builder, left: &'a Value) -> Condition {
        let Some((kind, body)) = left.as_object().and_then(|left| left.iter().next()) else { return unknown() };
        let key = body.get("key").and_then(Value::as_str).unwrap_or_default();
        match kind.as_str() {
            "payload" => self.payload(builder, left),
            "meta" => self.meta(key),
            "ct" => self.connection(builder, body, key),
            "fib" => self.route(body),
            "concat" => self.several(builder, body),
            "&" => self.masked(body),
            "numgen" | "exthdr" | "tcp option" | "ip option" => sender(),
            _ => unknown(),
        }
    }

    /// The values that it is compared with, one by one; those of a set that is named, too.
    fn values(&self) -> Option<Vec<&'a Value>> {
        let unwrapped = |value: &'a Value| value.get("elem").and_then(|elem| elem.get("val")).unwrap_or(value);
        match self.right {
            Value::String(name) if name.starts_with('@') => {
                let elements = self.sets.get(&(self.table.0, self.table.1, &name[1..]))?;
                Some(elements.iter().map(unwrapped).collect())
            }
            Value::Array(all) => Some(all.iter().map(unwrapped).collect()),
            value => match value.get("set").and_then(Value::as_array) {
                Some(all) => Some(all.iter().map(unwrapped).collect()),
                None => Some(vec![unwrapped(value)]),
            },
        }
    }

    /// The words among the values.
    fn words(&self) -> Option<Vec<&'a str>> {
        Some(self.values()?.into_iter().flat_map(words).collect())
    }

    /// Whether one of the words is certain to be the packet's.
    fn is_word(&self, own: &[&str]) -> Condition {
        self.words().map_or_else(unknown, |words| certain(words.iter().any(|word| own.contains(word)) != self.not))
    }

    fn ranges(&self) -> Option<Vec<Range>> {
        self.values()?.into_iter().map(range).collect()
    }

    fn payload(&self, builder: &mut Builder, left: &Value) -> Condition {
        match payload(left) {
            (Some("tcp" | "th"), Some("dport")) => {
                let range = |value: &Value| {
                    let number = |value: &Value| u16::try_from(value.as_u64()?).ok();
                    match value.get("range") {
                        Some(range) => Some((number(range.get(0)?)?, number(range.get(1)?)?)),
                        None => number(value).map(|port| (port, port)),
                    }
                };
                let ranges = self.values().and_then(|values| values.into_iter().map(range).collect());
                ranges.map_or_else(unknown, |ranges| ports(ranges, self.not))
            }
            (Some("tcp"), Some("flags")) => {
                // Without a mask, and with `in`, it is asked whether one of them is set; here only SYN is.
                self.is_word(&["syn"])
            }
            (Some("tcp" | "th"), Some(_)) => sender(),
            (Some(protocol @ ("ip" | "ip6")), Some(field)) => {
                let version = if protocol == "ip" { Version::V4 } else { Version::V6 };
                let own = self.of_version(version);
                let asked = match field {
                    "saddr" => self.source(builder),
                    "daddr" => match self.ranges() {
                        Some(ranges) if ranges.is_empty() => certain(self.not),
                        Some(ranges) => test(Of::Destination(ranges), self.not),
                        None => unknown(),
                    },
                    "protocol" | "nexthdr" => self.is_word(&["tcp"]),
                    "version" => certain(true),
                    _ => sender(),
                };
                both(&own, &asked)
            }
            (Some("ether" | "vlan") | None, _) => unknown(),
            // Of another protocol than TCP.
            _ => certain(false),
        }
    }

    /// That a packet is of a version, where its table does not say so.
    fn of_version(&self, version: Version) -> Condition {
        match self.table.0 {
            Family::Ip | Family::Ip6 => certain(self.table.0.sees(version)),
            Family::Inet | Family::Netdev => test(Of::Version(version), false),
        }
    }

    fn source(&self, builder: &mut Builder) -> Condition {
        let name = self.right.as_str().and_then(|name| name.strip_prefix('@'));
        match (name, self.ranges()) {
            (None, Some(ranges)) => builder.source(ranges, self.not),
            (None, None) => unknown(),
            (Some(name), ranges) => builder.named_source((self.table.0, self.table.1, name), self.not, || {
                let owned = Some(name.to_owned());
                match ranges {
                    Some(ranges) => {
                        let entries = ranges.len() as u64;
                        Sources::of(owned, ranges, entries)
                    }
                    None => Sources::unseen(owned),
                }
            }),
        }
    }

    fn meta(&self, key: &str) -> Condition {
        match key {
            "l4proto" => self.is_word(&["tcp"]),
            "nfproto" | "protocol" => {
                let Some(words) = self.words() else { return unknown() };
                let v4 = words.iter().any(|word| ["ipv4", "ip"].contains(word));
                let v6 = words.iter().any(|word| ["ipv6", "ip6"].contains(word));
                match (v4, v6) {
                    (true, true) => certain(!self.not),
                    (true, false) => test(Of::Version(Version::V4), self.not),
                    (false, true) => test(Of::Version(Version::V6), self.not),
                    (false, false) => certain(self.not),
                }
            }
            "iif" | "iifname" => self.interfaces(Of::In),
            "oif" | "oifname" => self.interfaces(Of::Out),
            "pkttype" => self.is_word(&["host", "unicast"]),
            "length" | "time" | "day" | "hour" | "random" => sender(),
            _ => unknown(),
        }
    }

    fn interfaces(&self, of: impl FnOnce(Vec<String>) -> Of) -> Condition {
        match self.values().map(|values| values.into_iter().map(Value::as_str).collect::<Option<Vec<_>>>()) {
            Some(Some(names)) if names.is_empty() => certain(self.not),
            Some(Some(names)) => test(of(names.into_iter().map(str::to_owned).collect()), self.not),
            _ => unknown(),
        }
    }

    fn connection(&self, builder: &Builder, body: &Value, key: &str) -> Condition {
        let words = self.words();
        match (key, words) {
            ("state", Some(words)) => state(words.into_iter(), self.not, builder.untracked),
            // Nothing else is true of a connection that has just begun.
            ("status", Some(words)) if words.contains(&"dnat") => test(Of::Redirected, self.not),
            ("status", Some(_)) => certain(self.not),
            ("direction", Some(words)) => certain(words.contains(&"original") != self.not),
            ("l4proto" | "protocol", Some(_)) if body.get("dir").is_none() => self.is_word(&["tcp"]),
            _ => unknown(),
        }
    }

    fn route(&self, body: &Value) -> Condition {
        let of = |side: &str| body.get("flags").is_some_and(|flags| words(flags).contains(&side));
        match body.get("result").and_then(Value::as_str) {
            Some("type") if of("daddr") => {
                let Some(types) = self.words() else { return unknown() };
                match (types.contains(&"local"), types.contains(&"unicast")) {
                    (true, true) => certain(!self.not),
                    (true, false) => test(Of::Local, self.not),
                    (false, true) => test(Of::Local, !self.not),
                    (false, false) => certain(self.not),
                }
            }
            Some("type") if of("saddr") => self.is_word(&["unicast"]),
            // The reverse path of a public address is where it came from.
            Some("oif" | "oifname") if of("saddr") => match (self.right.as_bool(), self.right.as_u64()) {
                (Some(exists), _) => certain(exists != self.not),
                (None, Some(0)) => certain(self.not),
                _ => unknown(),
            },
            _ => unknown(),
        }
    }

    /// `tcp flags & (fin | syn) == syn`.
    fn masked(&self, sides: &Value) -> Condition {
        let (Some(left), Some(mask)) = (sides.get(0), sides.get(1)) else { return unknown() };
        let (Some("tcp"), Some("flags")) = payload(left) else { return unknown() };
        match self.right.as_u64() {
            Some(0) => flags(words(mask), &[], self.not),
            Some(_) => unknown(),
            None => flags(words(mask), &words(self.right), self.not),
        }
    }

    /// Several expressions at once: each element of a set is an alternative.
    fn several(&self, builder: &mut Builder, keys: &'a Value) -> Condition {
        let (Some(keys), Some(elements)) = (keys.as_array(), self.values()) else { return unknown() };
        if elements.len() > ALTERNATIVES {
            return unknown();
        }
        let mut any = Vec::new();
        for element in elements {
            let Some(parts) = element.get("concat").and_then(Value::as_array).filter(|all| all.len() == keys.len())
            else {
                return unknown();
            };
            let mut all = certain(true);
            for (key, part) in keys.iter().zip(parts) {
                let one = Asked { sets: self.sets, table: self.table, right: part, not: false };
                all = both(&all, &one.of(builder, key));
            }
            any.extend(all);
        }
        match (self.not, any.len()) {
            (true, 0) => certain(true),
            (true, _) => negated(any),
            (false, _) => any,
        }
    }
}

/// That none of the alternatives holds, where each is certain or there is but one test.
fn negated(any: Condition) -> Condition {
    if any.iter().any(Vec::is_empty) {
        return certain(false);
    }
    let mut none = Vec::new();
    for alternative in any {
        match &alternative[..] {
            [one] => none.push(super::rules::Test { of: one.of.clone(), not: !one.not }),
            _ => return unknown(),
        }
    }
    none.dedup();
    vec![none]
}

/// An address, a network or a range.
fn range(value: &Value) -> Option<Range> {
    if let Some(prefix) = value.get("prefix") {
        let address = prefix.get("addr")?.as_str()?.parse().ok()?;
        return Range::network(address, u32::try_from(prefix.get("len")?.as_u64()?).ok()?);
    }
    match value.get("range") {
        Some(range) => Range::between(range.get(0)?.as_str()?.parse().ok()?, range.get(1)?.as_str()?.parse().ok()?),
        None => Range::parse(value.as_str()?),
    }
}
