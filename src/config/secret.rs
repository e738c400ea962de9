//! Secrets: where they come from, and that they never leave by a log, a page or an error.

use std::cell::RefCell;
use std::fmt;
use std::fs::{self, File};
use std::io::Read;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use serde::de::{Deserialize, Deserializer, Error as _, MapAccess, Visitor};

pub use super::environment::Environment;
use super::option_file::Client;
use crate::collector::{Failure, Reason};

/// The largest secret file we read: private keys are a few KiB.
const SECRET_BYTES: u64 = 64 << 10;

/// How a literal secret is to be written instead.
const WAY_OUT: &str = "write { file = \"/etc/vitrin/name\" }, { env = \"NAME\" } or { credential = \"name\" }";

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

thread_local! {
    // serde gives `Deserialize` no way to pass a context, and a secret has to be looked up while its place in the file
    // is known.
    static LOADING: RefCell<Loading> = RefCell::default();
}

#[derive(Default)]
struct Loading {
    environment: Environment,
    warnings: Vec<String>,
    diagnosing: bool,
}

/// Runs `load` with secrets looked up in `environment`, and returns what it noticed about them.
///
/// Who is `diagnosing` takes files and sockets that are not there, or closed, as they are written: to find that out, and
/// the way out of it, is what a check is for.
pub(crate) fn with_environment<T>(
    environment: Environment,
    diagnosing: bool,
    load: impl FnOnce() -> T,
) -> (T, Vec<String>) {
    LOADING.set(Loading { environment, warnings: Vec::new(), diagnosing });
    let loaded = load();
    (loaded, LOADING.take().warnings)
}

/// Whether a configuration is being loaded by who looks for what is wrong with this machine.
pub(super) fn is_diagnosing() -> bool {
    LOADING.with_borrow(|loading| loading.diagnosing)
}

impl<'de> Deserialize<'de> for Secret {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(SecretVisitor)
    }
}

struct SecretVisitor;

impl<'de> Visitor<'de> for SecretVisitor {
    type Value = Secret;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("where the secret is kept")
    }

    // None of these may repeat the value: it is the secret.
    fn visit_str<E: serde::de::Error>(self, _: &str) -> Result<Secret, E> {
        Err(E::custom(format!("a secret does not belong in this file\n{WAY_OUT}")))
    }

    fn visit_i64<E: serde::de::Error>(self, _: i64) -> Result<Secret, E> {
        self.visit_str("")
    }

    fn visit_f64<E: serde::de::Error>(self, _: f64) -> Result<Secret, E> {
        self.visit_str("")
    }

    fn visit_bool<E: serde::de::Error>(self, _: bool) -> Result<Secret, E> {
        self.visit_str("")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Secret, A::Error> {
        let Some(kind) = map.next_key::<String>()? else {
            return Err(A::Error::custom(format!("an empty table says nothing of where the secret is\n{WAY_OUT}")));
        };
        // Serde's own message would repeat what is there instead: the secret, for all we know.
        let place: String = map.next_value().map_err(|_| A::Error::custom(format!("a place is text\n{WAY_OUT}")))?;
        if map.next_key::<String>()?.is_some() {
            return Err(A::Error::custom(format!("a secret is kept in one place\n{WAY_OUT}")));
        }
        LOADING.with_borrow_mut(|loading| locate(&kind, &place, loading)).map(Secret).map_err(A::Error::custom)
    }
}

fn locate(kind: &str, place: &str, loading: &mut Loading) -> Result<Source, String> {
    match kind {
        "file" => readable(Path::new(place), loading).map(Source::File),
        "option_file" => readable(Path::new(place), loading).map(Source::OptionFile),
        "env" => match loading.environment.get(place) {
            Some(value) => Ok(Source::Value(value.to_owned())),
            None => Err(format!("the environment variable `{place}` is not set\nset it where vitrin is started")),
        },
        "credential" => match loading.environment.get("CREDENTIALS_DIRECTORY") {
            Some(folder) if !place.contains('/') => readable(&Path::new(folder).join(place), loading).map(Source::File),
            Some(_) => Err(format!("`{place}` is not a credential's name\na name has no `/`")),
            None => Err(format!(
                "the credential `{place}` is not there: `CREDENTIALS_DIRECTORY` is not set\n\
                 add LoadCredential={place}:/path to vitrin.service, or write {{ file = \"/path\" }}"
            )),
        },
        other => Err(format!("`{other}` is not a place for a secret\n{WAY_OUT}")),
    }
}

fn readable(path: &Path, loading: &mut Loading) -> Result<PathBuf, String> {
    let shown = path.display();
    // Looked at before it is opened, which for a pipe would wait for somebody to write.
    let metadata = fs::metadata(path)
        .and_then(|metadata| if metadata.is_file() { File::open(path).map(|_| metadata) } else { Ok(metadata) });
    if loading.diagnosing && metadata.is_err() {
        return Ok(path.to_owned());
    }
    let metadata = metadata.map_err(|error| format!("the secret file {shown} cannot be read: {error}\ncreate it, readable by vitrin's user alone: install -m 0600 -o vitrin /dev/stdin {shown}"))?;
    if !metadata.is_file() {
        return Err(format!("the secret file {shown} is not a file\nname a file that holds the secret alone"));
    }
    if metadata.permissions().mode() & 0o004 != 0 {
        loading
            .warnings
            .push(format!("every user can read the secret file {shown}; close it with: chmod o-rwx {shown}"));
    }
    Ok(path.to_owned())
}

#[cfg(test)]
mod tests {
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
