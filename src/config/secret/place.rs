//! Where a configuration says that a secret is kept, and whether it is there.

use std::cell::RefCell;
use std::fmt;
use std::fs::{self, File};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use serde::de::{Deserialize, Deserializer, Error as _, MapAccess, Visitor};

use super::{Environment, Secret, Source};

/// How a literal secret is to be written instead.
const WAY_OUT: &str = "write { file = \"/etc/vitrin/name\" }, { env = \"NAME\" } or { credential = \"name\" }";

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
pub(in crate::config) fn is_diagnosing() -> bool {
    LOADING.with_borrow(|loading| loading.diagnosing)
}

/// Says something of the configuration that is being loaded: it works, but a person should know.
pub(crate) fn notice(text: String) {
    LOADING.with_borrow_mut(|loading| loading.warnings.push(text));
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
