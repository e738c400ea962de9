//! The conversation with a name server: by UDP, and by TCP what does not fit.

use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};

use ring::rand::{SecureRandom as _, SystemRandom};
use simple_dns::SimpleDnsError;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpStream, UdpSocket};
use tokio::time::{Instant, timeout_at};

use super::Answered;
use super::message::{self, Answer};
use super::settings::Question;
use crate::collector::{Failure, Reason};
use crate::collectors::probe::ending::{Ending, Trouble};
use crate::collectors::probe::findings::Findings;
use crate::net::connect::connect;

/// The largest answer by UDP to a question without EDNS is 512 bytes; some servers say more.
const PACKET_BYTES: usize = 4096;

/// How often a question is sent by UDP: packets get lost.
const ATTEMPTS: u32 = 3;

/// Asks a server.
pub(super) async fn ask(
    question: &Question,
    server: SocketAddr,
    deadline: Instant,
    found: &mut Findings,
) -> Result<Answer, Trouble> {
    let id = random()?;
    let bytes = message::question(id, &question.name, question.kind).map_err(|error| garbage(&error))?;
    if !question.tcp {
        let answer = by_udp(question, id, &bytes, server, deadline, found).await?;
        if !answer.is_cut {
            return Ok(answer);
        }
    }
    by_tcp(question, id, &bytes, server, deadline, found).await
}

/// An id that nobody can guess, who would answer in the server's place.
fn random() -> Result<u16, Trouble> {
    let mut id = [0; 2];
    let random = SystemRandom::new().fill(&mut id);
    random.map_err(|_| Trouble::local(Failure::message(Reason::Bug, "the system gives no random numbers")))?;
    Ok(u16::from_be_bytes(id))
}

fn garbage(error: &SimpleDnsError) -> Trouble {
    Trouble::new(Ending::Protocol, format!("the answer cannot be read: {error}"))
}

/// The times of the question under way.
fn answered(found: &mut Findings) -> &mut Answered {
    found.answered.get_or_insert_default()
}

async fn by_udp(
    question: &Question,
    id: u16,
    bytes: &[u8],
    server: SocketAddr,
    deadline: Instant,
    found: &mut Findings,
) -> Result<Answer, Trouble> {
    let begun = Instant::now();
    let any = if server.is_ipv4() { Ipv4Addr::UNSPECIFIED.into() } else { Ipv6Addr::UNSPECIFIED.into() };
    // A port that the system chooses, which is as hard to guess as the id.
    let socket = UdpSocket::bind(SocketAddr::new(any, 0)).await.map_err(Failure::io)?;
    // Packets of others are not for us from here on.
    socket.connect(server).await.map_err(Failure::io)?;
    let asked = Instant::now();
    answered(found).connect = Some(asked - begun);
    found.doing(format!("waiting for the answer of {server}"));
    let mut packet = [0; PACKET_BYTES];
    for attempt in 1..=ATTEMPTS {
        socket.send(bytes).await.map_err(Failure::io)?;
        // The last time, whoever has set the deadline loses patience.
        let share = deadline.saturating_duration_since(asked) * attempt / ATTEMPTS;
        let until = if attempt == ATTEMPTS { deadline } else { asked + share };
        while let Ok(received) = timeout_at(until, socket.recv(&mut packet)).await {
            let length = received.map_err(Failure::io)?;
            let answer = message::answer(&packet[..length], id, &question.name, question.kind);
            if let Some(answer) = answer.map_err(|error| garbage(&error))? {
                answered(found).request = Some(asked.elapsed());
                return Ok(answer);
            }
        }
    }
    Err(Trouble::new(Ending::Timeout, "no answer"))
}

async fn by_tcp(
    question: &Question,
    id: u16,
    bytes: &[u8],
    server: SocketAddr,
    deadline: Instant,
    found: &mut Findings,
) -> Result<Answer, Trouble> {
    let begun = Instant::now();
    let (mut stream, _) = connect(&[server], deadline).await?;
    let asked = Instant::now();
    *answered(found).connect.get_or_insert_default() += asked - begun;
    found.doing(format!("waiting for the answer of {server}"));
    let exchange = exchange(&mut stream, bytes).await.map_err(Failure::io)?;
    *answered(found).request.get_or_insert_default() += asked.elapsed();
    let answer = message::answer(&exchange, id, &question.name, question.kind).map_err(|error| garbage(&error))?;
    answer.ok_or_else(|| Trouble::new(Ending::Protocol, "what came is no answer to this question"))
}

/// A message and its answer, each after its length; the length has 16 bits, and so is its own limit.
async fn exchange(stream: &mut TcpStream, bytes: &[u8]) -> std::io::Result<Vec<u8>> {
    let length = u16::try_from(bytes.len()).unwrap_or(u16::MAX).to_be_bytes();
    stream.write_all(&[&length, bytes].concat()).await?;
    let length = stream.read_u16().await?;
    let mut answer = vec![0; usize::from(length)];
    stream.read_exact(&mut answer).await?;
    Ok(answer)
}
