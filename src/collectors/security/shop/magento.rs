//! Magento 2: what its `app/etc/env.php` returns, and where its parts are.

use std::path::Path;

use super::arrays::Settings;
use super::database::place;
use super::engine::magento_base;
use super::host::Host;
use super::php::tokens;
use super::{DatabaseUse, Known, Layout, RedisUse, slashed};

pub(super) fn layout(host: Host<'_>, root: &Path) -> Layout {
    let base = magento_base(root).to_owned();
    let configuration = base.join("app/etc/env.php");
    let is_new = host.has(&configuration).is_ok_and(|is_there| !is_there);
    let settings = match host.text(&configuration) {
        Ok(text) => text.map(|text| Settings::returned(&tokens(&text))).transpose(),
        Err(unknown) => Err(unknown),
    };
    let front =
        settings.as_ref().ok().and_then(Option::as_ref).and_then(|settings| settings.text("backend/frontName").ok()?);
    let setup = base.join("setup/index.php");
    let written = ["pub/media", "pub/static", "var", "generated"].map(|name| base.join(name));
    Layout {
        admin: front.map(slashed),
        storage: Ok(Some(host.followed(&base.join("var")).unwrap_or_else(|_| base.join("var")))),
        // The wizard of versions before 2.4 asks for a login where the shop is installed.
        installer: (is_new && base == root && host.shows(&setup)).then(|| "/setup/index.php".to_owned()),
        redis: settings.as_ref().map_err(Clone::clone).and_then(|settings| settings.as_ref().map_or(Ok(None), redis)),
        database: settings
            .as_ref()
            .map_err(Clone::clone)
            .and_then(|settings| settings.as_ref().map(database).transpose()),
        written: written.into_iter().filter(|folder| host.has(folder).unwrap_or(true)).collect(),
        configurations: if is_new { Vec::new() } else { vec![configuration] },
        extensions: &["vendor", "app/code"],
        base,
    }
}

/// Where it expects Redis, for its sessions or as a cache.
fn redis(settings: &Settings) -> Known<Option<RedisUse>> {
    let place_of = |host: &str, port: &str| -> Known<Option<RedisUse>> {
        let (server, named) = place(settings.text(host)?.unwrap_or("127.0.0.1"));
        let port = settings.text(port)?.and_then(|port| port.parse().ok());
        Ok(Some(RedisUse { host: Some(server), port: port.or(named) }))
    };
    if settings.text("session/save")? == Some("redis") {
        return place_of("session/redis/host", "session/redis/port");
    }
    for name in ["default", "page_cache"] {
        let frontend = format!("cache/frontend/{name}");
        let backend = settings.text(&format!("{frontend}/backend"))?.unwrap_or("");
        let remote = settings.text(&format!("{frontend}/backend_options/remote_backend"))?.unwrap_or("");
        for (class, options) in [(backend, "backend_options"), (remote, "backend_options/remote_backend_options")] {
            if class.to_ascii_lowercase().contains("redis") {
                return place_of(&format!("{frontend}/{options}/server"), &format!("{frontend}/{options}/port"));
            }
        }
    }
    Ok(None)
}

/// The account of the database that it uses.
fn database(settings: &Settings) -> Known<DatabaseUse> {
    let text = |path| settings.text(path).map(|text| text.map(str::to_owned));
    let server = text("db/connection/default/host")?.map(|host| place(&host));
    Ok(DatabaseUse {
        user: text("db/connection/default/username")?,
        name: text("db/connection/default/dbname")?,
        port: server.as_ref().and_then(|(_, port)| *port),
        host: server.map(|(host, _)| host),
        prefix: text("db/table_prefix")?,
    })
}
