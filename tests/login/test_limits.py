"""Limits: whoever goes over theirs is held, and the others do not notice."""

import os
import pathlib
import re
import time

from machine import POLICY_DIR, namespace_of
from suite import Skip, contains, equal, eventually, expect, lacks, matches, test

HOG = """
import sys
data = []
for megabyte in range(int(sys.argv[1])):
    data.append(b"x" * (1 << 20))
    print(megabyte + 1, flush=True)
"""
FORKS = """
import os, time
children = 0
try:
    while children < 500:
        if os.fork() == 0:
            time.sleep(60)
            os._exit(0)
        children += 1
except OSError as error:
    print(error.strerror)
print(children, flush=True)
os.killpg(0, 9)
"""
SPIN = """
import os, sys, time
end = time.monotonic() + float(sys.argv[1])
if os.fork() == 0:
    while time.monotonic() < end:
        pass
    os._exit(0)
while time.monotonic() < end:
    pass
os.wait()
print(sum(os.times()[:4]))
"""


def check_others_can_work(m):
    start = time.monotonic()
    equal(m.ssh("alice", "echo fine").out, "fine\n", "another user's login")
    return time.monotonic() - start


@test
def memory(m):
    """Who takes more memory than allowed is killed, inside; the container and others go on."""
    with m.policy("memory", 'limits { memory = "64M" swap = "0" }'):
        place = m.ssh("bob", "readlink /proc/self/ns/pid").out
        result = m.ssh("bob", "/usr/bin/python3 - 200", stdin=HOG)
        expect(result.status != 0, "200 MB fit into 64 MB")
        expect(int(result.out.split()[-1]) < 64, f"{result.out.split()[-1]} MB were taken")
        check_others_can_work(m)
        equal(m.ssh("bob", "readlink /proc/self/ns/pid").out, place, "bob's container")


@test
def memory_of_files(m):
    """Files in /tmp and /dev/shm count as memory."""
    with m.policy("ramdisk", 'limits { memory = "64M" swap = "0" tmp = "1G" }'):
        result = m.ssh("bob", "head -c 200M /dev/zero >/dev/shm/big; stat -c %s /dev/shm/big")
        held = [int(word) for word in result.out.split() if word.isdigit()]
        expect(not held or held[0] < 64 << 20, f"{held} bytes of shared memory in 64 MB")
        check_others_can_work(m)


@test
def processes(m):
    """No more processes than pids says, and the user gets a clear error."""
    with m.policy("pids", "limits { pids = 40 }"):
        result = m.ssh("bob", "setsid -w /usr/bin/python3 -", stdin=FORKS)
        contains(result.out, "Resource temporarily unavailable", "the error")
        count = int(result.out.split()[-1])
        expect(20 <= count < 40, f"{count} processes were started")


@test
def fork_bomb(m):
    """A fork bomb stays in its container: others log in, and it can be ended."""
    with m.policy("bomb", 'limits { pids = 64 cpu = "50%" memory = "128M" }'):
        bomb = m.ssh_start("bob", "bomb() { bomb | bomb & }; bomb; sleep 60")
        eventually(lambda: m.init_pid("bob-bomb"), "the container")
        eventually(lambda: m.processes("bob-bomb") > 30, "the explosion")
        check_others_can_work(m)
        expect(m.processes("bob-bomb") <= 64, "more processes than 64")
        place = m.namespaces(m.init_pid("bob-bomb"))["pid"]
        m.kill_container("bob-bomb")
        eventually(lambda: place not in map(namespace_of, pathlib.Path("/proc").glob("[0-9]*")),
                   "the end of them all")
        eventually(lambda: bomb.poll() is not None, "the end of the session")


@test
def processor_time(m):
    """A policy's share of the CPU is not exceeded."""
    with m.policy("cpu", 'limits { cpu = "20%" }'):
        seconds = 3
        used = float(m.ssh("bob", f"/usr/bin/python3 - {seconds}", stdin=SPIN).out)
        expect(used / seconds < 0.35, f"{used:.2f} s of CPU time in {seconds} s with cpu = 20%")
        expect(used / seconds > 0.05, f"only {used:.2f} s of CPU time in {seconds} s")


@test
def sessions(m):
    """sessions = 2: the third login is refused with one clear sentence, until one ends."""
    with m.policy("sessions", "limits { sessions = 2 }"):
        first = m.ssh_start("bob", "exec sleep 1000")
        m.ssh_start("bob", "exec sleep 1000")
        eventually(lambda: m.run("pgrep", "-cxu", "bob", "sleep").out == "2\n", "two sessions")
        result = m.ssh("bob", "echo in")
        expect(result.status != 0 and "in\n" not in result.out, "a third gets in")
        equal(len(result.said.strip().splitlines()), 1, f"the lines of {result.said!r}")
        matches(result.said, "session", "what bob is told")
        check_others_can_work(m)
        first.terminate()
        eventually(lambda: m.ssh("bob", "echo in").out == "in\n", "a login after one ended")


