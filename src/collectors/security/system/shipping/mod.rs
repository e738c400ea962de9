//! Whether logs leave the machine (MON-07): something that forwards them is told where to, and runs.
//!
//! A target on the machine itself, and a sink that is a file, are no way out.

mod targets;
#[cfg(test)]
mod tests;

use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use super::super::seen::Seen;
use super::super::verdict::{Cause, Known, Unknown, Verdict};
use crate::collector::Paths;
use crate::glob;
use crate::machine::{Machine, Process, beginning};
use targets::{fluent_bit, has_hosts, has_url, is_elsewhere, rsyslog, settings, syslog_ng, vector};

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
