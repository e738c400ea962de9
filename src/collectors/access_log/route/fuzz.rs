//! What must hold for any target and any agent.

use std::sync::LazyLock;

use super::super::line::Line;
use super::config::Several;
use super::{AdminPath, Base, Preset, Route, Routes, Shops, decode};

/// Those of each shop, and of all at once with the administration at `/admin` alone.
static ALL: LazyLock<(Vec<Routes>, Routes)> = LazyLock::new(|| {
    let of = |shops: &[Preset], admin: &AdminPath| {
        Routes::new(&Shops(Several(shops.to_vec())), &Base::default(), admin, &[]).expect("no rules are not too many")
    };
    let path = "/admin".to_owned().try_into().expect("a path");
    let each = Preset::ALL.iter().map(|shop| of(&[*shop], &AdminPath::default()));
    (each.collect(), of(&Preset::ALL[..2], &AdminPath(Several(vec![path]))))
});

/// A target, and in the next line who asks for it.
pub(crate) fn route(bytes: &[u8]) {
    let (target, agent) = bytes.split_at(memchr::memchr(b'\n', bytes).unwrap_or(bytes.len()));
    let line = Line { target, agent: agent.strip_prefix(b"\n").unwrap_or(agent), ..Line::default() };
    for routes in &ALL.0 {
        let asked = |agent| routes.route(&Line { agent, ..line });
        let (route, person, crawler) = (asked(line.agent), asked(b"Mozilla/5.0"), asked(b"Googlebot/2.1"));
        // Who asks turns pages into a crawler's, and nothing else.
        assert!(person != Route::Bot && (crawler == person || crawler == Route::Bot), "{person:?} {crawler:?}");
        assert!(route == person || route == crawler, "{route:?} {person:?} {crawler:?}");
    }
    let (path, query) = line.path_and_query();
    let decoded: Vec<_> = decode::of_path(path).collect();
    if ALL.1.route(&line) == Route::Admin {
        assert!(memchr::memmem::find(&decoded, b"admin").is_some(), "the administration without its name");
    }
    let mut buffer = [0; 16];
    if let Some(route) = Routes::opencart_route(query, &mut buffer) {
        let is_clean = |byte: &u8| byte.is_ascii_alphanumeric() || b"_/.".contains(byte);
        assert!(route.len() <= 16 && route.iter().all(is_clean), "{route:?}");
    }
}
