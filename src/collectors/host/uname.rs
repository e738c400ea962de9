//! Kernel and names of the machine, from uname(2).

use super::source::{Hole, Source};
use crate::snapshot::Snapshot;

crate::metrics! {
    DropIn as METRICS;
    /// Kernel, architecture and names of the machine, as `uname` prints them.
    INFO = Gauge(
        "node_uname_info", None, ["sysname", "release", "version", "machine", "nodename", "domainname"]
    );
}

/// Asks and reports.
#[expect(clippy::unnecessary_wraps, reason = "all parts have one signature")]
pub(super) fn collect(_: &mut Source, out: &mut Snapshot) -> Result<(), Hole> {
    let name = rustix::system::uname();
    let texts = [name.sysname(), name.release(), name.version(), name.machine(), name.nodename(), name.domainname()]
        .map(|text| text.to_string_lossy());
    out.push(&INFO, texts.each_ref().map(AsRef::as_ref), true);
    Ok(())
}
