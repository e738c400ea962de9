//! State and settings of each network interface, from `/sys/class/net`.

use super::source::{Buffer, Folder, Hole, Source};
use crate::metric::Metric;
use crate::snapshot::{Number, Snapshot};

crate::metrics! {
    DropIn as METRICS;
    /// How the interface got its hardware address: 0 permanent, 1 random, 2 taken from another, 3 set.
    ADDRESS_ASSIGN_TYPE = Gauge("node_network_address_assign_type", None, ["device"]);
    /// Whether the link is there: a cable, or the other end of a virtual one.
    CARRIER = Gauge("node_network_carrier", None, ["device"]);
    /// How often the link came or went.
    CARRIER_CHANGES = Counter("node_network_carrier_changes_total", None, ["device"]);
    /// How often the link came.
    CARRIER_UP_CHANGES = Counter("node_network_carrier_up_changes_total", None, ["device"]);
    /// How often the link went.
    CARRIER_DOWN_CHANGES = Counter("node_network_carrier_down_changes_total", None, ["device"]);
    /// Number that tells interfaces with the same hardware address apart (`dev_id`).
    DEVICE_ID = Gauge("node_network_device_id", None, ["device"]);
    /// Whether the interface waits for something outside, 802.1X for example, before it carries packets.
    DORMANT = Gauge("node_network_dormant", None, ["device"]);
    /// Flags of the interface as in netdevice(7), the lowest bit being `IFF_UP`.
    FLAGS = Gauge("node_network_flags", None, ["device"]);
    /// Number of the interface in the kernel (`ifindex`).
    INDEX = Gauge("node_network_iface_id", None, ["device"]);
    /// Number of the interface that this one lies on (`iflink`); its own for a physical one.
    LINK = Gauge("node_network_iface_link", None, ["device"]);
    /// Link mode: 0 default, 1 dormant.
    LINK_MODE = Gauge("node_network_iface_link_mode", None, ["device"]);
    /// Largest packet the interface sends.
    MTU = Gauge("node_network_mtu_bytes", Bytes, ["device"]);
    /// How the interface got its name: 1 by the kernel, 2 predictable, 3 by a program, 4 renamed.
    NAME_ASSIGN_TYPE = Gauge("node_network_name_assign_type", None, ["device"]);
    /// Group of the interface (`netdev_group`).
    GROUP = Gauge("node_network_net_dev_group", None, ["device"]);
    /// Kind of hardware as ARP numbers it: 1 Ethernet, 772 loopback.
    PROTOCOL_TYPE = Gauge("node_network_protocol_type", None, ["device"]);
    /// Speed of the link in bytes a second; absent when the driver does not know it.
    SPEED = Gauge("node_network_speed_bytes", None, ["device"]);
    /// Packets that the transmit queue holds at most (`tx_queue_len`).
    QUEUE_LENGTH = Gauge("node_network_transmit_queue_length", None, ["device"]);
    /// Whether the interface is in operation (`operstate` is `up`).
    UP = Gauge("node_network_up", None, ["device"]);
    /// Addresses, state, duplex and alias of each interface.
    INFO = Gauge(
        "node_network_info", None, ["device", "address", "adminstate", "broadcast", "duplex", "ifalias", "operstate"]
    );
}

/// Files that hold one decimal number.
static NUMBERS: [(&str, &Metric<1>); 14] = [
    ("addr_assign_type", &ADDRESS_ASSIGN_TYPE),
    ("carrier", &CARRIER),
    ("carrier_changes", &CARRIER_CHANGES),
    ("carrier_up_count", &CARRIER_UP_CHANGES),
    ("carrier_down_count", &CARRIER_DOWN_CHANGES),
    ("dormant", &DORMANT),
    ("ifindex", &INDEX),
    ("iflink", &LINK),
    ("link_mode", &LINK_MODE),
    ("mtu", &MTU),
    ("name_assign_type", &NAME_ASSIGN_TYPE),
    ("netdev_group", &GROUP),
    ("type", &PROTOCOL_TYPE),
    ("tx_queue_len", &QUEUE_LENGTH),
];

/// Bytes a second in one Mbit/s, the unit of `speed`.
const MEGABIT: f64 = 125_000.0;

