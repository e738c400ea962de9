//! What `iptables-save` and `ip6tables-save` print (`iptables-extensions(8)`).

use super::builder::{self, Builder, Condition, both, certain, sender, test, unknown};
use super::ranges::{Range, Version};
use super::rules::{Action, Base, Family, Hook, Of, Sources, Target};

/// An option with its arguments, and whether a `!` stands before it.
struct Asked<'a> {
    module: &'a str,
    option: &'a str,
    arguments: Vec<&'a str>,
    not: bool,
}

impl<'a> Asked<'a> {
    fn argument(&self) -> &'a str {
        self.arguments.first().copied().unwrap_or_default()
    }
}

/// The names of the tables that a text holds.
pub(super) fn tables(text: &str) -> Vec<&str> {
    text.lines().filter_map(|line| line.strip_prefix('*')).map(str::trim).collect()
}

/// Whether a text lets connections go untracked.
pub(super) fn untracks(text: &str) -> bool {
    text.lines().any(|line| line.contains("-j NOTRACK") || line.contains("--notrack"))
}

/// Adds the rules of one table. Its base chains are those of the kernel's own tables where `hooks` says that nobody else
/// has told.
pub(super) fn add(builder: &mut Builder, text: &str, family: Family, table: &str, hooks: bool) {
    let mut lines = text.lines().skip_while(|line| line.strip_prefix('*').map(str::trim) != Some(table)).skip(1);
    let mut rules = Vec::new();
    for line in lines.by_ref().take_while(|line| line.trim() != "COMMIT" && !line.starts_with('*')) {
        if let Some(declared) = line.strip_prefix(':') {
            let mut words = declared.split_ascii_whitespace();
            let (Some(name), policy) = (words.next(), words.next()) else { continue };
            let chain = builder.chain(family, table, name);
            if let (true, Some((hook, priority))) = (hooks, hook(table, name)) {
                let (maps, drops) = (table == "nat", policy == Some("DROP"));
                builder.hook(chain, Base { hook, maps, priority, drops, devices: Vec::new() });
            }
        } else if line.starts_with("-A ") {
            rules.push(line);
        }
    }
    for line in rules {
        rule(builder, line, family, table);
    }
}

/// The hook of a chain that the kernel's own tables have, and its priority (`linux/netfilter_ipv4.h`).
fn hook(table: &str, chain: &str) -> Option<(Hook, i64)> {
    let hook = match chain {
        "PREROUTING" => Hook::Prerouting,
        "INPUT" => Hook::Input,
        "FORWARD" => Hook::Forward,
        _ => return None,
    };
    let priority = match table {
        "raw" => -300,
        "mangle" => -150,
        "nat" if hook == Hook::Prerouting => -100,
        "nat" => 100,
        "filter" => 0,
        "security" => 50,
        _ => return None,
    };
    Some((hook, priority))
}

/// A line, taken apart as a shell would, each with whether it was quoted.
fn words(line: &str) -> Vec<(String, bool)> {
    let (mut words, mut word, mut quoted, mut inside) = (Vec::new(), String::new(), false, false);
    let mut characters = line.chars();
    while let Some(character) = characters.next() {
        match character {
            '"' => (inside, quoted) = (!inside, true),
            '\\' if inside => word.extend(characters.next()),
            _ if character.is_whitespace() && !inside => {
                if quoted || !word.is_empty() {
                    words.push((std::mem::take(&mut word), quoted));
                }
                quoted = false;
            }
            _ => word.push(character),
        }
    }
    if quoted || !word.is_empty() {
        words.push((word, quoted));
    }
    words
}

/// The options of a rule, in their order.
fn asked(words: &[(String, bool)]) -> Vec<Asked<'_>> {
    let (mut found, mut module, mut not) = (Vec::<Asked<'_>>::new(), "", false);
    for (word, quoted) in words {
        let word = word.as_str();
        match found.last_mut() {
            _ if word == "!" && !quoted => not = true,
            _ if word.len() > 1 && word.starts_with('-') && !quoted => {
                found.push(Asked { module, option: word, arguments: Vec::new(), not });
                not = false;
            }
            Some(last) => {
                last.arguments.push(word);
                if last.option == "-m" {
                    module = word;
                    last.module = word;
                }
            }
            None => {}
        }
    }
    found
}

fn rule(builder: &mut Builder, line: &str, family: Family, table: &str) {
    let words = words(line);
    let asked = asked(&words);
    let Some(chain) = asked.iter().find(|asked| asked.option == "-A").map(Asked::argument) else { return };
    let end = asked.iter().position(|asked| ["-j", "-g", "--jump", "--goto"].contains(&asked.option));
    // A rule without a target only counts.
    let Some(end) = end else { return };
    let (matches, target) = asked.split_at(end);
    let mut condition = certain(true);
    for one in matches {
        condition = both(&condition, &holds(builder, one, matches, (family, table)));
        if condition.is_empty() {
            return;
        }
    }
    let chain = builder.chain(family, table, chain);
    if let Some(action) = action(builder, target, family, table) {
        builder.rule(chain, &condition, &action);
    }
}

