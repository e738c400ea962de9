//! Messages of a real systemd, and of nobody.

use proptest::prelude::*;

use super::*;

/// A call as the specification has it, byte for byte.
#[test]
fn a_call_is_aligned_and_terminated() {
    let call = Call { destination: "a.b", path: "/c", interface: "d.e", method: "F", arguments: &["g", ""] };
    let message = call.message(7);
    let head = Head::parse(message[..HEAD_BYTES].try_into().unwrap()).unwrap();
    assert_eq!(head.rest().unwrap() + HEAD_BYTES, message.len());
    assert_eq!(&message[..4], b"l\x01\x02\x01");
    assert_eq!(&message[8..12], [7, 0, 0, 0]);
    let fields = &message[HEAD_BYTES..];
    assert_eq!(&fields[..16], b"\x01\x01o\0\x02\0\0\0/c\0\0\0\0\0\0");
    let body = &message[message.len() - 13..];
    assert_eq!(body, b"\x01\0\0\0g\0\0\0\0\0\0\0\0");
    // Nothing that answers a call.
    assert!(Message::parse(head, fields.to_vec()).unwrap().is_none());
}

/// Splits what was recorded into its messages.
fn messages(mut bytes: &[u8]) -> Vec<Message> {
    let mut messages = Vec::new();
    while let Some((head, rest)) = bytes.split_first_chunk() {
        let head = Head::parse(*head).unwrap();
        let (rest, more) = rest.split_at(head.rest().unwrap());
        messages.extend(Message::parse(head, rest.to_vec()).unwrap());
        bytes = more;
    }
    messages
}

/// What a systemd 252 and its bus answered to a hello, `ListUnits` and four properties.
const RECORDED: &[u8] = include_bytes!("../../../../../tests/fixtures/host/systemd-252-answers.dbus");

#[test]
fn a_real_systemd_is_understood() {
    let messages = messages(RECORDED);
    assert_eq!(messages.iter().map(|message| message.answers).collect::<Vec<_>>(), [1, 2, 3, 4, 5, 6, 7]);
    let units = messages[1].units().unwrap();
    assert_eq!(units.len(), 22);
    let broken = units.iter().find(|unit| unit.name == "broken.service").unwrap();
    let path = "/org/freedesktop/systemd1/unit/broken_2eservice";
    assert_eq!(*broken, Listed { name: "broken.service", load: "loaded", active: "failed", path });
    assert_eq!(messages[2].property(), Some(Value::Text("252.38-1~deb12u1")));
    assert!(matches!(messages[3].property(), Some(Value::Number(1_700_000_000_000_000..))));
    assert_eq!(messages[4].property(), Some(Value::Number(0)));
    let (name, says) = messages[5].refusal().unwrap();
    assert_eq!((name, messages[5].property()), ("org.freedesktop.DBus.Error.UnknownProperty", None));
    assert!(says.contains("Nothing"), "{says}");
    // A list of names is no value that we read, and no list of units.
    assert_eq!((messages[6].property(), messages[6].units()), (None, None));
}

#[test]
fn a_message_of_the_other_byte_order_is_read_too() {
    // A return of a property that is the number 7.
    let head = *b"B\x02\0\x01\0\0\0\x08\0\0\0\x01\0\0\0\x0f";
    let rest = b"\x05\x01u\0\0\0\0\x09\x08\x01g\0\x01v\0\0\x01u\0\0\0\0\0\x07";
    let head = Head::parse(head).unwrap();
    assert_eq!(head.rest(), Some(rest.len()));
    let message = Message::parse(head, rest.to_vec()).unwrap().unwrap();
    assert_eq!((message.answers, message.property()), (9, Some(Value::Number(7))));
}

#[test]
fn a_message_that_says_it_is_huge_is_not_read() {
    let mut head = *b"l\x02\0\x01\0\0\0\0\0\0\0\x01\0\0\0\0";
    for (at, length) in [(4, MESSAGE_BYTES + 1), (12, MESSAGE_BYTES + 1), (4, usize::MAX), (12, usize::MAX)] {
        head[at..at + 4].copy_from_slice(&length.to_le_bytes()[..4]);
        assert_eq!(Head::parse(head).unwrap().rest(), None, "{length}");
        head[at..at + 4].fill(0);
    }
    assert!(Head::parse(*b"HTTP/1.1 200 OK\r").is_none());
}

/// Asks a message everything that we ever ask one.
fn read(head: [u8; HEAD_BYTES], rest: &[u8]) {
    let Some(head) = Head::parse(head) else { return };
    let Some(length) = head.rest() else { return };
    let rest = &rest[..length.min(rest.len())];
    if let Ok(Some(message)) = Message::parse(head, rest.to_vec()) {
        message.refusal();
        message.property();
        // Each has four texts of five bytes at least, and three more.
        assert!(message.units().is_none_or(|units| units.len() <= rest.len() / 40));
    }
}

proptest! {
    #[test]
    fn no_bytes_panic(head in any::<[u8; HEAD_BYTES]>(), rest in proptest::collection::vec(any::<u8>(), 0..200)) {
        read(head, &rest);
    }

    #[test]
    fn no_change_of_a_real_message_panics(
        changes in proptest::collection::vec((0..RECORDED.len(), any::<u8>()), 1..8),
        end in 0..=RECORDED.len(),
    ) {
        let mut bytes = RECORDED.to_vec();
        for (place, byte) in changes {
            bytes[place] = byte;
        }
        let mut bytes = &bytes[..end];
        while let Some((head, rest)) = bytes.split_first_chunk() {
            read(*head, rest);
            let length = Head::parse(*head).and_then(Head::rest).unwrap_or(rest.len()).min(rest.len());
            bytes = &rest[length..];
        }
    }
}
