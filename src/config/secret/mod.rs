//! Secrets: where they come from, and that they never leave by a log, a page or an error.

mod place;

use std::fmt;
use std::fs::{self, File};
use std::hash::{Hash as _, Hasher};
use std::io::Read;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

pub use super::environment::Environment;
use super::option_file::Client;
use crate::collector::{Failure, Reason};

pub(super) use place::is_diagnosing;
pub(crate) use place::{notice, with_environment};

/// The largest secret file we read: private keys are a few KiB.
const SECRET_BYTES: u64 = 64 << 10;

/// A password or token, named by where it is kept.
///
/// A file is read again at each use, so that a rotated secret needs no reload.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(Source);

#[derive(Clone, PartialEq, Eq)]
enum Source {
    /// From the environment, as it was when the configuration was loaded.
    Value(String),
    File(PathBuf),
    /// The password in the section `[client]` of an option file of MySQL's.
    OptionFile(PathBuf),
}

impl Secret {
    /// The file that it is kept in, alone, if it is.
    #[must_use]
    pub fn file(&self) -> Option<&Path> {
        match &self.0 {
            Source::Value(_) | Source::OptionFile(_) => None,
            Source::File(path) => Some(path),
        }
    }

    /// Adds to a hash what is another one when the secret is another one, wherever it is kept.
    pub fn mark(&self, hasher: &mut impl Hasher) {
        self.reveal().unwrap_or_default().hash(hasher);
    }

    /// When its file was last written; `None` where there is no such file.
    #[must_use]
    pub fn written(&self) -> Option<SystemTime> {
        match &self.0 {
            Source::Value(_) => None,
            Source::File(path) | Source::OptionFile(path) => fs::metadata(path).ok()?.modified().ok(),
        }
    }

    /// The secret itself, of any bytes, without the line end that editors put at the end of a file.
    ///
    /// # Errors
    /// When the file cannot be read (`permission`) or is larger than 64 KiB (`limit`).
    pub fn reveal(&self) -> Result<Vec<u8>, Failure> {
        match &self.0 {
            Source::Value(value) => Ok(value.clone().into_bytes()),
            Source::File(path) => {
                read(path).map_err(|failure| failure.context(format!("reading the secret file {}", path.display())))
            }
            Source::OptionFile(path) => {
                let doing = || format!("reading the password in {}", path.display());
                let text = read(path).map_err(|failure| failure.context(doing()))?;
                let client = Client::parse(&text);
                let absent = || Failure::message(Reason::Auth, "the section [client] has no password").context(doing());
                client.password.ok_or_else(absent)
            }
        }
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[redacted]")
    }
}