/// Whether what an option asks holds.
fn holds(builder: &mut Builder, asked: &Asked<'_>, all: &[Asked<'_>], (family, table): (Family, &str)) -> Condition {
    let (not, argument) = (asked.not, asked.argument());
    let always = || certain(!not);
    match asked.option {
        "-m" => module(argument, all),
        "-p" => certain(["tcp", "6", "all", "0"].contains(&argument) != not),
        "-i" => test(Of::In(vec![argument.replace('+', "*")]), not),
        "-o" => test(Of::Out(vec![argument.replace('+', "*")]), not),
        "-s" | "--src-range" | "--ctorigsrc" => match ranges(argument) {
            Some(ranges) => builder.source(ranges, not),
            None => unknown(),
        },
        "-d" | "--dst-range" => ranges(argument).map_or_else(unknown, |ranges| test(Of::Destination(ranges), not)),
        "--dport" | "--dports" => ports(argument).map_or_else(unknown, |ports| builder::ports(ports, not)),
        "--ctorigdstport" => ports(argument).map_or_else(unknown, |ports| test(Of::OriginalPort(ports), not)),
        "--sport" | "--sports" | "--ports" | "--tcp-option" | "--length" | "--tos" | "--dscp" | "--dscp-class"
        | "--ttl-eq" | "--ttl-lt" | "--ttl-gt" | "--hl-eq" | "--hl-lt" | "--hl-gt" | "--probability" | "--every" => {
            sender()
        }
        "--mss" if asked.module == "tcpmss" => sender(),
        "--tcp-flags" => {
            let wanted: Vec<_> = asked.arguments.get(1).into_iter().flat_map(|wanted| wanted.split(',')).collect();
            builder::flags(argument.split(','), &wanted, not)
        }
        "--ctstate" | "--state" => builder::state(argument.split(','), not, builder.untracked),
        "--ctproto" => certain(["tcp", "6"].contains(&argument) != not),
        "--ctdir" => certain((argument == "ORIGINAL") != not),
        // Of a connection that has just begun.
        "--ctstatus" => certain((argument == "NONE") != not),
        "--match-set" if asked.arguments.get(1).is_some_and(|sides| sides.split(',').any(|side| side == "src")) => {
            let name = || Sources::unseen(Some(argument.to_owned()));
            // ipset's sets belong to no table, so one name is one set.
            builder.named_source((Family::Inet, "", argument), not, name)
        }
        "--source-country" | "--src-cc" => {
            let countries = format!("countries {argument}");
            let name = || Sources::unseen(Some(countries.clone()));
            builder.named_source((family, table, &countries), not, name)
        }
        // A client that has not been here before is below each limit of its own.
        // And no part of a larger packet.
        "-f" | "--fragment" | "--hashlimit-above" | "--connlimit-above" | "--rcheck" | "--update" | "--remove" => {
            certain(not)
        }
        "--syn" | "--limit" | "--hashlimit-upto" | "--hashlimit" | "--connlimit-upto" | "--quota" => always(),
        "--set" if asked.module == "recent" => certain(true),
        "--dst-type" => {
            let types: Vec<_> = argument.split(',').collect();
            match (types.contains(&"LOCAL"), types.contains(&"UNICAST")) {
                (true, true) => always(),
                (true, false) => test(Of::Local, not),
                (false, true) => test(Of::Local, !not),
                (false, false) => certain(not),
            }
        }
        "--src-type" => certain(argument.split(',').any(|kind| kind == "UNICAST") != not),
        "--pkt-type" => certain(["unicast", "host"].contains(&argument) != not),
        "--pol" => certain((argument == "none") != not),
        // They say more of what another option asks, or change nothing.
        "-A" | "--limit-burst" | "--limit-iface-in" | "--comment" | "--dir" | "--seconds" | "--hitcount" | "--name"
        | "--mask" | "--rsource" | "--rdest" | "--rttl" | "--reap" | "--return-nomatch" | "--invert" | "--loose"
        | "--validmark" | "--accept-local" => certain(true),
        option if option.starts_with("--hashlimit-") || option.starts_with("--connlimit-") => certain(true),
        _ => match asked.module {
            // Their options do not matter: the module itself has been asked.
            "time" | "rt" | "frag" | "dst" | "hbh" | "ipv6header" | "eui64" | "mh" | "string" | "icmp" | "icmp6"
            | "ipv6-icmp" | "udp" | "sctp" => certain(true),
            _ => unknown(),
        },
    }
}

