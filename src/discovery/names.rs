//! What targets are called that nobody has named.

use crate::config::types::TargetName;

/// The longest name there is.
const LONGEST: usize = 63;

/// A name that is not taken: `main`, else one made of what tells this server from its like.
pub(super) fn free(distinction: &str, taken: impl Fn(&TargetName) -> bool) -> TargetName {
    let main = TargetName::main();
    if !taken(&main) {
        return main;
    }
    let plain: String =
        distinction.chars().map(|c| if c.is_ascii_alphanumeric() || "_-.".contains(c) { c } else { '-' }).collect();
    let plain = plain.trim_matches('-');
    let plain = if plain.is_empty() { "other" } else { &plain[..plain.len().min(LONGEST - 4)] };
    (1..=999_u16)
        .map(|number| if number == 1 { plain.to_owned() } else { format!("{plain}-{number}") })
        .filter_map(|name| name.parse().ok())
        .find(|name| !taken(name))
        .unwrap_or(main)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_is_main_and_the_others_say_what_they_are() {
        let name =
            |distinction, taken: &[&str]| free(distinction, |name| taken.contains(&name.as_str())).as_str().to_owned();
        assert_eq!(name("3306", &[]), "main");
        assert_eq!(name("3307", &["main"]), "3307");
        assert_eq!(name("8.4", &["main"]), "8.4");
        assert_eq!(name("3307", &["main", "3307"]), "3307-2");
        assert_eq!(name("/srv/çay/", &["main"]), "srv--ay");
        assert_eq!(name("", &["main"]), "other");
        assert_eq!(name(&"x".repeat(100), &["main"]).len(), 59);
    }
}
