//! The evaluator against the kernel: two machines on one cable, each a network namespace. Under each ruleset the neighbour
//! really knocks, and what is judged must be what it finds.
//!
//! Needs root, and a kernel with network namespaces, veth and nf_tables.

use std::fmt::Write as _;
use std::io::{BufRead as _, BufReader, Write as _};
use std::net::IpAddr;
use std::os::unix::fs::symlink;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use super::admission::{Admission, Knock};
use super::judge::tests::seen;
use super::judge::{InFront, judge};
use super::listeners::listeners;
use super::ranges::Version;
use super::routing::{Routing, has_public_ipv6};
use super::*;
use crate::collector::Paths;
use crate::collectors::security::check::Check;
use crate::collectors::security::seen::Seen;
use crate::collectors::security::verdict::{Cause, State, Unknown, Verdicts};

/// Listens at the ports of a database and of Redis, and connects where it is told to: for each line of
/// `source address port` whether that worked.
const PYTHON: &str = r#"
import socket, sys, threading
kept = []
if sys.argv[1] == "listen":
    for port in (3306, 6379):
        for family, address in ((socket.AF_INET, "0.0.0.0"), (socket.AF_INET6, "::")):
            one = socket.socket(family)
            if family == socket.AF_INET6:
                one.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
            one.bind((address, port))
            one.listen(128)
            kept.append(one)
print("ready", flush=True)
def knock(answers, at, source, address, port):
    try:
        # The first SYN is sent again after a second.
        socket.create_connection((address, int(port)), 1.4, (source, 0)).close()
        answers[at] = "open"
    except OSError:
        answers[at] = "closed"
for line in sys.stdin:
    knocks = [one.split(" ") for one in line.strip().split(",")]
    answers = [""] * len(knocks)
    threads = [threading.Thread(target=knock, args=(answers, at, *one)) for at, one in enumerate(knocks)]
    for thread in threads: thread.start()
    for thread in threads: thread.join()
    print(",".join(answers), flush=True)
"#;

/// The machine with the firewall, its neighbour, and the neighbour whom the rules list.
const SERVER: [&str; 2] = ["192.0.2.1", "2001:db8::1"];
const STRANGER: [&str; 2] = ["192.0.2.2", "2001:db8::2"];
const LISTED: [&str; 2] = ["192.0.2.9", "2001:db8::9"];

/// A machine: a network namespace with a process in it, both of which end with this.
struct Host {
    process: Child,
    input: ChildStdin,
    output: BufReader<ChildStdout>,
}

impl Host {
    fn start(what: &str) -> Self {
        let mut process = Command::new("unshare")
            .args(["--net", "/usr/bin/python3", "-u", "-c", PYTHON, what])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("unshare is of the package util-linux");
        let input = process.stdin.take().unwrap();
        let output = BufReader::new(process.stdout.take().unwrap());
        // It listens before its interfaces are up, which is no matter to either.
        let mut host = Self { process, input, output };
        assert_eq!(host.line(), "ready", "a network namespace takes root, and /usr/bin/python3 the package python3");
        host
    }

    fn line(&mut self) -> String {
        let mut line = String::new();
        self.output.read_line(&mut line).unwrap();
        line.trim_end().to_owned()
    }

    /// Runs a program in its namespace.
    fn run(&self, words: &str, input: &str) -> String {
        let mut words = words.split(' ');
        let program = words.next().unwrap();
        let mut child = Command::new("nsenter")
            .arg(format!("--net=/proc/{}/ns/net", self.process.id()))
            .arg(program)
            .args(words.clone())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("nsenter is of the package util-linux");
        child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
        let output = child.wait_with_output().unwrap();
        let errors = String::from_utf8_lossy(&output.stderr);
        assert!(
            output.status.success(),
            "{program} (packages nftables, iptables, iproute2) {words:?}: {errors}{input}"
        );
        String::from_utf8(output.stdout).unwrap()
    }

    /// Which of these connections work.
    fn connects(&mut self, knocks: &[(&str, &str, u16)]) -> Vec<bool> {
        let mut line = String::new();
        for (source, address, port) in knocks {
            let comma = if line.is_empty() { "" } else { "," };
            write!(line, "{comma}{source} {address} {port}").unwrap();
        }
        writeln!(self.input, "{line}").unwrap();
        let answers = self.line();
        let answers: Vec<_> = answers.split(',').map(|answer| answer == "open").collect();
        assert_eq!(answers.len(), knocks.len());
        answers
    }
}

