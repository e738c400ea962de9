//! The list of the shop's files as they were deployed: lines that `sha256sum --check` takes, too. Links to folders are in
//! comments, with the sum of where they lead.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs::{self, OpenOptions};
use std::io::{self, Read as _};
use std::os::unix::ffi::{OsStrExt as _, OsStringExt as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Component, Path, PathBuf};
use std::time::Duration;

use ring::digest::{Context, SHA256, digest};
use rustix::fs::OFlags;

use super::host::{Host, unseen};
use super::walk::{Bounds, Walk, Walked, nothing};
use super::{Cause, Known, Shop, Unknown};

/// How names of files end that are listed: what PHP and browsers run, what pages are made of, and what tells servers and
/// PHP how.
const ENDS: [&str; 9] = [".php", ".phtml", ".phar", ".inc", ".js", ".twig", ".tpl", ".htaccess", ".user.ini"];

/// The most that is walked through. Magento with all its packages has 150,000 entries.
const DEPTH: usize = 40;
const ENTRIES: usize = 1_000_000;

/// What is before a link's line: `sha256sum` passes over it.
const LINK: &[u8] = b"# ";

/// The largest file that is read; a script of this size is none.
const FILE_BYTES: u64 = 64 << 20;

/// The largest manifest that is read.
pub(super) const MANIFEST_BYTES: u64 = 64 << 20;

/// What the contents of a file come to.
pub(super) type Sum = [u8; 32];

/// Files by their path below the shop's base.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Manifest {
    pub(super) files: BTreeMap<PathBuf, Sum>,
    /// Links to folders, with the sum of where they lead. What is behind them is in no line of its own.
    pub(super) links: BTreeMap<PathBuf, Sum>,
}

impl Manifest {
    /// The shop in a folder as it is now. Fails on the first file that cannot be read: half a manifest would be taken for
    /// a whole one. Blocks for as long as it takes.
    pub(crate) fn make(host: &Path, root: &Path) -> Known<Self> {
        let shop = Shop::look(host, root, None)?;
        let host = Host::new(host);
        let mut listing = Listing::new();
        while !listing.go_on(host, &shop, Duration::MAX) {}
        if let Some(missed) = listing.missed(&shop) {
            return Err(missed);
        }
        let sum_of = |path: PathBuf| {
            let on_host = shop.base.join(&path);
            let (sum, _) = sum(host, &on_host).map_err(|error| unseen(&on_host, &error))?;
            Ok((path, sum))
        };
        let link_of = |path: PathBuf| {
            let on_host = shop.base.join(&path);
            let sum = link_sum(host, &on_host).map_err(|error| unseen(&on_host, &error))?;
            Ok((path, sum))
        };
        Ok(Self {
            files: listing.files.into_iter().map(sum_of).collect::<Known<_>>()?,
            links: listing.links.into_iter().map(link_of).collect::<Known<_>>()?,
        })
    }

    /// As it is written: a line for each file, `sum`, two spaces, `path`; and for each link, behind `# `.
    pub(crate) fn text(&self) -> Vec<u8> {
        let mut text = Vec::new();
        let files = self.files.iter().map(|file| (&b""[..], file));
        for (mark, (path, sum)) in files.chain(self.links.iter().map(|link| (LINK, link))) {
            text.extend_from_slice(mark);
            let sum = sum.iter().fold(String::new(), |mut text, byte| {
                write!(text, "{byte:02x}").expect("writing to memory does not fail");
                text
            });
            let name = escaped(path.as_os_str().as_bytes());
            // The mark of a name with escapes in it.
            if name != path.as_os_str().as_bytes() {
                text.push(b'\\');
            }
            text.extend_from_slice(sum.as_bytes());
            text.extend_from_slice(b"  ");
            text.extend_from_slice(&name);
            text.push(b'\n');
        }
        text
    }

    /// What was written. `None` when a line is none of a manifest, or a path leads out of the shop.
    pub(crate) fn parse(text: &[u8]) -> Option<Self> {
        let lines = text.split(|&byte| byte == b'\n').filter(|line| !line.is_empty());
        let (comments, lines): (Vec<_>, Vec<_>) = lines.partition(|line| line.starts_with(b"#"));
        let files = lines.into_iter().map(line).collect::<Option<BTreeMap<_, _>>>()?;
        // Others' comments say nothing of links.
        let linked = comments.into_iter().filter_map(|comment| line(comment.strip_prefix(LINK)?));
        (!files.is_empty()).then(|| Self { files, links: linked.collect() })
    }
}

/// Escapes, as coreutils writes them.
fn escaped(name: &[u8]) -> Vec<u8> {
    let escape = |&byte: &u8| match byte {
        b'\\' => b"\\\\".to_vec(),
        b'\n' => b"\\n".to_vec(),
        b'\r' => b"\\r".to_vec(),
        _ => vec![byte],
    };
    name.iter().flat_map(escape).collect()
}

