//! Running a program of the system: from a fixed place, with fixed arguments, nothing in its environment, and a limit to
//! how long it takes and how much it says.

use std::io::{self, Read};
use std::os::unix::fs::MetadataExt as _;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::mpsc::channel;
use std::thread;
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process_group};

use crate::collectors::security::verdict::{Cause, Known, Unknown};

/// Where programs are: folders that packages alone write to.
const FOLDERS: [&str; 4] = ["/usr/sbin", "/usr/bin", "/sbin", "/bin"];

/// The most that is kept of what a program says on its standard error.
const WORDS: u64 = 4 << 10;

/// What a program answered.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Answer {
    /// Whether it says that it did what it was asked.
    pub(crate) is_success: bool,
    /// Its standard output.
    pub(crate) text: String,
    /// The beginning of its standard error. It may tell anything: it is looked at and never shown.
    pub(crate) words: String,
}

/// Asks a program by its name: `None` when there is none of that name.
pub(crate) type Ask<'a> = dyn Fn(&str, &[&str]) -> Known<Option<Answer>> + 'a;

/// Runs a program of this machine and waits for it. Blocks.
pub(crate) fn ask(name: &str, arguments: &[&str], time: Duration, bytes: usize) -> Known<Option<Answer>> {
    match place(name) {
        Some(program) => run(&program, arguments, time, bytes).map(Some),
        None => Ok(None),
    }
}

/// Where a program is that root alone can replace.
fn place(name: &str) -> Option<PathBuf> {
    let is_roots = |file: &PathBuf| {
        file.metadata().is_ok_and(|file| file.is_file() && file.uid() == 0 && file.mode() & 0o022 == 0)
    };
    FOLDERS.iter().map(|folder| Path::new(folder).join(name)).find(is_roots)
}

fn run(program: &Path, arguments: &[&str], time: Duration, bytes: usize) -> Known<Answer> {
    let name = program.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let failed = |error: &io::Error| {
        let cause =
            if error.kind() == io::ErrorKind::PermissionDenied { Cause::Permission } else { Cause::Unsupported };
        Unknown::new(cause, format!("{name} could not be started: {error}"))
    };
    let mut command = Command::new(program);
    command
        .args(arguments)
        .env_clear()
        .env("LC_ALL", "C")
        .env("PATH", FOLDERS.join(":"))
        .current_dir("/")
        .process_group(0)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let mut child = command.spawn().map_err(|error| failed(&error))?;
    let group = i32::try_from(child.id()).ok().and_then(Pid::from_raw);
    let (said, words) = (child.stdout.take(), child.stderr.take());
    let (answer, answered) = channel();
    thread::spawn(move || {
        let words = thread::spawn(move || words.map(|words| beginning(words, WORDS)).unwrap_or_default());
        let (text, is_whole) = said.map(|said| whole(said, bytes)).unwrap_or_default();
        // Whoever says too much is not listened to, and ends by that.
        let ended = if is_whole { child.wait() } else { child.kill().and_then(|()| child.wait()) };
        let words = words.join().unwrap_or_default();
        // Nobody waits any more when it took too long.
        answer.send((ended, text, words, is_whole)).ok();
    });
    let Ok((ended, text, words, is_whole)) = answered.recv_timeout(time) else {
        // With all that it has started itself.
        group.map(|group| kill_process_group(group, Signal::KILL).ok());
        return Err(Unknown::new(Cause::Timeout, format!("{name} gave no answer in {time:?}")));
    };
    if !is_whole {
        return Err(Unknown::new(Cause::Unsupported, format!("{name} says more than {bytes} bytes")));
    }
    let is_success = ended.map_err(|error| failed(&error))?.success();
    Ok(Answer { is_success, text, words })
}

/// What is said, and whether that is all of it.
fn whole(mut from: impl Read, limit: usize) -> (String, bool) {
    let mut bytes = Vec::new();
    let most = u64::try_from(limit).unwrap_or(u64::MAX);
    let read = from.by_ref().take(most.saturating_add(1)).read_to_end(&mut bytes);
    (String::from_utf8_lossy(&bytes).into_owned(), read.is_ok_and(|read| read <= limit))
}

/// The beginning of what is said; the rest is read, so that the program does not wait, and forgotten.
fn beginning(mut from: impl Read, limit: u64) -> String {
    let mut bytes = Vec::new();
    let read = from.by_ref().take(limit).read_to_end(&mut bytes);
    read.and_then(|_| io::copy(&mut from, &mut io::sink())).ok();
    String::from_utf8_lossy(&bytes).into_owned()
}

#[cfg(test)]
mod tests {
    use std::time::Instant;

    use super::*;

    fn shell(script: &str, time: Duration, bytes: usize) -> Known<Answer> {
        run(Path::new("/bin/sh"), &["-c", script], time, bytes)
    }

    #[test]
    fn a_program_has_an_empty_environment_and_says_how_it_ended() {
        let answer = shell("echo \"$HOME|$LC_ALL\"; pwd; echo no >&2; exit 3", Duration::from_secs(20), 100).unwrap();
        assert_eq!(answer, Answer { is_success: false, text: "|C\n/\n".into(), words: "no\n".into() });
    }

    #[test]
    fn one_that_hangs_is_killed_with_all_that_it_started() {
        let begun = Instant::now();
        let unknown = shell("sleep 600 & sleep 600", Duration::from_millis(200), 100).unwrap_err();
        assert_eq!(unknown.cause, Cause::Timeout);
        assert!(begun.elapsed() < Duration::from_mins(1), "it did not wait for them");
    }

    #[test]
    fn one_that_says_too_much_is_not_listened_to() {
        let unknown = shell("while :; do echo 0123456789; done", Duration::from_mins(1), 1_000).unwrap_err();
        assert_eq!((unknown.cause, &*unknown.why), (Cause::Unsupported, "sh says more than 1000 bytes"));
    }

    #[test]
    fn a_program_that_is_not_there_is_a_fact() {
        assert_eq!(ask("vitrin-no-such-program", &[], Duration::from_secs(1), 1), Ok(None));
        assert_eq!(place("../bin/../../tmp/x"), None);
    }
}
