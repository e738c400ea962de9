//! Languages, as shops put them before their paths: `/tr/`, `/en-gb/`.

/// ISO 639-1. A shop's `/pc` or `/tv` is none of these.
const CODES: &str = "\
    aa ab ae af ak am an ar as av ay az ba be bg bh bi bm bn bo br bs ca ce ch co cr cs cu cv cy da de dv dz ee el en \
    eo es et eu fa ff fi fj fo fr fy ga gd gl gn gu gv ha he hi ho hr ht hu hy hz ia id ie ig ii ik io is it iu ja jv \
    ka kg ki kj kk kl km kn ko kr ks ku kv kw ky la lb lg li ln lo lt lu lv mg mh mi mk ml mn mr ms mt my na nb nd ne \
    ng nl nn no nr nv ny oc oj om or os pa pi pl ps pt qu rm rn ro ru rw sa sc sd se sg si sk sl sm sn so sq sr ss st \
    su sv sw ta te tg th ti tk tl tn to tr ts tt tw ty ug uk ur uz ve vi vo wa wo xh yi yo za zh zu";

/// For each first letter, the second ones, a bit each.
const SECONDS: [u32; 26] = {
    let codes = CODES.as_bytes();
    let mut seconds = [0; 26];
    let mut at = 0;
    while at < codes.len() {
        seconds[(codes[at] - b'a') as usize] |= 1 << (codes[at + 1] - b'a');
        at += 3;
    }
    seconds
};

/// Whether a segment of a path names a language, with or without a country.
pub(super) fn is_language(segment: &[u8]) -> bool {
    match *segment {
        [one, two] => is_code(one, two),
        [one, two, b'-' | b'_', three, four] => {
            is_code(one, two) && three.is_ascii_alphabetic() && four.is_ascii_alphabetic()
        }
        _ => false,
    }
}

fn is_code(one: u8, two: u8) -> bool {
    let seconds = SECONDS.get(usize::from(one.wrapping_sub(b'a'))).copied().unwrap_or(0);
    two.is_ascii_lowercase() && seconds >> (two - b'a') & 1 == 1
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn languages_are_told_from_short_words() {
        for language in ["tr", "en", "de", "zu", "aa", "en-gb", "tr-tr", "pt-BR", "tr_TR"] {
            assert!(is_language(language.as_bytes()), "{language}");
        }
        for word in ["", "t", "pc", "tv", "xx", "TR", "tur", "en-gbr", "en-12", "en.gb", "pc-tr", "t{", "`a"] {
            assert!(!is_language(word.as_bytes()), "{word}");
        }
    }

    #[test]
    fn the_codes_are_the_list_and_nothing_else() {
        let letters = b'a'..=b'z';
        let pairs = letters.clone().flat_map(|one| letters.clone().map(move |two| [one, two]));
        let known =
            pairs.filter(|[one, two]| is_code(*one, *two)).map(|code| String::from_utf8_lossy(&code).into_owned());
        assert_eq!(known.collect::<Vec<_>>().join(" "), CODES);
    }
}
