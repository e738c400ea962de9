//! What a scrape costs the servers behind the exporters, as those count it themselves.

use std::time::Duration;

use crate::contender::Contender;
use crate::support::mariadb::block_on;
use crate::support::process;
use crate::support::stack::Stack;

/// What is counted, in the order of [`Asked::counts`].
pub(crate) const COUNTED: [&str; 7] =
    ["statements", "connections", "tables on disk", "Redis commands", "connections", "nginx requests", "connections"];

/// The database's names of the first three.
const STATUS: [&str; 3] = ["Questions", "Connections", "Created_tmp_disk_tables"];

/// What one scrape asks of the servers.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Asked {
    /// One for each of [`COUNTED`].
    pub(crate) counts: [f64; COUNTED.len()],
    /// Processor time of the database and of Redis.
    pub(crate) cpu: [Duration; 2],
}

/// Scrapes one exporter alone, so that all that is counted is its doing.
pub(crate) fn by(contender: &Contender, stack: &Stack, scrapes: usize) -> Asked {
    // What reading the counters itself adds to them.
    let [first, second] = [counters(stack), counters(stack)];
    let own: [f64; COUNTED.len()] = std::array::from_fn(|index| second[index] - first[index]);
    let servers = [stack.database().daemon.pid(), stack.redis.daemon.pid()];
    let (before, used) = (counters(stack), servers.map(process::cpu));
    for _ in 0..scrapes {
        contender.scrape().unwrap();
    }
    let spent = servers.map(process::cpu);
    let after = counters(stack);
    let scrapes = u32::try_from(scrapes).expect("a few hundred");
    Asked {
        counts: std::array::from_fn(|index| (after[index] - before[index] - own[index]) / f64::from(scrapes)),
        cpu: std::array::from_fn(|index| spent[index].saturating_sub(used[index]) / scrapes),
    }
}

fn counters(stack: &Stack) -> [f64; COUNTED.len()] {
    let rows = block_on(stack.database().ask("SHOW GLOBAL STATUS"));
    let status = |name| rows.iter().find(|row| row[0] == name).map_or("0", |row| &row[1]).to_owned();
    let [statements, connections, tables] = STATUS.map(status);
    let [commands, clients] =
        ["total_commands_processed", "total_connections_received"].map(|field| stack.redis.info(field));
    let [accepted, requests] = stub_status(stack);
    let counted = [statements, connections, tables, commands, clients, requests, accepted];
    counted.map(|count| count.trim().parse().unwrap())
}

/// How many connections nginx has accepted, and how many requests.
fn stub_status(stack: &Stack) -> [String; 2] {
    let text = stack.nginx.get("/stub_status").text();
    // The third line: accepts handled requests.
    let numbers: Vec<_> = text.lines().nth(2).unwrap().split_whitespace().map(str::to_owned).collect();
    [numbers[0].clone(), numbers[2].clone()]
}
