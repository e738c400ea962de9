//! The shop's files: which shop it is, where its parts are, who may write to them, and whether they are as deployed.

mod arrays;
mod code;
mod constants;
mod database;
pub(super) mod drift;
mod engine;
mod exposed;
#[cfg(any(test, fuzzing))]
pub(super) mod fuzz;
mod host;
mod judge;
mod magento;
mod manifest;
mod monitors;
mod opencart;
mod php;
mod walk;
mod wordpress;

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::seen::Mode;
use super::verdict::{Cause, Known, Unknown};
pub(crate) use code::{Code, Owned, Part};
pub(crate) use database::{DatabaseUse, RedisUse};
pub(crate) use drift::Drift;
pub(crate) use engine::Engine;
use host::Host;
pub(super) use judge::judge;
pub(crate) use manifest::Manifest;

/// The shop's files.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Shop {
    /// The folder, on the host, that the web server serves the shop from, links followed.
    pub(crate) root: PathBuf,
    /// The folder that all its code is in; Magento's is above the root where that is `pub`.
    pub(crate) base: PathBuf,
    /// Which shop it is.
    pub(crate) engine: Engine,
    /// The path of its administration in requests, with both slashes: `/admin/`; `None` when there is none in sight.
    pub(crate) admin: Option<String>,
    /// The folder of its storage, links followed (OpenCart's `DIR_STORAGE`, Magento's `var`); `None` where such a shop has
    /// none.
    pub(crate) storage: Known<Option<PathBuf>>,
    /// The request that would begin an installation, `/install/index.php`, where the installer is still there.
    pub(crate) installer: Option<String>,
    /// What lies below the root and is nobody's business, each as the path of a request: `/backup.sql`. That there is
    /// nothing is only said when all was looked at.
    pub(crate) exposed: Known<Vec<String>>,
    /// How many more of these there are than are named.
    pub(crate) more_exposed: usize,
    /// Why some folder could not be looked into for such files, whatever others had.
    pub(crate) exposed_missed: Option<Unknown>,
    /// Folders that the shop writes to, each as the path of a request with both slashes: `/image/`, `/image/cache/`.
    pub(crate) written: Vec<String>,
    /// The same on the host, those that are not below the root, too.
    pub(crate) written_folders: Vec<PathBuf>,
    /// Files of its configuration, which hold passwords.
    pub(crate) configurations: Vec<Mode>,
    /// The folders that lead to these files: whoever may not enter one of them gets to no file in it.
    pub(crate) ways: Vec<Mode>,
    /// Why one of these files or folders could not be looked at.
    pub(crate) configurations_unseen: Option<Unknown>,
    /// Whether its configuration names Redis as its cache or for its sessions; only where it was seen that it does not,
    /// it is said so.
    pub(crate) uses_redis: bool,
    /// Where it expects Redis; `None` when it uses none.
    pub(crate) redis: Known<Option<RedisUse>>,
    /// The account of the database that it uses; `None` when it is not configured yet.
    pub(crate) database: Known<Option<DatabaseUse>>,
    /// Who may write to its code.
    pub(crate) code: Known<Code>,
    /// How its files differ from the manifest; `None` when there is none. [`drift::Watch`] tells.
    pub(crate) drift: Known<Option<Drift>>,
    /// Programs that watch the machine's files: those that are configured and started by themselves.
    pub(crate) monitors: Vec<String>,
}

/// What an engine says of its files.
struct Layout {
    base: PathBuf,
    admin: Option<String>,
    storage: Known<Option<PathBuf>>,
    installer: Option<String>,
    /// On the host, links not followed.
    written: Vec<PathBuf>,
    configurations: Vec<PathBuf>,
    redis: Known<Option<RedisUse>>,
    database: Known<Option<DatabaseUse>>,
    /// Folders of code, below the base, that the shop's own installer writes to.
    extensions: &'static [&'static str],
}

