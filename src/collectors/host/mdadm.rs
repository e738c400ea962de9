//! Arrays of Linux' software RAID, from `/proc/mdstat` and `/sys/block/*/md`; the format is that of the kernel's
//! `md_seq_show` and md(4).

use super::source::{Buffer, Folder, Hole, Source};
use crate::snapshot::Snapshot;

crate::metrics! {
    DropIn as METRICS;
    /// Disks of a RAID array by what they do; a failed one, or fewer active ones than required, is to be replaced.
    DISKS = Gauge("node_md_disks", None, ["device", "state"]);
    /// Disks that a RAID array needs to be whole.
    REQUIRED = Gauge("node_md_disks_required", None, ["device"]);
    /// 1 for what a RAID array is doing, 0 for all else; `resync` also while it waits for its turn.
    STATE = Gauge("node_md_state", None, ["device", "state"]);
    /// Size of a RAID array, in blocks of 1,024 bytes.
    BLOCKS = Gauge("node_md_blocks", None, ["device"]);
    /// Blocks of 1,024 bytes that the present recovery, resync, check or reshape has done; all of them when there is none.
    SYNCED = Gauge("node_md_blocks_synced", None, ["device"]);
    /// Disks that a RAID array is made of, by sysfs.
    RAID_DISKS = Gauge("node_md_raid_disks", None, ["device"]);
    /// Disks that a RAID array lacks, by sysfs; 0 for kinds that cannot lack one.
    DEGRADED = Gauge("node_md_degraded", None, ["device"]);
}

/// The most arrays that are shown.
const ARRAYS: usize = 256;

/// The values of `state`.
const STATES: [&str; 5] = ["active", "check", "inactive", "recovering", "resync"];

/// What the kernel says it is doing, and the state that this is. A reshape has none of its own.
const ACTIONS: [(&str, &str); 4] =
    [("recovery", "recovering"), ("check", "check"), ("resync", "resync"), ("reshape", "active")];

/// Reads and reports; a kernel without software RAID has nothing to read.
pub(super) fn collect(source: &mut Source, out: &mut Snapshot) -> Result<(), Hole> {
    let text = source.proc.read("mdstat", &mut source.buffer)?.to_owned();
    let block = source.sys.folder("block").ok();
    for array in arrays(&text).take(ARRAYS) {
        let array = array?;
        array.report(out);
        if let Some(folder) = block.as_ref().filter(|_| array.runs) {
            report_sysfs(array.name, folder, &mut source.buffer, out);
        }
    }
    Ok(())
}

fn report_sysfs(name: &str, block: &Folder, buffer: &mut Buffer, out: &mut Snapshot) {
    // The name is part of a path.
    if name.contains('/') {
        return;
    }
    let Ok(folder) = block.folder(&format!("{name}/md")) else { return };
    // While an array grows, the old number follows in brackets.
    let disks = folder.property("raid_disks", buffer).and_then(|text| text.split(' ').next()?.parse::<u32>().ok());
    if let Some(disks) = disks {
        out.push(&RAID_DISKS, [name], disks);
        out.push(&DEGRADED, [name], folder.number::<u32>("degraded", buffer).unwrap_or(0));
    }
}

/// An array as `/proc/mdstat` has it.
#[derive(Debug)]
struct Array<'a> {
    name: &'a str,
    runs: bool,
    state: &'static str,
    active: usize,
    failed: usize,
    spare: usize,
    required: usize,
    blocks: u64,
    synced: u64,
}

/// The arrays in a text, each a line and those that are indented below it.
fn arrays(text: &str) -> impl Iterator<Item = Result<Array<'_>, Hole>> {
    let is_head = |line: &str| {
        line.starts_with(|c: char| !c.is_whitespace())
            && !line.starts_with("Personalities")
            && !line.starts_with("unused")
    };
    let lines: Vec<_> = text.lines().collect();
    let heads = lines.iter().enumerate().filter(|(_, line)| is_head(line)).map(|(at, _)| at).collect::<Vec<_>>();
    heads.into_iter().map(move |at| {
        let below = lines[at + 1..].iter().copied().take_while(|line| line.starts_with([' ', '\t']));
        Array::parse(lines[at], below).ok_or_else(|| Hole::garbled("mdstat", lines[at]))
    })
}

