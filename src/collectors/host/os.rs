//! The distribution, from `os-release`.

use super::root::in_root;
use super::source::{Folder, Hole, Source};
use crate::snapshot::Snapshot;

crate::metrics! {
    DropIn as METRICS;
    /// Name, version and variant of the distribution (os-release).
    INFO = Gauge(
        "node_os_info", None,
        ["build_id", "id", "id_like", "image_id", "image_version", "name", "pretty_name", "variant", "variant_id",
         "version", "version_codename", "version_id"]
    );
    /// First two numbers of the distribution's version: 22.04 for Ubuntu 22.04.1.
    VERSION = Gauge("node_os_version", None, ["id", "id_like", "name"]);
    /// When the distribution's support ends, in Unix time, where os-release says it.
    SUPPORT_END = Gauge("node_os_support_end_timestamp_seconds", Seconds, []);
}

/// The order of os-release(5): what the administrator has put there first.
const FILES: [&str; 2] = ["etc/os-release", "usr/lib/os-release"];

/// Reads and reports.
pub(super) fn collect(source: &mut Source, out: &mut Snapshot) -> Result<(), Hole> {
    for file in FILES {
        let path = in_root(&source.root, file);
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        match Folder::at(path.parent().unwrap_or(&source.root)).read(&name, &mut source.buffer) {
            Ok(text) => {
                report(text, out);
                return Ok(());
            }
            Err(Hole::Missing) => {}
            Err(failed) => return Err(failed),
        }
    }
    Err(Hole::Missing)
}

pub(super) fn report(text: &str, out: &mut Snapshot) {
    let value = |key: &str| {
        let line = text.lines().rfind(|line| line.split_once('=').is_some_and(|(name, _)| name == key));
        line.and_then(|line| line.split_once('=')).map(|(_, value)| unquoted(value)).unwrap_or_default()
    };
    let values = INFO.desc().labels.iter().map(|label| value(&label.to_ascii_uppercase())).collect::<Vec<_>>();
    let Ok(labels) = <[String; 12]>::try_from(values) else { return };
    out.push(&INFO, labels.each_ref().map(String::as_str), true);
    if let Some(version) = number(&value("VERSION_ID")) {
        out.push(&VERSION, [&value("ID"), &value("ID_LIKE"), &value("NAME")], version);
    }
    if let Ok(end) = humantime::parse_rfc3339(&format!("{}T00:00:00Z", value("SUPPORT_END")))
        && let Ok(since) = end.duration_since(std::time::UNIX_EPOCH)
    {
        out.push(&SUPPORT_END, [], since.as_secs());
    }
}

/// A shell word: quotes around it, backslashes before what would be special in them.
fn unquoted(value: &str) -> String {
    let value = value.trim();
    let inner = ['"', '\''].iter().find_map(|quote| value.strip_prefix(*quote)?.strip_suffix(*quote));
    let mut plain = String::new();
    let mut characters = inner.unwrap_or(value).chars();
    while let Some(c) = characters.next() {
        plain.extend(if c == '\\' { characters.next() } else { Some(c) });
    }
    plain
}

/// `22.04.1` is 22.04.
fn number(version: &str) -> Option<f64> {
    let end = version.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(version.len());
    let mut parts = version[..end].splitn(3, '.');
    let major = parts.next().filter(|part| !part.is_empty())?;
    match parts.next() {
        Some(minor) if !minor.is_empty() => format!("{major}.{minor}").parse().ok(),
        _ => major.parse().ok(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::collectors::host::source::tests::Machine;

    #[test]
    fn the_distribution_of_the_root_that_was_named() {
        let machine = Machine::new(&[(
            "root/usr/lib/os-release",
            "PRETTY_NAME=\"Ubuntu 22.04.1 LTS\"\nNAME=\"Ubu\\\"ntu\"\nVERSION_ID='22.04.1'\nID=ubuntu\nID_LIKE=debian\n\
             SUPPORT_END=2027-04-01\n",
        )]);
        expect_test::expect![[r#"
            node_os_info{build_id="",id="ubuntu",id_like="debian",image_id="",image_version="",name="Ubu\"ntu",pretty_name="Ubuntu 22.04.1 LTS",variant="",variant_id="",version="",version_codename="",version_id="22.04.1"} 1
            node_os_support_end_timestamp_seconds{} 1806537600
            node_os_version{id="ubuntu",id_like="debian",name="Ubu\"ntu"} 22.04
        "#]].assert_eq(&machine.found_by(collect));
    }

    #[test]
    fn versions_are_numbers_where_they_can_be() {
        for (version, expected) in [("12", Some(12.0)), ("22.04.1", Some(22.04)), ("", None), ("rolling", None)] {
            assert_eq!(number(version), expected, "{version}");
        }
    }
}
