//! A connection to the system's bus, which lets every user ask systemd.
//!
//! Our own client, as small as what it says: `zbus`, the well-kept library, brings 28 crates and 1.6 MB of program,
//! and reads any message up to 128 MiB.

use std::io;
use std::path::Path;

use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::UnixStream;

use super::wire::{Call, HEAD_BYTES, Head, Message, NotDBus};
use crate::collector::{Failure, Reason};
use crate::collectors::host::root::in_root;

/// Where it listens.
const BUS: &str = "run/dbus/system_bus_socket";

/// How many calls may be under way: the bus allows a connection 128, and each answer is small.
const WINDOW: usize = 64;

/// The longest line that is said before the first message.
const LINE_BYTES: u64 = 512;

/// The bus itself, to which one says hello.
const HELLO: Call<'static> = Call {
    destination: "org.freedesktop.DBus",
    path: "/org/freedesktop/DBus",
    interface: "org.freedesktop.DBus",
    method: "Hello",
    arguments: &[],
};

/// A connection that calls can be made on.
#[derive(Debug)]
pub(super) struct Bus {
    stream: BufReader<UnixStream>,
    /// How many calls were made.
    calls: u32,
}

impl Bus {
    /// Connects, as whoever we run as.
    pub(super) async fn connect(root: &Path) -> Result<Self, Failure> {
        let place = in_root(root, BUS);
        let connect = async {
            let stream = UnixStream::connect(&place).await.map_err(Failure::io)?;
            let mut connection = Self { stream: BufReader::new(stream), calls: 0 };
            connection.log_in().await?;
            refused(&connection.call(&HELLO).await?)?;
            Ok(connection)
        };
        connect
            .await
            .map_err(|failure: Failure| failure.context(format!("connecting to D-Bus at `{}`", place.display())))
    }

    /// Says who we are: whoever the kernel says is at this end of the socket.
    async fn log_in(&mut self) -> Result<(), Failure> {
        self.send(b"\0AUTH EXTERNAL\r\nDATA\r\n").await?;
        for expected in ["DATA", "OK "] {
            let mut line = String::new();
            let mut limited = (&mut self.stream).take(LINE_BYTES);
            limited.read_line(&mut line).await.map_err(Failure::io)?;
            if line.starts_with("REJECTED") {
                return Err(Failure::message(Reason::Auth, "we are not let in"));
            }
            if !(line.starts_with(expected) && line.ends_with("\r\n")) {
                return Err(garbled(NotDBus));
            }
        }
        self.send(b"BEGIN\r\n").await
    }

    /// Makes one call.
    pub(super) async fn call(&mut self, call: &Call<'_>) -> Result<Message, Failure> {
        let mut answers = self.calls(std::slice::from_ref(call)).await?;
        answers.pop().ok_or_else(|| Failure::message(Reason::Bug, "a call has no answer"))
    }

    /// Makes calls and gives their answers in the same order; a call may be answered with a refusal.
    pub(super) async fn calls(&mut self, calls: &[Call<'_>]) -> Result<Vec<Message>, Failure> {
        let mut answers = Vec::with_capacity(calls.len());
        for calls in calls.chunks(WINDOW) {
            answers.extend(self.window(calls).await?);
        }
        Ok(answers)
    }

    async fn window(&mut self, calls: &[Call<'_>]) -> Result<Vec<Message>, Failure> {
        let first = self.calls + 1;
        let mut messages = Vec::new();
        for call in calls {
            self.calls += 1;
            messages.extend(call.message(self.calls));
        }
        self.send(&messages).await?;
        let mut answers: Vec<Option<Message>> = calls.iter().map(|_| None).collect();
        let mut open = calls.len();
        while open > 0 {
            let Some(message) = self.receive().await? else { continue };
            let place = message.answers.checked_sub(first).and_then(|place| usize::try_from(place).ok());
            // Neither an answer to what was not asked nor a second one.
            let answer = place.and_then(|place| answers.get_mut(place)).filter(|answer| answer.is_none());
            *answer.ok_or(NotDBus).map_err(garbled)? = Some(message);
            open -= 1;
        }
        Ok(answers.into_iter().flatten().collect())
    }

    async fn send(&mut self, bytes: &[u8]) -> Result<(), Failure> {
        self.stream.get_mut().write_all(bytes).await.map_err(Failure::io)
    }

    /// The next message, if it is an answer.
    async fn receive(&mut self) -> Result<Option<Message>, Failure> {
        let mut head = [0; HEAD_BYTES];
        self.stream.read_exact(&mut head).await.map_err(Failure::io)?;
        let head = Head::parse(head).ok_or(NotDBus).map_err(garbled)?;
        let Some(length) = head.rest() else {
            return Err(Failure::message(Reason::Limit, "the answer is larger than we read"));
        };
        let mut rest = Vec::new();
        (&mut self.stream).take(length as u64).read_to_end(&mut rest).await.map_err(Failure::io)?;
        if rest.len() < length {
            return Err(Failure::io(io::ErrorKind::UnexpectedEof.into()));
        }
        Message::parse(head, rest).map_err(garbled)
    }
}

/// Fails with what the answer refuses.
pub(super) fn refused(answer: &Message) -> Result<(), Failure> {
    let Some((name, says)) = answer.refusal() else { return Ok(()) };
    let reason = match name {
        "org.freedesktop.DBus.Error.AccessDenied" => Reason::Permission,
        "org.freedesktop.DBus.Error.LimitsExceeded" => Reason::Limit,
        "org.freedesktop.DBus.Error.NoReply" | "org.freedesktop.DBus.Error.Timeout" => Reason::Timeout,
        "org.freedesktop.DBus.Error.ServiceUnknown" | "org.freedesktop.DBus.Error.NameHasNoOwner" => Reason::Connect,
        _ => Reason::Protocol,
    };
    let says: String = says.chars().take(200).collect();
    let name: String = name.chars().take(100).collect();
    Err(Failure::message(reason, format!("{says} ({name})")))
}

/// The failure of an answer that cannot be read.
pub(super) fn garbled(_: NotDBus) -> Failure {
    Failure::message(Reason::Protocol, "what it says is not D-Bus")
}
