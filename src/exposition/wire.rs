//! The wire format of [Protocol Buffers](https://protobuf.dev/programming-guides/encoding/), as far as writing needs it.

/// A number as a varint, eight bytes, and bytes with their length: the types of fields on the wire.
const VARINT: u64 = 0;
const EIGHT_BYTES: u64 = 1;
const BYTES: u64 = 2;

/// What fits into the one byte of a length.
const SHORT: usize = 0x7f;

/// A message in the making. Fields that hold their default are left out, as proto3 has it.
pub(super) struct Message(Vec<u8>);

impl Message {
    /// Nothing yet, with room for so many bytes.
    pub(super) fn with_capacity(bytes: usize) -> Self {
        Self(Vec::with_capacity(bytes))
    }

    /// What was written so far.
    pub(super) fn written(&self) -> &[u8] {
        &self.0
    }

    /// Forgets it.
    pub(super) fn clear(&mut self) {
        self.0.clear();
    }

    /// What was written.
    pub(super) fn into_bytes(self) -> Vec<u8> {
        self.0
    }

    /// A `uint32`, `uint64` or `enum`.
    pub(super) fn unsigned(&mut self, field: u64, value: u64) {
        if value != 0 {
            self.key(field, VARINT);
            self.varint(value);
        }
    }

    /// A `sint32` or `sint64`.
    pub(super) fn signed(&mut self, field: u64, value: i64) {
        self.unsigned(field, zigzag(value));
    }

    /// A `double`; of the two zeros only the positive one is the default.
    pub(super) fn double(&mut self, field: u64, value: f64) {
        if value.to_bits() != 0 {
            self.key(field, EIGHT_BYTES);
            self.0.extend_from_slice(&value.to_le_bytes());
        }
    }

    /// A `string`.
    pub(super) fn text(&mut self, field: u64, parts: &[&str]) {
        self.nested(field, |text| parts.iter().for_each(|part| text.0.extend_from_slice(part.as_bytes())));
    }

    /// A packed `repeated sint64`.
    pub(super) fn packed(&mut self, field: u64, values: impl Iterator<Item = i64>) {
        self.nested(field, |packed| values.for_each(|value| packed.varint(zigzag(value))));
    }

    /// A message within this one.
    pub(super) fn nested(&mut self, field: u64, write: impl FnOnce(&mut Self)) {
        self.key(field, BYTES);
        self.delimited(write);
    }

    /// What is written here, after its length.
    pub(super) fn delimited(&mut self, write: impl FnOnce(&mut Self)) {
        let start = self.0.len();
        self.0.push(0);
        write(self);
        let length = self.0.len() - start - 1;
        if let Some(short) = u8::try_from(length).ok().filter(|short| usize::from(*short) <= SHORT) {
            self.0[start] = short;
            return;
        }
        // A longer length takes more than the one byte that was left for it: those after it move up. It is rare enough.
        let end = self.0.len();
        self.varint(length as u64);
        let more = self.0.len() - end - 1;
        self.0[start..].rotate_right(more + 1);
        // The byte that was left for it lies behind the length now.
        self.0.remove(start + more + 1);
    }

    fn key(&mut self, field: u64, kind: u64) {
        self.varint(field << 3 | kind);
    }

    fn varint(&mut self, mut value: u64) {
        while value > SHORT as u64 {
            self.0.push(value.to_le_bytes()[0] | 0x80);
            value >>= 7;
        }
        self.0.push(value.to_le_bytes()[0]);
    }
}

/// Small numbers of either sign as small numbers.
fn zigzag(value: i64) -> u64 {
    ((value << 1) ^ (value >> 63)).cast_unsigned()
}
