//! Where the configurations of programs that forward logs send them.

/// The lines `name=value` of a configuration, without comments.
pub(super) fn settings(text: &str, between: char) -> impl Iterator<Item = (&str, &str)> {
    lines(text).filter_map(move |line| line.split_once(between)).map(|(name, value)| (name.trim(), value.trim()))
}

/// The lines that say something.
fn lines(text: &str) -> impl Iterator<Item = &str> {
    text.lines()
        .map(str::trim)
        .filter(|line| !line.is_empty() && !line.starts_with(['#', ';']) && !line.starts_with("//"))
}

/// Whether the host of an address, or of a URL, is another machine.
pub(super) fn is_elsewhere(target: &str) -> bool {
    let target = target.trim().trim_matches(['"', '\'', '[', ']', ',', ' ', '-']);
    let host = target.split_once("://").map_or(target, |(_, rest)| rest);
    let host = host.rsplit_once('@').map_or(host, |(_, host)| host);
    let host = host.split(['/', '?']).next().unwrap_or_default();
    let host = match host.strip_prefix('[') {
        Some(rest) => rest.split(']').next().unwrap_or_default(),
        None if host.matches(':').count() > 1 => host,
        None => host.split(':').next().unwrap_or_default(),
    };
    let is_here = host == "localhost" || host.starts_with("127.") || ["::1", "0.0.0.0", "::"].contains(&host);
    !host.is_empty() && !is_here && host.starts_with(|c: char| c.is_alphanumeric() || "$%{:".contains(c))
}

/// `*.* @@logs.example:6514`, `action(type="omfwd" target="logs.example")` and other modules that send.
pub(super) fn rsyslog(text: &str) -> bool {
    let legacy = lines(text).any(|line| {
        let mut words = line.split_ascii_whitespace();
        let target = words.nth(1).and_then(|action| action.strip_prefix('@'));
        target.is_some_and(|target| is_elsewhere(strip_options(target.trim_start_matches('@'))))
    });
    let plain: String = lines(text).collect::<Vec<_>>().join(" ").to_ascii_lowercase();
    let actions = plain.split("action(").skip(1).map(|rest| rest.split(')').next().unwrap_or_default());
    let sends = |action: &str| {
        let kind = argument(action, "type").unwrap_or_default();
        let target = ["target", "server", "serverport", "broker"].iter().find_map(|name| argument(action, name));
        let modules = ["omfwd", "omrelp", "omelasticsearch", "omhttp", "omkafka", "omclickhouse"];
        modules.contains(&kind) && target.is_some_and(is_elsewhere)
    };
    legacy || actions.into_iter().any(sends)
}

/// A target without the options in brackets before it: `(o,z9)logs.example`.
fn strip_options(target: &str) -> &str {
    target.strip_prefix('(').and_then(|rest| rest.split_once(')')).map_or(target, |(_, target)| target)
}

/// The value of `name="…"`.
fn argument<'a>(text: &'a str, name: &str) -> Option<&'a str> {
    let mut rest = text;
    while let Some(at) = rest.find(name) {
        let is_whole = !rest[..at].ends_with(|c: char| c.is_alphanumeric() || c == '.' || c == '_');
        let behind = rest[at + name.len()..].trim_start();
        if let Some(value) = behind.strip_prefix('=').filter(|_| is_whole) {
            let value = value.trim_start().trim_start_matches(['[', '"']);
            return value.split('"').next();
        }
        rest = &rest[at + name.len()..];
    }
    None
}

/// `destination d { network("logs.example" port(514)); };`
pub(super) fn syslog_ng(text: &str) -> bool {
    let plain = lines(text).collect::<Vec<_>>().join(" ");
    let blocks = plain.split("destination ").skip(1).map(|rest| rest.split("};").next().unwrap_or_default());
    let drivers =
        ["network(", "syslog(", "tcp(", "tcp6(", "udp(", "udp6(", "http(", "elasticsearch-http(", "loki(", "kafka-c("];
    blocks.into_iter().any(|block| {
        drivers.iter().any(|driver| {
            let sent = block.split(driver).skip(1);
            sent.into_iter().any(|rest| {
                let inner = rest.split(')').next().unwrap_or_default();
                is_elsewhere(
                    inner.rsplit('(').next().unwrap_or_default().split_ascii_whitespace().next().unwrap_or_default(),
                )
            })
        })
    })
}

/// A sink whose `type` is none that stays on the machine, or only gives figures.
pub(super) fn vector(text: &str) -> bool {
    let local = ["file", "console", "blackhole", "prometheus_exporter", "prometheus_remote_write", "unix", "socket"];
    let is_local = |kind: &str| local.contains(&kind);
    let mut within = false;
    let mut found = false;
    for line in lines(text) {
        let line = line.trim_end_matches([',', '{']).trim();
        if line.starts_with('[') {
            within = line.trim_start_matches('[').starts_with("sinks.");
        } else if let Some(section) = ["sinks", "sources", "transforms", "api"]
            .iter()
            .find(|section| line.trim_matches('"').trim_end_matches([':', ' ']).trim_matches('"') == **section)
        {
            within = *section == "sinks";
        } else if let Some((name, value)) = line.split_once(['=', ':']) {
            let name = name.trim().trim_matches('"');
            let value = value.trim().trim_matches(['"', '\'']);
            found |= within && name == "type" && !value.is_empty() && !is_local(value);
        }
    }
    found
}

/// A line `url: https://logs.example/…`, or `url = "…"`.
pub(super) fn has_url(text: &str) -> bool {
    lines(text).any(|line| {
        let line = line.trim_start_matches("- ");
        let url = line.strip_prefix("url").map(str::trim_start).and_then(|rest| rest.strip_prefix([':', '=']));
        url.is_some_and(is_elsewhere)
    })
}

/// Hosts of an output: `hosts: ["logs.example:5044"]`, or a list below it.
pub(super) fn has_hosts(text: &str) -> bool {
    let mut within = false;
    lines(text).any(|line| {
        if let Some(hosts) = line.split_once("hosts:").map(|(_, hosts)| hosts.trim()) {
            within = hosts.is_empty();
            return hosts.split(',').any(is_elsewhere) && !hosts.is_empty();
        }
        within &= line.starts_with('-');
        within && is_elsewhere(line)
    })
}

/// An `[OUTPUT]` that is none of the machine's own.
pub(super) fn fluent_bit(text: &str) -> bool {
    let local = ["stdout", "file", "null", "counter", "prometheus_exporter", "flowcounter", "exit"];
    let mut within = false;
    lines(text).any(|line| {
        let lower = line.to_ascii_lowercase();
        if lower.starts_with('[') || lower.ends_with(':') {
            within = lower == "[output]" || lower == "outputs:";
            return false;
        }
        let mut words = lower.trim_start_matches("- ").split([' ', '\t', ':']).filter(|word| !word.is_empty());
        let name = (words.next() == Some("name")).then(|| words.next()).flatten();
        within && name.is_some_and(|name| !local.contains(&name))
    })
}