/// What a module asks by itself.
fn module(name: &str, all: &[Asked<'_>]) -> Condition {
    match name {
        // The reverse path of a public address is where it came from.
        "rpfilter" => certain(!all.iter().any(|asked| asked.option == "--invert")),
        // Extension headers are the sender's, who may do without.
        "time" | "rt" | "frag" | "dst" | "hbh" | "ipv6header" | "eui64" | "mh" => sender(),
        // The first packet carries nothing.
        "string" => certain(all.iter().any(|asked| asked.module == "string" && asked.not)),
        "icmp" | "icmp6" | "ipv6-icmp" | "udp" | "sctp" | "dccp" | "esp" | "ah" => certain(false),
        // Without options, or with options that are all known.
        "tcp" | "multiport" | "conntrack" | "state" | "limit" | "hashlimit" | "connlimit" | "recent" | "comment"
        | "addrtype" | "iprange" | "set" | "pkttype" | "policy" | "length" | "tos" | "dscp" | "ttl" | "hl"
        | "statistic" | "quota" | "geoip" | "tcpmss" => certain(true),
        // Those that are asked something unknown are unknown by that.
        "mark" | "connmark" | "owner" | "mac" | "physdev" | "devgroup" | "helper" | "connbytes" | "bpf" | "u32" => {
            certain(true)
        }
        _ => unknown(),
    }
}

fn ranges(text: &str) -> Option<Vec<Range>> {
    text.split(',').map(Range::parse).collect()
}

/// `80`, `80,443`, `1024:65535`, `:1023`.
fn ports(text: &str) -> Option<Vec<(u16, u16)>> {
    let port = |text: &str, absent: u16| if text.is_empty() { Some(absent) } else { text.parse().ok() };
    text.split(',')
        .map(|text| match text.split_once(':') {
            Some((first, last)) => Some((port(first, 0)?, port(last, u16::MAX)?)),
            None => text.parse().ok().map(|port| (port, port)),
        })
        .collect()
}

/// What becomes of a packet: one thing, or nothing that matters.
fn action(builder: &Builder, target: &[Asked<'_>], family: Family, table: &str) -> Option<Action> {
    let (jump, options) = target.split_first()?;
    let option = |name: &str| options.iter().find(|asked| asked.option == name).map(Asked::argument);
    if ["-g", "--goto"].contains(&jump.option) {
        return Some(builder.find(family, table, jump.argument()).map_or(Action::Unknown, Action::Goto));
    }
    match jump.argument() {
        "ACCEPT" => Some(Action::Accept),
        "DROP" | "REJECT" | "TARPIT" | "STEAL" | "DELUDE" | "CHAOS" => Some(Action::Drop),
        "RETURN" => Some(Action::Return),
        "REDIRECT" => Some(Action::Redirect(Target { address: None, port: option("--to-ports").and_then(first_port) })),
        "DNAT" => option("--to-destination").map(|to| destination(to).map_or(Action::Unknown, Action::Redirect)),
        "LOG" | "NFLOG" | "ULOG" | "AUDIT" | "TRACE" | "MARK" | "CONNMARK" | "CONNSECMARK" | "SECMARK" | "CT"
        | "NOTRACK" | "TCPMSS" | "CLASSIFY" | "SET" | "CHECKSUM" | "TOS" | "DSCP" | "TTL" | "HL" | "ECN" | "TEE"
        | "RATEEST" | "IDLETIMER" | "LED" | "HMARK" | "TCPOPTSTRIP" | "SNAT" | "MASQUERADE" => None,
        // A queue lets everything through by itself where nobody reads it; who reads it, decides.
        "NFQUEUE" | "QUEUE" | "TPROXY" | "SYNPROXY" | "NETMAP" | "DNPT" | "SNPT" => Some(Action::Unknown),
        name => Some(builder.find(family, table, name).map_or(Action::Unknown, Action::Jump)),
    }
}

/// `172.17.0.2:3306`, `[fd00::2]:3306`, `172.17.0.2`, `172.17.0.2-172.17.0.9:80`: the first of each.
fn destination(text: &str) -> Option<Target> {
    let (address, port) = match text.strip_prefix('[') {
        Some(rest) => rest.split_once(']').map(|(address, port)| (address, port.strip_prefix(':')))?,
        None if text.matches(':').count() > 1 => (text, None),
        None => text.split_once(':').map_or((text, None), |(address, port)| (address, Some(port))),
    };
    let address = address.split('-').next().filter(|address| !address.is_empty());
    let address = match address {
        Some(address) => Some(address.parse().ok()?),
        None => None,
    };
    Some(Target { address, port: port.and_then(first_port) })
}

fn first_port(text: &str) -> Option<u16> {
    text.split(['-', '/']).next()?.parse().ok()
}

/// The family of each text.
pub(super) const fn family(version: Version) -> Family {
    match version {
        Version::V4 => Family::Ip,
        Version::V6 => Family::Ip6,
    }
}
