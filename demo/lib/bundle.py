"""What the servers are made of: programs, ports, passwords, and the files of this repository, filled in or changed."""
import glob
import os
import re
import secrets
import shutil
import stat
import string
import subprocess

from processes import SBIN, Failed

# Of several names the first that is there: Debian has MariaDB and Redis, newer ones MySQL and Valkey as well.
PROGRAMS = {
    "MariaDB": ("mariadbd", "mysqld"),
    "MariaDB's client": ("mariadb", "mysql"),
    "Redis": ("redis-server", "valkey-server"),
    "nginx": ("nginx",),
    "Prometheus": ("prometheus",),
    "Alertmanager": ("prometheus-alertmanager", "alertmanager"),
    "openssl": ("openssl",),
}


class Bundle:
    """This repository, as the servers of one demo need it."""

    def __init__(self, stack, repository, vitrin):
        self.stack, self.repository, self.vitrin, self.folder = stack, repository, vitrin, stack.folder
        self.programs = {name: stack.find(*names) for name, names in PROGRAMS.items()}
        self.programs["PHP-FPM"] = stack.find(*self.php_names())
        missing = [name for name, path in self.programs.items() if path is None]
        if missing:
            raise Failed(f"{', '.join(missing)}: not installed; `make demo` installs what is missing on Debian")
        self.ports = {
            name: stack.port(usual)
            for name, usual in (
                ("SHOP", 8080), ("TLS", 8443), ("REDIS", 6379), ("VITRIN", 22100), ("PROMETHEUS", 9090),
                ("ALERTMANAGER", 9093), ("SMTP", 1025), ("MAIL", 8025), ("GRAFANA", 3000), ("SELLING", 22143),
                ("MARKETPLACES", 22144),
            )
        }
        self.values = {f"{name}_PORT": port for name, port in self.ports.items()}
        self.values |= {"FOLDER": self.folder, "SHOP_PASSWORD": secrets.token_hex(16)}
        self.passwords = {name: secrets.token_hex(16) for name in ("mysql", "redis", "root")}
        # The servers may not be able to read the repository, and the demo is not to change when that does.
        for name in ("demo", "docs/runbooks", "prometheus/rules", "alertmanager", "grafana"):
            if os.path.isdir(f"{repository}/{name}"):
                shutil.copytree(f"{repository}/{name}", f"{self.folder}/bundle/{name}")
        if stack.as_root:
            self.open(f"{self.folder}/bundle")

    def open(self, folder):
        for place, _, names in os.walk(folder):
            os.chmod(place, 0o755)
            for name in names:
                os.chmod(f"{place}/{name}", stat.S_IMODE(os.stat(f"{place}/{name}").st_mode) | 0o444)

    def php_names(self):
        paths = [path for place in SBIN for path in glob.glob(f"{self.stack.root or ''}{place}/php-fpm*")]
        names = {os.path.basename(path) for path in paths}
        return sorted(names, key=lambda name: [int(number) for number in re.findall(r"\d+", name)], reverse=True)

    def url(self, name, path=""):
        return f"http://127.0.0.1:{self.ports[name]}{path}"

    def configured(self, source, target, **more):
        """A file of demo/conf with its places filled in; `$uri` and the like are left to nginx."""
        with open(f"{self.repository}/demo/conf/{source}", encoding="utf-8") as file:
            text = string.Template(file.read()).safe_substitute(self.values | more)
        return self.stack.write(target, text)

    def version(self, *command):
        """What a server calls itself by: a number, or nothing."""
        process = self.stack.spawn(command, {}, False, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        told = process.communicate(timeout=30)[0].decode(errors="replace")
        return (re.search(r"\d+\.\d+(\.\d+)?", told) or [""])[0]

    def step(self, name, *how):
        """Begins a step that the screen shows with the server's version."""
        version = self.version(*how) if how else ""
        self.stack.screen.begin(f"{name} {version}".strip())

    def block(self, name):
        """A block of docs/backends.md: what the backends must allow is written there, and done here."""
        with open(f"{self.repository}/docs/backends.md", encoding="utf-8") as file:
            found = re.search(rf"<!-- test: {name} -->\n```\w*\n(.*?)```", file.read(), re.DOTALL)
        if not found:
            raise Failed(f"docs/backends.md has no block {name}")
        return found[1]

    def changed(self, source, target, changes):
        """A shipped file, as an operator would change it; each place must be there."""
        with open(f"{self.repository}/{source}", encoding="utf-8") as file:
            text = file.read()
        for shipped, ours in changes.items():
            if shipped not in text:
                raise Failed(f"{source} no longer has {shipped!r}")
            text = text.replace(shipped, ours)
        text = re.sub(r"^( +)(runbooks|grafana|alerts): https?://\S+", self.base, text, flags=re.MULTILINE)
        if left := re.search(r"^[^#\n]*(https?://\S*example\S*)", text, re.MULTILINE):
            raise Failed(f"{source} names {left[1]}, of which the demo knows nothing")
        return self.stack.write(target, text)

    def base(self, line):
        """Where the links of alerts lead, of the three kinds that prometheus.yml has a base address for."""
        there = "GRAFANA" if self.grafana_program() else "MAIL"
        bases = {"runbooks": self.url("MAIL", "/runbooks"), "grafana": self.url(there), "alerts": self.url("ALERTMANAGER")}
        return f"{line[1]}{line[2]}: {bases[line[2]]}"

    def python(self):
        return "/usr/bin/python3" if os.access("/usr/bin/python3", os.X_OK) else shutil.which("python3")

    def grafana_program(self):
        return None if self.stack.root else self.stack.find("grafana", "grafana-server")
