//! What `nft -j list ruleset` prints (`libnftables-json(5)`).

use std::collections::{HashMap, HashSet};

use serde_json::Value;

use super::builder::{ALTERNATIVES, Builder, Condition, both, certain, unknown};
use super::matching::{self, Sets};
use super::rules::{Action, Base, Family, Hook, Target};

/// A table: its family and its name.
pub(super) type Table<'a> = (Family, &'a str);

/// What nft printed, sorted.
pub(super) struct Printed<'a> {
    /// The chains.
    chains: Vec<&'a Value>,
    /// The rules, with the table of each.
    rules: Vec<(Table<'a>, &'a Value)>,
    /// Sets and maps of verdicts.
    sets: Sets<'a>,
    /// The tables that hold something of iptables, which nft does not show.
    pub(super) opaque: HashSet<Table<'a>>,
    /// The tables that may be switched off.
    doubtful: HashSet<Table<'a>>,
    /// Whether some connections are not tracked.
    pub(super) untracks: bool,
}

fn text<'a>(value: &'a Value, key: &str) -> Option<&'a str> {
    value.get(key)?.as_str()
}

fn table_of(value: &Value) -> Option<Table<'_>> {
    Some((Family::named(text(value, "family")?)?, text(value, "table")?))
}

/// The statements of a rule.
fn statements(rule: &Value) -> &[Value] {
    rule.get("expr").and_then(Value::as_array).map_or(&[], Vec::as_slice)
}

fn has(rule: &Value, statement: &str) -> bool {
    statements(rule).iter().any(|one| one.get(statement).is_some())
}

impl<'a> Printed<'a> {
    /// Sorts what was printed; `None` when that is no ruleset.
    pub(super) fn of(ruleset: &'a Value) -> Option<Self> {
        let items = ruleset.get("nftables")?.as_array()?;
        let mut off = HashSet::new();
        let mut printed = Self {
            chains: Vec::new(),
            rules: Vec::new(),
            sets: HashMap::new(),
            opaque: HashSet::new(),
            doubtful: HashSet::new(),
            untracks: false,
        };
        for table in items.iter().filter_map(|item| item.get("table")) {
            let (Some(family), Some(name)) = (text(table, "family").and_then(Family::named), text(table, "name"))
            else {
                continue;
            };
            match table.get("flags").map(words) {
                Some(flags) if flags.contains(&"dormant") => drop(off.insert((family, name))),
                // nft 1.0.6 prints the table's name in place of its flags.
                Some(flags) if flags.contains(&name) => drop(printed.doubtful.insert((family, name))),
                _ => {}
            }
        }
        for (kind, item) in items.iter().filter_map(|item| item.as_object()?.iter().next()) {
            let Some(table) = table_of(item).filter(|table| !off.contains(table)) else { continue };
            match kind.as_str() {
                "chain" => printed.chains.push(item),
                "rule" => {
                    if has(item, "xt") {
                        printed.opaque.insert(table);
                    }
                    printed.untracks |= has(item, "notrack");
                    printed.rules.push((table, item));
                }
                "set" | "map" => {
                    if let Some(name) = text(item, "name") {
                        let elements = item.get("elem").and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
                        printed.sets.insert((table.0, table.1, name), elements);
                    }
                }
                _ => {}
            }
        }
        Some(printed)
    }

