//! Who asked: an address as a key that cannot be read back, and whether addresses say who asked at all.

use std::hash::Hasher;
use std::net::IpAddr;
use std::str;

use ring::rand;
use siphasher::sip::SipHasher13;

use crate::networks::{Networks, is_private};

/// Lines that are looked at before it is said whether clients can be told apart.
const WINDOW: u32 = 200;

/// After that, one line in so many is looked at.
const SAMPLE: u32 = 16;

/// So many private addresses are proxies; more are a network of people.
const FEW: usize = 8;

/// The key of the hashes; kept over a restart while something waits for a client to come back.
pub(super) type Key = [u8; 16];

/// What is known of who asks.
#[derive(Clone, Debug)]
pub(super) struct Clients {
    hasher: SipHasher13,
    key: Key,
    proxies: Networks,
    window: Window,
    /// Whether an address is the client's own; `None` until enough was seen.
    told_apart: Option<bool>,
    turn: u32,
}

/// Where the lines that were looked at came from.
#[derive(Clone, Debug, Default)]
struct Window {
    lines: u32,
    /// From an address that may be a proxy's.
    hidden: u32,
    addresses: [u64; FEW],
    many: bool,
}

impl Clients {
    pub(super) fn new(proxies: Networks) -> Self {
        let mut clients = Self {
            hasher: SipHasher13::new(),
            key: Key::default(),
            proxies,
            window: Window::default(),
            told_apart: None,
            turn: 0,
        };
        clients.rekey(rand::generate(&rand::SystemRandom::new()).expect("the kernel gives random bytes").expose());
        clients
    }

    /// The key of the hashes, which is a secret.
    pub(super) fn key(&self) -> Key {
        self.key
    }

    /// Goes on with the key of another run, whose hashes then mean the same.
    pub(super) fn rekey(&mut self, key: Key) {
        self.key = key;
        self.hasher = SipHasher13::new_with_key(&key);
    }

    /// What makes hashes under the key.
    pub(super) fn hasher(&self) -> SipHasher13 {
        self.hasher
    }

    /// A hash of anything under the key.
    pub(super) fn hash(&self, parts: &[&[u8]]) -> u64 {
        let mut hasher = self.hasher;
        for part in parts {
            hasher.write_usize(part.len());
            hasher.write(part);
        }
        hasher.finish()
    }

    /// The client behind an address: an IPv4 address or an IPv6 network of 64 bits, which one client has as a rule.
    /// `None` when others come from there, too, and when the line does not say.
    pub(super) fn client(&self, text: &[u8], address: Option<IpAddr>) -> Option<u64> {
        if text.is_empty() {
            return None;
        }
        if self.may_be_a_proxy(text, address) && (self.told_apart == Some(false) || self.is_proxy(address)) {
            return None;
        }
        Some(self.unique(text, address))
    }

    /// Whether addresses say who asked; `None` until enough was seen.
    pub(super) fn told_apart(&self) -> Option<bool> {
        self.told_apart
    }

    /// Whether it is this line's turn to be looked at by [`look`](Self::look).
    pub(super) fn is_sampled(&mut self) -> bool {
        self.turn = self.turn.wrapping_add(1);
        self.told_apart.is_none() || self.turn.is_multiple_of(SAMPLE)
    }

    /// Looks at where a line came from.
    pub(super) fn look(&mut self, text: &[u8], address: Option<IpAddr>) {
        self.window.lines += 1;
        if self.may_be_a_proxy(text, address) {
            self.window.hidden += 1;
            if !self.is_proxy(address) {
                let unique = self.unique(text, address);
                self.window.note(unique);
            }
        }
        if self.window.lines == WINDOW {
            self.told_apart = Some(self.window.many || self.window.hidden * 10 <= self.window.lines * 9);
            self.window = Window::default();
        }
    }

    fn is_proxy(&self, address: Option<IpAddr>) -> bool {
        address.is_some_and(|address| self.proxies.contains(address))
    }

    /// nginx writes `unix:` for what comes over its socket; a format without an address has nothing here.
    fn may_be_a_proxy(&self, text: &[u8], address: Option<IpAddr>) -> bool {
        matches!(text, b"unix:" | b"") || address.is_some_and(is_private) || self.is_proxy(address)
    }

