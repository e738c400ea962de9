//! Files below the root that no visitor has any business with: repositories, secrets, dumps, backups, tools that somebody
//! left. Known by their names alone: nothing is opened.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::host::{Host, unseen};
use super::walk::{Bounds, Entry, walk};
use super::{Cause, Known, Unknown, request};

/// How far it is looked: what lies about lies near the root.
const BOUNDS: Bounds = Bounds { depth: 3, entries: 20_000, passed_over: is_picture, time: Duration::from_secs(10) };

/// How names of pictures end, of which a shop has more than anybody wants to look at.
const PICTURES: [&str; 7] = [".jpg", ".jpeg", ".png", ".webp", ".gif", ".svg", ".avif"];

/// The most that are named.
const NAMED: usize = 100;

/// Folders that are repositories or notebooks, with a file that each of them has.
const FOLDERS: [(&str, &str); 8] = [
    (".git", "HEAD"),
    (".svn", "entries"),
    (".hg", "requires"),
    (".bzr", "README"),
    ("CVS", "Root"),
    (".idea", "workspace.xml"),
    (".vscode", "settings.json"),
    (".ssh", "authorized_keys"),
];

/// Files that have one name, in lower case.
const NAMES: [&str; 21] = [
    ".env",
    ".git",
    ".ds_store",
    ".htpasswd",
    ".bash_history",
    ".mysql_history",
    ".my.cnf",
    ".pgpass",
    ".netrc",
    ".npmrc",
    ".git-credentials",
    ".ftpconfig",
    "auth.json",
    "sftp-config.json",
    "error_log",
    "debug.log",
    "php_errorlog",
    "phpinfo.php",
    "php_info.php",
    "info.php",
    "id_rsa",
];

/// How names end, in lower case, of what nobody puts there to be fetched.
const ENDS: [&str; 26] = [
    "~", ".bak", ".old", ".orig", ".save", ".swp", ".swo", ".rej", ".phps", ".sql", ".sql.gz", ".sql.zip", ".sql.bz2",
    ".sql.xz", ".sql.zst", ".sql.7z", ".dump", ".sqlite", ".sqlite3", ".mdb", ".pem", ".key", ".p12", ".pfx", ".kdbx",
    ".ppk",
];

/// How names of archives end. A picture gallery or a catalogue may be one: below the root they count only by their name.
const ARCHIVES: [&str; 9] = [".zip", ".tar", ".tgz", ".tar.gz", ".tar.bz2", ".tar.xz", ".tar.zst", ".7z", ".rar"];

/// What names of archives have in them that are a whole shop, not something to be downloaded.
const WHOLE: [&str; 11] =
    ["backup", "bkp", "yedek", "dump", "database", "public_html", "htdocs", "www", "opencart", "wordpress", "magento"];

/// What was found.
pub(super) struct Exposed {
    /// Paths of requests.
    pub(super) files: Known<Vec<String>>,
    /// How many more.
    pub(super) more: usize,
    /// Why not all was looked at.
    pub(super) missed: Option<Unknown>,
}

/// What is exposed below the root.
pub(super) fn exposed(host: Host<'_>, root: &Path) -> Exposed {
    let (mut files, mut more, mut links) = (Vec::new(), 0, Vec::new());
    let walked = walk(&host.inside(root), BOUNDS, &mut |entry| {
        if let Some(file) = no_ones(entry) {
            if files.len() < NAMED {
                files.extend(request(root, &root.join(file)));
            } else {
                more += 1;
            }
            return false;
        }
        if entry.kind.is_symlink() {
            links.push(entry.path.to_owned());
        }
        // The installer has its own check, and its dump of an empty shop is in every copy of it.
        entry.path != Path::new("install")
    });
    let leads_out = |link: &PathBuf| {
        let target = host.followed(&root.join(link));
        // What it leads to inside of the root is seen there.
        target.is_ok_and(|target| !target.starts_with(root) && host.has_folder(&target).unwrap_or(true))
    };
    let out = links.into_iter().find(leads_out);
    let missed = match (walked.closed.first(), out) {
        (Some((folder, error)), _) => Some(unseen(&root.join(folder), error)),
        (None, Some(link)) => Some(Unknown::new(
            Cause::Unsupported,
            format!("{} leads out of the shop, and what is there was not looked at", root.join(link).display()),
        )),
        _ if !walked.is_complete => Some(Unknown::new(
            Cause::Unsupported,
            format!(
                "{} holds more than is looked at, which is {} entries, pictures aside",
                root.display(),
                BOUNDS.entries
            ),
        )),
        _ => None,
    };
    let files = match &missed {
        Some(missed) if files.is_empty() => Err(missed.clone()),
        _ => Ok(files),
    };
    Exposed { files, more, missed }
}

/// The file that an entry is, or has, when it is nobody's business.
fn no_ones(entry: &Entry<'_>) -> Option<PathBuf> {
    let name = entry.name.to_str()?;
    if entry.kind.is_dir() {
        let (_, file) = FOLDERS.iter().find(|(folder, _)| *folder == name)?;
        return Some(entry.path.join(file));
    }
    is_no_ones(&name.to_ascii_lowercase(), entry.depth, entry.path.parent()).then(|| entry.path.to_owned())
}

