//! Ports: whether they take a connection, and say what they should.

use super::{assert_ended, probe, well};
use crate::support::broken::{Answer, Broken, refusing};
use crate::support::found::Found;
use crate::support::nginx::Nginx;
use crate::support::redis::RedisServer;

#[tokio::test]
async fn a_port_that_takes_connections_is_enough_when_nothing_else_is_asked() {
    let silent = Broken::tcp(Answer::silence());
    let found = well(Found::by(&probe(&format!("tcp = '{}'", silent.address()))).await);
    assert_eq!(found.number("probe_ip_protocol", &[]), 4.0);
    let ended = Found::down(&probe(&format!("tcp = '{}'", refusing()))).await;
    assert_ended(&ended, "connect", "connect", "Connection refused");
}

#[tokio::test]
async fn a_conversation_goes_step_by_step() {
    let redis = RedisServer::start(&[]);
    let steps =
        "steps = [{ send = \"PING\\r\\n\" }, { expect = '^\\+PONG' }, { send = \"ECHO a\\r\\n\" }, { expect = '^a' }]";
    well(Found::by(&probe(&format!("tcp = '127.0.0.1:{}'\n{steps}", redis.port))).await);
}

#[tokio::test]
async fn what_is_not_said_is_told_apart() {
    let at = async |answer: Answer| {
        let server = Broken::tcp(answer.unasked());
        let keys = format!("tcp = '{}'\nsteps = [{{ expect = '^220 ' }}]\ntimeout = '500ms'", server.address());
        Found::down(&probe(&keys)).await
    };
    let other = at(Answer::then_close(b"554 go away\r\n")).await;
    assert_ended(&other, "content", "protocol", "did not say `^220 `");
    assert_eq!(other.0.number("probe_failed_due_to_regex", &[]), 1.0);
    assert_ended(&at(Answer::then_close(b"")).await, "protocol", "protocol", "closed the connection");
    assert_ended(&at(Answer::then_silence(b"22")).await, "timeout", "timeout", "waiting for `^220 ` (step 1)");
    assert_ended(&at(Answer::endless(b"", b"x")).await, "limit", "limit", "64 KiB were said without");
}

#[tokio::test]
async fn an_encrypted_port_is_inspected() {
    let plain = Nginx::start("");
    let ended = Found::down(&probe(&format!("tls = '127.0.0.1:{}'", plain.port))).await;
    assert_ended(&ended, "tls", "tls", "agreeing on TLS with 127.0.0.1:");
}