impl Drop for Host {
    fn drop(&mut self) {
        drop(self.process.kill());
        drop(self.process.wait());
    }
}

/// The two on one cable.
fn cabled() -> (Host, Host) {
    let (server, neighbour) = (Host::start("listen"), Host::start("knock"));
    let peer = neighbour.process.id();
    server.run(&format!("ip link add veth0 type veth peer name veth1 netns {peer}"), "");
    for (host, cable, addresses) in [(&server, "veth0", &[SERVER][..]), (&neighbour, "veth1", &[STRANGER, LISTED])] {
        host.run("ip link set lo up", "");
        for [v4, v6] in addresses {
            host.run(&format!("ip address add {v4}/24 dev {cable}"), "");
            host.run(&format!("ip address add {v6}/64 dev {cable} nodad"), "");
        }
        host.run(&format!("ip link set {cable} up"), "");
    }
    server.run(&format!("ip route add default via {}", STRANGER[0]), "");
    server.run(&format!("ip -6 route add default via {}", STRANGER[1]), "");
    (server, neighbour)
}

/// What is seen of the server.
fn look(server: &Host) -> Seen {
    let folder = tempfile::tempdir().unwrap();
    symlink(format!("/proc/{}/net", server.process.id()), folder.path().join("net")).unwrap();
    let paths = Paths { proc: folder.path().to_owned(), ..Paths::default() };
    let print = |program: &str| server.run(program, "");
    let ruleset =
        Ruleset::parse(&print("nft -j list ruleset"), Some(&print("iptables-save")), Some(&print("ip6tables-save")));
    Seen {
        listeners: listeners(&paths),
        routing: Routing::look(&paths),
        has_public_ipv6: has_public_ipv6(&paths),
        ..seen(ruleset, "")
    }
}

/// A firewall's rules.
enum Rules {
    Nft(&'static str),
    /// For both, with `ICMP` in place of the protocol that finds neighbours.
    Iptables(&'static str),
}

const NATIVE: &str = "table inet filter { chain input { type filter hook input priority 0; policy drop
    iif lo accept
    ct state vmap { established : accept, related : accept, invalid : drop }
    meta l4proto { icmp, ipv6-icmp } accept
    tcp dport { 22, 443 } accept
    }
    }";

const LISTS: &str = "table inet filter {
    set office { type ipv4_addr; flags interval; elements = { 192.0.2.8/30 }
    }
    chain input { type filter hook input priority 0; policy drop
    iif lo accept
    ct state established,related accept
    meta l4proto ipv6-icmp accept
    ip saddr @office tcp dport 6379 accept
    tcp flags & (fin|syn|rst|ack) == syn tcp dport vmap { 3306 : jump database }
    }
    chain database { ip saddr 192.0.2.2 return
    accept
    }
    }";

const CHAINS: &str = "table inet early { chain input { type filter hook input priority -10; policy drop; accept
    }
    }
    table ip late { chain input { type filter hook input priority 10; policy accept
    iifname \"veth*\" tcp dport 6000-7000 reject
    }
    }";

const REDIRECT: &str = "table inet nat { chain prerouting { type nat hook prerouting priority dstnat; policy accept
    tcp dport 13306 redirect to :3306
    }
    chain input { type filter hook input priority 0; policy drop
    iif lo accept
    ct state established,related accept
    meta l4proto ipv6-icmp accept
    ct status dnat tcp dport 3306 accept
    }
    }";

const UFW: &str = "*filter
:INPUT DROP [0:0]
:FORWARD DROP [0:0]
:OUTPUT ACCEPT [0:0]
:ufw-before-input - [0:0]
:ufw-not-local - [0:0]
:ufw-user-input - [0:0]
:ufw-user-limit - [0:0]
:ufw-user-limit-accept - [0:0]
-A INPUT -j ufw-before-input
-A ufw-before-input -i lo -j ACCEPT
-A ufw-before-input -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT
-A ufw-before-input -m conntrack --ctstate INVALID -j DROP
-A ufw-before-input -p ICMP -j ACCEPT
-A ufw-before-input -j ufw-not-local
-A ufw-before-input -j ufw-user-input
-A ufw-not-local -m addrtype --dst-type LOCAL -j RETURN
-A ufw-not-local -m limit --limit 3/min --limit-burst 10 -j RETURN
-A ufw-not-local -j DROP
-A ufw-user-input -p tcp -m multiport --dports PORTS -j ACCEPT
-A ufw-user-limit -j REJECT
-A ufw-user-limit-accept -j ACCEPT
COMMIT
";