impl Shop {
    /// Looks at the folder of a shop below `host`, the host's root file system. At most 20,000 entries are looked at for
    /// what is exposed, pictures aside, and 2,000 files of code. Blocks, for a second at worst on a disk that answers.
    ///
    /// `admin` is where the operator says that the administration is.
    pub(crate) fn look(host: &Path, root: &Path, admin: Option<&str>) -> Known<Self> {
        let host = Host::new(host);
        let root = host.followed(root).map_err(|error| host::unseen(root, &error))?;
        // Without the names in it nothing can be told.
        std::fs::read_dir(host.inside(&root)).map_err(|error| host::unseen(&root, &error))?;
        let engine = engine::engine(host, &root)?;
        let layout = match engine {
            Engine::OpenCart(_) => opencart::layout(host, &root)?,
            Engine::WordPress => wordpress::layout(host, &root),
            Engine::Magento => magento::layout(host, &root),
            Engine::Other => other(&root),
        };
        let follow = |path: &PathBuf| host.followed(path).unwrap_or_else(|_| path.clone());
        let mut written_folders: Vec<_> = layout.written.iter().map(follow).collect();
        written_folders.dedup();
        let (configurations, ways, configurations_unseen) = modes(host, &layout.configurations);
        let exposed = exposed::exposed(host, &root);
        let code = match engine {
            Engine::Other => Err(unsupported()),
            _ => Ok(code::look(host, &layout, &written_folders)),
        };
        Ok(Self {
            admin: admin.map(slashed).or(layout.admin),
            written: layout
                .written
                .iter()
                .filter_map(|folder| request(&root, folder))
                .map(|path| slashed(&path))
                .collect(),
            uses_redis: layout.redis != Ok(None),
            base: layout.base,
            storage: layout.storage,
            installer: layout.installer,
            redis: layout.redis,
            database: layout.database,
            exposed: exposed.files,
            more_exposed: exposed.more,
            exposed_missed: exposed.missed,
            drift: Ok(None),
            monitors: monitors::active(host),
            root,
            engine,
            written_folders,
            configurations,
            ways,
            configurations_unseen,
            code,
        })
    }
}

#[cfg(test)]
impl Shop {
    /// A shop of which nothing but its folder and its engine is known, for tests to fill in.
    pub(crate) fn bare(root: &str, engine: Engine) -> Self {
        let unseen = || Unknown::new(Cause::Stale, "not looked at");
        Self {
            root: root.into(),
            base: root.into(),
            engine,
            admin: None,
            storage: Ok(None),
            installer: None,
            exposed: Ok(Vec::new()),
            more_exposed: 0,
            exposed_missed: None,
            written: Vec::new(),
            written_folders: Vec::new(),
            configurations: Vec::new(),
            ways: Vec::new(),
            configurations_unseen: None,
            uses_redis: false,
            redis: Err(unseen()),
            database: Err(unseen()),
            code: Err(unseen()),
            drift: Err(unseen()),
            monitors: Vec::new(),
        }
    }
}

/// What can be said of a shop that is not known.
fn other(root: &Path) -> Layout {
    Layout {
        base: root.to_owned(),
        admin: None,
        storage: Err(unsupported()),
        installer: None,
        written: Vec::new(),
        configurations: Vec::new(),
        redis: Err(unsupported()),
        database: Err(unsupported()),
        extensions: &[],
    }
}

fn unsupported() -> Unknown {
    Unknown::new(Cause::Unsupported, "the shop is none of OpenCart, WordPress and Magento, whose files are known")
}

/// The path of a request for a file of the host, as it has to be written; `None` when it is not below the root.
pub(super) fn request(root: &Path, file: &Path) -> Option<String> {
    let below = file.strip_prefix(root).ok()?;
    Some(below.components().fold(String::new(), |path, part| {
        let name: String =
            form_urlencoded::byte_serialize(std::os::unix::ffi::OsStrExt::as_bytes(part.as_os_str())).collect();
        // Of a form, not of a path.
        format!("{path}/{}", name.replace('+', "%20"))
    }))
}

/// With a slash at both ends.
fn slashed(path: &str) -> String {
    match path.trim_matches('/') {
        "" => "/".to_owned(),
        path => format!("/{path}/"),
    }
}

/// The modes of files, and of the folders that lead to them.
fn modes(host: Host<'_>, files: &[PathBuf]) -> (Vec<Mode>, Vec<Mode>, Option<Unknown>) {
    let (mut modes, mut ways, mut unseen) = (Vec::new(), Vec::<Mode>::new(), None);
    for file in files {
        match host.mode(file) {
            Ok(mode) => {
                unseen = unseen.or(host.hidden_writers(&mode));
                modes.push(mode);
            }
            Err(error) => unseen = Some(host::unseen(file, &error)),
        }
    }
    for folder in modes.iter().flat_map(|mode| mode.path.ancestors().skip(1)) {
        if ways.iter().any(|way| way.path == folder) {
            continue;
        }
        match host.mode(folder) {
            Ok(mode) => ways.push(mode),
            Err(error) => unseen = Some(host::unseen(folder, &error)),
        }
    }
    (modes, ways, unseen)
}

#[cfg(test)]
mod tests;