fn read(path: &Path) -> Result<Vec<u8>, Failure> {
    let mut secret = Vec::new();
    let file = File::open(path).map_err(|error| Failure::new(Reason::Permission, error))?;
    file.take(SECRET_BYTES + 1).read_to_end(&mut secret).map_err(Failure::io)?;
    if secret.len() as u64 > SECRET_BYTES {
        return Err(Failure::message(Reason::Limit, "larger than 64 KiB"));
    }
    if let Some(line) = secret.strip_suffix(b"\n") {
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        secret.truncate(line.len());
    }
    Ok(secret)
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::PermissionsExt;

    use proptest::prelude::*;
    use tempfile::TempDir;

    use super::*;

    #[derive(serde::Deserialize)]
    struct Table {
        secret: Secret,
    }

    /// The secret kept in this place, and what was noticed about it.
    fn secret(place: &str, environment: &[(&str, &str)]) -> (Secret, Vec<String>) {
        let environment = environment.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        let (table, warnings) =
            with_environment(environment, false, || toml::from_str(&format!("secret = {{ {place} }}")));
        let table: Table = table.unwrap();
        (table.secret, warnings)
    }

    /// A folder with a file in it that nobody else can read.
    fn kept(bytes: &[u8]) -> (TempDir, PathBuf) {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("secret");
        fs::write(&file, bytes).unwrap();
        fs::set_permissions(&file, fs::Permissions::from_mode(0o600)).unwrap();
        (folder, file)
    }

    fn reason(file: &Path) -> &'static str {
        let (secret, _) = secret(&format!("file = '{}'", file.display()), &[]);
        secret.reveal().unwrap_err().reason.as_str()
    }

    #[test]
    fn a_file_is_read_again_each_time_so_that_a_rotated_secret_is_used() {
        let (_folder, file) = kept(b"old");
        let (secret, warnings) = secret(&format!("file = '{}'", file.display()), &[]);
        assert_eq!((secret.reveal().unwrap(), warnings), (b"old".to_vec(), vec![]));
        fs::write(&file, "new").unwrap();
        assert_eq!(secret.reveal().unwrap(), b"new");
        fs::remove_file(&file).unwrap();
        assert_eq!(secret.reveal().unwrap_err().reason.as_str(), "permission");
    }

    #[test]
    fn one_line_end_is_the_editors_and_all_else_is_the_secret() {
        let (_folder, file) = kept(b"");
        let (secret, _) = secret(&format!("file = '{}'", file.display()), &[]);
        for (bytes, revealed) in [
            ("", ""),
            ("a\n", "a"),
            ("a\r\n", "a"),
            ("a\n\n", "a\n"),
            ("a\r", "a\r"),
            (" a\tb'\"\\\0\u{1}$% \n", " a\tb'\"\\\0\u{1}$% "),
            ("şifre: пароль 🔑", "şifre: пароль 🔑"),
            ("two\nlines\n", "two\nlines"),
        ] {
            fs::write(&file, bytes).unwrap();
            assert_eq!(secret.reveal().unwrap(), revealed.as_bytes(), "{bytes:?}");
        }
    }

    proptest! {
        #[test]
        fn any_bytes_are_a_secret_less_one_line_end(bytes in proptest::collection::vec(any::<u8>(), 0..80), end in 0..3) {
            let end: &[u8] = [&b""[..], b"\n", b"\r\n"][usize::try_from(end).unwrap()];
            // What is already a line end, or the half of one, would be taken for the editor's.
            prop_assume!(!bytes.ends_with(b"\n") || !end.is_empty());
            prop_assume!(!bytes.ends_with(b"\r") || end != b"\n");
            let (_folder, file) = kept(&[&bytes[..], end].concat());
            prop_assert_eq!(read(&file).unwrap(), bytes);
        }
    }

    #[test]
    fn a_secret_is_any_bytes_but_not_too_many() {
        let (_folder, file) = kept(b"\xff\xfe\n");
        let (secret, _) = secret(&format!("file = '{}'", file.display()), &[]);
        assert_eq!(secret.reveal().unwrap(), b"\xff\xfe");
        fs::write(&file, vec![b'x'; 64 << 10]).unwrap();
        assert_eq!(secret.reveal().unwrap().len(), 64 << 10);
        fs::write(&file, vec![b'x'; (64 << 10) + 1]).unwrap();
        assert_eq!(reason(&file), "limit");
    }

    #[test]
    fn the_environment_and_systemds_credentials_are_places_too() {
        let (folder, _file) = kept(b"from systemd\n");
        let environment = [("SHOP_KEY", "from here\n"), ("CREDENTIALS_DIRECTORY", folder.path().to_str().unwrap())];
        assert_eq!(secret("env = 'SHOP_KEY'", &environment).0.reveal().unwrap(), b"from here\n");
        assert_eq!(secret("credential = 'secret'", &environment).0.reveal().unwrap(), b"from systemd");
    }

    #[test]
    fn the_password_in_an_option_file_is_read_again_each_time() {
        let (_folder, file) = kept(b"[client]\npassword = 'old'\n");
        let (secret, warnings) = secret(&format!("option_file = '{}'", file.display()), &[]);
        assert_eq!((secret.reveal().unwrap(), warnings), (b"old".to_vec(), vec![]));
        fs::write(&file, "[client]\npassword = 'new'\n").unwrap();
        assert_eq!(secret.reveal().unwrap(), b"new");
        fs::write(&file, "[mysqld]\npassword = 'canary'\n").unwrap();
        let failure = secret.reveal().unwrap_err();
        assert!(failure.reason.as_str() == "auth" && !failure.to_string().contains("canary"), "{failure}");
    }

    #[test]
    fn what_is_printed_of_it_says_nothing() {
        let (secret, _) = secret("env = 'SHOP_KEY'", &[("SHOP_KEY", "canary")]);
        assert_eq!(format!("{secret:?}"), "[redacted]");
    }
}