fn line(line: &[u8]) -> Option<(PathBuf, Sum)> {
    let (line, is_escaped) = line.strip_prefix(b"\\").map_or((line, false), |line| (line, true));
    let (sum, name) = line.split_at_checked(64)?;
    // `*` is the mark of binary mode, which on Linux is no other.
    let name = name.strip_prefix(b"  ").or_else(|| name.strip_prefix(b" *"))?;
    let mut bytes: Sum = [0; 32];
    for (byte, digits) in bytes.iter_mut().zip(sum.chunks_exact(2)) {
        let digits = std::str::from_utf8(digits).ok()?;
        *byte = u8::from_str_radix(digits, 16).ok().filter(|_| !digits.starts_with('+'))?;
    }
    let name = if is_escaped { unescaped(name)? } else { name.to_vec() };
    let name = name.strip_prefix(b"./").map_or(name.clone(), <[u8]>::to_vec);
    let path = PathBuf::from(std::ffi::OsString::from_vec(name));
    let is_inside = path.components().all(|part| matches!(part, Component::Normal(_))) && path.components().count() > 0;
    is_inside.then_some((path, bytes))
}

fn unescaped(name: &[u8]) -> Option<Vec<u8>> {
    let mut bytes = name.iter();
    let mut plain = Vec::new();
    while let Some(&byte) = bytes.next() {
        plain.push(match byte {
            b'\\' => match bytes.next()? {
                b'\\' => b'\\',
                b'n' => b'\n',
                b'r' => b'\r',
                _ => return None,
            },
            _ => byte,
        });
    }
    Some(plain)
}

/// What of a shop belongs into a manifest, found in as many turns as it takes. What the shop writes to by itself is left
/// out, and so is the repository that it was deployed from.
#[derive(Debug)]
pub(super) struct Listing {
    walk: Walk,
    /// Files, in their order when it is over.
    pub(super) files: Vec<PathBuf>,
    /// Links to folders, which are not followed.
    pub(super) links: Vec<PathBuf>,
}

impl Listing {
    pub(super) fn new() -> Self {
        Self { walk: Walk::new(), files: Vec::new(), links: Vec::new() }
    }

    /// Goes on for a time. Whether it is over.
    pub(super) fn go_on(&mut self, host: Host<'_>, shop: &Shop, time: Duration) -> bool {
        let bounds = Bounds { depth: DEPTH, entries: ENTRIES, passed_over: nothing, time };
        let Self { walk, files, links } = self;
        let is_over = walk.go_on(&host.inside(&shop.base), bounds, &mut |entry| {
            let on_host = shop.base.join(entry.path);
            if entry.kind.is_dir() {
                return entry.path != Path::new(REPOSITORY) && !shop.written_folders.contains(&on_host);
            }
            // A link may be to a folder, or to nothing; and a pipe may have any name.
            let is_listed = is_listed(entry.path);
            let (is_file, is_folder) = if entry.kind.is_symlink() {
                match host.metadata(&on_host) {
                    Ok(metadata) => (metadata.is_file(), metadata.is_dir()),
                    // What is closed to us may be either.
                    Err(error) if error.kind() == io::ErrorKind::PermissionDenied => (is_listed, !is_listed),
                    Err(_) => (false, false),
                }
            } else {
                (entry.kind.is_file(), false)
            };
            if is_file && is_listed {
                files.push(entry.path.to_owned());
            }
            if is_folder {
                links.push(entry.path.to_owned());
            }
            false
        });
        if is_over {
            self.files.sort();
            self.links.sort();
        }
        is_over
    }

    /// Why not all is in it, once it is over.
    pub(super) fn missed(&self, shop: &Shop) -> Option<Unknown> {
        let Walked { closed, too_deep, is_complete } = &self.walk.walked;
        if let Some((folder, error)) = closed.first() {
            return Some(unseen(&shop.base.join(folder), error));
        }
        let why = match too_deep {
            Some(folder) => format!("{} lies deeper than is looked at", shop.base.join(folder).display()),
            None if !is_complete => {
                format!("{} holds more than the {ENTRIES} entries that are looked at", shop.base.display())
            }
            None => return None,
        };
        Some(Unknown::new(Cause::Unsupported, why))
    }
}

/// The repository that a shop is deployed from. In any other folder a folder of this name is as good a place for a script
/// as another.
const REPOSITORY: &str = ".git";

/// Whether the files behind a link are looked at, or left out, where they really are.
pub(super) fn is_known_behind(host: Host<'_>, shop: &Shop, link: &Path) -> io::Result<bool> {
    let target = host.followed(&shop.base.join(link))?;
    let is_listed = target.starts_with(&shop.base) && !target.starts_with(shop.base.join(REPOSITORY));
    Ok(is_listed || shop.written_folders.iter().any(|folder| target.starts_with(folder)))
}

/// What a link comes to: the path in it.
pub(super) fn link_sum(host: Host<'_>, link: &Path) -> io::Result<Sum> {
    let target = fs::read_link(host.inside(link))?;
    let mut sum = Sum::default();
    sum.copy_from_slice(digest(&SHA256, target.as_os_str().as_bytes()).as_ref());
    Ok(sum)
}

