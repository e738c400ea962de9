//! What must hold for any lines.

use super::super::format::Format;
use super::super::route::Routes;
use super::rules::RULES;
use super::*;

/// Lines of an access log in nginx' format `combined`; whatever else they are is also a target and a line of an error log.
pub(crate) fn signals(bytes: &[u8]) {
    let format = Format::compile("combined").expect("it has a name");
    let routes = Routes::default();
    let shops = &Preset::ALL;
    let mut signals =
        Signals::new(&Config::default(), Surroundings { shops, has_error_log: true, ..Surroundings::default() });
    let mut seen = 0;
    for text in bytes.split(|byte| *byte == b'\n') {
        let bare = |status| Line { client: b"192.0.2.1", method: b"GET", target: text, status, ..Line::default() };
        for line in format.parse(text).ok().into_iter().chain([bare(200), bare(404)]) {
            let route = routes.route(&line);
            if is_innocent(&line, route) {
                let mut target = Decoded::default();
                let (path, query) = line.path_and_query();
                target.read(path, query);
                let is_missing = |violation| matches!(violation, Violation::AdminProbe | Violation::ForeignCms);
                let found = RULES.find(&target, |violation| !is_missing(violation));
                assert_eq!(found, None, "{:?} is plain", String::from_utf8_lossy(line.target));
            }
            signals.see(&line, route);
        }
        signals.see_error(text);
        seen += 4;
    }
    signals.advance(signals.now + 60);
    assert!(signals.waiting.is_empty());
    let counted: u64 = signals.counted.violations.iter().map(|(.., count)| count).sum();
    let incidents: u64 = signals.counted.incidents.iter().map(|(.., count)| count).sum();
    assert!(counted <= seen && incidents <= 2 * seen, "{counted} and {incidents} of {seen}");
    let saved = signals.save();
    let mut again = Signals::new(&Config::default(), Surroundings::default());
    again.restore(saved.clone());
    assert_eq!(again.save(), saved);
}
