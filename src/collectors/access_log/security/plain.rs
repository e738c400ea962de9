//! The one cheap test that most lines end at: whether a target is plain, so that no rule can apply to it.
//!
//! The table of rules has a test that nothing it finds is plain.

use super::super::line::Line;

/// What a byte says by itself.
static KINDS: [u8; 256] = kinds();

/// Says nothing: letters, digits and `!&,-/=?@_`.
const PLAIN: u8 = 0;
/// Says something about what stands behind it: `.`, `%` and `=`.
const SIGN: u8 = 1;
/// Anything else.
const ODD: u8 = 2;

const fn kinds() -> [u8; 256] {
    let mut kinds = [ODD; 256];
    let mut byte = 0_u8;
    while byte < 128 {
        kinds[byte as usize] = match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'!' | b'&' | b',' | b'-' | b'/' | b'?' | b'@' | b'_' => PLAIN,
            b'.' | b'%' | b'=' => SIGN,
            _ => ODD,
        };
        byte += 1;
    }
    kinds
}

/// Whether what a line asks for is plain.
#[inline]
pub(super) fn is_plain_line(line: &Line<'_>) -> bool {
    is_plain(line.target) && (line.query.is_empty() || is_plain(line.query))
}

/// Whether a target holds letters, digits and a few signs alone, and none of the beginnings that rules start from.
#[inline]
pub(super) fn is_plain(target: &[u8]) -> bool {
    let kind = |byte: &u8| KINDS[usize::from(*byte)];
    let (eights, rest) = target.as_chunks::<8>();
    let mut all = rest.iter().fold(PLAIN, |all, byte| all | kind(byte));
    for [a, b, c, d, e, f, g, h] in eights {
        // As a tree, so that no step waits for the one before.
        all |= ((kind(a) | kind(b)) | (kind(c) | kind(d))) | ((kind(e) | kind(f)) | (kind(g) | kind(h)));
    }
    all & ODD == 0 && (all & SIGN == 0 || has_plain_signs(target))
}

/// Whether what stands around dots, percent signs and equals signs is nothing special, either.
fn has_plain_signs(target: &[u8]) -> bool {
    // Three of OpenCart's pages in four start so, and scripts are looked at closely.
    let target = target.strip_prefix(b"/index.php").unwrap_or(target);
    memchr::memchr3_iter(b'.', b'%', b'=', target).all(|at| {
        let next = |ahead: usize| target.get(at + ahead).map_or(0, u8::to_ascii_lowercase);
        match target[at] {
            // A value that is a path.
            b'=' => next(1) != b'/',
            // Letters of other alphabets, in UTF-8.
            b'%' => matches!(next(1), b'8' | b'9' | b'a'..=b'f'),
            _ if at > 0 && target[at - 1] == b'/' => false,
            // `..`, `.php`, `.sql`, `.swp`, `.bak`, `.old`, `.orig`, `.zip`, `.tar`, `.gz`
            _ => match next(1) {
                b'.' => false,
                b'p' => next(2) != b'h',
                b's' => !matches!(next(2), b'q' | b'w'),
                b'b' | b't' => next(2) != b'a',
                b'o' => !matches!(next(2), b'l' | b'r'),
                b'z' => next(2) != b'i',
                b'g' => next(2) != b'z',
                _ => true,
            },
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_shoppers_ask_for_is_plain() {
        for target in [
            "/",
            "",
            "/index.php?route=product/product&product_id=42&path=20_57",
            "/index.php?route=common/home",
            "/index.php?route=product/search&search=t%C3%BCrk",
            "/image/cache/catalog/demo/iphone_1-228x228.JPG",
            "/catalog/view/javascript/bootstrap/js/bootstrap.min.js?v=3.3.5",
            "/static/version1700000000/frontend/Magento/luma/tr_TR/mage/requirejs/mixins.min.js",
            "/erkek-ayakkabi/spor-ayakkabi?sayfa=2&siralama=fiyat-artan&marka=12,13",
            "/wp-content/uploads/2026/01/t-shirt.webp",
            "/product/12-blue-mug.html",
            "/search?q=@home!",
        ] {
            assert!(is_plain(target.as_bytes()), "{target}");
        }
    }

    #[test]
    fn a_sign_is_seen_wherever_it_stands() {
        for sign in [
            "%2", "%z", "%", "~", "<", "'", "\"", "\\", "(", "+", "..", "/.", ".Php", ".sql", ".SWP", ".gz", "=/",
            "\u{e9}",
        ] {
            for before in 0..20 {
                for behind in 0..20 {
                    let target = format!("/{}{sign}{}", "a".repeat(before), "x".repeat(behind));
                    assert!(!is_plain(target.as_bytes()), "{target}");
                }
            }
        }
    }
}
