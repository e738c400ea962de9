//! A packet's bytes, taken one after the other: whatever they are, the end is an error and never a panic.

use super::stranger;
use crate::collector::Failure;

/// What is left of a packet.
#[derive(Clone, Copy, Debug)]
pub(super) struct Bytes<'a>(pub(super) &'a [u8]);

impl<'a> Bytes<'a> {
    /// The next `count` bytes.
    pub(super) fn take(&mut self, count: usize) -> Result<&'a [u8], Failure> {
        let (head, rest) = self.0.split_at_checked(count).ok_or_else(stranger)?;
        self.0 = rest;
        Ok(head)
    }

    /// The next bytes, as many as the array has.
    pub(super) fn array<const N: usize>(&mut self) -> Result<[u8; N], Failure> {
        self.take(N)?.try_into().map_err(|_| stranger())
    }

    /// One byte.
    pub(super) fn byte(&mut self) -> Result<u8, Failure> {
        Ok(self.array::<1>()?[0])
    }

    /// Two bytes as a number.
    pub(super) fn short(&mut self) -> Result<u16, Failure> {
        self.array().map(u16::from_le_bytes)
    }

    /// Four bytes as a number.
    pub(super) fn long(&mut self) -> Result<u32, Failure> {
        self.array().map(u32::from_le_bytes)
    }

    /// The bytes up to a NUL, which is taken too.
    pub(super) fn until_nul(&mut self) -> Result<&'a [u8], Failure> {
        let end = memchr::memchr(0, self.0).ok_or_else(stranger)?;
        let text = self.take(end)?;
        self.take(1)?;
        Ok(text)
    }

    /// A number whose first byte says how long it is.
    pub(super) fn number(&mut self) -> Result<u64, Failure> {
        let mut wide = [0; 8];
        let width = match self.byte()? {
            small @ 0..=0xfa => return Ok(small.into()),
            0xfc => 2,
            0xfd => 3,
            0xfe => 8,
            0xfb | 0xff => return Err(stranger()),
        };
        wide[..width].copy_from_slice(self.take(width)?);
        Ok(u64::from_le_bytes(wide))
    }

    /// A text behind its length.
    pub(super) fn text(&mut self) -> Result<&'a [u8], Failure> {
        let length = self.number()?;
        self.take(usize::try_from(length).map_err(|_| stranger())?)
    }

    /// That nothing is left.
    pub(super) fn end(self) -> Result<(), Failure> {
        if self.0.is_empty() { Ok(()) } else { Err(stranger()) }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn numbers_are_as_wide_as_they_say() {
        for (bytes, number) in [
            (&[0xfa][..], 250),
            (&[0xfc, 1, 2], 0x0201),
            (&[0xfd, 1, 2, 3], 0x03_0201),
            (&[0xfe, 1, 0, 0, 0, 0, 0, 0, 0x80], 0x8000_0000_0000_0001),
        ] {
            assert_eq!(Bytes(bytes).number().unwrap(), number);
        }
        for bytes in [&[][..], &[0xfb], &[0xff], &[0xfc, 1], &[0xfe, 1, 2, 3, 4, 5, 6, 7]] {
            assert!(Bytes(bytes).number().is_err(), "{bytes:?}");
        }
    }

    proptest! {
        #[test]
        fn no_bytes_are_read_past_their_end(bytes in proptest::collection::vec(any::<u8>(), 0..64)) {
            let mut left = Bytes(&bytes);
            while let Ok(text) = left.text() {
                prop_assert!(text.len() <= bytes.len());
            }
            Bytes(&bytes).until_nul().ok();
        }
    }
}
