//! WordPress, with WooCommerce or without: what its `wp-config.php` defines, and where its parts are.

use std::path::{Path, PathBuf};

use super::constants::Constants;
use super::database::place;
use super::host::Host;
use super::php::{Token, tokens};
use super::{DatabaseUse, Known, Layout, RedisUse};

pub(super) fn layout(host: Host<'_>, root: &Path) -> Layout {
    // WordPress looks for it in the folder above, too, unless that is another WordPress.
    let above = root.parent().filter(|above| !host.shows(&above.join("wp-settings.php")));
    let mut configuration = [Some(root), above].into_iter().flatten().map(|folder| folder.join("wp-config.php"));
    let configuration = configuration.find(|file| host.has(file).unwrap_or(true));
    let text = configuration.as_ref().map_or(Ok(None), |file| host.text(file));
    let words = text.map(|text| text.map(|text| tokens(&text)));
    let own = words.clone().map(|words| words.map(|words| Constants::of(&words, root)));
    let content = root.join("wp-content");
    let written = ["uploads", "cache", "upgrade"].map(|name| content.join(name));
    Layout {
        base: root.to_owned(),
        admin: Some("/wp-admin/".to_owned()),
        // What is uploaded is meant to be public.
        storage: Ok(None),
        // Whoever comes first to a WordPress without a configuration sets it up, with a database of their own.
        installer: configuration.is_none().then(|| "/wp-admin/setup-config.php".to_owned()),
        redis: redis(host, &content, &own),
        database: database(&own, words.as_ref().ok().and_then(Option::as_deref)),
        written: written.into_iter().filter(|folder| host.has(folder).unwrap_or(true)).collect(),
        configurations: configuration.into_iter().collect(),
        // What the administration installs and updates by itself.
        extensions: &["wp-content"],
    }
}

/// Where it expects Redis: what takes the place of its cache is `object-cache.php`, of whichever extension.
fn redis(host: Host<'_>, content: &Path, own: &Known<Option<Constants>>) -> Known<Option<RedisUse>> {
    let is_of_redis = |token: &Token| matches!(token, Token::Word(word) if word.to_ascii_lowercase().contains("redis"));
    let cache: PathBuf = content.join("object-cache.php");
    let is_used = host.text(&cache)?.is_some_and(|text| tokens(&text).iter().any(is_of_redis));
    if !is_used {
        return Ok(None);
    }
    let Some(constants) = own.as_ref().map_err(Clone::clone)? else { return Ok(Some(RedisUse::default())) };
    // A socket goes before the server; by default there is one on this machine.
    let host = match constants.text("WP_REDIS_PATH")? {
        Some(socket) => socket,
        None => constants.text("WP_REDIS_HOST")?.unwrap_or("127.0.0.1"),
    };
    let port = constants.text("WP_REDIS_PORT")?.and_then(|port| port.parse().ok());
    Ok(Some(RedisUse { host: Some(host.to_owned()), port }))
}

/// The account of the database that it uses.
fn database(own: &Known<Option<Constants>>, words: Option<&[Token]>) -> Known<Option<DatabaseUse>> {
    let Some(constants) = own.as_ref().map_err(Clone::clone)? else { return Ok(None) };
    let text = |name| constants.text(name).map(|text| text.map(str::to_owned));
    let server = text("DB_HOST")?.map(|host| place(&host));
    Ok(Some(DatabaseUse {
        user: text("DB_USER")?,
        name: text("DB_NAME")?,
        port: server.as_ref().and_then(|(_, port)| *port),
        host: server.map(|(host, _)| host),
        prefix: words.and_then(prefix),
    }))
}

/// `$table_prefix = 'wp_';`
fn prefix(words: &[Token]) -> Option<String> {
    words.windows(4).find_map(|words| match words {
        [Token::Variable(name), equals, Token::Text(prefix), end]
            if name == "table_prefix" && equals.is_sign('=') && end.is_sign(';') =>
        {
            Some(prefix.clone())
        }
        _ => None,
    })
}
