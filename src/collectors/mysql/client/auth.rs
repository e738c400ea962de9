//! How we prove who we are: the password itself is sent only where nobody else can read it.

use mysql_common::scramble::{create_response_for_ed25519, scramble_native, scramble_sha256};

use super::stranger;
use crate::collector::{Failure, Reason};

/// A way to log in that the server asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Plugin {
    Native,
    CachingSha2,
    Ed25519,
    /// The server asks the kernel who is at the other end of the socket.
    Socket,
}

impl Plugin {
    /// The plugin of this name.
    pub(super) fn of(name: &[u8]) -> Result<Self, Failure> {
        match name {
            b"mysql_native_password" => Ok(Self::Native),
            b"caching_sha2_password" => Ok(Self::CachingSha2),
            b"client_ed25519" => Ok(Self::Ed25519),
            b"auth_socket" | b"unix_socket" => Ok(Self::Socket),
            b"mysql_clear_password" => Err(Failure::message(
                Reason::Auth,
                "the server asks for the password in clear (mysql_clear_password), which it does not get",
            )),
            other => {
                let name: String = String::from_utf8_lossy(other).chars().take(64).collect();
                let text = format!("Unknown authentication plugin `{}`", name.escape_debug());
                Err(Failure::message(Reason::Auth, text))
            }
        }
    }

    /// The name it goes by.
    pub(super) const fn name(self) -> &'static [u8] {
        match self {
            Self::Native => b"mysql_native_password",
            Self::CachingSha2 => b"caching_sha2_password",
            Self::Ed25519 => b"client_ed25519",
            Self::Socket => b"auth_socket",
        }
    }

    /// The answer to a nonce. No password has no answer, whatever the plugin.
    pub(super) fn answer(self, password: &[u8], nonce: &[u8]) -> Result<Vec<u8>, Failure> {
        let nonce = |length| nonce.get(..length).ok_or_else(stranger);
        if password.is_empty() {
            return Ok(Vec::new());
        }
        Ok(match self {
            Self::Native => scramble_native(nonce(20)?, password).map_or_else(Vec::new, Vec::from),
            Self::CachingSha2 => scramble_sha256(nonce(20)?, password).map_or_else(Vec::new, Vec::from),
            Self::Ed25519 => create_response_for_ed25519(password, nonce(32)?).to_vec(),
            Self::Socket => Vec::new(),
        })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use ring::digest::{Algorithm, SHA1_FOR_LEGACY_USE_ONLY, SHA256, digest};

    use super::*;

    /// The other side of a login by hashes: the server keeps the hash of the password's hash, and takes the mask that
    /// `salted` gives off the answer.
    fn is_let_in(hash: &'static Algorithm, password: &[u8], answer: &[u8], salted: impl Fn(&[u8]) -> Vec<u8>) -> bool {
        let of = |bytes: &[u8]| digest(hash, bytes).as_ref().to_vec();
        let kept = of(&of(password));
        let mask = of(&salted(&kept));
        let once: Vec<u8> = answer.iter().zip(&mask).map(|(answer, mask)| answer ^ mask).collect();
        answer.len() == mask.len() && of(&once) == kept
    }

    proptest! {
        #[test]
        fn a_server_lets_any_password_in(
            password in proptest::collection::vec(any::<u8>(), 1..300),
            other in proptest::collection::vec(any::<u8>(), 1..300),
            nonce: [u8; 20],
        ) {
            // MySQL's "Secure Password Authentication" and "Caching_sha2_password information".
            let native = Plugin::Native.answer(&password, &nonce).unwrap();
            let first = |kept: &[u8]| [&nonce[..], kept].concat();
            prop_assert!(is_let_in(&SHA1_FOR_LEGACY_USE_ONLY, &password, &native, first));
            prop_assert!(password == other || !is_let_in(&SHA1_FOR_LEGACY_USE_ONLY, &other, &native, first));
            let modern = Plugin::CachingSha2.answer(&password, &nonce).unwrap();
            let last = |kept: &[u8]| [kept, &nonce[..]].concat();
            prop_assert!(is_let_in(&SHA256, &password, &modern, last));
            prop_assert!(password == other || !is_let_in(&SHA256, &other, &modern, last));
        }
    }

    #[test]
    fn a_plugin_we_do_not_know_is_named() {
        let unknown = Plugin::of(b"parsec").unwrap_err();
        assert_eq!(
            (unknown.reason, unknown.to_string().as_str()),
            (Reason::Auth, "Unknown authentication plugin `parsec`")
        );
        assert_eq!(Plugin::of(b"mysql_clear_password").unwrap_err().reason, Reason::Auth);
        assert!(Plugin::of(&[b'x'; 10_000]).unwrap_err().to_string().len() < 200);
        for plugin in [Plugin::Native, Plugin::CachingSha2, Plugin::Ed25519, Plugin::Socket] {
            assert_eq!(Plugin::of(plugin.name()).unwrap(), plugin);
        }
    }

    #[test]
    fn a_short_nonce_is_no_nonce() {
        for (plugin, length, answer) in
            [(Plugin::Native, 20, 20), (Plugin::CachingSha2, 20, 32), (Plugin::Ed25519, 32, 64)]
        {
            assert_eq!(plugin.answer(b"secret", &vec![7; length]).unwrap().len(), answer);
            assert_eq!(plugin.answer(b"secret", &vec![7; length - 1]).unwrap_err().reason, Reason::Protocol);
            assert_eq!(plugin.answer(b"", &[]).unwrap(), b"");
        }
    }
}
