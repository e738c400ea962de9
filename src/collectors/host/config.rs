//! What of the host is not reported, and how long a file system may take.

use std::time::Duration;

use serde::{Deserialize, Deserializer};

pub use super::systemd::Config as Systemd;
use crate::config::types::{Period, Section, TargetName};

/// The `[host]` table.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// Whether the host is watched at all.
    pub enabled: bool,
    /// How long one run may take; the collector's own limit when absent.
    pub timeout: Option<Period>,
    /// Mount points that are left out, with all below them; one that ends with `/*` leaves out only what is below.
    pub mount_points_exclude: Vec<String>,
    /// Types of file systems that are left out.
    pub filesystem_types_exclude: Vec<String>,
    /// Disks that are left out, beside RAM disks, loop devices, floppies and partitions; `*` stands for any characters.
    pub disks_exclude: Vec<Pattern>,
    /// Network interfaces that are left out, `veth*` for example; `*` stands for any characters.
    pub interfaces_exclude: Vec<Pattern>,
    /// How long the file systems may take to tell their space: at worst the scrape waits twice as long, once.
    pub mount_timeout: Period,
    /// Of systemd, which units are shown; nothing when absent.
    pub systemd: Option<Systemd>,
    /// Whether the arrays of Linux' software RAID are read.
    pub mdadm: bool,
    /// Whether it is read that the distribution asks for a reboot.
    pub reboot_required: bool,
}

impl Default for Config {
    fn default() -> Self {
        let owned = |list: &[&str]| list.iter().map(|&item| item.to_owned()).collect();
        Self {
            enabled: true,
            timeout: None,
            mount_points_exclude: owned(MOUNT_POINTS),
            filesystem_types_exclude: owned(TYPES),
            disks_exclude: Vec::new(),
            interfaces_exclude: Vec::new(),
            mount_timeout: Period(Duration::from_millis(200)),
            systemd: None,
            mdadm: false,
            reboot_required: false,
        }
    }
}

/// `node_exporter`'s own default (its Debian package also hides `/run`, `/mnt` and `/media`, where a shop may well keep
/// its data).
const MOUNT_POINTS: &[&str] =
    &["/dev", "/proc", "/run/credentials/*", "/sys", "/var/lib/docker/*", "/var/lib/containers/storage/*"];

/// File systems that hold no files of their own, and images that are full by nature; `node_exporter`'s default.
const TYPES: &[&str] = &[
    "autofs",
    "binfmt_misc",
    "bpf",
    "cgroup",
    "cgroup2",
    "configfs",
    "debugfs",
    "devpts",
    "devtmpfs",
    "erofs",
    "fusectl",
    "hugetlbfs",
    "iso9660",
    "mqueue",
    "nsfs",
    "overlay",
    "proc",
    "procfs",
    "pstore",
    "rpc_pipefs",
    "securityfs",
    "selinuxfs",
    "squashfs",
    "sysfs",
    "tracefs",
];

impl Config {
    /// The section with the one target there is: this machine.
    #[must_use]
    pub fn section(&self) -> Section<Self> {
        let targets = self.enabled.then(|| (TargetName::main(), self.clone()));
        Section { timeout: self.timeout, targets: targets.into_iter().collect() }
    }

    /// Whether this mount is reported.
    pub(super) fn wants_mount(&self, mount_point: &str, fs_type: &str) -> bool {
        !self.filesystem_types_exclude.iter().any(|excluded| excluded == fs_type)
            && !self.mount_points_exclude.iter().any(|excluded| covers(excluded, mount_point))
    }

    /// Whether this disk is reported.
    pub(super) fn wants_disk(&self, device: &str) -> bool {
        !is_minor_disk(device) && !self.disks_exclude.iter().any(|pattern| pattern.matches(device))
    }

    /// Whether this network interface is reported.
    pub(super) fn wants_interface(&self, device: &str) -> bool {
        !self.interfaces_exclude.iter().any(|pattern| pattern.matches(device))
    }
}

/// Whether `excluded` is the mount point or lies above it.
fn covers(excluded: &str, mount_point: &str) -> bool {
    let (folder, itself) = match excluded.strip_suffix("/*") {
        Some(folder) => (folder, false),
        None => (excluded.strip_suffix('/').unwrap_or(excluded), true),
    };
    match mount_point.strip_prefix(folder) {
        Some("") => itself,
        Some(below) => below.len() > 1 && below.starts_with('/'),
        None => false,
    }
}