#[test]
fn what_is_judged_is_what_a_neighbour_finds() {
    let (server, mut neighbour) = cabled();
    let open_redis = UFW.replace("PORTS", "22,443,6000:7000").leak();
    let closed = UFW.replace("PORTS", "22,80,443").leak();
    for (name, rules, expected) in [
        ("none", Rules::Nft(""), [State::Fail, State::Fail]),
        ("native", Rules::Nft(NATIVE), [State::Pass, State::Pass]),
        ("lists", Rules::Nft(LISTS), [State::Fail, State::Pass]),
        ("chains", Rules::Nft(CHAINS), [State::Fail, State::Fail]),
        ("redirect", Rules::Nft(REDIRECT), [State::Fail, State::Pass]),
        ("ufw, closed", Rules::Iptables(closed), [State::Pass, State::Pass]),
        ("ufw, Redis open", Rules::Iptables(open_redis), [State::Pass, State::Fail]),
    ] {
        server.run("nft flush ruleset", "");
        match rules {
            Rules::Nft(rules) => drop(server.run("nft -f -", rules)),
            Rules::Iptables(rules) => {
                server.run("iptables-restore", &rules.replace("ICMP", "icmp"));
                server.run("ip6tables-restore", &rules.replace("ICMP", "ipv6-icmp"));
            }
        }
        let seen = look(&server);
        let (facts, routing) = (seen.facts.as_ref().unwrap(), seen.routing.as_ref().unwrap());
        let ruleset = facts.ruleset.as_ref().unwrap();
        assert_eq!(routing.uplinks(), ["veth0"]);
        let mut knocks = Vec::new();
        for (version, at) in Version::ALL.into_iter().zip(0..) {
            for port in [3306, 6379, 13_306] {
                knocks.push((STRANGER[at], SERVER[at], port, version, false));
                knocks.push((LISTED[at], SERVER[at], port, version, true));
            }
        }
        let asked: Vec<_> = knocks.iter().map(|(source, address, port, ..)| (*source, *address, *port)).collect();
        let mut reached = [false, false];
        for ((source, _, port, version, is_listed), connects) in knocks.into_iter().zip(neighbour.connects(&asked)) {
            if port == 13_306 && name != "redirect" {
                assert!(!connects, "nobody listens there");
                continue;
            }
            let source: IpAddr = source.parse().unwrap();
            let admission = ruleset.admits(routing, Knock { version, port, destination: None }).unwrap();
            let is_admitted = match &admission {
                // `lists` turns away one address where it lets everybody else in.
                Admission::Anybody => is_listed || name != "lists" || (version, port) != (Version::V4, 3306),
                Admission::Only(listed) => listed.networks.iter().any(|range| range.contains(source)),
                Admission::Nobody => false,
            };
            assert_eq!(is_admitted, connects, "{name}: {source} to {port}, {admission:?}");
            reached[usize::from(port == 6379)] |= connects && admission == Admission::Anybody;
        }
        let mut verdicts = Verdicts::new();
        judge(&seen, &nobody(), &mut verdicts);
        let states = [Check::Fw03, Check::Fw04].map(|check| verdicts[&check].state);
        assert_eq!(states, expected, "{name}: {verdicts:#?}");
        assert_eq!(states.map(|state| state == State::Fail), reached, "{name}");
    }
}

/// The route to one's own address is by the loopback, which every firewall accepts: who asks there learns nothing of it.
#[test]
fn a_machine_reaches_its_own_closed_port() {
    let (mut server, mut neighbour) = cabled();
    server.run("nft -f -", NATIVE);
    assert_eq!(server.connects(&[(SERVER[0], SERVER[0], 3306)]), [true]);
    assert_eq!(neighbour.connects(&[(STRANGER[0], SERVER[0], 3306)]), [false]);
    let mut verdicts = Verdicts::new();
    judge(&look(&server), &nobody(), &mut verdicts);
    assert_eq!(verdicts[&Check::Fw03].state, State::Pass, "{verdicts:#?}");
}

/// No nginx is looked at here.
fn nobody() -> Known<InFront> {
    Err(Unknown::new(Cause::Unsupported, "no nginx is looked at here"))
}
