//! The question as bytes, and what an answer says.

use std::net::{Ipv4Addr, Ipv6Addr};

use simple_dns::rdata::RData;
use simple_dns::{CLASS, Name, Packet, PacketFlag, QCLASS, QTYPE, RCODE, SimpleDnsError};

use super::settings::{DomainName, Kind};

/// What an answer says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Answer {
    /// The code for errors; `None` when there is none.
    pub(super) error: Option<String>,
    /// Whether there is more, which did not fit.
    pub(super) is_cut: bool,
    /// The records of the type that was asked for, as zone files have them, in order.
    pub(super) records: Vec<String>,
    /// How many records of any type stand in the three parts.
    pub(super) answers: usize,
    pub(super) authorities: usize,
    pub(super) additional: usize,
    /// The serial number of the zone, where that was asked for.
    pub(super) serial: Option<u32>,
}

/// A question, with recursion desired.
pub(super) fn question(id: u16, name: &DomainName, kind: Kind) -> Result<Vec<u8>, SimpleDnsError> {
    let mut packet = Packet::new_query(id);
    packet.set_flags(PacketFlag::RECURSION_DESIRED);
    let asked = (QTYPE::TYPE(kind.wire()), QCLASS::CLASS(CLASS::IN));
    packet.questions.push(simple_dns::Question::new(name.name(), asked.0, asked.1, false));
    packet.build_bytes_vec()
}

/// Reads an answer; `None` when it is none to this question: anybody can send us a packet.
pub(super) fn answer(bytes: &[u8], id: u16, name: &DomainName, kind: Kind) -> Result<Option<Answer>, SimpleDnsError> {
    // First, so that nobody who does not know it ends the conversation, with whatever bytes.
    if bytes.first_chunk() != Some(&id.to_be_bytes()) {
        return Ok(None);
    }
    let packet = Packet::parse(bytes)?;
    let is_ours = packet.has_flags(PacketFlag::RESPONSE)
        && packet.questions.len() == 1
        && packet.questions.iter().all(|asked| {
            asked.qtype == QTYPE::TYPE(kind.wire())
                && asked.qclass == QCLASS::CLASS(CLASS::IN)
                && asked.qname.to_string().eq_ignore_ascii_case(&name.name().to_string())
        });
    if !is_ours {
        return Ok(None);
    }
    let of_kind = || packet.answers.iter().filter(|record| record.rdata.type_code() == kind.wire());
    let mut records: Vec<_> = of_kind().map(|record| shown(&record.rdata)).collect();
    records.sort_unstable();
    let serial = of_kind().find_map(|record| match &record.rdata {
        RData::SOA(zone) => Some(zone.serial),
        _ => None,
    });
    Ok(Some(Answer {
        error: error(packet.rcode()),
        is_cut: packet.has_flags(PacketFlag::TRUNCATION),
        records,
        answers: packet.answers.len(),
        authorities: packet.name_servers.len(),
        additional: packet.additional_records.len(),
        serial,
    }))
}

/// The name that everybody knows an error by.
fn error(code: RCODE) -> Option<String> {
    Some(match code {
        RCODE::NoError => return None,
        RCODE::FormatError => "FORMERR".to_owned(),
        RCODE::ServerFailure => "SERVFAIL".to_owned(),
        RCODE::NameError => "NXDOMAIN: there is no such name".to_owned(),
        RCODE::NotImplemented => "NOTIMP".to_owned(),
        RCODE::Refused => "REFUSED: it does not answer us, or not for this zone".to_owned(),
        other => format!("{other:?}").to_uppercase(),
    })
}

/// A record's content as zone files have it, in lower case but for texts, names without the dot at their end.
fn shown(record: &RData<'_>) -> String {
    let lower = |name: &Name<'_>| name.to_string().to_ascii_lowercase();
    match record {
        RData::A(a) => Ipv4Addr::from(a.address).to_string(),
        RData::AAAA(aaaa) => Ipv6Addr::from(aaaa.address).to_string(),
        RData::CNAME(name) => lower(name),
        RData::NS(name) => lower(name),
        RData::MX(mx) => format!("{} {}", mx.preference, lower(&mx.exchange)),
        RData::TXT(txt) => text(txt.clone()),
        RData::SOA(soa) => format!(
            "{} {} {} {} {} {} {}",
            lower(&soa.mname),
            lower(&soa.rname),
            soa.serial,
            soa.refresh,
            soa.retry,
            soa.expire,
            soa.minimum
        ),
        RData::CAA(caa) => format!("{} {} \"{}\"", caa.flag, caa.tag, String::from_utf8_lossy(&caa.value)),
        other => format!("{:?}", other.type_code()),
    }
}

/// The parts of a text are one text, as SPF and DKIM read it.
fn text(txt: simple_dns::rdata::TXT<'_>) -> String {
    // The parts that are not UTF-8 cannot be expected, either.
    String::try_from(txt).unwrap_or_default()
}

/// An expected answer in the spelling of [`Answer::records`].
pub(super) fn canonical(kind: Kind, text: &str) -> String {
    let text = text.trim();
    if matches!(kind, Kind::Txt | Kind::Caa) {
        return text.to_owned();
    }
    let words: Vec<_> = text.split_ascii_whitespace().map(|word| word.strip_suffix('.').unwrap_or(word)).collect();
    let text = words.join(" ").to_ascii_lowercase();
    match kind {
        Kind::Aaaa => text.parse::<Ipv6Addr>().map_or(text, |address| address.to_string()),
        _ => text,
    }
}
