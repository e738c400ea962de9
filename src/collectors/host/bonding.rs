//! Bonded network interfaces, from `/sys/class/net/*/bonding`.

use super::source::{Hole, Source};
use crate::snapshot::Snapshot;

crate::metrics! {
    DropIn as METRICS;
    /// Members of each bonded interface.
    MEMBERS = Gauge("node_bonding_slaves", None, ["master"]);
    /// Members of each bonded interface whose link is up; fewer than there are is a lost cable or switch.
    ACTIVE = Gauge("node_bonding_active", None, ["master"]);
}

/// Reads and reports; without the bonding module there is nothing.
pub(super) fn collect(source: &mut Source, out: &mut Snapshot) -> Result<(), Hole> {
    let class = source.sys.folder("class/net")?;
    let bonds = class.read("bonding_masters", &mut source.buffer)?.to_owned();
    for bond in bonds.split_ascii_whitespace() {
        let members = class.property(&format!("{bond}/bonding/slaves"), &mut source.buffer).unwrap_or_default();
        let members: Vec<_> = members.split_ascii_whitespace().map(str::to_owned).collect();
        let is_up = |member: &&String| {
            // The link's name in the bond's folder depends on the kernel's version.
            ["lower_", "slave_"].iter().any(|prefix| {
                let file = format!("{bond}/{prefix}{member}/bonding_slave/mii_status");
                class.property(&file, &mut source.buffer) == Some("up")
            })
        };
        let active = members.iter().filter(is_up).count();
        out.push(&MEMBERS, [bond], members.len());
        out.push(&ACTIVE, [bond], active);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::collectors::host::source::tests::Machine;

    #[test]
    fn a_member_without_a_link_is_not_active() {
        let machine = Machine::new(&[
            ("sys/class/net/bonding_masters", "bond0 dmz\n"),
            ("sys/class/net/bond0/bonding/slaves", "eth0 eth1\n"),
            ("sys/class/net/bond0/lower_eth0/bonding_slave/mii_status", "up\n"),
            ("sys/class/net/bond0/slave_eth1/bonding_slave/mii_status", "down\n"),
            ("sys/class/net/dmz/bonding/slaves", "\n"),
        ]);
        expect_test::expect![[r#"
            node_bonding_active{master="bond0"} 1
            node_bonding_active{master="dmz"} 0
            node_bonding_slaves{master="bond0"} 2
            node_bonding_slaves{master="dmz"} 0
        "#]]
        .assert_eq(&machine.found_by(collect));
        assert!(matches!(collect(&mut Machine::new(&[]).source(), &mut Snapshot::default()), Err(Hole::Missing)));
    }
}
