"""A class that comes all at once: everybody gets in, in their turn, and the machine stays usable."""

import contextlib
import fcntl
import json
import os
import pathlib
import subprocess
import sys
import time

from machine import PASSWORD
from suite import contains, equal, eventually, expect, lacks, test
from test_services import console

sys.path.append(str(pathlib.Path(__file__).resolve().parents[1] / "bench"))
import crowd  # noqa: E402

COUNT = 60
AT_ONCE = 2 * len(os.sched_getaffinity(0))
QUEUE = pathlib.Path("/run/carrel/queue")
EVENTS = pathlib.Path("/var/log/carrel/events.jsonl")


def users():
    """The crowd, once; this machine is thrown away after the tests."""
    if "crowd:" not in pathlib.Path("/etc/group").read_text():
        crowd.add_users(COUNT)


@contextlib.contextmanager
def storm_policy(m, name):
    users()
    with m.policy(name, who='groups = {"crowd"}'):
        yield


@contextlib.contextmanager
def blocked_queue(count=64):
    """Others are in front, who are in no hurry."""
    QUEUE.mkdir(mode=0o700, exist_ok=True)
    tickets = []
    for number in range(1, count + 1):
        ticket = (QUEUE / f"{number:016x}").open("w")
        fcntl.flock(ticket, fcntl.LOCK_EX)
        tickets.append(ticket)

    def release():
        for ticket in tickets:
            ticket.close()
        tickets.clear()
    try:
        yield release
    finally:
        release()
        for path in QUEUE.glob("0*"):
            path.unlink(missing_ok=True)


def waiting():
    return len(list(QUEUE.glob("0*")))


@test
def storm_of_first_logins(m):
    """All get in, each into a whole container of their own; others hardly notice."""
    with storm_policy(m, "storm"):
        probe = crowd.Probe()
        storm = crowd.Storm(COUNT)
        late = probe.end()
        missing = {number: storm.outputs[number] for number in range(COUNT)
                   if number not in storm.got_in()}
        equal(missing, {}, "who did not get in")
        places = {output.splitlines()[1] for output in storm.outputs.values()}
        equal(len(places), COUNT, "the number of containers")
        expect(storm.seconds < 60, f"{COUNT} in {storm.seconds:.1f} s")
        expect(late < 2, f"somebody else woke {late:.2f} s late")
        equal(waiting(), 0, "the queue afterwards")


@test
def storm_in_order_of_arrival(m):
    """Who came first is started first, give or take those who are in turn at the same time."""
    with storm_policy(m, "order"), blocked_queue(AT_ONCE) as release:
        before = len(EVENTS.read_text().splitlines())
        processes = []
        for number in range(12):
            processes.append(subprocess.Popen(["su", f"c{number}", "-c", "true"],
                                              stdin=subprocess.DEVNULL))
            eventually(lambda: waiting() == AT_ONCE + number + 1, "the next in the queue")
        release()
        for process in processes:
            equal(process.wait(timeout=60), 0, "a login's status")
        events = [json.loads(line) for line in EVENTS.read_text().splitlines()[before:]]
        order = [int(event["user"][1:]) for event in events if event["event"] == "start"]
        equal(sorted(order), list(range(12)), "who was started")
        expect(all(abs(order.index(user) - user) < AT_ONCE + 2 for user in order),
               f"the order {order}")


@test
def joining_takes_no_turn(m):
    """Whose container runs gets in at once, however long the queue is."""
    m.look("alice", "true")
    with blocked_queue():
        begun = time.monotonic()
        equal(m.look("alice", "echo in"), "in", "alice's login")
        expect(time.monotonic() - begun < 5, "at once")


@test
def killed_waiters_hold_nobody_up(m):
    """Login services that are killed while they wait leave the queue to the others."""
    with storm_policy(m, "killed"), blocked_queue() as release:
        processes = []
        for number in range(10):
            processes.append(subprocess.Popen(["su", f"c{number}", "-c", "true"],
                                              stdin=subprocess.DEVNULL))
        eventually(lambda: waiting() == 74, "all in the queue")
        for process in processes[:9]:
            process.kill()
        for process in processes[:9]:
            process.wait()
        release()
        equal(processes[9].wait(timeout=60), 0, "the last one's status")
        eventually(lambda: waiting() == 0, "an empty queue")
        equal([name for name in m.running() if name.endswith("-killed")], ["c9-killed"], "what runs")


@test
def waiting_on_the_console(m):
    """login(1) tells at once how many are before; its own time limit does not end the wait."""
    definitions = pathlib.Path("/etc/login.defs")
    before = definitions.read_text()
    definitions.write_text("".join(line for line in before.splitlines(True)
                                   if not line.startswith("LOGIN_TIMEOUT")) + "LOGIN_TIMEOUT 3\n")
    try:
        with m.policy("console"), blocked_queue() as release:
            person = console(m, "bob", PASSWORD)
            person.wait_for("preparing your workspace, 64 before you")
            time.sleep(4)
            release()
            person.shell()
            equal(person.run("echo $CARREL"), "bob-console", "where bob is")
            person.leave()
    finally:
        definitions.write_text(before)


@test
def waiting_over_ssh(m):
    """sshd passes nothing on before the session is open, and does not cut the wait off."""
    with m.policy("remote"), blocked_queue() as release:
        process = m.ssh_start("bob", "echo $CARREL", stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        eventually(lambda: waiting() == 65, "bob in the queue")
        time.sleep(2)
        equal(process.poll(), None, "it waits")
        release()
        out, err = process.communicate(timeout=60)
        said = out.decode() if isinstance(out, bytes) else out
        contains(said, "bob-remote", "where bob is")
        lacks((err.decode() if isinstance(err, bytes) else err), "before you", "what ssh prints")
