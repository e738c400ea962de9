//! OpenCart 3 and 4: what its `config.php` defines, and where its parts are.

use std::fs;
use std::path::{Path, PathBuf};

use super::arrays::Settings;
use super::constants::Constants;
use super::host::{Host, unseen};
use super::php::tokens;
use super::{Cause, DatabaseUse, Known, Layout, RedisUse, Unknown, request, slashed};

/// Folders that OpenCart writes to below its storage.
const STORED: [&str; 8] = ["upload", "download", "cache", "logs", "session", "modification", "marketplace", "backup"];

pub(super) fn layout(host: Host<'_>, root: &Path) -> Known<Layout> {
    let configuration = root.join("config.php");
    let admin = admin(host, root)?;
    let own = constants(host, &configuration);
    let storage = storage(host, root, &own).or_else(|unknown| {
        // The administration has a configuration of its own, which may be open when the other is not.
        let other = admin.as_ref().map(|admin| storage(host, root, &constants(host, &admin.join("config.php"))));
        other.unwrap_or(Err(unknown.clone())).map_err(|_| unknown)
    });
    let written = written(host, root, &own, storage.as_ref().ok().and_then(Option::as_deref));
    Ok(Layout {
        base: root.to_owned(),
        installer: host.shows(&root.join("install")).then(|| "/install/index.php".to_owned()),
        written,
        redis: redis(host, root, &own),
        database: database(&own),
        configurations: [Some(configuration), admin.as_ref().map(|admin| admin.join("config.php"))]
            .into_iter()
            .flatten()
            .collect(),
        admin: admin.and_then(|admin| request(root, &admin)).map(|path| slashed(&path)),
        storage,
        // The installer of extensions in the administration puts them here; composer's packages are in the storage.
        extensions: &["extension", "vendor"],
    })
}

/// What a configuration defines; `None` when there is none.
fn constants(host: Host<'_>, file: &Path) -> Known<Option<Constants>> {
    let folder = file.parent().unwrap_or(file);
    Ok(host.text(file)?.map(|text| Constants::of(&tokens(&text), folder)))
}

/// The folder of the administration: with a configuration of its own, which says that it is one. Where that cannot be
/// read, the page of its login tells. `admin` is the first where there are several: it is what everybody tries.
fn admin(host: Host<'_>, root: &Path) -> Known<Option<PathBuf>> {
    let entries = fs::read_dir(host.inside(root)).map_err(|error| unseen(root, &error))?;
    let mut names: Vec<_> = entries.filter_map(Result::ok).map(|entry| entry.file_name()).collect();
    names.sort_by_key(|name| (name != "admin", name.clone()));
    let is_admin = |folder: &PathBuf| match constants(host, &folder.join("config.php")) {
        Ok(None) => false,
        Ok(Some(constants)) => match constants.text("DIR_APPLICATION") {
            Ok(None) => false,
            Ok(Some(path)) => Path::new(path).file_name() == folder.file_name(),
            Err(_) => host.shows(&folder.join("controller/common/login.php")),
        },
        Err(_) => host.shows(&folder.join("controller/common/login.php")),
    };
    Ok(names.into_iter().map(|name| root.join(name)).find(is_admin))
}

/// Where its storage is, links followed.
fn storage(host: Host<'_>, root: &Path, own: &Known<Option<Constants>>) -> Known<Option<PathBuf>> {
    let configuration = root.join("config.php");
    let unparsable = |what| Unknown::new(Cause::Unparsable, format!("{} {what}", configuration.display()));
    let constants = own.as_ref().map_err(Clone::clone)?.as_ref();
    let path = constants.map(|constants| constants.text("DIR_STORAGE")).transpose()?.flatten();
    let path = path.ok_or_else(|| unparsable("defines no DIR_STORAGE: the shop is not installed, or older than 3"))?;
    if !path.starts_with('/') {
        return Err(unparsable("has a DIR_STORAGE that depends on where PHP is started"));
    }
    let path = Path::new(path);
    host.followed(path).map(Some).map_err(|error| unseen(path, &error))
}

/// Folders that it writes to.
fn written(host: Host<'_>, root: &Path, own: &Known<Option<Constants>>, storage: Option<&Path>) -> Vec<PathBuf> {
    let defined = |name| own.as_ref().ok()?.as_ref()?.text(name).ok()?;
    let image = defined("DIR_IMAGE").map_or_else(|| root.join("image"), PathBuf::from);
    let cache = image.join("cache");
    // Where it is by default, when nobody knows.
    let usual = root.join("system/storage");
    let storage = storage.map(Path::to_owned).or_else(|| host.shows(&usual).then_some(usual));
    let stored = storage.into_iter().flat_map(|storage| {
        let needed = STORED[..2].iter().map(|name| storage.join(name));
        let found = STORED[2..].iter().map(|name| storage.join(name)).filter(|folder| host.shows(folder));
        [storage.clone()].into_iter().chain(needed).chain(found).collect::<Vec<_>>()
    });
    // Links are followed in what is inside of the root only as far as requests are concerned.
    let in_root = |folder: PathBuf| match folder.strip_prefix(root) {
        Ok(below) => root.join(below),
        Err(_) => host.followed(&folder).unwrap_or(folder),
    };
    [image, cache].into_iter().chain(stored).map(in_root).collect()
}

/// Where it expects Redis, if its cache or its sessions are there. OpenCart names the engines in `system/config/` and the
/// server in `config.php`; some extensions name the engines there, too.
fn redis(host: Host<'_>, root: &Path, own: &Known<Option<Constants>>) -> Known<Option<RedisUse>> {
    let empty = Constants::default();
    let constants = own.as_ref().ok().and_then(Option::as_ref).unwrap_or(&empty);
    let is_redis = |text: Option<&str>| text.is_some_and(|text| text.eq_ignore_ascii_case("redis"));
    let mut unclear = None;
    let mut is_used = ["CACHE_ENGINE", "CACHE_DRIVER", "SESSION_ENGINE", "SESSION_DRIVER"]
        .into_iter()
        .any(|name| constants.text(name).is_ok_and(is_redis));
    for application in ["catalog.php", "admin.php"] {
        let mut settings = Settings::default();
        for name in ["default.php", application] {
            let file = root.join("system/config").join(name);
            if let Some(text) = host.text(&file)? {
                settings.assign(&tokens(&text), constants, root);
            }
        }
        for engine in ["cache_engine", "session_engine"] {
            match settings.text(engine) {
                Ok(text) => is_used |= is_redis(text),
                Err(unknown) => unclear = Some(unknown),
            }
        }
    }
    if !is_used {
        return unclear.map_or(Ok(None), Err);
    }
    own.as_ref().map_err(Clone::clone)?;
    let port = constants.text("CACHE_PORT")?.and_then(|port| port.parse().ok());
    Ok(Some(RedisUse { host: constants.text("CACHE_HOSTNAME")?.map(str::to_owned), port }))
}

/// The account of the database that it uses.
fn database(own: &Known<Option<Constants>>) -> Known<Option<DatabaseUse>> {
    let Some(constants) = own.as_ref().map_err(Clone::clone)? else { return Ok(None) };
    let text = |name| constants.text(name).map(|text| text.map(str::to_owned));
    if text("DB_DATABASE")?.is_none() && text("DB_USERNAME")?.is_none() {
        return Ok(None);
    }
    Ok(Some(DatabaseUse {
        user: text("DB_USERNAME")?,
        host: text("DB_HOSTNAME")?,
        name: text("DB_DATABASE")?,
        port: text("DB_PORT")?.and_then(|port| port.parse().ok()),
        prefix: text("DB_PREFIX")?,
    }))
}
