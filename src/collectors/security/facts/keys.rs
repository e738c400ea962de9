//! The private keys of nginx' certificates: who may read them, and what leads to them. Nobody reads them here.

use std::fs::{self, Metadata};
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use super::Key;
use crate::collector::Paths;
use crate::collectors::nginx::configuration;
use crate::collectors::nginx::discover::{PROCESSES, USUAL, configurations};
use crate::collectors::security::seen::Mode;
use crate::collectors::security::verdict::{Cause, Known, Unknown};
use crate::machine::Machine;

/// The most keys that are looked at.
const KEYS: usize = 2_000;

/// Looks at the keys that the running nginx names, or the one that would run.
pub(super) fn look(paths: &Paths) -> Known<Vec<Key>> {
    let machine = Machine::look(paths, None, PROCESSES);
    let mut files: Vec<_> = configurations(&machine).into_iter().map(|master| master.file).collect();
    if files.is_empty() {
        files.extend(USUAL.iter().map(PathBuf::from).find(|file| machine.inside(file).exists()));
    }
    if files.is_empty() {
        return Err(Unknown::new(Cause::Unsupported, "there is no configuration of nginx"));
    }
    let mut named = Vec::new();
    for file in files {
        let folder = file.parent().unwrap_or(Path::new("/")).to_owned();
        let Some(configuration) = configuration::read(&paths.root, &file) else {
            return Err(Unknown::new(Cause::Permission, format!("{} cannot be read", file.display())));
        };
        named.extend(configuration.certificate_keys.into_iter().map(|key| (folder.clone(), key)));
    }
    named.sort();
    named.dedup();
    stat(&paths.root, &named)
}

/// The permissions of these, each as nginx' configuration in a folder names it.
fn stat(root: &Path, named: &[(PathBuf, String)]) -> Known<Vec<Key>> {
    let mut keys = Vec::new();
    for (folder, name) in named.iter().take(KEYS) {
        // Of keys in hardware, or out of a variable that holds the key itself, there is no file.
        if name.starts_with("data:") || name.starts_with("engine:") || name.starts_with("store:") {
            continue;
        }
        if name.contains('$') {
            let why = format!("`ssl_certificate_key {name}` is another file for each request");
            return Err(Unknown::new(Cause::Unsupported, why));
        }
        keys.push(key(root, &folder.join(name))?);
    }
    keys.dedup();
    Ok(keys)
}

fn key(root: &Path, path: &Path) -> Known<Key> {
    let inside = root.join(path.strip_prefix("/").unwrap_or(path));
    let failed = |error: std::io::Error| {
        let cause = match error.kind() {
            std::io::ErrorKind::PermissionDenied => Cause::Permission,
            _ => Cause::Unsupported,
        };
        Unknown::new(cause, format!("looking at {}: {error}", path.display()))
    };
    // Links of ACME clients are relative; where they are not, and the root is elsewhere, they lead out of it.
    let file = fs::canonicalize(inside).map_err(failed)?;
    let root = fs::canonicalize(root).map_err(failed)?;
    let mode = |path: &Path| Ok(mode(&root, path, &fs::metadata(path).map_err(failed)?));
    let folders =
        file.ancestors().skip(1).take_while(|folder| folder.starts_with(&root)).map(mode).collect::<Known<_>>()?;
    Ok(Key { file: mode(&file)?, folders })
}

fn mode(root: &Path, path: &Path, metadata: &Metadata) -> Mode {
    let on_host = path.strip_prefix(root).map_or_else(|_| path.to_owned(), |path| Path::new("/").join(path));
    Mode { path: on_host, mode: metadata.mode() & 0o7777, uid: metadata.uid(), gid: metadata.gid() }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::{PermissionsExt as _, symlink};

    use super::*;

    #[test]
    fn a_key_is_what_the_link_of_an_acme_client_leads_to() {
        let root = tempfile::tempdir().unwrap();
        let at = |path: &str| root.path().join(path);
        for folder in ["etc/nginx", "etc/letsencrypt/archive/shop", "etc/letsencrypt/live/shop", "proc"] {
            fs::create_dir_all(at(folder)).unwrap();
        }
        let nginx = "http { server { ssl_certificate_key /etc/letsencrypt/live/shop/privkey.pem;\n\
                     location / { } }\nserver { ssl_certificate_key own.key; }\nssl_certificate_key own.key; }\n";
        fs::write(at("etc/nginx/nginx.conf"), nginx).unwrap();
        fs::write(at("etc/nginx/own.key"), "canary").unwrap();
        fs::write(at("etc/letsencrypt/archive/shop/privkey1.pem"), "canary").unwrap();
        let modes = [("etc/nginx/own.key", 0o644), ("etc/letsencrypt/archive/shop/privkey1.pem", 0o600)];
        for (file, mode) in modes.into_iter().chain([("etc/letsencrypt/archive", 0o700)]) {
            fs::set_permissions(at(file), fs::Permissions::from_mode(mode)).unwrap();
        }
        symlink("../../archive/shop/privkey1.pem", at("etc/letsencrypt/live/shop/privkey.pem")).unwrap();

        let paths = Paths { root: root.path().to_owned(), proc: at("proc"), ..Paths::default() };
        let keys = look(&paths).unwrap();
        let told: Vec<_> = keys
            .iter()
            .map(|key| {
                let folders = key.folders.iter().map(|folder| folder.path.display().to_string());
                (key.file.path.display().to_string(), key.file.mode, folders.collect::<Vec<_>>())
            })
            .collect();
        let folders = |paths: &[&str]| paths.iter().map(|path| (*path).to_owned()).collect::<Vec<_>>();
        assert_eq!(
            told,
            [
                (
                    "/etc/letsencrypt/archive/shop/privkey1.pem".into(),
                    0o600,
                    folders(&[
                        "/etc/letsencrypt/archive/shop",
                        "/etc/letsencrypt/archive",
                        "/etc/letsencrypt",
                        "/etc",
                        "/"
                    ])
                ),
                ("/etc/nginx/own.key".into(), 0o644, folders(&["/etc/nginx", "/etc", "/"])),
            ]
        );
        assert_eq!(keys[0].folders[1].mode, 0o700);
    }

    #[test]
    fn a_key_that_no_file_holds_is_left_out_and_one_that_changes_is_unknown() {
        let named = |names: &[&str]| {
            let named: Vec<_> = names.iter().map(|name| (PathBuf::from("/etc/nginx"), (*name).to_owned())).collect();
            stat(Path::new("/"), &named)
        };
        assert_eq!(named(&["engine:pkcs11:key", "data:$key"]), Ok(Vec::new()));
        assert_eq!(named(&["/etc/tls/$ssl_server_name.key"]).unwrap_err().cause, Cause::Unsupported);
        assert_eq!(named(&["/nowhere/key.pem"]).unwrap_err().cause, Cause::Unsupported);
    }
}