impl<'a> Array<'a> {
    fn parse(head: &'a str, mut below: impl Iterator<Item = &'a str>) -> Option<Self> {
        let (name, rest) = head.split_once(" : ")?;
        let mut words = rest.split_ascii_whitespace().peekable();
        let runs = words.next()? == "active";
        // `(read-only)`, `(auto-read-only)`
        words.next_if(|word| word.starts_with('('));
        let level = if runs { words.next()? } else { "" };
        let disks: Vec<_> = words.filter(|word| word.contains('[')).collect();
        let marked = |mark: &str| disks.iter().filter(|disk| disk.contains(mark)).count();

        let status = below.next()?;
        let blocks = status.split_ascii_whitespace().next()?.parse().ok()?;
        let (required, active) = match level {
            "" => (0, 0),
            // They have no disk to lose, and so no figures of their own.
            "raid0" | "linear" => (disks.len(), disks.len()),
            _ => wanted_and_there(status)?,
        };
        let mut array = Self {
            name,
            runs,
            state: if runs { "active" } else { "inactive" },
            active,
            failed: marked("(F)"),
            spare: marked("(S)"),
            required,
            blocks,
            synced: blocks,
        };
        for line in below {
            if let Some((_, state)) = ACTIONS.iter().find(|(action, _)| is_about(line, action)) {
                array.state = state;
                // `resync=PENDING` and `resync=DELAYED` have done nothing yet.
                array.synced = done(line).unwrap_or(0);
            }
        }
        Some(array)
    }

    fn report(&self, out: &mut Snapshot) {
        for (state, disks) in [("active", self.active), ("failed", self.failed), ("spare", self.spare)] {
            out.push(&DISKS, [self.name, state], disks);
        }
        for state in STATES {
            out.push(&STATE, [self.name, state], self.state == state);
        }
        out.push(&REQUIRED, [self.name], self.required);
        out.push(&BLOCKS, [self.name], self.blocks);
        out.push(&SYNCED, [self.name], self.synced);
    }
}

/// `[3/2]` of a status line: how many disks there should be, and how many there are.
fn wanted_and_there(status: &str) -> Option<(usize, usize)> {
    let figures =
        status.split_ascii_whitespace().find_map(|word| word.strip_prefix('[')?.strip_suffix(']')?.split_once('/'));
    let (wanted, there) = figures?;
    Some((wanted.parse().ok()?, there.parse().ok()?))
}

/// Whether a line says how far this action is: `recovery =  8.5% (...)`, `resync=PENDING`.
fn is_about(line: &str, action: &str) -> bool {
    line.split_once(action).is_some_and(|(_, rest)| rest.trim_start().starts_with('='))
}

/// The first figure of `(8300480/97655072)`.
fn done(line: &str) -> Option<u64> {
    let (_, rest) = line.split_once('(')?;
    rest.split_once('/')?.0.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::collectors::host::source::tests::Machine;

    #[test]
    fn an_array_that_lost_a_disk_shows_it() {
        let machine = Machine::new(&[
            (
                "proc/mdstat",
                "Personalities : [raid1]\nmd0 : active (auto-read-only) raid1 sdb1[1] sda1[0](F) sdc1[2](S)\n      \
                 1000 blocks super 1.2 [2/1] [_U]\n      [>...]  recovery =  8.5% (85/1000) finish=1.0min speed=5K/sec\n      \
                 bitmap: 0/1 pages [0KB], 65536KB chunk\n\nunused devices: <none>\n",
            ),
            ("sys/block/md0/md/raid_disks", "2 (1)\n"),
            ("sys/block/md0/md/degraded", "1\n"),
        ]);
        expect_test::expect![[r#"
            node_md_blocks{device="md0"} 1000
            node_md_blocks_synced{device="md0"} 85
            node_md_degraded{device="md0"} 1
            node_md_disks{device="md0",state="active"} 1
            node_md_disks{device="md0",state="failed"} 1
            node_md_disks{device="md0",state="spare"} 1
            node_md_disks_required{device="md0"} 2
            node_md_raid_disks{device="md0"} 2
            node_md_state{device="md0",state="active"} 0
            node_md_state{device="md0",state="check"} 0
            node_md_state{device="md0",state="inactive"} 0
            node_md_state{device="md0",state="recovering"} 1
            node_md_state{device="md0",state="resync"} 0
        "#]]
        .assert_eq(&machine.found_by(collect));
    }

    #[test]
    fn a_reshape_is_work_of_an_active_array_and_what_waits_has_done_nothing() {
        let text = "md5 : active raid10 sda[0] sdb[1]\n  90 blocks [2/2] [UU]\n  [>..]  reshape = 10.0% (9/90) finish=1min\n\n\
                    md6 : active raid1 sda[0] sdb[1]\n  90 blocks [2/2] [UU]\n  \tresync=PENDING\n\n";
        let found: Vec<_> = arrays(text).map(|array| array.unwrap()).map(|a| (a.name, a.state, a.synced)).collect();
        assert_eq!(found, [("md5", "active", 9), ("md6", "resync", 0)]);
    }

    #[test]
    fn an_array_that_is_not_understood_is_a_failure_and_no_array_is_none() {
        let garbled = Machine::new(&[("proc/mdstat", "md0 : active raid1 sda[0]\n  90 blocks\n")]);
        assert!(matches!(collect(&mut garbled.source(), &mut Snapshot::default()), Err(Hole::Failed(_))));
        let none = Machine::new(&[("proc/mdstat", "Personalities : \nunused devices: <none>\n")]);
        assert_eq!(none.found_by(collect), "");
        assert!(matches!(collect(&mut Machine::new(&[]).source(), &mut Snapshot::default()), Err(Hole::Missing)));
    }
}
