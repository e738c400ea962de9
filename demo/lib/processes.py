"""Servers as children, in one folder, so that one sweep ends and removes everything."""
import ctypes
import http.client
import os
import random
import select
import shutil
import signal
import socket
import subprocess
import sys
import time

# What runs as nobody when root starts it: none of the servers needs root, and some refuse it.
NOBODY = 65534
PATIENCE = 120
# Below those that Linux gives to outgoing connections.
PORTS = range(20_000, 32_000)
PR_SET_CHILD_SUBREAPER = 36
SBIN = ["/usr/local/sbin", "/usr/sbin", "/sbin", "/usr/local/bin", "/usr/bin", "/bin"]


class Failed(Exception):
    """Something did not start; the text is for whoever started the demo."""


class Over(Exception):
    """Whoever started the demo is gone."""


def adopt():
    """Makes us the parent of all descendants that lose theirs, so that none gets out of sight: PHP-FPM, for one, begins
    a session and a group of its own."""
    if ctypes.CDLL(None, use_errno=True).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) != 0:
        raise OSError(ctypes.get_errno(), "PR_SET_CHILD_SUBREAPER")


def descendants():
    """All processes below us, zombies too."""
    children = {}
    for name in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open(f"/proc/{name}/stat", encoding="utf-8", errors="replace") as file:
                parent = int(file.read().rpartition(")")[2].split()[1])
        except (OSError, ValueError, IndexError):
            continue
        children.setdefault(parent, []).append(int(name))
    found, new = [], [os.getpid()]
    while new:
        new = [child for parent in new for child in children.get(parent, [])]
        found += new
    return found


def sweep(folder):
    """Ends all our descendants, and removes the folder. Says what it could not."""
    deadline = time.monotonic() + PATIENCE
    while left := descendants():
        if time.monotonic() > deadline:
            return f"these processes do not end: {left}"
        for pid in left:
            try:
                os.kill(pid, signal.SIGKILL)
            except OSError:
                pass
        try:
            while os.waitpid(-1, os.WNOHANG)[0]:
                pass
        except ChildProcessError:
            pass
        time.sleep(0.02)
    shutil.rmtree(folder, ignore_errors=True)
    return f"{folder} could not be removed" if os.path.lexists(folder) else None


class Screen:
    """Progress: a line for each step, with its seconds."""

    def __init__(self):
        self.live = sys.stdout.isatty()
        self.what, self.since, self.shown = None, 0, -1

    def say(self, text="", end="\n"):
        try:
            print(text, end=end, flush=True)
        except OSError:
            pass

    def note(self, text):
        """What has just happened."""
        self.say(f"  {time.strftime('%H:%M:%S')}  {text}")

    def begin(self, what):
        self.what, self.since, self.shown = what, time.monotonic(), -1
        self.tick()

    def tick(self):
        seconds = int(time.monotonic() - self.since)
        if self.live and self.what and seconds != self.shown:
            self.shown = seconds
            self.say(f"\r  {self.what:<28}... {seconds:>3} s", end="")

    def done(self):
        start = "\r" if self.live else ""
        self.say(f"{start}  {self.what:<28}{time.monotonic() - self.since:>7.1f} s")
        self.what = None

    def broken(self):
        if self.live and self.what:
            self.say()
        self.what = None


class Server:
    def __init__(self, name, argv, environment, ours):
        self.name, self.argv, self.environment, self.ours = name, argv, environment, ours
        self.process, self.told = None, False


