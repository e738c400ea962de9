//! Name servers: what they answer, by UDP and by TCP, and who else might.

use std::net::UdpSocket;
use std::thread;

use super::{assert_ended, probe, well};
use crate::support::daemon::free_port;
use crate::support::dnsmasq::Dnsmasq;
use crate::support::found::Found;

fn server() -> Dnsmasq {
    let long = "txt-record=long.example,".to_owned() + &vec!["x".repeat(200); 5].join(",");
    Dnsmasq::start(&[
        "host-record=shop.example,203.0.113.7,2001:db8::7",
        "host-record=pool.example,203.0.113.9",
        "host-record=pool.example,203.0.113.8",
        "cname=www.shop.example,shop.example",
        "mx-host=shop.example,mail.shop.example,10",
        "txt-record=shop.example,v=spf1 -all",
        "caa-record=shop.example,0,issue,letsencrypt.org",
        "local=/shop.example/",
        &long,
    ])
}

fn ask(server: &Dnsmasq, question: &str) -> vitrin::collectors::probe::Probe {
    probe(&format!("dns = {{ server = '127.0.0.1:{}', {question} }}", server.port))
}

#[tokio::test]
async fn each_kind_of_record_is_looked_up_and_compared() {
    let server = server();
    for question in [
        "name = 'shop.example', expect = ['203.0.113.7']",
        "name = 'SHOP.example.', type = 'AAAA', expect = ['2001:DB8:0::7']",
        "name = 'www.shop.example', type = 'CNAME', expect = ['Shop.Example.']",
        "name = 'shop.example', type = 'MX', expect = ['10 mail.shop.example.']",
        "name = 'shop.example', type = 'TXT', expect = ['v=spf1 -all']",
        "name = 'shop.example', type = 'CAA', expect = ['0 issue \"letsencrypt.org\"']",
        "name = 'www.shop.example', tcp = true",
        "name = 'pool.example', expect = ['203.0.113.8', '203.0.113.9']",
    ] {
        let found = well(Found::by(&ask(&server, question)).await);
        assert_eq!(found.number("probe_dns_query_succeeded", &[]), 1.0, "{question}");
        assert!(found.number("probe_dns_answer_rrs", &[]) >= 1.0, "{question}");
        for phase in ["resolve", "connect", "request"] {
            assert!(found.number("probe_dns_duration_seconds", &[("phase", phase)]) >= 0.0, "{question}");
        }
    }
}

#[tokio::test]
async fn an_answer_that_does_not_fit_is_fetched_by_tcp() {
    let found = well(Found::by(&ask(&server(), "name = 'long.example', type = 'TXT'")).await);
    assert_eq!(found.number("probe_dns_answer_rrs", &[]), 1.0);
}

#[tokio::test]
async fn what_is_not_there_or_otherwise_says_what_there_is() {
    let server = server();
    for (question, result, reason, says) in [
        ("name = 'no.shop.example'", "dns", "protocol", "the answer is NXDOMAIN"),
        ("name = 'elsewhere.test'", "dns", "protocol", "the answer is REFUSED"),
        ("name = 'pool.example', expect = ['203.0.113.8']", "content", "protocol", "not `203.0.113.8`"),
    ] {
        let ended = Found::down(&ask(&server, question)).await;
        assert_ended(&ended, result, reason, says);
        assert_eq!(ended.0.number("probe_dns_query_succeeded", &[]), 1.0);
    }
    let ended = Found::down(&ask(&server, "name = 'pool.example', type = 'AAAA'")).await;
    assert_eq!(ended.1.reason.as_str(), "protocol", "{}", ended.1);
}

#[tokio::test]
async fn a_serial_number_is_the_zones() {
    let zone = ["auth-server=ns.zone.example,127.0.0.1", "auth-zone=zone.example,192.0.2.0/24", "auth-soa=4711"];
    let found = Found::by(&ask(&Dnsmasq::start(&zone), "name = 'zone.example', type = 'SOA'")).await;
    assert_eq!(well(found).number("probe_dns_serial", &[]), 4711.0);
}

#[tokio::test]
async fn whoever_does_not_know_the_question_is_not_believed() {
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    let port = socket.local_addr().unwrap().port();
    let forger = thread::spawn(move || {
        let mut packet = [0; 512];
        let (length, asker) = socket.recv_from(&mut packet).unwrap();
        let mut answer = packet[..length].to_vec();
        // Nonsense; a right answer but for its id; then one to another question; then none at all.
        let nonsense = [!answer[0], !answer[1], 0x80, 0, 0xff, 0xff, 0xff, 0xff];
        socket.send_to(&nonsense, asker).unwrap();
        answer[2] |= 0x80;
        answer[0] ^= 1;
        socket.send_to(&answer, asker).unwrap();
        answer[0] ^= 1;
        answer[13] ^= 1;
        socket.send_to(&answer, asker).unwrap();
        socket
    });
    let keys = format!("dns = {{ server = '127.0.0.1:{port}', name = 'shop.example' }}\ntimeout = '500ms'");
    let ended = Found::down(&probe(&keys)).await;
    drop(forger.join().unwrap());
    assert_ended(&ended, "timeout", "timeout", "no answer");
    assert_eq!(ended.0.number("probe_dns_query_succeeded", &[]), 0.0);
}

#[tokio::test]
async fn a_port_without_a_name_server_refuses() {
    let keys = format!("dns = {{ server = '127.0.0.1:{}', name = 'shop.example' }}", free_port());
    assert_ended(&Found::down(&probe(&keys)).await, "connect", "connect", "Connection refused");
}
