//! What must hold whatever nginx is told, and whatever logrotate is.

use std::path::{Path, PathBuf};

use super::answer::Request;
use super::files::Files;
use super::rotation;
use super::tree;
use super::{Front, Tree};
use crate::collectors::security::config::Config;

/// Where no file is.
const NOWHERE: &str = "/proc/nowhere";

/// A request in the first line, and then what stands in nginx' `http`: an answer is the same whenever it is asked for, and
/// stands somewhere in that text.
pub(crate) fn answers(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    let Some((uri, http)) = text.split_once('\n') else { return };
    let (path, args) = uri.split_once('?').unwrap_or((uri, ""));
    let main = tree::parse(&format!("http {{\n{http}\n}}\n"));
    let Ok(tree) = Tree::of(main, Path::new("nginx.conf")) else { return };
    let config = Config { url: "https://shop.example/".parse().ok(), ..Config::default() };
    let Ok(front) = Front::of(Files::new(Path::new(NOWHERE)), tree, &config) else { return };
    let planted = ["index.php", "admin/index.php", "backup.sql"].map(|name| PathBuf::from("/srv/shop").join(name));
    let lines = u32::try_from(http.matches('\n').count() + 3).unwrap_or(u32::MAX);
    for (uri, args) in [(path, args), ("/", "")] {
        let asked = Request { uri, args, method: "GET", planted: &planted };
        let answer = front.answer_to(&asked);
        assert_eq!(answer, front.answer_to(&asked));
        match answer {
            Ok(answer) => assert!(answer.place.line <= lines, "{}", answer.place),
            Err(unknown) => assert!(!unknown.why.is_empty()),
        }
    }
    front.geo().ok();
}

/// What logrotate is told: no log is kept for less than no time.
pub(crate) fn rotations(text: &str) {
    let mut found = Vec::new();
    rotation::take(&Files::new(Path::new(NOWHERE)), text, rotation::DEFAULT, &mut found);
    assert!(found.iter().all(|rotation| !rotation.days.is_nan()), "of no known age");
}
