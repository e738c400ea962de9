//! Whether logs leave the machine (MON-07): something that forwards them is told where to, and runs.
//!
//! A target on the machine itself, and a sink that is a file, are no way out.

use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use super::super::seen::Seen;
use super::super::verdict::{Cause, Known, Unknown, Verdict};
use crate::collector::Paths;
use crate::glob;
use crate::machine::{Machine, Process, beginning};

/// The largest configuration, and the most of one program's, that are read.
const FILE_BYTES: u64 = 1 << 20;
const FILES: usize = 200;

/// A program that forwards logs.
pub(super) struct Forwarder {
    name: &'static str,
    /// What its processes are called, and what their command line has where others are called so, too.
    process: (&'static str, &'static str),
    /// Its configuration, as patterns.
    files: &'static [&'static str],
    /// Where a configuration sends logs.
    pub(super) targets: fn(&str) -> bool,
}

pub(super) const FORWARDERS: [Forwarder; 10] = [
    Forwarder {
        name: "rsyslog",
        process: ("rsyslogd", ""),
        files: &["/etc/rsyslog.conf", "/etc/rsyslog.d/*.conf"],
        targets: rsyslog,
    },
    Forwarder {
        name: "syslog-ng",
        process: ("syslog-ng", ""),
        files: &["/etc/syslog-ng/syslog-ng.conf", "/etc/syslog-ng/conf.d/*.conf"],
        targets: syslog_ng,
    },
    Forwarder {
        name: "systemd-journal-upload",
        // journald is called the same, as procfs cuts names.
        process: ("systemd-journal", "journal-upload"),
        files: &["/etc/systemd/journal-upload.conf", "/etc/systemd/journal-upload.conf.d/*.conf"],
        targets: |text| settings(text, '=').any(|(name, value)| name == "URL" && is_elsewhere(value)),
    },
    Forwarder {
        name: "vector",
        process: ("vector", ""),
        files: &["/etc/vector/*.toml", "/etc/vector/*.yaml", "/etc/vector/*.yml", "/etc/vector/*.json"],
        targets: vector,
    },
    Forwarder {
        name: "promtail",
        process: ("promtail", ""),
        files: &["/etc/promtail/*.yml", "/etc/promtail/*.yaml"],
        targets: has_url,
    },
    Forwarder { name: "alloy", process: ("alloy", ""), files: &["/etc/alloy/*.alloy"], targets: has_url },
    Forwarder {
        name: "fluent-bit",
        process: ("fluent-bit", ""),
        files: &["/etc/fluent-bit/*.conf", "/etc/fluent-bit/*.yaml"],
        targets: fluent_bit,
    },
    Forwarder {
        name: "filebeat",
        process: ("filebeat", ""),
        files: &["/etc/filebeat/filebeat.yml"],
        targets: has_hosts,
    },
    Forwarder {
        name: "Elastic Agent",
        process: ("elastic-agent", ""),
        files: &["/etc/elastic-agent/elastic-agent.yml"],
        targets: has_hosts,
    },
    Forwarder {
        name: "Wazuh's agent",
        process: ("wazuh-logcollec", ""),
        files: &["/var/ossec/etc/ossec.conf"],
        targets: |text| {
            text.split("<address>").skip(1).any(|rest| is_elsewhere(rest.split('<').next().unwrap_or_default()))
        },
    },
];

/// Where logs go.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Shipping {
    /// What forwards logs, and runs.
    pub(crate) forwarding: Vec<&'static str>,
    /// What is told to and does not run.
    pub(crate) idle: Vec<&'static str>,
    /// What runs, and whose configuration we may not read or there is none of where it usually is.
    pub(crate) closed: Option<Unknown>,
    /// Whether the journal outlives a reboot.
    pub(crate) keeps_journal: bool,
}

