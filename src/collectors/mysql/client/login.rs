//! From the server's greeting to its letting us in.

use mysql_common::constants::CapabilityFlags;

use super::auth::Plugin;
use super::bytes::Bytes;
use super::packets::{Packets, Stream};
use super::{rsa, stranger, tls};
use crate::collector::{Failure, Reason};
use crate::collectors::mysql::config::{Config, TlsMode};
use crate::config::secret::Secret;
use crate::config::types::Address;

/// The largest packet of a login: a greeting, a nonce, a key.
const PACKET_BYTES: usize = 16 << 10;

/// The most packets between our name and the answer: another plugin, a key, a word on the password, the end.
const PACKETS: usize = 6;

/// The longest packet that we say we take; servers do not heed it.
const OURS_BYTES: u32 = 16 << 20;

/// `utf8mb4_general_ci`, which each server knows.
const CHARACTERS: u8 = 45;

/// Without these it is a server of before 2005.
const NEEDED: CapabilityFlags = CapabilityFlags::CLIENT_PROTOCOL_41.union(CapabilityFlags::CLIENT_SECURE_CONNECTION);

/// What we know. Not among it: several statements in one, and files of ours.
const KNOWN: CapabilityFlags = NEEDED
    .union(CapabilityFlags::CLIENT_LONG_PASSWORD)
    .union(CapabilityFlags::CLIENT_LONG_FLAG)
    .union(CapabilityFlags::CLIENT_TRANSACTIONS)
    .union(CapabilityFlags::CLIENT_PLUGIN_AUTH);

/// Logs in over `stream`, and returns it with the id of the connection. The server's version, which it says before it
/// knows us, is left in `version` however that ends.
pub(super) async fn log_in(
    config: &Config,
    stream: Box<dyn Stream>,
    version: &mut String,
) -> Result<(Packets, u32), Failure> {
    let mut packets = Packets::over(stream);
    let greeting = Greeting::parse(packets.read_login(PACKET_BYTES).await?)?;
    version.clone_from(&greeting.version);
    let mut capabilities = KNOWN & greeting.capabilities;
    let mut is_private = config.address.socket().is_some();
    if let Address::Tcp { host, .. } = &config.address
        && config.tls.mode != TlsMode::Disable
    {
        if !greeting.capabilities.contains(CapabilityFlags::CLIENT_SSL) {
            return Err(Failure::message(Reason::Tls, "the server does not offer TLS, which tls.mode demands"));
        }
        capabilities |= CapabilityFlags::CLIENT_SSL;
        packets.write(&head(capabilities)).await?;
        let stream = tls::wrap(&config.tls, host.as_str(), packets.into_stream()?).await?;
        // A greeting and a request for TLS went before.
        packets = Packets::over(stream).numbered(2);
        is_private = true;
    }
    let password = config.password.as_ref().map(Secret::reveal).transpose()?.unwrap_or_default();
    let mut login = Login { password, nonce: greeting.nonce, plugin: greeting.plugin, is_private };
    let answer = login.plugin.answer(&login.password, &login.nonce)?;
    packets.write(&response(capabilities, &config.user, login.plugin, &answer)?).await?;
    let offered = greeting.capabilities.contains(CapabilityFlags::CLIENT_SSL);
    match login.finish(&mut packets).await {
        Ok(()) => Ok((packets, greeting.id)),
        // To an account or server that demands TLS, MariaDB says no more than that it does not know us.
        Err(failure) if failure.reason == Reason::Auth && offered && !login.is_private => {
            Err(failure.context("logging in without TLS, which the server offers and may demand (tls.mode)"))
        }
        Err(failure) => Err(failure),
    }
}

/// What a server says first.
struct Greeting {
    version: String,
    id: u32,
    nonce: Vec<u8>,
    capabilities: CapabilityFlags,
    plugin: Plugin,
}

impl Greeting {
    fn parse(packet: &[u8]) -> Result<Self, Failure> {
        const PROTOCOL: u8 = 10;
        let mut bytes = Bytes(packet);
        if bytes.byte()? != PROTOCOL {
            return Err(stranger());
        }
        let version = String::from_utf8_lossy(bytes.until_nul()?).into_owned();
        let id = bytes.long()?;
        let mut nonce = bytes.take(8)?.to_vec();
        bytes.take(1)?;
        let low = bytes.short()?;
        // Character set and state.
        bytes.take(3)?;
        let capabilities = u32::from(bytes.short()?) << 16 | u32::from(low);
        let capabilities = CapabilityFlags::from_bits_truncate(capabilities);
        if !capabilities.contains(NEEDED) {
            return Err(stranger());
        }
        let length = usize::from(bytes.byte()?);
        bytes.take(10)?;
        nonce.extend_from_slice(bytes.take(length.saturating_sub(8).max(13))?);
        // The name of a plugin ends with a NUL, but not on each server. Others than these two may come in its place
        // later, and by name.
        let name = bytes.0.split(|byte| *byte == 0).next().unwrap_or_default();
        let plugin = if name == Plugin::CachingSha2.name() { Plugin::CachingSha2 } else { Plugin::Native };
        Ok(Self { version, id, nonce, capabilities, plugin })
    }
}

