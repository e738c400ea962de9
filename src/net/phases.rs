//! The phases of a request, and how long each takes.

use std::time::Duration;

use tokio::time::Instant;

/// A part of a request's time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Phase {
    /// The name is looked up.
    Resolve,
    /// A connection is made.
    Connect,
    /// TLS is agreed on.
    Tls,
    /// The request is sent, until the first byte of the answer.
    Processing,
    /// The rest of the answer comes.
    Transfer,
}

impl Phase {
    /// All phases, in their order.
    pub const ALL: [Self; 5] = [Self::Resolve, Self::Connect, Self::Tls, Self::Processing, Self::Transfer];

    /// The label value.
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Resolve => "resolve",
            Self::Connect => "connect",
            Self::Tls => "tls",
            Self::Processing => "processing",
            Self::Transfer => "transfer",
        }
    }
}

/// How long phases took, those that came several times together, and which one is under way.
#[derive(Debug, Default)]
pub(crate) struct Phases {
    times: [Option<Duration>; Phase::ALL.len()],
    current: Option<(Phase, Instant)>,
}

impl Phases {
    /// Ends the phase under way, and begins another.
    pub(crate) fn begin(&mut self, phase: Phase) {
        self.turn(phase, Instant::now());
    }

    /// The same at a time that has passed.
    pub(crate) fn turn(&mut self, phase: Phase, at: Instant) {
        self.end_at(at);
        self.current = Some((phase, at));
    }

    /// Ends the phase under way.
    pub(crate) fn end(&mut self) {
        self.end_at(Instant::now());
    }

    fn end_at(&mut self, at: Instant) {
        if let Some((phase, begun)) = self.current.take() {
            *self.times[phase as usize].get_or_insert_default() += at.saturating_duration_since(begun);
        }
    }

    /// The phase under way.
    pub(crate) fn current(&self) -> Option<Phase> {
        self.current.map(|(phase, _)| phase)
    }

    /// Notes a phase that there is nothing to do in.
    pub(crate) fn skip(&mut self, phase: Phase) {
        self.times[phase as usize].get_or_insert_default();
    }

    /// How long a phase took; `None` when it has not come to its end.
    pub(crate) fn time(&self, phase: Phase) -> Option<Duration> {
        self.times[phase as usize]
    }
}
