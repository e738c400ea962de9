//! Files, by the end of their name.

/// How many places the ends of names are spread over: several for each.
const PLACES: usize = 256;

/// The longest end, without its dot.
const LENGTH: usize = 7;

/// The ends of the names of files: `css`, `woff2`.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Extensions(Box<[u64]>);

impl Extensions {
    /// These; each has at most seven letters.
    pub(super) fn new<'a>(extensions: impl IntoIterator<Item = &'a str>) -> Self {
        let mut places = vec![0; PLACES];
        for extension in extensions {
            let packed = packed(format!(".{extension}").as_bytes()).expect("the tests read the table");
            let free = (place(packed)..PLACES).chain(0..PLACES).find(|at| places[*at] == 0);
            places[free.expect("there are fewer than places")] = packed;
        }
        Self(places.into())
    }

    /// Whether a path ends in one of them, in whatever letter case.
    pub(super) fn has(&self, path: &[u8]) -> bool {
        let Some(packed) = packed(path) else { return false };
        let (before, from) = self.0.split_at(place(packed));
        let mut places = from.iter().chain(before).take_while(|place| **place != 0);
        places.any(|place| *place == packed)
    }
}

/// What is behind the last dot of a path, in one number.
fn packed(path: &[u8]) -> Option<u64> {
    let mut packed = 0;
    for (length, byte) in path.iter().rev().take(LENGTH + 1).enumerate() {
        match byte {
            b'.' => return (length > 0).then_some(packed),
            b'/' => return None,
            byte => packed = packed << 8 | u64::from(byte.to_ascii_lowercase()),
        }
    }
    None
}

fn place(packed: u64) -> usize {
    // Fibonacci hashing: the top bits of the product depend on all of the number.
    usize::from(packed.wrapping_mul(0x9E37_79B9_7F4A_7C15).to_be_bytes()[0])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_known_by_the_end_of_its_name() {
        let extensions = Extensions::new(["css", "js", "woff2", "jpg"]);
        for path in ["/a.css", "/a.b.JS", "/.css", "/a/b-500x500.jpg", "a.woff2"] {
            assert!(extensions.has(path.as_bytes()), "{path}");
        }
        for path in ["", "/", "/css", "/a.", "/a.cs", "/a.css/", "/a.css/b", "/a.xcss", "/a.woff22222222", "/a.html"] {
            assert!(!extensions.has(path.as_bytes()), "{path}");
        }
    }

    #[test]
    fn a_full_table_holds_all_and_nothing_else() {
        let many = (0..200).map(|number| format!("x{number}")).collect::<Vec<_>>();
        let extensions = Extensions::new(many.iter().map(String::as_str));
        assert!((0..200).all(|number| extensions.has(format!("/a.x{number}").as_bytes())));
        assert!(!(200..400).any(|number| extensions.has(format!("/a.x{number}").as_bytes())));
    }
}
