//! The exporter itself, which follows a log that grows.

use std::fs::{self, File};
use std::io::Write as _;
use std::path::Path;

use crate::support::daemon::{eventually, folder};
use crate::support::exporter::Exporter;
use crate::support::process;
use crate::{Cost, log};

/// How much of the log is written before it is rotated: what is kept on disk is twice that.
const FILE_BYTES: usize = 500_000_000;

/// How far the log may be ahead: writing is quicker than reading.
const BLOCK_BYTES: usize = 50_000_000;

const GIGABYTE: u64 = 1_000_000_000;

/// What the exporter needs.
pub(crate) struct Memory {
    /// Bytes of the log that were followed.
    pub(crate) bytes: u64,
    /// The most that was resident in the first gigabyte, in the first half of all, and to the end.
    pub(crate) first: u64,
    pub(crate) half: u64,
    pub(crate) all: u64,
}

fn following(path: &Path) -> Exporter {
    Exporter::start(&format!(
        "[access_log.targets.main]\nfiles = ['{}']\nformat = '''{}'''\nshop = 'opencart3'\n",
        path.display(),
        log::FORMAT
    ))
}

/// How many lines it has counted; it reads on when it is asked.
fn counted(exporter: &Exporter) -> f64 {
    let page = exporter.scrape();
    page.samples("vitrin_log_lines_total")
        .filter(|series| series.labels["result"] == "parsed")
        .map(|series| series.value)
        .sum()
}

#[expect(clippy::cast_precision_loss, reason = "far fewer lines than that")]
fn until_counted(exporter: &Exporter, lines: u64) {
    eventually("all lines to be counted", || counted(exporter) == lines as f64);
}

/// What it takes to read a log that appears at once, everything in: the file read, and the scrapes that ask.
pub(crate) fn reads(log: &[u8], lines: u64) -> Cost {
    let folder = folder();
    let path = folder.path().join("access.log");
    let mut file = File::create(&path).unwrap();
    let exporter = following(&path);
    until_counted(&exporter, 0);
    let before = process::cpu(exporter.pid());
    file.write_all(log).unwrap();
    until_counted(&exporter, lines);
    Cost { lines, cpu: process::cpu(exporter.pid()).saturating_sub(before) }
}

/// How much memory it needs while it follows so many gigabytes, rotated now and then.
pub(crate) fn memory(log: &[u8], gigabytes: u64) -> Memory {
    let folder = folder();
    let path = folder.path().join("access.log");
    let mut file = File::create(&path).unwrap();
    let exporter = following(&path);
    until_counted(&exporter, 0);
    let (mut lines, mut in_file) = (0, 0);
    let mut most = Memory { bytes: 0, first: 0, half: 0, all: 0 };
    let blocks = blocks(log);
    for block in blocks.iter().cycle() {
        if in_file > FILE_BYTES {
            fs::rename(&path, folder.path().join("access.log.1")).unwrap();
            file = File::create(&path).unwrap();
            in_file = 0;
        }
        file.write_all(block).unwrap();
        in_file += block.len();
        most.bytes += block.len() as u64;
        lines += memchr::memchr_iter(b'\n', block).count() as u64;
        until_counted(&exporter, lines);
        most.all = most.all.max(process::rss_bytes(exporter.pid()));
        if most.bytes <= GIGABYTE {
            most.first = most.all;
        }
        if most.bytes <= gigabytes * GIGABYTE / 2 {
            most.half = most.all;
        }
        if most.bytes >= gigabytes * GIGABYTE {
            break;
        }
    }
    most
}

/// The log in pieces of whole lines.
fn blocks(log: &[u8]) -> Vec<&[u8]> {
    let mut blocks = Vec::new();
    let mut rest = log;
    while !rest.is_empty() {
        let end = memchr::memrchr(b'\n', &rest[..rest.len().min(BLOCK_BYTES)]).expect("a line ends") + 1;
        let (block, behind) = rest.split_at(end);
        blocks.push(block);
        rest = behind;
    }
    blocks
}
