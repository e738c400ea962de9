//! Whether the OPcache script may be run: FPM runs it with the shop's rights, so nobody but root (or Vitrin's own user,
//! who could ask FPM for any script anyway) may be able to replace it.

use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};

use super::source::inside;
use crate::collector::{Failure, Reason};

/// Write permission for the group or for others.
const WRITABLE: u32 = 0o022;

/// The sticky bit: in a folder like `/tmp` only the owner of an entry may replace it.
const STICKY: u32 = 0o1000;

/// The script as FPM is to run it: where it really lies, on the host; when it and all folders on the way are closed.
///
/// Links are followed here and once: FPM gets the place that was checked, not a link that leads elsewhere a moment later.
pub(super) fn checked(root: &Path, script: &Path) -> Result<PathBuf, Failure> {
    let shown = script.display();
    let here = inside(root, script);
    let missing = |error| refusal(format!("the OPcache script {shown}: {error}; install it, or set `opcache_script`"));
    let (root, real) = (fs::canonicalize(root).map_err(missing)?, fs::canonicalize(&here).map_err(missing)?);
    let Ok(inside_root) = real.strip_prefix(&root) else {
        let (real, root) = (real.display(), root.display());
        return Err(refusal(format!("the OPcache script {shown} is not run: it leads to {real}, outside of {root}")));
    };
    if !fs::metadata(&real).map_err(Failure::io)?.is_file() {
        return Err(refusal(format!("the OPcache script {shown} is not a file")));
    }
    for place in here.ancestors().chain(real.ancestors()) {
        closed(place, place == real).map_err(|why| refusal(format!("the OPcache script {shown} is not run: {why}")))?;
    }
    Ok(Path::new("/").join(inside_root))
}

/// Whether nobody but root and we may replace what lies here, or why not.
fn closed(place: &Path, is_script: bool) -> Result<(), String> {
    let shown = place.display();
    let metadata = fs::symlink_metadata(place).map_err(|error| format!("{shown}: {error}"))?;
    let (mode, owner) = (metadata.permissions().mode(), metadata.uid());
    if owner != 0 && owner != rustix::process::geteuid().as_raw() {
        return Err(format!("{shown} belongs to user {owner}; give it to root: chown -h root {shown}"));
    }
    // A link has no mode of its own.
    if !metadata.is_symlink() && mode & WRITABLE != 0 && (is_script || mode & STICKY == 0) {
        return Err(format!("others may write to {shown}; close it: chmod go-w {shown}"));
    }
    Ok(())
}

fn refusal(message: String) -> Failure {
    Failure::message(Reason::Permission, message)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(path: &Path) -> Result<PathBuf, Failure> {
        checked(Path::new("/"), path)
    }

    fn chmod(path: &Path, mode: u32) {
        fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
    }

    #[test]
    fn a_script_that_others_may_replace_is_refused() {
        let folder = tempfile::tempdir_in("/tmp").unwrap();
        let script = folder.path().join("opcache.php");
        fs::write(&script, "<?php").unwrap();
        chmod(folder.path(), 0o755);
        chmod(&script, 0o644);
        check(&script).unwrap();

        for mode in [0o666, 0o664, 0o646] {
            chmod(&script, mode);
            let failure = check(&script).unwrap_err();
            assert_eq!(failure.reason, Reason::Permission);
            assert!(failure.to_string().contains("chmod go-w"), "{failure}");
        }
        chmod(&script, 0o644);
        chmod(folder.path(), 0o777);
        assert!(check(&script).unwrap_err().to_string().contains(&format!("write to {}", folder.path().display())));
        chmod(folder.path(), 0o1777);
        check(&script).unwrap();
    }

    #[test]
    fn a_link_is_judged_by_what_it_leads_to_and_where_it_lies() {
        let folder = tempfile::tempdir_in("/tmp").unwrap();
        let (script, links) = (folder.path().join("real.php"), folder.path().join("links"));
        let link = links.join("link.php");
        fs::write(&script, "<?php").unwrap();
        fs::create_dir(&links).unwrap();
        std::os::unix::fs::symlink(&script, &link).unwrap();
        chmod(&script, 0o644);
        assert_eq!(check(&link).unwrap(), script, "FPM gets no link that may lead elsewhere by then");

        chmod(&links, 0o777);
        assert!(check(&link).unwrap_err().to_string().contains(&format!("write to {}", links.display())));
        chmod(&links, 0o755);
        chmod(&script, 0o666);
        assert_eq!(check(&link).unwrap_err().reason, Reason::Permission);
    }

    #[test]
    fn a_container_names_the_script_as_the_host_does() {
        let host = tempfile::tempdir_in("/tmp").unwrap();
        fs::create_dir_all(host.path().join("usr/share/vitrin")).unwrap();
        fs::write(host.path().join("usr/share/vitrin/opcache.php"), "<?php").unwrap();
        let script = Path::new("/usr/share/vitrin/opcache.php");
        assert_eq!(checked(host.path(), script).unwrap(), script);

        std::os::unix::fs::symlink("/etc/hostname", host.path().join("out.php")).unwrap();
        let failure = checked(host.path(), Path::new("/out.php")).unwrap_err();
        assert!(failure.to_string().contains("outside of"), "{failure}");
    }

    #[test]
    fn what_is_no_script_is_refused() {
        let folder = tempfile::tempdir_in("/tmp").unwrap();
        assert!(check(folder.path()).unwrap_err().to_string().contains("is not a file"));
        let failure = check(&folder.path().join("none.php")).unwrap_err();
        assert!(failure.to_string().contains("set `opcache_script`"), "{failure}");
    }
}
