//! Which generation of the servers and exporters is started: this machine's, or one that lies in a root of its own.

use std::path::{Path, PathBuf};
use std::process::Command;

/// Names a folder that holds another generation of the servers (a whole root file system, `/tmp` bind-mounted into
/// it): each server is then started from there by `chroot`.
const ROOT: &str = "VITRIN_TEST_ROOT";

/// Where Debian installs programs.
const FOLDERS: [&str; 4] = ["/usr/sbin", "/usr/bin", "/usr/local/bin", "/usr/local/sbin"];

/// Where programs come from.
#[derive(Clone, Debug)]
pub(crate) struct Generation {
    root: Option<PathBuf>,
}

impl Generation {
    /// The one that the environment names; this machine's when it names none.
    #[expect(clippy::disallowed_methods, reason = "the one place of the harness that reads the environment")]
    pub(crate) fn under_test() -> Self {
        Self { root: std::env::var(ROOT).ok().map(PathBuf::from) }
    }

    /// What is installed on this machine.
    pub(crate) const fn installed() -> Self {
        Self { root: None }
    }

    /// What lies in this root file system.
    pub(crate) const fn in_root(root: PathBuf) -> Self {
        Self { root: Some(root) }
    }

    /// The name of the Debian it is from, as that says it itself.
    pub(crate) fn name(&self) -> String {
        let release = std::fs::read_to_string(self.here(Path::new("/etc/os-release"))).unwrap_or_default();
        let name = release.lines().find_map(|line| line.strip_prefix("PRETTY_NAME="));
        name.unwrap_or("an unknown system").trim_matches('"').to_owned()
    }

    /// The command for the first of `programs` that is there, in its own root.
    ///
    /// Panics when none is: a test that cannot run has failed.
    #[track_caller]
    pub(crate) fn program(&self, programs: &[&str]) -> Command {
        let path = self.find(programs);
        match &self.root {
            Some(root) => {
                let mut command = Command::new("chroot");
                command.arg(root).arg(path);
                command
            }
            None => Command::new(path),
        }
    }

    /// The file of a program that needs nothing of its own root, and so can be started outside it.
    #[track_caller]
    pub(crate) fn file(&self, program: &str) -> PathBuf {
        self.here(&self.find(&[program]))
    }

    /// Panics when none of `programs` is there.
    #[track_caller]
    fn find(&self, programs: &[&str]) -> PathBuf {
        let paths = programs.iter().flat_map(|program| FOLDERS.map(|folder| Path::new(folder).join(program)));
        paths.into_iter().find(|path| self.here(path).exists()).unwrap_or_else(|| {
            let place = self.root.as_ref().map_or(String::new(), |root| format!(" in {}", root.display()));
            panic!("none of {programs:?} is installed{place}; `make packages` installs them")
        })
    }

    /// Its root file system.
    pub(crate) fn root(&self) -> &Path {
        self.root.as_deref().unwrap_or(Path::new("/"))
    }

    /// The same path as seen from this machine.
    fn here(&self, path: &Path) -> PathBuf {
        self.root().join(path.strip_prefix("/").unwrap_or(path))
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::Generation;
    use crate::support::daemon::folder;

    #[test]
    fn a_program_of_another_root_is_started_in_it_or_outside() {
        let root = folder();
        for (file, text) in [("etc/os-release", "PRETTY_NAME=\"A Debian\"\n"), ("usr/bin/shopd", "")] {
            let path = root.path().join(file);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
        let generation = Generation::in_root(root.path().to_owned());
        assert_eq!(generation.name(), "A Debian");
        assert_eq!(generation.file("shopd"), root.path().join("usr/bin/shopd"));
        let command = generation.program(&["shopd-ng", "shopd"]);
        let arguments: Vec<_> = command.get_args().collect();
        assert_eq!(command.get_program(), "chroot");
        assert_eq!(arguments, [root.path().as_os_str(), "/usr/bin/shopd".as_ref()]);
    }

    #[test]
    fn what_is_installed_is_started_as_it_is() {
        let generation = Generation::installed();
        assert_eq!(generation.program(&["openssl"]).get_program(), generation.file("openssl"));
    }
}
