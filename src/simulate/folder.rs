//! The folder of what others read: the authority, and the credentials that are made up.

use std::fs::{self, Permissions};
use std::io::{ErrorKind, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, PermissionsExt as _};
use std::path::Path;

use anyhow::{Context as _, bail};
use tempfile::NamedTempFile;

/// Makes the folder, where it is not there yet, for its owner alone.
///
/// # Errors
/// When it cannot be made.
pub(super) fn make(folder: &Path) -> anyhow::Result<()> {
    if folder.is_dir() {
        return Ok(());
    }
    fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(folder)
        .with_context(|| format!("making {}", folder.display()))
}

/// Writes a file that is secret as far as anybody is to think, where there is none. One that is there already must be the same.
///
/// # Errors
/// When another is there: it may be a real one.
pub(super) fn keep(file: &Path, text: &str) -> anyhow::Result<()> {
    let doing = || format!("writing {}", file.display());
    let temporary = written(file, text, 0o600).with_context(doing)?;
    match temporary.persist_noclobber(file) {
        Ok(_) => Ok(()),
        Err(error) if error.error.kind() == ErrorKind::AlreadyExists => {
            if fs::read(file).is_ok_and(|content| content == text.as_bytes()) {
                return Ok(());
            }
            bail!(
                "{} is there already, and is not of `vitrin simulate`\n  hint: name another folder with --folder",
                file.display()
            )
        }
        Err(error) => Err(error.error).with_context(doing),
    }
}

/// Writes a file that everybody may read, whatever was there.
///
/// # Errors
/// When it cannot be written.
pub(super) fn replace(file: &Path, text: &str) -> anyhow::Result<()> {
    let doing = || format!("writing {}", file.display());
    let temporary = written(file, text, 0o644).with_context(doing)?;
    temporary.persist(file).map(drop).map_err(|error| error.error).with_context(doing)
}

fn written(file: &Path, text: &str, mode: u32) -> std::io::Result<NamedTempFile> {
    let mut temporary = NamedTempFile::new_in(file.parent().unwrap_or(Path::new(".")))?;
    temporary.write_all(text.as_bytes())?;
    temporary.as_file().set_permissions(Permissions::from_mode(mode))?;
    Ok(temporary)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_real_secret_is_never_replaced() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("trendyol-api_key");
        keep(&file, "simulated").unwrap();
        keep(&file, "simulated").unwrap();
        assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);

        fs::write(&file, "a real one").unwrap();
        let error = keep(&file, "simulated").unwrap_err().to_string();
        assert!(error.contains("is there already") && !error.contains("a real one"), "{error}");
        assert_eq!(fs::read_to_string(&file).unwrap(), "a real one");
    }
}
