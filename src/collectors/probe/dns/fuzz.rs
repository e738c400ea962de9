//! What must hold whatever a name server says.

use super::message::{self, canonical};
use super::settings::{DomainName, Kind};
use super::{Answered, Question};
use crate::collectors::probe::findings::Findings;
use crate::fuzz::judge;
use crate::snapshot::Snapshot;

/// An answer of any bytes, to a question whose type the first one chooses.
pub(crate) fn answer(bytes: &[u8]) {
    let Some((first, packet)) = bytes.split_first() else { return };
    let kind = Kind::ALL[usize::from(*first) % Kind::ALL.len()];
    let name: DomainName = "shop.example".parse().expect("it is a name");
    let id = packet.first_chunk().map_or(0, |id| u16::from_be_bytes(*id));
    let Ok(answer) = message::answer(packet, id, &name, kind) else { return };
    assert!(!matches!(message::answer(packet, !id, &name, kind), Ok(Some(_))), "an answer to another question");
    let Some(answer) = answer else { return };
    assert!(answer.records.len() <= answer.answers);
    for record in &answer.records {
        assert!(canonical(kind, record).len() <= record.len().max(39), "{record:?}");
    }
    let question = Question::of(name, kind);
    if let Err(trouble) = question.check(&answer, &mut Findings::default()) {
        assert!(trouble.failure.to_string().len() < 1_000, "{}", trouble.failure);
    }
    let mut out = Snapshot::default();
    Answered { answer: Some(answer), ..Answered::default() }.report(&mut out);
    judge(out, bytes);
}