/// The bit of `flags` that the administrator sets: `IFF_UP`.
const ADMIN_UP: u64 = 1;

/// Reads and reports each interface.
pub(super) fn collect(source: &mut Source, out: &mut Snapshot) -> Result<(), Hole> {
    let class = source.sys.folder("class/net")?;
    for device in class.names()? {
        if source.config.wants_interface(&device)
            // `bonding_masters` is a file; an interface may also have gone since.
            && let Ok(folder) = class.folder(&device)
        {
            interface(&device, &folder, &mut source.buffer, out);
        }
    }
    Ok(())
}

fn interface(device: &str, folder: &Folder, buffer: &mut Buffer, out: &mut Snapshot) {
    for (file, metric) in NUMBERS {
        if let Some(number) = folder.number::<f64>(file, buffer) {
            out.push(metric, [device], number);
        }
    }
    if let Some(speed) = folder.number("speed", buffer).and_then(bytes_a_second) {
        out.push(&SPEED, [device], speed);
    }
    let flags = hexadecimal(folder, "flags", buffer);
    for (metric, number) in [(&FLAGS, flags), (&DEVICE_ID, hexadecimal(folder, "dev_id", buffer))] {
        if let Some(number) = number {
            out.push(metric, [device], number);
        }
    }
    let admin_state = match flags {
        Some(flags) if flags & ADMIN_UP != 0 => "up",
        Some(_) => "down",
        None => "",
    };
    let [address, broadcast, duplex, alias, state] = ["address", "broadcast", "duplex", "ifalias", "operstate"]
        .map(|file| folder.property(file, buffer).unwrap_or_default().to_owned());
    out.push(&UP, [device], state == "up");
    out.push(&INFO, [device, &address, admin_state, &broadcast, &duplex, &alias, &state], true);
}

/// The speed of a link from Mbit/s. A driver that does not know it says -1, or that as an unsigned number.
fn bytes_a_second(megabits: i64) -> Option<f64> {
    const UNKNOWN: [i64; 3] = [-1, u16::MAX as i64, u32::MAX as i64];
    (!UNKNOWN.contains(&megabits)).then(|| megabits.number() * MEGABIT)
}

fn hexadecimal(folder: &Folder, file: &str, buffer: &mut Buffer) -> Option<u64> {
    u64::from_str_radix(folder.property(file, buffer)?.strip_prefix("0x")?, 16).ok()
}

#[cfg(test)]
mod tests {
    use crate::collectors::host::source::tests::Machine;

    #[test]
    fn an_interface_says_what_it_knows() {
        let machine = Machine::new(&[
            ("sys/class/net/bonding_masters", "bond0\n"),
            ("sys/class/net/eth0/speed", "10000\n"),
            ("sys/class/net/eth0/mtu", "1500\n"),
            ("sys/class/net/eth0/flags", "0x1003\n"),
            ("sys/class/net/eth0/dev_id", "0x1f\n"),
            ("sys/class/net/eth0/operstate", "up\n"),
            ("sys/class/net/eth0/duplex", "full\n"),
            ("sys/class/net/eth0/ifalias", "to the \"office\"\n"),
            ("sys/class/net/eth1/flags", "0x1002\n"),
            ("sys/class/net/eth1/speed", "-1\n"),
            ("sys/class/net/eth2/speed", "4294967295\n"),
        ]);
        expect_test::expect![[r#"
            node_network_device_id{device="eth0"} 31
            node_network_flags{device="eth0"} 4099
            node_network_flags{device="eth1"} 4098
            node_network_info{device="eth0",address="",adminstate="up",broadcast="",duplex="full",ifalias="to the \"office\"",operstate="up"} 1
            node_network_info{device="eth1",address="",adminstate="down",broadcast="",duplex="",ifalias="",operstate=""} 1
            node_network_info{device="eth2",address="",adminstate="",broadcast="",duplex="",ifalias="",operstate=""} 1
            node_network_mtu_bytes{device="eth0"} 1500
            node_network_speed_bytes{device="eth0"} 1250000000
            node_network_up{device="eth0"} 1
            node_network_up{device="eth1"} 0
            node_network_up{device="eth2"} 0
        "#]].assert_eq(&machine.found_by(super::collect));
    }
}