class Stack:
    """The folder, the ports, the servers."""

    def __init__(self, folder, pipe, screen, free_ports, root):
        self.folder, self.pipe, self.screen, self.free_ports, self.root = folder, pipe, screen, free_ports, root
        self.servers, self.claims = {}, []
        self.as_root = os.geteuid() == 0
        os.umask(0o022)
        os.mkdir(f"{folder}/log")

    def pause(self, seconds=0.05):
        """Waits, and ends the demo when the pipe from whoever started it does."""
        if select.select([self.pipe], [], [], seconds)[0]:
            raise Over
        self.screen.tick()

    def room(self, name):
        """A folder for a server alone."""
        path = f"{self.folder}/{name}"
        os.mkdir(path, 0o700)
        if self.as_root:
            os.chown(path, NOBODY, NOBODY)
        return path

    def write(self, name, text):
        """A file that the servers may read and nobody else."""
        path = f"{self.folder}/{name}"
        with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
            file.write(text)
        if self.as_root:
            os.chown(path, NOBODY, NOBODY)
        return path

    def find(self, *names):
        """The first of these programs that is here, where the servers see it; None when none is."""
        folders = SBIN if self.root else os.environ.get("PATH", "").split(":") + SBIN
        for path in (os.path.join(folder, name) for name in names for folder in folders if folder):
            if os.access((self.root or "") + path, os.X_OK):
                return path
        return None

    def port(self, usual):
        """The usual port when it is free, or one that is. No other demo takes it meanwhile."""
        for port in [*([] if self.free_ports else [usual]), *random.sample(PORTS, 1000)]:
            claim, try_it = socket.socket(socket.AF_UNIX), socket.socket()
            with try_it:
                try_it.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                try:
                    claim.bind(f"\0vitrin-demo-port-{port}")
                    try_it.bind(("127.0.0.1", port))
                except OSError:
                    claim.close()
                    continue
            self.claims.append(claim)
            return port
        raise Failed("no port is free")

    def spawn(self, argv, environment, ours, **streams):
        drop = {"user": NOBODY, "group": NOBODY, "extra_groups": []} if self.as_root else {}
        # What is ours runs on this machine, also when the servers are those of another root.
        if self.root and not ours:
            argv, drop = ["chroot", f"--userspec=+{NOBODY}:+{NOBODY}", self.root, *argv], {}
        clean = {"PATH": ":".join(SBIN), "HOME": self.folder, "LANG": "C.UTF-8", "TMPDIR": self.folder}
        clean |= {name: os.environ[name] for name in ("TZ",) if name in os.environ} | environment
        try:
            return subprocess.Popen(argv, env=clean, cwd=self.folder, **drop, **streams)
        except OSError as error:
            raise Failed(f"{argv[0]} cannot be started: {error.strerror}") from error

    def run(self, name, argv, ours=False, **streams):
        """Runs a program to its end, which must be a good one."""
        with open(f"{self.folder}/log/{name}", "ab") as log:
            streams = {"stdin": subprocess.DEVNULL, **streams}
            process = self.spawn(argv, {}, ours, stdout=log, stderr=log, **streams)
            while process.poll() is None:
                self.pause()
        if process.returncode != 0:
            raise Failed(f"{name} failed ({process.returncode}): {self.tail(name)}")

    def serve(self, name, argv, ready, environment=None, ours=False):
        """Starts a server and waits until it is ready."""
        server = self.servers[name] = Server(name, argv, environment or {}, ours)
        self.launch(server)
        self.until(ready, server)

    def launch(self, server):
        with open(f"{self.folder}/log/{server.name}", "ab") as log:
            streams = {"stdin": subprocess.DEVNULL, "stdout": log, "stderr": log}
            server.process = self.spawn(server.argv, server.environment, server.ours, **streams)
        server.told = False

    def until(self, ready, server=None):
        deadline = time.monotonic() + PATIENCE
        while not ready():
            if server and server.process.poll() is not None:
                raise Failed(f"{server.name} ended ({server.process.returncode}): {self.tail(server.name)}")
            if time.monotonic() > deadline:
                what = f"{server.name} is not ready" if server else f"{self.screen.what}: not there"
                raise Failed(f"{what} after {PATIENCE} s" + (f": {self.tail(server.name)}" if server else ""))
            self.pause()

    def tail(self, name):
        with open(f"{self.folder}/log/{name}", encoding="utf-8", errors="replace") as log:
            lines = log.read().splitlines()[-15:]
        return "\n    ".join(["its last lines were:", *lines]) if lines else "it said nothing"


def listens(address):
    """Whether something listens on a loopback port or a socket."""
    kind = socket.AF_UNIX if isinstance(address, str) else socket.AF_INET
    with socket.socket(kind) as stream:
        stream.settimeout(1)
        try:
            stream.connect(address if isinstance(address, str) else ("127.0.0.1", address))
        except OSError:
            return False
    return True


def get(port, path):
    """The body of a page that is answered with 200; None of all others."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    try:
        connection.request("GET", path)
        answer = connection.getresponse()
        body = answer.read().decode(errors="replace")
        return body if answer.status == 200 else None
    except (OSError, http.client.HTTPException):
        return None
    finally:
        connection.close()
