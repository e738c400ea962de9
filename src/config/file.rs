//! Files that somebody names: of a limited size, and nothing that is not a file.

use std::fs::{self, File};
use std::io::{Error, ErrorKind, Read as _, Result};
use std::path::Path;

/// The bytes of a file.
///
/// # Errors
/// `InvalidInput` when it is no file, `FileTooLarge` when it has more than `most` bytes, and what the system says.
pub(crate) fn bytes_of(file: &Path, most: u64) -> Result<Vec<u8>> {
    // Looked at before it is opened, which for a pipe would wait for somebody to write.
    if !fs::metadata(file)?.is_file() {
        return Err(Error::new(ErrorKind::InvalidInput, "not a file"));
    }
    let mut bytes = Vec::new();
    File::open(file)?.take(most + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > most {
        let shown = if most >= 1 << 20 { format!("{} MiB", most >> 20) } else { format!("{} KiB", most >> 10) };
        return Err(Error::new(ErrorKind::FileTooLarge, format!("larger than {shown}")));
    }
    Ok(bytes)
}

/// The text of a file.
///
/// # Errors
/// `InvalidData` when it is no UTF-8, and those of [`bytes_of`].
pub(crate) fn text_of(file: &Path, most: u64) -> Result<String> {
    String::from_utf8(bytes_of(file, most)?).map_err(|_| Error::new(ErrorKind::InvalidData, "not UTF-8"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_read_up_to_its_limit_and_nothing_else_is() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("file");
        fs::write(&file, "ş".repeat(512)).unwrap();
        assert_eq!(text_of(&file, 1024).unwrap().len(), 1024);
        fs::write(&file, "a".repeat(1025)).unwrap();
        let pipe = folder.path().join("pipe");
        rustix::fs::mknodat(rustix::fs::CWD, &pipe, rustix::fs::FileType::Fifo, 0o644.into(), 0).unwrap();
        let wrong = folder.path().join("wrong");
        fs::write(&wrong, [0xff]).unwrap();
        for (path, kind, said) in [
            (&file, ErrorKind::FileTooLarge, "larger than 1 KiB"),
            (&pipe, ErrorKind::InvalidInput, "not a file"),
            (&wrong, ErrorKind::InvalidData, "not UTF-8"),
            (&folder.path().join("none"), ErrorKind::NotFound, "No such file or directory (os error 2)"),
        ] {
            let error = text_of(path, 1024).unwrap_err();
            assert_eq!((error.kind(), error.to_string().as_str()), (kind, said));
        }
    }
}
