//! All that was measured in one run, as a chapter in Markdown.

use std::fmt;
use std::time::Duration;

use crate::asked::{Asked, COUNTED};
use crate::contender::Contender;
use crate::cost::{Cost, FORMS, Scrape};
use crate::coverage::Coverage;
use crate::crowd::{Crowd, SCRAPERS, WAVES};
use crate::machine::Machine;
use crate::promise::verdicts;
use crate::promises::CROWD_MEGABYTES;
use crate::start::Start;
use crate::table::Table;

/// What was measured; the lists have one entry for each contender, of which the last two are ours.
pub(crate) struct Report {
    pub(crate) machine: Machine,
    pub(crate) servers: String,
    pub(crate) scrapes: usize,
    pub(crate) contenders: Vec<Contender>,
    pub(crate) costs: Vec<Cost>,
    pub(crate) asked: Vec<Asked>,
    pub(crate) coverage: Vec<Coverage>,
    pub(crate) crowds: Vec<Crowd>,
    pub(crate) starts: [Start; 3],
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Machine { date, processors, kernel, debian, load } = &self.machine;
        writeln!(f, "Measured on {date}: {processors}, Linux {kernel}, {debian}; load before the run {load}.")?;
        writeln!(f, "Servers: {}. {} scrapes of each exporter in each form.\n", self.servers, self.scrapes)?;
        writeln!(f, "## Promises\n\n{}", verdicts(self.promises()))?;
        writeln!(f, "## Weight\n\n{}", self.weight())?;
        writeln!(f, "## A scrape\n")?;
        for (form, how) in FORMS.iter().enumerate() {
            writeln!(f, "{}:\n\n{}", how.name, self.scrape(form))?;
        }
        writeln!(f, "## What the servers are asked\n\n{}", self.servers_are_asked())?;
        writeln!(f, "## What it gives\n\n{}", self.families())?;
        let beyond = self.coverage.last().map_or(0, |coverage| coverage.beyond);
        writeln!(f, "{beyond} families of Vitrin's no peer of the table has.\n")?;
        writeln!(f, "## Start\n\n{}", self.starts())?;
        write!(f, "## {SCRAPERS} scrapes at once\n\n{}", self.crowd())
    }
}

impl Report {
    /// The peers of each generation, by their index.
    pub(crate) fn generations(&self) -> Vec<Vec<usize>> {
        let mut all: Vec<usize> = (0..self.contenders.len()).collect();
        all.truncate(self.contenders.len() - 2);
        let same = |a: &usize, b: &usize| self.contenders[*a].generation == self.contenders[*b].generation;
        all.chunk_by(same).map(<[usize]>::to_vec).collect()
    }

    /// Ours with every collector.
    pub(crate) fn everything(&self) -> (&Contender, &Cost) {
        self.contenders.last().zip(self.costs.last()).expect("ours takes part")
    }

    /// A table of costs: a row for each exporter, for each generation together, and for theirs by ours.
    fn beside(&self, head: &[&str], cells: impl Fn(u64, &Cost) -> Vec<(f64, usize)>) -> Table {
        let mut table = Table::new(head);
        let text = |(figure, digits): (f64, usize)| format!("{figure:.digits$}");
        let of = |index: usize| cells(self.contenders[index].program, &self.costs[index]);
        let ours = [self.contenders.len() - 2, self.contenders.len() - 1];
        let mut ratios = Vec::new();
        for peers in self.generations() {
            for &peer in &peers {
                table.row(&self.contenders[peer].name, of(peer).into_iter().map(text));
            }
            let generation = self.contenders[peers[0]].generation.as_deref().unwrap_or_default();
            let program = peers.iter().map(|&peer| self.contenders[peer].program).sum();
            let together = cells(program, &self.sum(&peers));
            table.row(&format!("**together: {generation}**"), together.iter().copied().map(text));
            for index in ours {
                let theirs_by_ours = together.iter().zip(of(index)).map(|((theirs, _), (ours, _))| theirs / ours);
                let name = format!("together ({generation}) by {}", self.contenders[index].name);
                ratios.push((name, theirs_by_ours.map(|ratio| format!("{ratio:.1}×")).collect::<Vec<_>>()));
            }
        }
        for index in ours {
            table.row(&format!("**{}**", self.contenders[index].name), of(index).into_iter().map(text));
        }
        for (name, cells) in ratios {
            table.row(&name, cells);
        }
        table
    }

    fn weight(&self) -> Table {
        self.beside(&["exporter", "program MB", "RSS MB", "of it anonymous"], |program, cost| {
            [program, cost.rss, cost.anonymous].map(|bytes| (megabytes(bytes), 1)).into()
        })
    }

    fn scrape(&self, form: usize) -> Table {
        self.beside(&["exporter", "CPU ms", "p50 ms", "p99 ms", "kB"], |_, cost| {
            let Scrape { cpu, p50, p99, bytes } = cost.scrapes[form];
            let times = [cpu, p50, p99].map(|time| (milliseconds(time), 2));
            times.into_iter().chain([(megabytes(bytes as u64) * 1e3, 1)]).collect()
        })
    }

    fn servers_are_asked(&self) -> Table {
        let head = ["exporter"].into_iter().chain(COUNTED).chain(["CPU ms of the database", "of Redis"]);
        let mut table = Table::new(&head.collect::<Vec<_>>());
        for (contender, Asked { counts, cpu }) in self.contenders.iter().zip(&self.asked) {
            let counts = counts.iter().map(|count| format!("{count:.1}"));
            let cpu = cpu.iter().map(|time| format!("{:.2}", milliseconds(*time)));
            table.row(&contender.name, counts.chain(cpu));
        }
        table
    }

    fn families(&self) -> Table {
        let mut table = Table::new(&[
            "exporter",
            "families",
            "series",
            "not about itself: families",
            "series",
            "of these Vitrin has: families",
            "with series",
        ]);
        for (contender, coverage) in self.contenders.iter().zip(&self.coverage) {
            let Coverage { families, series, others, ours, .. } = coverage;
            let counts = [*families, *series, others.families, others.series, ours.families, ours.series];
            // Ours beside itself says nothing.
            let known = if contender.generation.is_some() { counts.len() } else { 4 };
            let cells = counts.iter().enumerate();
            table.row(
                &contender.name,
                cells.map(|(index, count)| if index < known { count.to_string() } else { String::new() }),
            );
        }
        table
    }

    fn starts(&self) -> Table {
        let mut table = Table::new(&["from start to the last byte of the first page", "median ms", "worst ms"]);
        for start in &self.starts {
            table.row(start.configured, [start.median, start.worst].map(|time| format!("{:.1}", milliseconds(time))));
        }
        table
    }

    fn crowd(&self) -> Table {
        let answered = format!("answered with data, of {WAVES} × {SCRAPERS}");
        let growth = format!("growth of RSS at its peak, MB (goal: {CROWD_MEGABYTES})");
        let mut table = Table::new(&["exporter", &answered, &growth]);
        for (contender, crowd) in self.contenders.iter().zip(&self.crowds) {
            let growth = crowd.growth.map_or("it ended".to_owned(), |growth| format!("{:.1}", megabytes(growth)));
            table.row(&contender.name, [crowd.answered.to_string(), growth]);
        }
        table
    }
}

pub(crate) fn milliseconds(time: Duration) -> f64 {
    time.as_secs_f64() * 1e3
}

#[expect(clippy::cast_precision_loss, reason = "for people to read")]
pub(crate) fn megabytes(bytes: u64) -> f64 {
    bytes as f64 / 1e6
}
