//! Bytes into lines.

use memchr::memchr_iter;

use super::Counts;

/// Gives each complete line to `each`, and says how many bytes need not be seen again; the rest is the beginning of a
/// line that is still being written.
///
/// Of a line longer than `limit` nothing is given; `skipping` says that we are in the middle of one. NULs before a line
/// are no part of it: a log that is truncated under a writer who keeps its place begins with a hole, and a file system
/// that lost power leaves some.
pub(super) fn split(
    bytes: &[u8],
    limit: usize,
    skipping: &mut bool,
    counts: &mut Counts,
    each: &mut impl FnMut(&[u8]),
) -> usize {
    let mut start = 0;
    for end in memchr_iter(b'\n', bytes) {
        let line = &bytes[start..end];
        start = end + 1;
        if *skipping {
            *skipping = false;
        } else {
            give(line, limit, counts, each);
        }
    }
    if !*skipping {
        start += nuls(&bytes[start..]);
        if bytes.len() - start <= limit {
            return start;
        }
        counts.too_long += 1;
        *skipping = true;
    }
    bytes.len()
}

/// Gives one line, of which the line feed is gone.
pub(super) fn give(mut line: &[u8], limit: usize, counts: &mut Counts, each: &mut impl FnMut(&[u8])) {
    if line.first() == Some(&0) {
        line = &line[nuls(line)..];
    }
    if let [rest @ .., b'\r'] = line {
        line = rest;
    }
    if line.len() > limit {
        counts.too_long += 1;
        return;
    }
    counts.lines += 1;
    each(line);
}

fn nuls(bytes: &[u8]) -> usize {
    bytes.iter().take_while(|byte| **byte == 0).count()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// What is given when the bytes come in pieces, what was not used of one being seen again with the next.
    fn lines(pieces: &[&[u8]], limit: usize) -> (Vec<Vec<u8>>, u64) {
        let (mut counts, mut skipping, mut given, mut rest) = (Counts::default(), false, Vec::new(), Vec::new());
        for piece in pieces {
            rest.extend_from_slice(piece);
            let used = split(&rest, limit, &mut skipping, &mut counts, &mut |line| given.push(line.to_vec()));
            rest.drain(..used);
            assert!(rest.len() <= limit);
        }
        assert_eq!(given.len() as u64, counts.lines);
        (given, counts.too_long)
    }

    #[test]
    fn a_line_ends_with_a_line_feed_with_or_without_a_carriage_return() {
        assert_eq!(lines(&[b"a\nb\r\n\nc"], 9).0, [&b"a"[..], b"b", b""]);
        assert_eq!(lines(&[b"a", b"b", b"\n"], 9).0, [b"ab"]);
    }

    #[test]
    fn a_line_over_the_limit_is_counted_once_and_the_next_is_given() {
        assert_eq!(lines(&[b"12345\n1234\n"], 4), (vec![b"1234".to_vec()], 1));
        assert_eq!(lines(&[b"12345", b"678", b"9\nab\n"], 4), (vec![b"ab".to_vec()], 1));
    }

    #[test]
    fn nuls_before_a_line_are_no_part_of_it_however_many() {
        let hole = vec![0; 1000];
        assert_eq!(lines(&[&hole, &hole, b"\0a\0b\n", &hole, b"c\n"], 4), (vec![b"a\0b".to_vec(), b"c".to_vec()], 0));
    }

    proptest! {
        #[test]
        fn it_does_not_matter_in_which_pieces_bytes_come(
            pieces in prop::collection::vec(prop::collection::vec(prop::sample::select(b"a\r\n\0".to_vec()), 0..12), 0..8)
        ) {
            let all = pieces.concat();
            let pieces: Vec<&[u8]> = pieces.iter().map(Vec::as_slice).collect();
            prop_assert_eq!(lines(&pieces, 1000), lines(&[&all], 1000));
            let plain: Vec<_> = all.iter().copied().filter(|byte| !b"\0\r".contains(byte)).collect();
            let bytes: Vec<&[u8]> = plain.chunks(1).collect();
            let too_long = plain.split(|byte| *byte == b'\n').filter(|line| line.len() > 3).count() as u64;
            prop_assert_eq!(lines(&bytes, 3).1, too_long);
        }
    }
}
