"""The machine goes off, in good order and without: what was synced is there when it is on again."""

import contextlib
import json
import subprocess
import threading

from inside import quote
from suite import equal, eventually, expect, lacks, test

WRITERS = ("ada", "ben", "emil", "gil")
# Kept in an image of their own each, and bounded by it.
POLICY = """
policy "writers" {
  users = {"ada", "ben", "emil", "gil"}
  name = "%u-writers"
  limits { disk = "64M" }
}
"""
POLICY_FILE = "/etc/carrel/policy.d/05-writers.conf"
# Tells each number when it is safe: a line of a file, and for each tenth a file renamed into place.
WRITE = """
import itertools, os
def sync(path):
    fd = os.open(path, os.O_RDONLY)
    os.fsync(fd)
    os.close(fd)
os.makedirs("tens", exist_ok=True)
journal = open("journal", "ab", 0)
for number in itertools.count(sum(1 for _ in open("journal", "rb"))):
    if number % 10 == 0:
        with open("tens/new", "w") as file:
            file.write("ten %d\\n" % number)
            file.flush()
            os.fsync(file.fileno())
        os.rename("tens/new", "tens/%d" % number)
        sync("tens")
    journal.write(b"line %d\\n" % number)
    os.fsync(journal.fileno())
    print(number, flush=True)
"""
# Cuts off what a power cut left of a line that nobody was told of.
TIDY = """
import os
data = open("journal", "rb").read() if os.path.exists("journal") else b""
lines = data.split(b"\\n")[:-1]
good = 0
while good < len(lines) and lines[good] == b"line %d" % good:
    good += 1
print(good, len(lines))
for number in range(0, good, 10):
    try:
        if open("tens/%d" % number).read() != "ten %d\\n" % number:
            print("wrong ten", number)
    except OSError as trouble:
        print("no ten", number, trouble.strerror)
with open("journal", "wb") as file:
    file.write(b"".join(line + b"\\n" for line in lines[:good]))
    os.fsync(file.fileno())
"""


class Writer:
    """A login that writes, and what it told was safe."""

    def __init__(self, m, user):
        self.user, self.told = user, []
        self.session = m.ssh_start(user, "exec python3 -u -c " + quote(WRITE),
                                   stdout=subprocess.PIPE, text=True)
        self.reader = threading.Thread(target=self.listen, daemon=True)
        self.reader.start()

    def listen(self):
        with contextlib.suppress(ValueError):  # a number cut short, or the pipe closed
            for line in self.session.stdout:
                if line.endswith("\n"):
                    self.told.append(int(line))

    def stop(self):
        self.session.kill()
        self.session.wait()
        self.reader.join(10)


def check_healthy(m):
    equal(m.host("systemctl is-active auditd apparmor ssh cron carrel").split(), ["active"] * 5,
          "the units")
    errors = m.host("journalctl --quiet --boot --dmesg --priority=err --output=cat | "
                    "grep -iE 'ext4|xfs|jbd2|i/o error|corrupt' || true")
    equal(errors, "", "errors of file systems")
    for disk in ("/dev/vda", "/dev/vdb"):
        equal(m.host(f"dumpe2fs -h {disk} 2>/dev/null | sed -n 's/^Filesystem state: *//p'"),
              "clean", f"the state of {disk}")


def check_written(m, user, told):
    """All that the writer was told is there; returns how many lines are."""
    answer = m.ssh(user, "exec python3 -", stdin=TIDY)
    expect(answer.out, f"{user} cannot look: {answer.err[-300:]}")
    first, *others = answer.out.splitlines()
    equal(others, [], f"what is wrong with {user}'s files")
    good, _ = map(int, first.split())
    expect(good > told, f"{user} was told that line {told} is safe, and {good} lines are there")
    return good


@contextlib.contextmanager
def writers_policy(m):
    with m.config("storage = image"):
        m.write(POLICY_FILE, POLICY)
        try:
            yield
        finally:
            if m.runs():
                m.inside("root", f"rm -f {POLICY_FILE}")


@test
def reboot(m):
    """systemctl reboot with people logged in: quick, and their files and the services are back."""
    m.look("ada", "echo kept >kept-over-a-reboot; sync")
    m.ssh_start("ada", "trap '' TERM HUP; sleep 1000")
    m.power_off("reboot")
    m.boot(volatile=True)
    check_healthy(m)
    equal(m.running(), [], "what runs after a boot")
    equal(m.ssh("ada", "cat kept-over-a-reboot").out, "kept\n", "the file")
    listing = {entry["name"]: entry["state"] for entry in json.loads(m.host("carrel list --json"))}
    equal(listing["ada"], "running", "ada's container")


@test
def power_cuts(m):
    """The power is cut while four containers write: every line that was synced is there."""
    with writers_policy(m):
        lines = dict.fromkeys(WRITERS, 0)
        for cut in range(m.cuts):
            writers = [Writer(m, user) for user in WRITERS]
            eventually(lambda: all(len(writer.told) > 15 + 5 * cut for writer in writers),
                       f"lines of all writers before cut {cut + 1}", 120)
            m.cut_power()
            for writer in writers:
                writer.stop()
                expect(writer.told[0] == lines[writer.user],
                       f"{writer.user} went on with line {writer.told[0]}")
            m.boot(volatile=True)
            check_healthy(m)
            for writer in writers:
                lines[writer.user] = check_written(m, writer.user, writer.told[-1])
            print(f"      power cut {cut + 1}: " + ", ".join(
                f"{writer.user} has {lines[writer.user]} lines of {writer.told[-1] + 1} synced"
                for writer in writers), flush=True)
        lacks(m.host("carrel list --no-header"), "broken", "carrel list")


@test
def file_systems_are_clean(m):
    """After all of that: no file system has an error, neither the machine's nor a container's."""
    m.host("carrel stop --all")
    images = m.host("ls /var/lib/carrel/containers/*/layer.ext4").split()
    expect(len(images) >= 4 or m.cuts == 0, f"images: {images}")
    for image in images:
        check = m.inside("root", f"e2fsck -f -n {image}")
        equal(check.status, 0, f"the status of e2fsck {image} ({check.said})")
    m.power_off()
    for disk, command in zip(m.disks, (["e2fsck", "-f", "-n"], ["e2fsck", "-f", "-n"],
                                       ["xfs_repair", "-n"])):
        check = m.run("/usr/sbin/" + command[0], *command[1:], disk)
        equal(check.status, 0, f"the status of {command[0]} {disk.name} ({check.said})")
