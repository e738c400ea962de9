//! What must hold whatever FPM, a script or a file says.

use futures_util::FutureExt as _;

use super::configuration::Sections;
pub(crate) use super::errors::fuzz::lines as errors;
use super::fastcgi::{self, Answer};
use super::line::{Line, line};
use super::{cache, opcache, pool, status};
use crate::config::types::Address;
use crate::fuzz::judge;
use crate::snapshot::Snapshot;

/// How much of an answer is read.
const LIMIT: usize = 4 << 10;

/// An answer of any bytes.
pub(crate) fn fastcgi(bytes: &[u8]) {
    let wire = tokio::io::join(bytes, tokio::io::sink());
    let answer = fastcgi::request(wire, &[("SCRIPT_NAME", "/status")], LIMIT).now_or_never();
    if let Ok(answer) = answer.expect("all bytes are there") {
        // Without a body there is an end, of five bytes at least, behind its header.
        assert!(answer.body.len() <= LIMIT && answer.body.len() + 13 <= bytes.len());
        assert!(answer.stderr.len() <= 5_000 && !answer.stderr.contains(char::is_control), "{:?}", answer.stderr);
    }
    let wire = tokio::io::join(bytes, tokio::io::sink());
    fastcgi::ping(wire).now_or_never().expect("all bytes are there").ok();
}

/// A status page of any bytes.
pub(crate) fn status(bytes: &[u8]) {
    let Ok(status) = status::parse(&answer(bytes)) else { return };
    let mut out = Snapshot::default();
    status.report("www", "/run/www.sock", true, &mut out);
    match status.report_children("www", "/run/www.sock", pool::CHILDREN, &mut out) {
        Ok(children) => assert!(children <= pool::CHILDREN),
        Err(failure) => out.gap(failure),
    }
    if let Some((idle, active)) = status.counts() {
        assert!(idle.is_finite() && active.is_finite());
    }
    judge(out, bytes);
}

/// What the OPcache script printed, whatever it is.
pub(crate) fn opcache(bytes: &[u8]) {
    let Ok(told) = opcache::parse(&answer(bytes)) else { return };
    let mut out = Snapshot::default();
    cache::report(&told, &mut out);
    judge(out, bytes);
}

/// A pool file of any text.
pub(crate) fn configuration(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    let read = || {
        let mut sections = Sections::default();
        for found in text.lines().filter_map(line) {
            match found {
                Line::Section(name) => sections.begin(name),
                Line::Set(key, value) => sections.set(key, &value),
                Line::Include(pattern) => assert!(!pattern.is_empty()),
            }
        }
        sections.finish("/usr/local")
    };
    let configuration = read();
    let mut out = Snapshot::default();
    for pool in &configuration.pools {
        pool.report(&mut out);
        for listen in [Some(&pool.listen), pool.status_listen.as_ref(), Some(pool.status_address())] {
            // Whether a socket can be used is asked of the file system, which is not the subject.
            if let Some(Ok(address @ Address::Tcp { .. })) = listen {
                assert_eq!(address.to_string().parse().as_ref(), Ok(address));
            }
        }
    }
    assert!(configuration.pools.is_sorted_by(|a, b| a.name < b.name));
    assert_eq!(read(), configuration);
    judge(out, bytes);
}

fn answer(body: &[u8]) -> Answer {
    Answer { status: 200, body: body.to_vec(), stderr: String::new() }
}
