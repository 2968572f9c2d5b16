"""A machine with systemd and Carrel on it, as those who log in and its admin see it, from outside."""

import contextlib
import io
import json
import re
import shlex
import socket
import subprocess
import tarfile
import time

import pexpect.fdpexpect

import suite
from client import Client, Terminal
from debian import PASSWORD

BOOT_PATIENCE = 240  # seconds; an emulated machine needs 20 to 30 when it has the processors
SERVICES = ("sshd", "login", "su", "cron", "systemd-user")

CONFIG = """
exempt { users = {"root"} groups = {"sudo"} }
unmatched = host
"""
POLICIES = """
policy "barred" {
  users = {"dora"}
  action = deny
  message = "Your account is closed until September."
}
policy "pupils" {
  groups = {"pupils"}
  hostname = "%%p"
  limits { %s }
}
"""


class Console(Terminal):
    """A person at the machine's console, whose other end is the socket `line`."""

    def __init__(self, line, transcript):
        self.line = line
        self.child = pexpect.fdpexpect.fdspawn(self.line, encoding="utf-8", timeout=90,
                                               codec_errors="replace")
        self.seen = []
        self.transcript = transcript
        transcript.add("(at the console)\n")
        self.child.logfile_read = self

    def shell(self):
        self.wait_for(r"[$#] ")
        self.type("exec env TERM=dumb bash")  # getty's is a real one, with control sequences
        self.wait_for("TERM=dumb bash")
        return super().shell()

    def close(self):
        self.line.send(b"\x03\r\x04")  # whoever is still there leaves
        self.line.close()