@test
def refused_is_moved_back(m):
    """The service is moved while PID 1 looks at its session: one that PID 1 refuses is where it was."""
    stack = pathlib.Path("/etc/pam.d/su")
    before = stack.read_text()
    m.cleanup.callback(stack.write_text, before)
    with m.policy("one", "limits { sessions = 1 }"):
        m.ssh_start("bob", "exec sleep 1000")
        eventually(lambda: m.run("pgrep", "-cxu", "bob", "sleep").out == "1\n", "the session")
        # So that the service goes on where it is, and can be asked.
        stack.write_text(re.sub(r"^session\s+\S+(?=\s+pam_carrel)", "session optional", before,
                                flags=re.MULTILINE))
        result = m.run("su", "bob", "-c", "cat /proc/self/cgroup; readlink /proc/self/ns/user")
        *cgroups, namespace = result.out.splitlines()
        equal(namespace, os.readlink("/proc/self/ns/user"), "the namespace, which is the host's")
        equal(cgroups, pathlib.Path("/proc/self/cgroup").read_text().splitlines(), "the cgroups")


@test
def open_files(m):
    """open_files holds for programs."""
    with m.policy("files", "limits { open_files = 64 }"):
        code = "import os\nfor n in range(100): os.dup(0)\n"
        contains(m.ssh("bob", "/usr/bin/python3 -", stdin=code).err, "Too many open files", "it")


@test
def pool(m):
    """A pool holds the containers of several users together."""
    file = POLICY_DIR / "11-pool.conf"
    file.write_text('pool "course" { policies = {"pooled"} pids = 60 }\n')
    m.cleanup.callback(file.unlink)
    with m.policy("pooled", "limits { pids = 50 }", who='users = {"bob", "erin"}'):
        m.ssh_start("erin", "for i in $(seq 30); do sleep 1000 & done; wait")
        eventually(lambda: m.run("pgrep", "-cxu", "erin", "sleep").out == "30\n", "30 processes")
        result = m.ssh("bob", "setsid -w /usr/bin/python3 -", stdin=FORKS)
        count = int(result.out.split()[-1])
        expect(count <= 30, f"bob starts {count} of 60 in the pool, beside erin's 30")
        check_others_can_work(m)


@test
def pool_rate(m):
    """A pool's disk rate: cgroup v1 cannot hold it, so the login is refused and the log says why."""
    file = POLICY_DIR / "11-pool.conf"
    file.write_text('pool "slow" { policies = {"slow"} read_rate = "1M" }\n')
    m.cleanup.callback(file.unlink)
    since = m.log.mark()
    with m.policy("slow"):
        result = m.ssh("bob", "echo in")
        if not pathlib.Path("/sys/fs/cgroup/blkio").is_dir():
            equal(result.out, "in\n", "a login where cgroup v2 holds it")
            return
        contains(result.out + result.err, "cannot enforce", "what the user reads")
        m.log.wait("denied user=bob.*read_rate", since)


@test
def idle_stop(m):
    """idle: a container without sessions is stopped after that time, and its files stay."""
    with m.policy("idle", 'time { idle = "1s" }'):
        session = m.ssh_start("bob", "echo kept >note; exec sleep 1000")
        eventually(lambda: m.run("pgrep", "-cxu", "bob", "sleep").out == "1\n", "the session")
        expect(m.init_pid("bob-idle"), "no container runs")
        session.terminate()
        eventually(lambda: m.init_pid("bob-idle") is None, "the stop", 20)
        equal(m.ssh("bob", "cat note").out, "kept\n", "the file")


@test
def write_rate(m):
    """write_rate: writing past the page cache is slowed down to it."""
    with m.policy("rate", 'limits { write_rate = "4M" }'):
        result = m.ssh("bob", "dd if=/dev/zero of=big bs=1M count=8 oflag=direct 2>&1")
        if "copied" not in result.out:
            raise Skip(f"O_DIRECT: {result.said.strip().splitlines()[-1:]}")
        seconds = float(matches(result.out, r"copied, ([\d.]+) s").group(1))
        expect(seconds > 1.0, f"8 MB with 4 MB a second took {seconds} s")
        lacks(result.out, "error", "dd")
