//! The first message of a client, made by hand: rustls offers nothing older than TLS 1.2.

use ring::rand::{SecureRandom as _, SystemRandom};

use crate::collector::{Failure, Reason};

/// A version of before TLS 1.3, which says in a field of its own what is offered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Version {
    /// SSL 3.0.
    Ssl3,
    /// TLS 1.0.
    Tls10,
    /// TLS 1.1.
    Tls11,
    /// TLS 1.2.
    Tls12,
}

impl Version {
    /// The number on the wire.
    pub(crate) const fn number(self) -> u16 {
        match self {
            Self::Ssl3 => 0x0300,
            Self::Tls10 => 0x0301,
            Self::Tls11 => 0x0302,
            Self::Tls12 => 0x0303,
        }
    }
}

/// What is offered (RFC 5246, section 7.4.1.2; RFC 6101 for SSL 3.0).
pub(crate) struct Hello<'a> {
    /// The newest version.
    pub(crate) version: Version,
    /// Cipher suites, the preferred one first.
    pub(crate) suites: &'a [u16],
    /// The host that is meant, when it has a name.
    pub(crate) host: Option<&'a str>,
}

/// Stands among the suites for "I know of RFC 5746": a server that insists on it would refuse us otherwise.
const RENEGOTIATION: u16 = 0x00ff;

/// X25519, P-256, P-384 and P-521.
const GROUPS: [u16; 4] = [29, 23, 24, 25];

/// All signatures there are for RSA and elliptic curves, SHA-1 among them: the question is what the server has.
const SIGNATURES: [u16; 14] =
    [0x0403, 0x0503, 0x0603, 0x0807, 0x0808, 0x0804, 0x0805, 0x0806, 0x0401, 0x0501, 0x0601, 0x0203, 0x0201, 0x0101];

impl Hello<'_> {
    /// The bytes to send.
    ///
    /// # Errors
    /// `bug` when the system gives no random numbers, or the host's name is longer than names are.
    pub(crate) fn encode(&self) -> Result<Vec<u8>, Failure> {
        let mut random = [0; 32];
        let generated = SystemRandom::new().fill(&mut random);
        generated.map_err(|_| Failure::message(Reason::Bug, "the system gives no random numbers"))?;
        let mut body = self.version.number().to_be_bytes().to_vec();
        body.extend(random);
        // No session to resume.
        body.push(0);
        let suites = self.suites.iter().chain([&RENEGOTIATION]).copied();
        with_length(&mut body, &numbers(suites))?;
        // One way to compress: not at all.
        body.extend([1, 0]);
        // SSL 3.0 has no extensions, and some of its servers stumble over them.
        if self.version > Version::Ssl3 {
            with_length(&mut body, &self.extensions()?)?;
        }
        let mut message = vec![1, 0];
        with_length(&mut message, &body)?;
        // Servers look at the version inside. That of the record is the oldest, as all clients have it.
        let mut record = vec![22];
        record.extend(self.version.min(Version::Tls10).number().to_be_bytes());
        with_length(&mut record, &message)?;
        Ok(record)
    }

    fn extensions(&self) -> Result<Vec<u8>, Failure> {
        let mut extensions = Vec::new();
        if let Some(host) = self.host {
            let mut name = vec![0];
            with_length(&mut name, host.as_bytes())?;
            let mut names = Vec::new();
            with_length(&mut names, &name)?;
            extension(&mut extensions, 0, &names)?;
        }
        let mut groups = Vec::new();
        with_length(&mut groups, &numbers(GROUPS))?;
        extension(&mut extensions, 10, &groups)?;
        // Points as they are, not compressed.
        extension(&mut extensions, 11, &[1, 0])?;
        if self.version == Version::Tls12 {
            let mut signatures = Vec::new();
            with_length(&mut signatures, &numbers(SIGNATURES))?;
            extension(&mut extensions, 13, &signatures)?;
        }
        Ok(extensions)
    }
}

fn extension(out: &mut Vec<u8>, kind: u16, content: &[u8]) -> Result<(), Failure> {
    out.extend(kind.to_be_bytes());
    with_length(out, content)
}

fn numbers(numbers: impl IntoIterator<Item = u16>) -> Vec<u8> {
    numbers.into_iter().flat_map(u16::to_be_bytes).collect()
}

/// Adds the length of something in two bytes, and it.
fn with_length(out: &mut Vec<u8>, content: &[u8]) -> Result<(), Failure> {
    let length = u16::try_from(content.len()).map_err(|error| Failure::new(Reason::Bug, error))?;
    out.extend(length.to_be_bytes());
    out.extend(content);
    Ok(())
}
