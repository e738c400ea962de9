"""A network of its own whose name server and whose connections are late, each by as much as it is told.

late_network.py VITRIN FOLDER runs as root in a network and a mount namespace of its own. There is one server,
shop.example, which is `vitrin simulate`; the way there is a TUN device that turns each packet round, so that it comes from
who it was for and is for whom it came from: the sums that protect addresses stay right by that. Packets that open a
connection, and answers of the name server, wait for their time; nothing else does.

Prints a line of JSON for each try: which was late, by how many milliseconds, and how many each phase took, as `vitrin
check --once` has it. It tries until nothing else took as long, since a busy machine is late by itself.
"""

import asyncio
import fcntl
import json
import os
import re
import stat
import struct
import subprocess
import sys

CLIENT, SERVER = "10.99.0.1", "10.99.0.2"
PORT = 22143
TUNSETIFF = 0x400454CA  # linux/if_tun.h
IFF_TUN_NO_PI = 0x1001
TRIES = 100

vitrin, folder = sys.argv[1:]
# Seconds.
late = {"resolve": 0.0, "connect": 0.0}


def run(*words):
    subprocess.run(words, check=True, stdin=subprocess.DEVNULL)


def is_opening(packet):
    """Whether it is the first packet of a TCP connection: SYN, and no ACK."""
    if packet[0] >> 4 != 4 or packet[9] != 6:
        return False
    flags = packet[(packet[0] & 15) * 4 + 13]
    return flags & 0x12 == 0x02


def turned(packet):
    return packet[:12] + packet[16:20] + packet[12:16] + packet[20:]


def answer(question):
    """The server's address to a question of type A, nothing to another; both without an error."""
    end = question.index(b"\0", 12) + 5
    is_a = question[end - 4 : end - 2] == b"\0\1"
    head = question[:2] + b"\x81\x80" + struct.pack(">HHHH", 1, int(is_a), 0, 0)
    address = bytes(int(part) for part in SERVER.split("."))
    record = b"\xc0\x0c\0\1\0\1\0\0\0\0\0\4" + address
    return head + question[12:end] + (record if is_a else b"")


class Names(asyncio.DatagramProtocol):
    def connection_made(self, transport):
        self.transport = transport

    def datagram_received(self, data, asker):
        asyncio.get_running_loop().call_later(late["resolve"], self.transport.sendto, answer(data), asker)


async def main():
    loop = asyncio.get_running_loop()
    device = "/dev/net/tun"
    if not os.path.exists(device):
        device = os.path.join(folder, "tun")
        os.mknod(device, 0o600 | stat.S_IFCHR, os.makedev(10, 200))  # linux/miscdevice.h
    tun = os.open(device, os.O_RDWR | os.O_NONBLOCK)
    fcntl.ioctl(tun, TUNSETIFF, struct.pack("16sH22x", b"late", IFF_TUN_NO_PI))
    run("ip", "link", "set", "lo", "up")
    run("ip", "address", "add", CLIENT, "peer", SERVER, "dev", "late")
    run("ip", "link", "set", "late", "up")
    resolver = os.path.join(folder, "resolv.conf")
    with open(resolver, "w") as file:
        file.write("nameserver 127.0.0.1\n")
    run("mount", "--bind", resolver, "/etc/resolv.conf")

    def carry():
        packet = os.read(tun, 65536)
        if packet[0] >> 4 == 4:
            loop.call_later(late["connect"] if is_opening(packet) else 0, os.write, tun, turned(packet))

    loop.add_reader(tun, carry)
    await loop.create_datagram_endpoint(Names, local_addr=("127.0.0.1", 53))

    simulated = os.path.join(folder, "simulated")
    simulator = await asyncio.create_subprocess_exec(
        vitrin, "simulate", f"--listen={CLIENT}:{PORT}", "--control=127.0.0.1:22144", f"--folder={simulated}",
        stdout=subprocess.PIPE,
    )
    while b"control: listening" not in await simulator.stdout.readline():
        pass
    # Root asks with the eyes of the service, if this machine has one.
    os.chmod(simulated, 0o755)
    # Its log is nobody's concern, and must not fill the pipe.
    loop.create_task(simulator.stdout.read())

    config = os.path.join(folder, "vitrin.toml")
    with open(config, "w") as file:
        file.write(
            "[marketplace.targets.late]\npreset = 'generic'\nip = '4'\n"
            f"vars = {{ base_url = 'https://shop.example:{PORT}', path = '/' }}\nca_file = '{simulated}/ca.pem'\n"
        )
    for phase in late:
        for milliseconds in [20, 80, 150, 400]:
            late[phase] = milliseconds / 1000
            for _ in range(TRIES):
                once = await asyncio.create_subprocess_exec(
                    vitrin, "check", "--once", "--config.file", config, stdout=subprocess.PIPE
                )
                said, _ = await once.communicate()
                took = {name: float(took) for name, took in re.findall(r"(\w+) ([0-9.]+) ms", said.decode())}
                print(json.dumps({"phase": phase, "late": milliseconds, "took": took}))
                if all(took[other] < milliseconds for other in took if other != phase):
                    break
            late[phase] = 0.0
    simulator.terminate()
    await simulator.wait()


asyncio.run(main())