    /// The names of all sets.
    pub(super) fn set_names(&self) -> impl Iterator<Item = &'a str> {
        self.sets.keys().map(|(_, _, name)| *name)
    }

    /// Adds the chains, and the rules of all tables but those that are told elsewhere.
    pub(super) fn add(&self, builder: &mut Builder, told_elsewhere: &HashSet<Table<'a>>) {
        for chain in &self.chains {
            let (Some((family, table)), Some(name)) = (table_of(chain), text(chain, "name")) else { continue };
            let place = builder.chain(family, table, name);
            if let Some(base) = base(chain) {
                builder.hook(place, base);
                if self.doubtful.contains(&(family, table)) {
                    builder.rule(place, &unknown(), &Action::Accept);
                }
            }
        }
        for (table, rule) in self.rules.iter().filter(|(table, _)| !told_elsewhere.contains(table)) {
            let Some(chain) = text(rule, "chain") else { continue };
            let chain = builder.chain(table.0, table.1, chain);
            self.rule(builder, *table, chain, statements(rule));
        }
    }

    fn rule(&self, builder: &mut Builder, table: Table<'a>, chain: usize, statements: &'a [Value]) {
        let mut condition = certain(true);
        for (kind, body) in statements.iter().filter_map(|statement| statement.as_object()?.iter().next()) {
            if condition.is_empty() {
                return;
            }
            if kind == "vmap" {
                for (element, action) in self.choices(builder, table, body) {
                    builder.rule(chain, &both(&condition, &element), &action);
                }
                continue;
            }
            if let Some(action) = action(builder, table, kind, body) {
                return builder.rule(chain, &condition, &action);
            }
            condition = both(&condition, &self.holds(builder, table, kind, body));
        }
    }

    /// Whether a statement lets a packet go on to the next.
    fn holds(&self, builder: &mut Builder, table: Table<'a>, kind: &str, body: &'a Value) -> Condition {
        let inverted = |body: &Value| body.get("inv").and_then(Value::as_bool).unwrap_or_default();
        match kind {
            "match" => matching::holds(builder, &self.sets, table, body),
            // A client that has not been here before is below each limit of its own.
            "limit" | "ct count" | "quota" => certain(!inverted(body)),
            "set" | "meter" | "map" => {
                let inner = body.get("stmt").map(|inner| match inner {
                    Value::Array(all) => all.iter().collect(),
                    one => vec![one],
                });
                let inner = inner.into_iter().flatten().filter_map(|inner| inner.as_object()?.iter().next());
                inner.fold(certain(true), |holds, (kind, body)| both(&holds, &self.holds(builder, table, kind, body)))
            }
            // They change or note something, and go on.
            "counter" | "log" | "mangle" | "notrack" | "comment" | "dup" | "flow" | "ct helper" | "ct timeout"
            | "ct expectation" | "secmark" | "tunnel" | "last" | "snat" | "masquerade" | "continue" | "reset" => {
                certain(true)
            }
            _ => unknown(),
        }
    }

    /// What a map of verdicts makes of a packet: for each key its verdict.
    fn choices(&self, builder: &mut Builder, table: Table<'a>, map: &'a Value) -> Vec<(Condition, Action)> {
        let Some((key, data)) = map.get("key").zip(map.get("data")) else {
            return vec![(unknown(), Action::Unknown)];
        };
        let elements = match data {
            Value::String(name) => {
                let name = name.strip_prefix('@').unwrap_or(name);
                self.sets.get(&(table.0, table.1, name)).copied()
            }
            data => data.get("set").and_then(Value::as_array).map(Vec::as_slice),
        };
        let Some(elements) = elements.filter(|elements| elements.len() <= ALTERNATIVES) else {
            return vec![(unknown(), Action::Unknown)];
        };
        let mut choices = Vec::new();
        for pair in elements.iter().filter_map(Value::as_array) {
            let [value, verdict] = &pair[..] else { continue };
            let action = verdict.as_object().and_then(|verdict| verdict.iter().next());
            let action = action.map_or(Some(Action::Unknown), |(kind, body)| action_of(builder, table, kind, body));
            // Any other key (`*`) may be each that is not named.
            let condition = if value.as_str() == Some("*") {
                unknown()
            } else {
                matching::equals(builder, &self.sets, table, key, value)
            };
            choices.extend(action.map(|action| (condition, action)));
        }
        choices
    }
}

/// Words in a list, or one.
pub(super) fn words(value: &Value) -> Vec<&str> {
    match value {
        Value::String(word) => vec![word],
        Value::Array(all) => all.iter().filter_map(Value::as_str).collect(),
        value => value.get("set").or_else(|| value.get("|")).map(words).unwrap_or_default(),
    }
}

fn base(chain: &Value) -> Option<Base> {
    let hook = match text(chain, "hook")? {
        "ingress" => Hook::Ingress,
        "prerouting" => Hook::Prerouting,
        "input" => Hook::Input,
        "forward" => Hook::Forward,
        _ => return None,
    };
    Some(Base {
        hook,
        maps: text(chain, "type") == Some("nat"),
        priority: chain.get("prio").and_then(Value::as_i64).unwrap_or_default(),
        drops: text(chain, "policy") == Some("drop"),
        devices: chain.get("dev").map(words).unwrap_or_default().into_iter().map(str::to_owned).collect(),
    })
}

/// What a statement makes of a packet, where that ends the rule.
fn action(builder: &mut Builder, table: Table<'_>, kind: &str, body: &Value) -> Option<Action> {
    match kind {
        // A match of iptables, of which only the name is told: whether it holds, nobody knows. Of a target, neither.
        "xt" => match (text(body, "type"), text(body, "name")) {
            (Some("target"), Some("REJECT")) => Some(Action::Drop),
            (Some("target"), Some("LOG" | "NFLOG" | "MARK" | "CONNMARK" | "TCPMSS" | "CT" | "SET" | "MASQUERADE")) => {
                None
            }
            (Some("target"), _) => Some(Action::Unknown),
            _ => None,
        },
        kind => action_of(builder, table, kind, body),
    }
}

fn action_of(builder: &mut Builder, table: Table<'_>, kind: &str, body: &Value) -> Option<Action> {
    let mut chain = || Some(builder.chain(table.0, table.1, text(body, "target")?));
    match kind {
        "accept" => Some(Action::Accept),
        "drop" | "reject" => Some(Action::Drop),
        "return" => Some(Action::Return),
        "jump" => Some(chain().map_or(Action::Unknown, Action::Jump)),
        "goto" => Some(chain().map_or(Action::Unknown, Action::Goto)),
        "redirect" | "dnat" => Some(destination(body).map_or(Action::Unknown, Action::Redirect)),
        // A program, or another machine, decides.
        "queue" | "tproxy" | "synproxy" | "fwd" => Some(Action::Unknown),
        _ => None,
    }
}

/// Where a packet is sent to; `None` where a map decides.
fn destination(body: &Value) -> Option<Target> {
    // Of a range, the first.
    let one = |key: &str| body.get(key).map(|value| value.get("range").and_then(|range| range.get(0)).unwrap_or(value));
    let address = match one("addr") {
        None => None,
        Some(address) => Some(address.as_str()?.parse().ok()?),
    };
    let port = match one("port") {
        None => None,
        Some(port) => Some(u16::try_from(port.as_u64()?).ok()?),
    };
    Some(Target { address, port })
}