/// Looks at configurations and processes. Blocks.
pub(super) fn look(paths: &Paths) -> Known<Shipping> {
    let names: Vec<_> = FORWARDERS.iter().map(|forwarder| forwarder.process.0).collect();
    let machine = Machine::look(paths, None, &names);
    if machine.hides_processes {
        return Err(Unknown::new(Cause::Permission, "processes are hidden, those that forward logs among them"));
    }
    let mut shipping =
        Shipping { forwarding: Vec::new(), idle: Vec::new(), closed: None, keeps_journal: keeps_journal(&paths.root) };
    for forwarder in &FORWARDERS {
        let runs = machine.processes.iter().any(|process| forwarder.is(process));
        match (forwarder.is_told(&paths.root), runs) {
            (Ok(Some(true)), true) => shipping.forwarding.push(forwarder.name),
            (Ok(Some(true)), false) => shipping.idle.push(forwarder.name),
            (Err(unknown), true) => shipping.closed = Some(unknown),
            // It has its configuration somewhere else.
            (Ok(None), true) => {
                let why = format!("{} runs, with a configuration that is not where it usually is", forwarder.name);
                shipping.closed = Some(Unknown::new(Cause::Unsupported, why));
            }
            _ => {}
        }
    }
    Ok(shipping)
}

impl Forwarder {
    fn is(&self, process: &Process) -> bool {
        process.name == self.process.0 && process.title().contains(self.process.1)
    }

    /// Whether its configuration names a target; `None` where it has none.
    fn is_told(&self, root: &Path) -> Known<Option<bool>> {
        let expand = |pattern: &&str| -> Vec<PathBuf> {
            if glob::is_pattern(pattern) {
                glob::expand(root, pattern)
            } else {
                vec![root.join(pattern.trim_start_matches('/'))]
            }
        };
        let mut is_there = false;
        for file in self.files.iter().flat_map(expand).take(FILES) {
            match beginning(&file, FILE_BYTES) {
                Ok(text) if (self.targets)(&text) => return Ok(Some(true)),
                // The other one where a program keeps something else under this name.
                Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => {}
                Err(error) if error.kind() == ErrorKind::PermissionDenied => {
                    let why = format!("{} runs, and its configuration may not be read", self.name);
                    return Err(Unknown::new(Cause::Permission, why));
                }
                _ => is_there = true,
            }
        }
        Ok(is_there.then_some(false))
    }
}

/// Whether journald keeps its journal on the disk: where it is told to, or may and has the folder for it.
fn keeps_journal(root: &Path) -> bool {
    let drop_ins = glob::expand(root, "/etc/systemd/journald.conf.d/*.conf");
    let files = std::iter::once(root.join("etc/systemd/journald.conf")).chain(drop_ins);
    let texts: Vec<_> = files.take(FILES).filter_map(|file| beginning(&file, FILE_BYTES).ok()).collect();
    let said = texts.iter().flat_map(|text| settings(text, '=')).filter(|(name, _)| *name == "Storage");
    let storage = said.last().map_or("auto", |(_, value)| value);
    let has_folder = root.join("var/log/journal").is_dir();
    storage == "persistent" || storage == "auto" && has_folder
}

/// The lines `name=value` of a configuration, without comments.
fn settings(text: &str, between: char) -> impl Iterator<Item = (&str, &str)> {
    lines(text).filter_map(move |line| line.split_once(between)).map(|(name, value)| (name.trim(), value.trim()))
}

/// The lines that say something.
fn lines(text: &str) -> impl Iterator<Item = &str> {
    text.lines()
        .map(str::trim)
        .filter(|line| !line.is_empty() && !line.starts_with(['#', ';']) && !line.starts_with("//"))
}