/// Whether a name is a picture's, and nothing but: `shell.php.jpg` is looked at.
fn is_picture(name: &OsStr) -> bool {
    let name = name.to_string_lossy().to_ascii_lowercase();
    PICTURES.iter().any(|end| name.ends_with(end)) && !name.contains(".php")
}

/// Whether a file with this name, in lower case, is nobody's business.
fn is_no_ones(name: &str, depth: usize, folder: Option<&Path>) -> bool {
    let ends_so = |ends: &[&str]| ends.iter().any(|end| name.ends_with(end));
    // What comes with a repository to be copied holds no secret.
    let is_template = ends_so(&[".example", ".sample", ".dist", ".template"]);
    let is_environment = name.starts_with(".env.") && !is_template;
    // `config.php.save` is text for the server, and so is `config.php_1`; `.php-cs-fixer.php` is a setting of a tool.
    let is_copy = |mark: &str| name.find(mark).is_some_and(|at| at > 0);
    let is_copy_of_php = [".php.", ".php_", ".php-"].into_iter().any(is_copy) && !is_template;
    let is_tool = ends_so(&[".php"]) && (name.starts_with("adminer") || name.starts_with("phpinfo"));
    let is_composition = name.starts_with("docker-compose") && ends_so(&[".yml", ".yaml"]);
    let is_archive = ends_so(&ARCHIVES) && (depth == 1 || WHOLE.iter().any(|word| name.contains(word)));
    let is_note = NAMES.contains(&name) || ENDS.iter().any(|end| name.len() > end.len() && name.ends_with(end));
    // A package's keys for its own tests are in every copy of it.
    let is_in_vendor =
        folder.is_some_and(|folder| folder.components().any(|part| part.as_os_str() == OsStr::new("vendor")));
    is_environment
        || is_copy_of_php
        || is_tool
        || is_composition
        || is_archive
        || (is_note && !(is_in_vendor && ends_so(&[".pem", ".key", ".p12", ".pfx"])))
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::symlink;

    use super::*;

    #[test]
    fn files_are_told_by_their_names() {
        for (name, depth, expected) in [
            (".env", 1, true),
            (".env.production", 1, true),
            (".env.example", 1, false),
            ("backup.sql", 3, true),
            ("shop.sql.gz", 2, true),
            ("sitemap.xml.gz", 1, false),
            ("style.css.gz", 2, false),
            ("config.php", 1, false),
            ("config-dist.php", 1, false),
            ("config.php.bak", 1, true),
            ("config.php.1", 1, true),
            (".php-cs-fixer.dist.php", 1, false),
            ("config.php.dist", 1, false),
            ("config.php~", 1, true),
            (".config.php.swp", 1, true),
            ("catalogue.zip", 1, true),
            ("catalogue.zip", 2, false),
            ("site-backup-2024.tar.gz", 2, true),
            ("adminer-4.8.1.php", 1, true),
            ("info.php", 1, true),
            ("product_info.php", 3, false),
            ("auth.json", 1, true),
            ("composer.json", 1, false),
            (".ds_store", 3, true),
            (".htaccess", 1, false),
            ("robots.txt", 1, false),
            ("old", 1, false),
            ("docker-compose.yml", 1, true),
        ] {
            assert_eq!(is_no_ones(name, depth, None), expected, "{name}");
        }
    }

    #[test]
    fn what_is_found_is_a_request_and_what_could_not_be_seen_is_told() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path().join("www");
        for name in [".git", "old files", "image/a/b", "install", "system/vendor"] {
            fs::create_dir_all(root.join(name)).unwrap();
        }
        let look = || exposed(Host::new(folder.path()), Path::new("/www"));
        for name in ["install/opencart.sql", "system/vendor/test.pem", "image/a/b/deep.sql", "index.php"] {
            fs::write(root.join(name), "").unwrap();
        }
        assert_eq!(look().files.unwrap(), ["/.git/HEAD"]);
        for name in ["old files/bütçe+1.sql", "image/a/x.BAK", "shop.zip"] {
            fs::write(root.join(name), "").unwrap();
        }
        let found = ["/.git/HEAD", "/shop.zip", "/old%20files/b%C3%BCt%C3%A7e%2B1.sql", "/image/a/x.BAK"];
        assert_eq!(look().files.unwrap(), found);

        for name in [".git", "old files", "image"] {
            fs::remove_dir_all(root.join(name)).unwrap();
        }
        fs::remove_file(root.join("shop.zip")).unwrap();
        assert_eq!(look().files, Ok(vec![]));
        symlink("/elsewhere", root.join("media")).unwrap();
        assert_eq!(look().files, Ok(vec![]), "a link to nothing serves nothing");
        fs::create_dir(folder.path().join("elsewhere")).unwrap();
        let out = look();
        assert_eq!(out.files.unwrap_err().cause, Cause::Unsupported);
        fs::write(root.join("shop.zip"), "").unwrap();
        let out = look();
        assert_eq!(out.files.unwrap(), ["/shop.zip"]);
        assert!(out.missed.unwrap().why.contains("/www/media"), "what is found does not hide what was not looked at");
    }

    #[test]
    fn no_more_than_a_hundred_are_named() {
        let folder = tempfile::tempdir().unwrap();
        for n in 0..120 {
            fs::write(folder.path().join(format!("{n}.bak")), "").unwrap();
        }
        let found = exposed(Host::new(folder.path()), Path::new("/"));
        assert_eq!((found.files.unwrap().len(), found.more), (100, 20));
    }
}