    fn unique(&self, text: &[u8], address: Option<IpAddr>) -> u64 {
        match address {
            Some(IpAddr::V4(address)) => self.hash(&[&address.octets()]),
            Some(IpAddr::V6(address)) => self.hash(&[&address.octets()[..8]]),
            None => self.hash(&[text]),
        }
    }
}

impl Window {
    fn note(&mut self, address: u64) {
        match self.addresses.iter_mut().find(|known| **known == address || **known == 0) {
            Some(place) => *place = address,
            None => self.many = true,
        }
    }
}

/// The address in a field of a line; `None` when a name stands there (Apache's `HostnameLookups`), or no client's address.
pub(super) fn address(text: &[u8]) -> Option<IpAddr> {
    let address: IpAddr = str::from_utf8(text).ok()?.parse().ok()?;
    Some(address.to_canonical())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn clients(proxies: &[&str]) -> Clients {
        let proxies = proxies.iter().map(|text| (*text).to_owned()).collect::<Vec<_>>();
        Clients::new(proxies.try_into().unwrap())
    }

    fn client(clients: &Clients, text: &str) -> Option<u64> {
        clients.client(text.as_bytes(), address(text.as_bytes()))
    }

    /// What is said after these shares of 200 lines.
    fn told_apart(proxies: &[&str], shares: &[(&str, u32)]) -> Option<bool> {
        let mut clients = clients(proxies);
        for (text, lines) in shares {
            for line in 0..*lines {
                let text = text.replace('N', &(line % 250).to_string());
                assert!(clients.is_sampled());
                clients.look(text.as_bytes(), address(text.as_bytes()));
            }
        }
        clients.told_apart()
    }

    #[test]
    fn a_client_is_an_address_or_a_network_of_one_customer() {
        let clients = clients(&[]);
        let same = |a, b| client(&clients, a).unwrap() == client(&clients, b).unwrap();
        assert!(same("192.0.2.1", "::ffff:192.0.2.1"));
        assert!(same("2001:db8:1:2::3", "2001:db8:1:2:ffff::"));
        assert!(!same("192.0.2.1", "192.0.2.2"));
        assert!(!same("2001:db8:1:2::", "2001:db8:1:3::"));
        assert!(!same("a.example", "b.example"));
    }

    #[test]
    fn a_key_cannot_be_computed_elsewhere() {
        let (mut a, b) = (clients(&[]), clients(&[]));
        assert_ne!(client(&a, "192.0.2.1"), client(&b, "192.0.2.1"));
        a.rekey(b.key());
        assert_eq!(client(&a, "192.0.2.1"), client(&b, "192.0.2.1"));
    }

    #[test]
    fn a_shop_whose_clients_all_come_from_one_proxy_cannot_tell_them_apart() {
        assert_eq!(told_apart(&[], &[("192.0.2.N", 199)]), None);
        assert_eq!(told_apart(&[], &[("192.0.2.N", 200)]), Some(true));
        assert_eq!(told_apart(&[], &[("192.0.2.N", 20), ("10.0.0.1", 180)]), Some(true));
        assert_eq!(told_apart(&[], &[("192.0.2.N", 19), ("10.0.0.1", 181)]), Some(false));
        assert_eq!(told_apart(&[], &[("unix:", 200)]), Some(false));
        assert_eq!(told_apart(&[], &[("", 200)]), Some(false));
        assert_eq!(told_apart(&[], &[("::ffff:127.0.0.1", 200)]), Some(false));
        // A shop for those inside of a company.
        assert_eq!(told_apart(&[], &[("10.0.0.N", 200)]), Some(true));
        assert_eq!(told_apart(&["192.0.2.0/24"], &[("192.0.2.N", 200)]), Some(false));
    }

    #[test]
    fn a_proxy_is_no_client() {
        let mut clients = clients(&["192.0.2.0/24"]);
        assert_eq!(client(&clients, "192.0.2.1"), None);
        assert!(client(&clients, "10.0.0.1").is_some());
        clients.told_apart = Some(false);
        assert_eq!(client(&clients, "10.0.0.1"), None);
        assert!(client(&clients, "198.51.100.1").is_some());
    }

    #[test]
    fn few_lines_are_looked_at_when_it_is_known() {
        let mut clients = clients(&[]);
        clients.told_apart = Some(true);
        assert_eq!((0..1600).filter(|_| clients.is_sampled()).count(), 100);
    }
}
