//! The one cheap test that most lines end at: whether a target is plain, so that no rule can apply to it.
//!
//! Written so that the compiler makes vector instructions of it: whole blocks of bytes, no branch within one. The table of
//! rules has a test that nothing it finds is plain.

/// Bytes that are looked at together.
const BLOCK: usize = 16;

/// Whether a target holds letters, digits and a few signs alone, and none of the beginnings that rules start from.
pub(super) fn is_plain(target: &[u8]) -> bool {
    // Three of OpenCart's pages in four start so, and `.ph` below is looked at closely.
    let target = target.strip_prefix(b"/index.php").unwrap_or(target);
    // One byte less than a block at a time, so that the last block begins no later than the one before it ends.
    let mut blocks = target.windows(BLOCK + 2).step_by(BLOCK - 1);
    if blocks.any(|block| is_odd(block.first_chunk().expect("it is as long"))) {
        return false;
    }
    // The last bytes once more, with nothing behind them.
    let last = &target[target.len().saturating_sub(BLOCK)..];
    let mut padded = [b'a'; BLOCK + 2];
    padded[..last.len()].copy_from_slice(last);
    !is_odd(&padded)
}

/// Whether a byte is other than a letter, a digit and `!#&,-./=?@_`.
#[inline]
fn is_odd_byte(byte: u8) -> u8 {
    u8::from(byte < b'!')
        | (u8::from(byte.wrapping_sub(b'"') <= b'+' - b'"') & u8::from(byte != b'&') & u8::from(byte != b'#'))
        | u8::from(byte.wrapping_sub(b':') <= b'<' - b':')
        | u8::from(byte == b'>')
        | u8::from(byte.wrapping_sub(b'[') <= b'^' - b'[')
        | u8::from(byte == b'`')
        | u8::from(byte >= b'{')
}

/// Whether something in a block needs a closer look: one of its bytes but the last two, or one that starts a word of three.
fn is_odd(block: &[u8; BLOCK + 2]) -> bool {
    let mut odd = 0_u8;
    for i in 0..BLOCK {
        // A letter in either case; what is no letter here stays what it is.
        let (a, b, c) = (block[i], block[i + 1] | 0x20, block[i + 2] | 0x20);
        let starts = |x: u8| u8::from(a == x);
        let goes_on = |y: u8, z: u8| u8::from(b == y) & u8::from(c == z);
        odd |= is_odd_byte(a);
        // `..` and `/.`
        odd |= u8::from(b == b'.') & (starts(b'.') | starts(b'/'));
        // `.php`, `.sql`, `.swp`, `.bak`, `.old`, `.orig`, `.zip`, `.tar`, `.gz`
        odd |= starts(b'.')
            & (goes_on(b'p', b'h')
                | goes_on(b's', b'q')
                | goes_on(b's', b'w')
                | goes_on(b'b', b'a')
                | goes_on(b'o', b'l')
                | goes_on(b'o', b'r')
                | goes_on(b'z', b'i')
                | goes_on(b't', b'a')
                | goes_on(b'g', b'z'));
        // `/etc/passwd`
        odd |= starts(b'/') & goes_on(b'e', b't');
        // `/proc/self/environ`: `f/e`
        odd |= u8::from(a | 0x20 == b'f') & goes_on(b'/', b'e');
        // `allow_url_include`
        odd |= starts(b'_') & goes_on(b'u', b'r');
        // `auto_prepend_file`, `auto_append_file`: `d_f`
        odd |= u8::from(a | 0x20 == b'd') & u8::from(block[i + 1] == b'_') & u8::from(c == b'f');
    }
    odd != 0
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
            "/image/cache/catalog/demo/iphone_1-228x228.JPG",
            "/catalog/view/javascript/bootstrap/js/bootstrap.min.js?v=3.3.5",
            "/static/version1700000000/frontend/Magento/luma/tr_TR/mage/requirejs/mixins.min.js",
            "/erkek-ayakkabi/spor-ayakkabi?sayfa=2&siralama=fiyat-artan&marka=12,13",
            "/wp-content/uploads/2026/01/t-shirt.webp",
            "/product/12-blue-mug.html#reviews",
            "/search?q=@home!",
        ] {
            assert!(is_plain(target.as_bytes()), "{target}");
        }
    }

    #[test]
    fn a_sign_is_seen_wherever_it_stands() {
        for sign in [
            "%", "~", "<", "'", "\"", "\\", "(", "..", "/.", ".Php", ".sql", ".gz", "/ETC", "F/env", "_url", "d_f",
            "\u{e9}",
        ] {
            for before in 0..40 {
                for behind in 0..40 {
                    let target = format!("/{}{sign}{}", "a".repeat(before), "b".repeat(behind));
                    assert!(!is_plain(target.as_bytes()), "{target}");
                }
            }
        }
    }
}
