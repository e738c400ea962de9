//! The files that patterns stand for, and the folders that kept theirs to themselves.

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
        // What certbot makes is root's alone; that nothing is found in it does not mean that nothing is there.
        let mut closed = |folder: &Path, error: io::Error| {
            if !is_missing(&error) {
                troubles.push(unreadable(folder, error));
            }
        };
        for path in glob::candidates(Path::new("/"), pattern, &mut closed) {
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

fn is_missing(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory)
}

fn unreadable(path: &Path, error: io::Error) -> Failure {
    Failure::io(error).context(format!("reading {}", path.display()))
}

fn last(files: &[PathBuf]) -> String {
    files.last().map_or_else(String::new, |file| file.display().to_string())
}