/// Whether the host of an address, or of a URL, is another machine.
fn is_elsewhere(target: &str) -> bool {
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
fn rsyslog(text: &str) -> bool {
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
fn syslog_ng(text: &str) -> bool {
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
fn vector(text: &str) -> bool {
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
fn has_url(text: &str) -> bool {
    lines(text).any(|line| {
        let line = line.trim_start_matches("- ");
        let url = line.strip_prefix("url").map(str::trim_start).and_then(|rest| rest.strip_prefix([':', '=']));
        url.is_some_and(is_elsewhere)
    })
}

/// Hosts of an output: `hosts: ["logs.example:5044"]`, or a list below it.
fn has_hosts(text: &str) -> bool {
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
fn fluent_bit(text: &str) -> bool {
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

/// Judges MON-07. Half of it is a journal that outlives a reboot and goes nowhere.
pub(super) fn judge(seen: &Seen) -> Verdict {
    let shipping = match &seen.system.shipping {
        Ok(shipping) => shipping,
        Err(unknown) => return unknown.into(),
    };
    if !shipping.forwarding.is_empty() {
        return Verdict::pass(format!("{} forwards logs to another machine", shipping.forwarding.join(", ")));
    }
    if let Some(unknown) = &shipping.closed {
        return unknown.into();
    }
    let (idle, start) = match shipping.idle.first() {
        Some(name) => (
            format!("{name} is told where to forward logs, and does not run"),
            format!("systemctl enable --now {name}"),
        ),
        None => ("nothing forwards logs to another machine".to_owned(), String::new()),
    };
    let fix = if start.is_empty() {
        "# /etc/rsyslog.d/90-forward.conf, with the name of the machine that collects logs:\n\
         *.* action(type=\"omfwd\" target=\"logs.example\" port=\"6514\" protocol=\"tcp\" StreamDriver=\"gtls\" \
         StreamDriverMode=\"1\" StreamDriverAuthMode=\"x509/name\")"
            .to_owned()
    } else {
        start
    };
    if shipping.keeps_journal {
        return Verdict::partial(format!("{idle}; the journal outlives a reboot"), fix);
    }
    Verdict::fail(format!("{idle}, and the journal is lost with a reboot"), fix)
}

#[cfg(test)]
mod tests {
    use std::fs;

    use proptest::prelude::*;

    use super::super::super::verdict::State;
    use super::super::tests::seen;
    use super::*;

    struct Host(tempfile::TempDir);

    impl Host {
        fn new(files: &[(&str, &str)], processes: &[(&str, &str)]) -> Self {
            let host = Self(tempfile::tempdir().unwrap());
            host.write("proc/1/comm", "systemd\n");
            for (name, text) in files {
                host.write(name, text);
            }
            for (id, (name, line)) in processes.iter().enumerate() {
                let folder = format!("proc/{}", id + 10);
                host.write(&format!("{folder}/comm"), &format!("{name}\n"));
                host.write(&format!("{folder}/status"), "Uid:\t0\t0\t0\t0\nNSpid:\t7\n");
                host.write(&format!("{folder}/cmdline"), &line.replace(' ', "\0"));
            }
            host
        }

        fn write(&self, name: &str, text: &str) {
            let path = self.0.path().join(name.trim_start_matches('/'));
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }

        fn state(&self) -> State {
            let paths = Paths { root: self.0.path().to_owned(), proc: self.0.path().join("proc"), ..Paths::default() };
            let mut seen = seen();
            seen.system.shipping = look(&paths);
            judge(&seen).state
        }
    }

    #[test]
    fn each_forwarder_that_is_told_and_runs_is_one() {
        for (file, text, process, line) in [
            ("etc/rsyslog.d/9.conf", "*.* @@logs.example:6514\n", "rsyslogd", "/usr/sbin/rsyslogd -n"),
            (
                "etc/rsyslog.conf",
                "*.*\taction(type=\"omfwd\"\n  queue.type=\"LinkedList\" Target=\"10.0.0.7\" port=\"514\")",
                "rsyslogd",
                "x",
            ),
            (
                "etc/syslog-ng/conf.d/x.conf",
                "destination d_x { network(\"logs.example\" port(514)); };",
                "syslog-ng",
                "x",
            ),
            (
                "etc/systemd/journal-upload.conf",
                "[Upload]\nURL=https://logs.example:19532\n",
                "systemd-journal",
                "/lib/systemd/systemd-journal-upload --save-state",
            ),
            (
                "etc/vector/vector.toml",
                "[sources.a]\ntype = \"file\"\n[sinks.b]\ninputs=[\"a\"]\ntype = \"loki\"\n",
                "vector",
                "vector",
            ),
            (
                "etc/vector/vector.yaml",
                "sources:\n  a:\n    type: file\nsinks:\n  b:\n    type: elasticsearch\n",
                "vector",
                "vector",
            ),
            (
                "etc/promtail/config.yml",
                "clients:\n  - url: https://u:p@logs.example/loki/api/v1/push\n",
                "promtail",
                "promtail",
            ),
            (
                "etc/alloy/config.alloy",
                "loki.write \"x\" {\n endpoint {\n  url = \"https://logs.example\"\n }\n}",
                "alloy",
                "alloy",
            ),
            (
                "etc/fluent-bit/fluent-bit.conf",
                "[INPUT]\n  Name tail\n[OUTPUT]\n    Name  es\n    Host 10.1.1.1\n",
                "fluent-bit",
                "x",
            ),
            (
                "etc/filebeat/filebeat.yml",
                "output.logstash:\n  hosts: [\"logs.example:5044\"]\n",
                "filebeat",
                "filebeat",
            ),
            (
                "etc/filebeat/filebeat.yml",
                "output.elasticsearch:\n  hosts:\n    - https://logs.example:9200\n",
                "filebeat",
                "filebeat",
            ),
        ] {
            assert_eq!(Host::new(&[(file, text)], &[(process, line)]).state(), State::Pass, "{file}");
            assert_eq!(Host::new(&[(file, text)], &[]).state(), State::Fail, "{file}, and nothing runs");
        }
    }

    #[test]
    fn what_stays_on_the_machine_has_not_left_it() {
        for (file, text, process) in [
            (
                "etc/rsyslog.conf",
                "#*.* @@logs.example\n*.* /var/log/all\n*.* @127.0.0.1:514\nmail.* -/var/log/mail\n",
                "rsyslogd",
            ),
            ("etc/rsyslog.conf", "*.* action(type=\"omfile\" target=\"logs.example\")\n", "rsyslogd"),
            (
                "etc/syslog-ng/syslog-ng.conf",
                "source s { network(\"0.0.0.0\"); };\ndestination d { file(\"/x\"); };",
                "syslog-ng",
            ),
            ("etc/systemd/journal-upload.conf", "[Upload]\n# URL=https://logs.example\n", "systemd-journal"),
            ("etc/vector/vector.toml", "[sources.a]\ntype = \"syslog\"\n[sinks.b]\ntype = \"console\"\n", "vector"),
            ("etc/promtail/config.yml", "clients:\n  - url: http://localhost:3100/loki/api/v1/push\n", "promtail"),
            ("etc/fluent-bit/fluent-bit.conf", "[INPUT]\n Name cpu\n[OUTPUT]\n Name stdout\n", "fluent-bit"),
            (
                "etc/filebeat/filebeat.yml",
                "output.elasticsearch:\n  hosts: [\"localhost:9200\"]\n#  hosts: [\"logs.example\"]\n",
                "filebeat",
            ),
        ] {
            assert_eq!(Host::new(&[(file, text)], &[(process, process)]).state(), State::Fail, "{file}");
        }
    }

    #[test]
    fn journald_is_not_what_uploads_the_journal() {
        let upload = ("etc/systemd/journal-upload.conf", "[Upload]\nURL=https://logs.example\n");
        let journald = ("systemd-journal", "/lib/systemd/systemd-journald");
        assert_eq!(Host::new(&[upload], &[journald]).state(), State::Fail);
    }

    #[test]
    fn a_journal_that_outlives_a_reboot_is_half_of_it() {
        let folder = ("var/log/journal/x/system.journal", "");
        assert_eq!(Host::new(&[folder], &[]).state(), State::Partial);
        let volatile = ("etc/systemd/journald.conf.d/x.conf", "[Journal]\nStorage=volatile\n");
        assert_eq!(Host::new(&[folder, volatile], &[]).state(), State::Fail);
        let persistent = ("etc/systemd/journald.conf", "[Journal]\nStorage=persistent\n");
        assert_eq!(Host::new(&[persistent], &[]).state(), State::Partial);
    }

    #[test]
    fn one_that_runs_by_a_configuration_out_of_sight_is_unknown() {
        assert_eq!(
            Host::new(&[], &[("promtail", "promtail -config.file=/opt/x.yml")]).state(),
            State::Unknown(Cause::Unsupported)
        );
        let hidden = Host::new(&[], &[]);
        fs::remove_dir_all(hidden.0.path().join("proc")).unwrap();
        assert_eq!(hidden.state(), State::Unknown(Cause::Permission));
    }

    proptest! {
        #[test]
        fn no_text_panics(text in "([ -~\n]|action\\(|destination |network\\(|hosts:|\\[OUTPUT\\]\n){0,60}") {
            for forwarder in &FORWARDERS {
                (forwarder.targets)(&text);
            }
        }
    }
}