/// The beginning of our answer, and all of it where TLS comes first.
fn head(capabilities: CapabilityFlags) -> Vec<u8> {
    let mut packet = capabilities.bits().to_le_bytes().to_vec();
    packet.extend(OURS_BYTES.to_le_bytes());
    packet.push(CHARACTERS);
    packet.extend([0; 23]);
    packet
}

fn response(capabilities: CapabilityFlags, user: &str, plugin: Plugin, answer: &[u8]) -> Result<Vec<u8>, Failure> {
    if user.contains('\0') {
        return Err(Failure::message(Reason::Auth, "no user has a NUL in its name"));
    }
    let mut packet = head(capabilities);
    packet.extend(user.as_bytes());
    packet.push(0);
    packet.push(u8::try_from(answer.len()).map_err(|_| stranger())?);
    packet.extend(answer);
    if capabilities.contains(CapabilityFlags::CLIENT_PLUGIN_AUTH) {
        packet.extend(plugin.name());
        packet.push(0);
    }
    Ok(packet)
}

/// A login under way.
struct Login {
    password: Vec<u8>,
    nonce: Vec<u8>,
    plugin: Plugin,
    /// Nobody but the server can read what we send.
    is_private: bool,
}

impl Login {
    /// Answers all that the server asks, until it lets us in.
    async fn finish(&mut self, packets: &mut Packets) -> Result<(), Failure> {
        let mut switched = false;
        for _ in 0..PACKETS {
            let packet = packets.read_login(PACKET_BYTES).await?;
            match (packet, self.plugin) {
                ([0, ..], _) => return Ok(()),
                ([0xfe, rest @ ..], _) if !switched => {
                    switched = true;
                    let answer = self.switch(rest)?;
                    packets.write(&answer).await?;
                }
                // It remembers the password: the end follows.
                ([1, 3], Plugin::CachingSha2) => {}
                ([1, 4], Plugin::CachingSha2) => self.tell(packets).await?,
                _ => return Err(stranger()),
            }
        }
        Err(stranger())
    }

    /// The answer to another plugin, which the account has.
    fn switch(&mut self, request: &[u8]) -> Result<Vec<u8>, Failure> {
        if request.is_empty() {
            return Plugin::of(b"mysql_old_password").map(|_| Vec::new());
        }
        let mut bytes = Bytes(request);
        self.plugin = Plugin::of(bytes.until_nul()?)?;
        self.nonce = bytes.0.to_vec();
        self.plugin.answer(&self.password, &self.nonce)
    }

    /// Sends the password: as it is where nobody else reads it, or encrypted with the key that the server gives.
    async fn tell(&self, packets: &mut Packets) -> Result<(), Failure> {
        const SEND_KEY: u8 = 2;
        let mut secret = [self.password.as_slice(), b"\0"].concat();
        if self.is_private {
            return packets.write(&secret).await;
        }
        packets.write(&[SEND_KEY]).await?;
        let nonce = self.nonce.get(..20).ok_or_else(stranger)?;
        secret.iter_mut().zip(nonce.iter().cycle()).for_each(|(byte, mask)| *byte ^= mask);
        let encrypted = match packets.read_login(PACKET_BYTES).await? {
            [1, key @ ..] => rsa::encrypt(&secret, key)?,
            _ => return Err(stranger()),
        };
        packets.write(&encrypted).await
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const GREETING: &[u8] = b"\x0a8.0.36\0\x07\0\0\0eightbyt\0\x00\x82\x21\x02\0\x08\0\x15\
                              \0\0\0\0\0\0\0\0\0\0twelve bytes\0caching_sha2_password\0";

    #[test]
    fn a_greeting_is_taken_apart() {
        let greeting = Greeting::parse(GREETING).unwrap();
        assert_eq!((greeting.id, greeting.nonce.as_slice()), (7, b"eightbyttwelve bytes\0".as_slice()));
        assert_eq!(greeting.plugin, Plugin::CachingSha2);
        assert!(greeting.capabilities.contains(NEEDED | CapabilityFlags::CLIENT_PLUGIN_AUTH));
    }

    #[test]
    fn we_never_offer_files_or_several_statements() {
        let never = CapabilityFlags::CLIENT_LOCAL_FILES
            | CapabilityFlags::CLIENT_MULTI_STATEMENTS
            | CapabilityFlags::CLIENT_COMPRESS
            | CapabilityFlags::CLIENT_DEPRECATE_EOF;
        assert!(!KNOWN.intersects(never));
    }

    proptest! {
        #[test]
        fn any_bytes_are_a_greeting_or_none(at in 0..GREETING.len(), byte: u8) {
            let mut bytes = GREETING.to_vec();
            bytes[at] = byte;
            Greeting::parse(&bytes).ok();
            Greeting::parse(&bytes[..at]).ok();
        }
    }
}
