//! The files that patterns stand for, and the folders that kept theirs to themselves.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use crate::collector::{Failure, Reason};
use crate::glob;

/// The files that absolute patterns stand for, each once, in the order of the patterns and of their names; and what kept
/// some from being found. At most `limit` files.
///
/// A file that is not there is no trouble when a pattern stood for it: it has gone, or has never been one. One that is
/// named in full should be there.
pub(super) fn files(patterns: &[String], limit: usize) -> (Vec<PathBuf>, Vec<Failure>) {
    let mut files: Vec<PathBuf> = Vec::new();
    let mut troubles = Vec::new();
    let mut left_out = false;
    for pattern in patterns {
        for path in expand(pattern, limit + 1, &mut troubles) {
            match path.metadata() {
                Err(error) if glob::is_pattern(pattern) && is_missing(&error) => {}
                Err(error) => troubles.push(unreadable(&path, error)),
                Ok(_) if files.contains(&path) => {}
                Ok(_) if files.len() == limit => left_out = true,
                Ok(_) => files.push(path),
            }
        }
    }
    if left_out {
        let message = format!("there are more than {limit} files; those after {} are left out", last(&files));
        troubles.push(Failure::message(Reason::Limit, message));
    }
    (files, troubles)
}

/// The paths that a pattern may stand for, whether they are there or not.
fn expand(pattern: &str, limit: usize, troubles: &mut Vec<Failure>) -> Vec<PathBuf> {
    let mut found = vec![PathBuf::from("/")];
    for part in pattern.split('/').filter(|part| !part.is_empty()) {
        found = if glob::is_pattern(part) {
            found.iter().flat_map(|folder| entries(folder, part, troubles)).take(limit).collect()
        } else {
            found.into_iter().map(|folder| folder.join(part)).collect()
        };
    }
    found
}

/// The entries of a folder whose names match, in their order.
fn entries(folder: &Path, pattern: &str, troubles: &mut Vec<Failure>) -> Vec<PathBuf> {
    let entries = match fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) if is_missing(&error) => return Vec::new(),
        // What certbot makes is root's alone; that nothing is found in it does not mean that nothing is there.
        Err(error) => {
            troubles.push(unreadable(folder, error));
            return Vec::new();
        }
    };
    let mut names: Vec<_> = entries
        .filter_map(|entry| entry.ok()?.file_name().into_string().ok())
        .filter(|name| glob::matches(pattern.as_bytes(), name.as_bytes()))
        .collect();
    names.sort();
    names.into_iter().map(|name| folder.join(name)).collect()
}

fn is_missing(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory)
}

fn unreadable(path: &Path, error: io::Error) -> Failure {
    Failure::io(error).context(format!("reading {}", path.display()))
}

fn last(files: &[PathBuf]) -> String {
    files.last().map_or_else(String::new, |file| file.display().to_string())
}