class Lab(Client):
    """
    What is the same however the machine is made. Whoever makes one tells the limits of its pupils,
    its console's name, whether auditd runs, how to `switch_on`, whether it `runs`, its
    `last_words` when it does not, how to wait for its end (`went_off`) and a socket to its console
    (`line`). The disk, a copy of `debian`'s, is its own.
    """

    LIMITS = CONSOLE = None
    AUDITD = False

    def __init__(self, debian, directory, port):
        super().__init__(directory)
        self.debian, self.key, self.port = debian, debian.key, port
        self.root_disk = self.directory / "root.disk"
        subprocess.run(["cp", "--sparse=always", debian.root, self.root_disk], check=True)
        self.write_ssh_config({"lab": port})
        self.boots = []  # seconds that each took

    # ---- for the runner --------------------------------------------------------------------

    def begin(self, cleanup):
        """A test begins; `cleanup` is an ExitStack that is unwound at its end."""
        self.cleanup = cleanup
        self.transcript.parts.clear()
        if not self.runs():
            self.boot()
        self.began = self.host("date +%s")

    def evidence(self):
        """What the test did and saw, and what the machine logged meanwhile."""
        lines = self.transcript.lines()
        if not self.runs():
            return lines + self.last_words()
        with contextlib.suppress(AssertionError):
            lines += self.log().splitlines()[-30:]
        return lines

    # ---- power -----------------------------------------------------------------------------

    def boot(self, **how):
        """Switch it on and wait until root can log in."""
        start = time.monotonic()
        self.switch_on(**how)
        suite.eventually(lambda: self.answers() or not self.runs(), "ssh after a boot",
                         BOOT_PATIENCE)
        suite.expect(self.runs(), "the machine went off while it booted: "
                     + " ".join(self.last_words()))
        suite.eventually(lambda: self.inside("root", "true").status == 0, "root's login",
                         BOOT_PATIENCE)
        self.boots.append(time.monotonic() - start)

    def answers(self):
        """A server says something at its ssh port: cheaper for the machine than a login."""
        with contextlib.suppress(OSError):
            with socket.create_connection(("127.0.0.1", self.port), timeout=2) as probe:
                return probe.recv(4) == b"SSH-"
        return False

    def power_off(self, verb="poweroff"):
        """An orderly end, as `systemctl poweroff` or `reboot` make it."""
        self.inside("root", f"systemctl {verb}")
        off = self.went_off(120)
        self.forget_masters()
        suite.expect(off, f"the machine did not go off within 120 s of {verb}")

    def forget_masters(self):
        for user in list(self.masters):
            self.forget_master(user)

    # ---- its admin -------------------------------------------------------------------------

    def host(self, command, stdin=None):
        """Output of a command of root on the machine that must succeed."""
        return self.look("root", command, stdin)

    def write(self, path, text):
        self.host(f"cat >{shlex.quote(str(path))}", text)

    def bring(self, place, files):
        """Files and folders into a folder there; values are where they come from."""
        archive = io.BytesIO()
        with tarfile.open(fileobj=archive, mode="w") as tar:
            for name, source in files.items():
                tar.add(source, name, filter=lambda member:
                        None if "__pycache__" in member.name else member)
        self.host(f"mkdir -p {place} && tar -C {place} -x --no-same-owner", archive.getvalue())

    def log(self, pattern=""):
        """The machine's log since the test began, without audit's, lines with a match only."""
        sources = " + ".join("_TRANSPORT=" + name
                             for name in ("syslog", "journal", "stdout", "kernel"))
        text = self.host("journalctl --quiet --no-pager --output=cat "
                         f"--since=@{self.began} {sources}")
        return "\n".join(line for line in text.splitlines() if re.search(pattern, line))

    def install(self, build):
        """What `make install` puts into place, and then what the README tells an admin to do."""
        stage = self.directory / "stage"
        made = self.run("make", "-C", build, "install", f"DESTDIR={stage}", timeout=300)
        suite.equal(made.status, 0, f"the status of make install ({made.said[-500:]})")
        archive = subprocess.run(["tar", "-C", stage, "-c", "--owner=0", "--group=0", "."],
                                 stdout=subprocess.PIPE, check=True).stdout
        self.host("tar -C / -x --keep-directory-symlink --no-overwrite-dir", archive)
        self.configure()
        self.host("systemctl daemon-reload && systemctl enable --now carrel.service")
        self.host(f"carrel pam enable {' '.join(SERVICES)}")

    def configure(self):
        """The policies of the tests, and no others."""
        self.host("rm -f /etc/carrel/policy.d/*")
        self.write("/etc/carrel/carrel.conf", CONFIG)
        self.write("/etc/carrel/policy.d/50-groups.conf", POLICIES % self.LIMITS)

    @contextlib.contextmanager
    def policy(self, name, body="", users=("ben",), more=""):
        """A policy for users before all others for a while; its containers are ended with it."""
        file = f"/etc/carrel/policy.d/10-{name}.conf"
        listing = ", ".join(f'"{user}"' for user in users)
        self.write(file, f'policy "{name}" {{\n  users = {{{listing}}}\n'
                         f'  name = "%u-{name}"\n{body}\n}}\n{more}')
        try:
            yield
        finally:
            containers = " ".join(f"{user}-{name}" for user in users)
            for user in users:
                self.forget_master(user)
            self.inside("root", f"rm -f {file}; carrel stop --timeout 5 {containers}")

    @contextlib.contextmanager
    def config(self, line):
        """carrel.conf with one more line for a while."""
        self.write("/etc/carrel/carrel.conf", CONFIG + line + "\n")
        try:
            yield
        finally:
            self.write("/etc/carrel/carrel.conf", CONFIG)

    def running(self):
        """Names of the containers that run."""
        return [container["name"] for container in json.loads(self.host("carrel list --json"))
                if container["state"] == "running"]

    # ---- people ----------------------------------------------------------------------------

    def console(self):
        console = Console(self.line(), self.transcript)
        self.cleanup.callback(console.close)
        return console

    def console_login(self, user):
        """The user's login at the console, up to the password."""
        person = self.console()
        person.type("")
        person.wait_for("login: ")
        person.type(user)
        person.wait_for("assword: ")
        person.type(PASSWORD)
        return person