/// Whether a block device is a RAM disk, a loop device, a floppy or a partition.
fn is_minor_disk(device: &str) -> bool {
    let stem = device.trim_end_matches(|c: char| c.is_ascii_digit());
    if stem.len() == device.len() {
        return false;
    }
    if matches!(stem, "ram" | "zram" | "loop" | "fd") {
        return true;
    }
    if let Some(partition) = stem.strip_prefix("nvme").and_then(|rest| rest.strip_suffix('p')) {
        let is_number = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
        return partition
            .split_once('n')
            .is_some_and(|(controller, namespace)| is_number(controller) && is_number(namespace));
    }
    let letter = ["hd", "sd", "vd", "xvd"].iter().find_map(|prefix| stem.strip_prefix(prefix));
    letter.is_some_and(|letter| letter.len() == 1 && letter.as_bytes()[0].is_ascii_lowercase())
}

/// A name in which `*` stands for any characters, none included.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pattern(String);

impl Pattern {
    /// A pattern of our own.
    pub(super) fn of(text: &str) -> Self {
        Self(text.to_owned())
    }

    pub(super) fn matches(&self, name: &str) -> bool {
        let Some((start, rest)) = self.0.split_once('*') else { return self.0 == name };
        let Some(mut name) = name.strip_prefix(start) else { return false };
        let mut parts = rest.split('*').peekable();
        while let Some(part) = parts.next() {
            if parts.peek().is_none() {
                return name.ends_with(part);
            }
            let Some(found) = name.find(part) else { return false };
            name = &name[found + part.len()..];
        }
        true
    }
}

impl<'de> Deserialize<'de> for Pattern {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        if text.is_empty() {
            return Err(serde::de::Error::custom(
                "an empty name matches nothing\nwrite a whole name, or one with `*`: \"veth*\"",
            ));
        }
        Ok(Self(text))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mount_point_is_left_out_with_what_is_below_but_not_its_neighbours() {
        let config = Config::default();
        for point in ["/dev", "/dev/shm", "/proc", "/sys/kernel/x", "/run/credentials/a", "/var/lib/docker/overlay2/x"]
        {
            assert!(!config.wants_mount(point, "ext4"), "{point}");
        }
        for point in ["/", "/devel", "/run", "/run/credentials", "/var/lib/docker", "/mnt/data", "/srv"] {
            assert!(config.wants_mount(point, "ext4"), "{point}");
        }
        assert!(!config.wants_mount("/srv", "overlay"));
    }

    #[test]
    fn what_is_not_said_keeps_its_default_and_what_is_not_known_is_refused() {
        let config: Config = toml::from_str("interfaces_exclude = ['veth*']\nmount_timeout = '1s'").unwrap();
        assert!(!config.wants_interface("veth1") && config.wants_interface("eth0"));
        assert_eq!(config.mount_timeout.0, Duration::from_secs(1));
        assert_eq!(config.mount_points_exclude, Config::default().mount_points_exclude);
        assert!(toml::from_str::<Config>("interface_exclude = []").is_err());
        let message = toml::from_str::<Config>("disks_exclude = ['']").unwrap_err().to_string();
        assert!(message.contains("an empty name matches nothing"), "{message}");
    }

    #[test]
    fn partitions_and_memory_are_not_disks() {
        let config = Config::default();
        for device in ["ram0", "zram1", "loop12", "fd0", "sda1", "vdb15", "xvda2", "hdc1", "nvme0n1p2"] {
            assert!(!config.wants_disk(device), "{device}");
        }
        for device in ["sda", "vda", "nvme0n1", "dm-0", "md0", "sr0", "mmcblk0", "sdaa", "xvda", "nbd0"] {
            assert!(config.wants_disk(device), "{device}");
        }
    }

    #[test]
    fn a_star_stands_for_any_characters() {
        let matches = |pattern: &str, name: &str| Pattern(pattern.to_owned()).matches(name);
        assert!(matches("veth*", "veth12ab") && matches("veth*", "veth") && !matches("veth*", "eth0"));
        assert!(matches("*", "x") && matches("eth0", "eth0") && !matches("eth0", "eth01"));
        assert!(matches("br-*x*9", "br-aaxb9") && !matches("br-*x*9", "br-aab9"));
    }
}
