//! A page on its way to bytes: as it is written, or compressed piece by piece, so that no page is in memory as a whole
//! that nobody reads as one.

use std::io::Write as _;

use bytes::Bytes;
use flate2::Compression;
use flate2::write::GzEncoder;

/// Level 1: a page of 326 kB takes 0.4 ms and becomes 74 kB, where level 3 takes 1.2 ms for 55 kB, six times what writing the
/// page takes, and saves a kilobyte a second of network.
const LEVEL: Compression = Compression::new(1);

/// How much is written before it is compressed: what the processor has at hand, and far more than the compressor looks
/// back.
const PIECE: usize = 64 << 10;

/// Room for the whole page of a usual shop.
const PAGE: usize = 512 << 10;

/// Compresses what is written, if it is to be.
pub(super) struct Press(Option<GzEncoder<Vec<u8>>>);

impl Press {
    pub(super) fn new(gzip: bool) -> Self {
        Self(gzip.then(|| GzEncoder::new(Vec::with_capacity(PIECE), LEVEL)))
    }

    /// How much room there is to be for what is written.
    pub(super) fn room(&self) -> usize {
        // A piece is passed on when it is full, and the last of it was a series or a family of its own.
        if self.0.is_some() { 2 * PIECE } else { PAGE }
    }

    /// Takes a piece, if it is one; says whether what was written is to begin anew.
    #[must_use]
    pub(super) fn takes(&mut self, written: &[u8]) -> bool {
        match &mut self.0 {
            Some(encoder) if written.len() >= PIECE => {
                encoder.write_all(written).expect("writing to memory does not fail");
                true
            }
            _ => false,
        }
    }

    /// All of it, with what was written last.
    pub(super) fn bytes(self, last: Vec<u8>) -> Bytes {
        let Some(mut encoder) = self.0 else { return last.into() };
        encoder.write_all(&last).and_then(|()| encoder.finish()).expect("writing to memory does not fail").into()
    }
}
