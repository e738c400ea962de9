//! A mail server that keeps every mail, and that can refuse connections, or take a mail and then say no.

use std::io::{self, BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::thread;

use super::mail;
use crate::support::daemon::{eventually, free_port, listens};
use crate::support::world::timeline::{Timeline, What};

/// How it behaves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Manners {
    /// As one wishes.
    Good,
    /// Nobody listens.
    Refuses,
    /// Takes a mail whole and answers 452, as one whose disk is full does.
    Full,
}

/// The running server.
pub(crate) struct Smtp {
    pub(crate) port: u16,
    manners: Arc<(Mutex<Manners>, Condvar)>,
}

impl Smtp {
    pub(crate) fn start(timeline: &Timeline) -> Self {
        let port = free_port();
        let manners = Arc::new((Mutex::new(Manners::Good), Condvar::new()));
        let (shared, timeline) = (manners.clone(), timeline.clone());
        thread::spawn(move || {
            loop {
                let (now, changed) = &*shared;
                let locked = now.lock().unwrap_or_else(PoisonError::into_inner);
                drop(
                    changed.wait_while(locked, |now| *now == Manners::Refuses).unwrap_or_else(PoisonError::into_inner),
                );
                listen(port, &shared, &timeline);
            }
        });
        let smtp = Self { port, manners };
        eventually("the mail server to listen", || listens(port));
        smtp
    }

    /// From now on it behaves like this.
    pub(crate) fn behave(&self, manners: Manners) {
        let (now, changed) = &*self.manners;
        *now.lock().unwrap_or_else(PoisonError::into_inner) = manners;
        changed.notify_all();
        // A connection makes it look up from its port.
        eventually("the mail server to change", || listens(self.port) == (manners != Manners::Refuses));
    }
}

fn manners_now(manners: &(Mutex<Manners>, Condvar)) -> Manners {
    *manners.0.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Takes mail until it is told to refuse.
fn listen(port: u16, manners: &Arc<(Mutex<Manners>, Condvar)>, timeline: &Timeline) {
    let Ok(listener) = TcpListener::bind(("127.0.0.1", port)) else { return };
    while let Ok((stream, _)) = listener.accept() {
        if manners_now(manners) == Manners::Refuses {
            return;
        }
        let (manners, timeline) = (manners.clone(), timeline.clone());
        // A client that hangs up has said all that it had to say.
        thread::spawn(move || talk(&stream, &manners, &timeline).ok());
    }
}

/// One connection: RFC 5321 as far as Alertmanager speaks it, with a log-in that takes any password.
fn talk(stream: &TcpStream, manners: &(Mutex<Manners>, Condvar), timeline: &Timeline) -> io::Result<()> {
    let mut lines = BufReader::new(stream);
    let say = |text: &str| {
        let mut stream = stream;
        stream.write_all(format!("{text}\r\n").as_bytes())
    };
    say("220 drill ESMTP")?;
    let mut to = Vec::new();
    loop {
        let mut line = String::new();
        if lines.read_line(&mut line)? == 0 {
            return Ok(());
        }
        let verb = line.split_whitespace().next().unwrap_or_default().to_uppercase();
        match verb.as_str() {
            "EHLO" => say("250-drill\r\n250 AUTH PLAIN LOGIN")?,
            "AUTH" => say("235 welcome")?,
            "MAIL" => {
                to.clear();
                say("250 ok")?;
            }
            "RCPT" => {
                to.extend(line.split_once('<').and_then(|(_, rest)| Some(rest.split_once('>')?.0.to_owned())));
                say("250 ok")?;
            }
            "DATA" => {
                say("354 go on")?;
                let whole = data(&mut lines)?;
                let mail = mail::read(to.clone(), whole);
                if manners_now(manners) == Manners::Full {
                    timeline.add(What::Refused(mail));
                    say("452 4.3.1 the disk is full")?;
                } else {
                    timeline.add(What::Mail(mail));
                    say("250 taken")?;
                }
            }
            "QUIT" => return say("221 bye"),
            _ => say("250 ok")?,
        }
    }
}

/// The lines up to the one with nothing but a dot, which other lines that begin with one have doubled.
fn data(lines: &mut impl BufRead) -> io::Result<String> {
    let mut whole = String::new();
    loop {
        let mut line = Vec::new();
        if lines.read_until(b'\n', &mut line)? == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        if line == b".\r\n" {
            return Ok(whole);
        }
        let line = line.strip_prefix(b".").unwrap_or(&line);
        whole.push_str(&String::from_utf8_lossy(line).replace("\r\n", "\n"));
    }
}