/// Whether a file with this name belongs into a manifest.
pub(super) fn is_listed(path: &Path) -> bool {
    let name = path.file_name().unwrap_or_default().as_bytes().to_ascii_lowercase();
    ENDS.iter().any(|end| name.ends_with(end.as_bytes()))
}

/// What the contents of a file of the host come to, and how many bytes they are. Links are followed.
pub(super) fn sum(host: Host<'_>, file: &Path) -> io::Result<(Sum, u64)> {
    let path = host.inside(&host.followed(file)?);
    // A pipe in its place must hold nobody up.
    let flags = (OFlags::NONBLOCK | OFlags::NOCTTY).bits().cast_signed();
    let file = OpenOptions::new().read(true).custom_flags(flags).open(path)?;
    if !file.metadata()?.is_file() {
        return Err(io::Error::new(io::ErrorKind::InvalidInput, "this is no file"));
    }
    let (mut context, mut buffer, mut size) = (Context::new(&SHA256), vec![0; 64 << 10], 0);
    let mut file = file.take(FILE_BYTES + 1);
    loop {
        let read = file.read(&mut buffer)?;
        if read == 0 {
            break;
        }
        size += read as u64;
        context.update(&buffer[..read]);
    }
    if size > FILE_BYTES {
        return Err(io::Error::other("it is too large for a script"));
    }
    let mut sum = Sum::default();
    sum.copy_from_slice(context.finish().as_ref());
    Ok((sum, size))
}

#[cfg(test)]
mod tests {
    use std::ffi::OsString;
    use std::fs;
    use std::os::unix::fs::symlink;
    use std::process::{Command, Stdio};

    use proptest::prelude::*;

    use super::*;

    /// A shop that nobody knows, with files whose names are not easy.
    fn shop() -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        let awkward = OsString::from_vec(b"back\\slash\nline \xff.php".to_vec());
        for name in
            [&OsString::from("index.php"), &"a b/c.JS".into(), &".htaccess".into(), &"image.png".into(), &awkward]
        {
            let file = folder.path().join(name);
            fs::create_dir_all(file.parent().unwrap()).unwrap();
            fs::write(file, name.as_bytes()).unwrap();
        }
        // Neither is a file, whatever they are called.
        symlink("a b", folder.path().join("package.js")).unwrap();
        symlink("none", folder.path().join("none.js")).unwrap();
        symlink("a b/c.JS", folder.path().join("link.js")).unwrap();
        folder
    }

    #[test]
    fn coreutils_takes_what_is_written() {
        let shop = shop();
        let manifest = Manifest::make(Path::new("/"), shop.path()).unwrap();
        assert_eq!(manifest.files.len(), 5);
        assert_eq!(manifest.links.keys().collect::<Vec<_>>(), [Path::new("package.js")]);
        let file = shop.path().join("manifest");
        fs::write(&file, manifest.text()).unwrap();
        let check = || {
            let mut command = Command::new("sha256sum");
            command.args(["--check", "--strict", "--quiet"]).arg(&file).current_dir(shop.path());
            command.stdout(Stdio::null()).stderr(Stdio::null()).status().expect("sha256sum is of the package coreutils")
        };
        assert!(check().success());
        fs::write(shop.path().join("index.php"), "other").unwrap();
        assert!(!check().success());
        let other = Manifest::make(Path::new("/"), shop.path()).unwrap();
        assert_eq!(Manifest::parse(&manifest.text()), Some(manifest.clone()));
        assert_ne!(other, manifest);
    }

    #[test]
    fn what_is_no_manifest_is_not_taken_for_one() {
        let sum = "0".repeat(64);
        for (text, is_one) in [
            (format!("{sum}  a.php\n"), true),
            (format!("{sum} *./a/b.php"), true),
            (String::new(), false),
            ("hello\n".to_owned(), false),
            (format!("{sum}  ../a.php\n"), false),
            (format!("{sum}  /etc/a.php\n"), false),
            (format!("{}+1  a.php\n", &sum[2..]), false),
            (format!("\\{sum}  a\\x.php\n"), false),
            (format!("# release 7\n{sum}  a.php\n"), true),
            (format!("# {sum}  a\n"), false),
        ] {
            assert_eq!(Manifest::parse(text.as_bytes()).is_some(), is_one, "{text}");
        }
    }

    proptest! {
        #[test]
        fn any_name_comes_back(name in prop::collection::vec(1_u8.., 1..20)) {
            let name: Vec<u8> = name.into_iter().filter(|byte| *byte != b'/').chain(*b".php").collect();
            let files = BTreeMap::from([(PathBuf::from(OsString::from_vec(name)), [7; 32])]);
            let manifest = Manifest { links: files.clone(), files };
            prop_assert_eq!(Manifest::parse(&manifest.text()), Some(manifest));
        }

        #[test]
        fn no_text_panics(text in prop::collection::vec(any::<u8>(), 0..200)) {
            Manifest::parse(&text);
        }
    }
}
