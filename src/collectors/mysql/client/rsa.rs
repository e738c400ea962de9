//! A password encrypted with the server's RSA key. The key comes from whoever is at the other end, so it is taken apart
//! with care and has a limit: the work to encrypt grows with its size.

use mysql_common::crypto::rsa::{GetRandom, Pkcs1OaepPadding, PublicKey};
use num_bigint::BigUint;
use rustls::pki_types::SubjectPublicKeyInfoDer;
use rustls::pki_types::pem::PemObject;

use super::bytes::Bytes;
use super::stranger;
use crate::collector::{Failure, Reason};

/// The sizes of a key that we use, in bytes.
const KEY_BYTES: std::ops::RangeInclusive<usize> = 128..=1024;

/// The longest exponent that we use: everybody's is 65,537.
const EXPONENT_BYTES: usize = 4;

/// How much longer the padding makes a text: two SHA-1 hashes and two bytes.
const PADDING_BYTES: usize = 42;

/// Encrypts `secret` with a key in PEM.
pub(super) fn encrypt(secret: &[u8], key: &[u8]) -> Result<Vec<u8>, Failure> {
    let key = SubjectPublicKeyInfoDer::from_pem_slice(key).map_err(|_| stranger())?;
    let (modulus, exponent) = numbers(&key)?;
    if !KEY_BYTES.contains(&modulus.len()) || exponent.is_empty() || exponent.len() > EXPONENT_BYTES {
        return Err(stranger());
    }
    let key = PublicKey::new(BigUint::from_bytes_be(modulus), BigUint::from_bytes_be(exponent));
    if secret.len() + PADDING_BYTES > key.num_octets() {
        let text = "the password is too long for the server's RSA key; encrypt the connection (tls.mode)";
        return Err(Failure::message(Reason::Auth, text));
    }
    Ok(key.encrypt_block(secret, Pkcs1OaepPadding::new(GetRandom)))
}

/// Modulus and exponent, without zeros before them, of a `SubjectPublicKeyInfo` (RFC 5280, RFC 8017).
fn numbers(key: &[u8]) -> Result<(&[u8], &[u8]), Failure> {
    const INTEGER: u8 = 0x02;
    const BIT_STRING: u8 = 0x03;
    const SEQUENCE: u8 = 0x30;
    let mut info = Bytes(element(&mut Bytes(key), SEQUENCE)?);
    element(&mut info, SEQUENCE)?;
    let mut bits = Bytes(element(&mut info, BIT_STRING)?);
    if bits.byte()? != 0 {
        return Err(stranger());
    }
    let mut numbers = Bytes(element(&mut bits, SEQUENCE)?);
    let mut number = || {
        let bytes = element(&mut numbers, INTEGER)?;
        let zeros = bytes.iter().take_while(|byte| **byte == 0).count();
        Ok(&bytes[zeros..])
    };
    Ok((number()?, number()?))
}

/// The content of the next element, which has this tag.
fn element<'a>(bytes: &mut Bytes<'a>, tag: u8) -> Result<&'a [u8], Failure> {
    if bytes.byte()? != tag {
        return Err(stranger());
    }
    let length = match bytes.byte()? {
        short @ 0..=0x7f => usize::from(short),
        0x81 => usize::from(bytes.byte()?),
        0x82 => usize::from(u16::from_be_bytes(bytes.array()?)),
        _ => return Err(stranger()),
    };
    bytes.take(length)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// A key of so many bytes, as DER.
    fn key(bytes: usize, exponent: &[u8]) -> Vec<u8> {
        let element = |tag: u8, content: &[u8]| {
            let length = u16::try_from(content.len()).unwrap().to_be_bytes();
            [&[tag, 0x82], &length[..], content].concat()
        };
        let numbers = [element(2, &[&[0][..], &vec![0xc5; bytes]].concat()), element(2, exponent)].concat();
        let bits = [&[0][..], &element(0x30, &numbers)].concat();
        element(0x30, &[element(0x30, b""), element(3, &bits)].concat())
    }

    #[test]
    fn a_key_has_its_limits() {
        let der = key(256, &[1, 0, 1]);
        assert_eq!(numbers(&der).unwrap(), (&[0xc5; 256][..], &[1, 0, 1][..]));
        let pem = |der: &[u8]| {
            let base64 = base64(der);
            format!("-----BEGIN PUBLIC KEY-----\n{base64}\n-----END PUBLIC KEY-----\n").into_bytes()
        };
        assert_eq!(encrypt(&[b'x'; 214], &pem(&der)).unwrap().len(), 256);
        assert_eq!(encrypt(&[b'x'; 215], &pem(&der)).unwrap_err().reason, Reason::Auth);
        for der in [key(127, &[3]), key(1025, &[3]), key(256, &[]), key(256, &[1; 5]), vec![0x30]] {
            assert_eq!(encrypt(b"x", &pem(&der)).unwrap_err().reason, Reason::Protocol);
        }
        assert_eq!(encrypt(b"x", b"-----BEGIN").unwrap_err().reason, Reason::Protocol);
    }

    fn base64(bytes: &[u8]) -> String {
        const DIGITS: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
        let digits = |chunk: &[u8]| {
            let word = [0, 1, 2].iter().fold(0_u32, |word, at| word << 8 | u32::from(*chunk.get(*at).unwrap_or(&0)));
            (0..4).map(move |at| char::from(DIGITS[(word >> (18 - 6 * at)) as usize & 63])).collect::<String>()
        };
        let mut text: String = bytes.chunks(3).map(digits).collect();
        let padding = (3 - bytes.len() % 3) % 3;
        text.truncate(text.len() - padding);
        text + &"=".repeat(padding)
    }

    proptest! {
        #[test]
        fn any_bytes_are_a_key_or_none(at in 0_usize..300, byte: u8) {
            let mut der = key(256, &[1, 0, 1]);
            let at = at % der.len();
            der[at] = byte;
            numbers(&der).ok();
            numbers(&der[..at]).ok();
        }
    }
}
