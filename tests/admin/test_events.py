"""carrel events: the log that programs and people read."""

import json
import os
import subprocess
import time

from host import EVENTS
from suite import contains, equal, eventually, expect, lacks, matches, test


def write(lines, mode="w"):
    EVENTS.parent.mkdir(mode=0o750, exist_ok=True)
    with open(EVENTS, mode) as file:
        for line in lines:
            file.write((line if isinstance(line, str) else json.dumps(line)) + "\n")


def event(age, **fields):
    when = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(time.time() - age))
    return {"time": f"{when}.123Z"} | fields


def some():
    return [
        event(7200, event="login", user="alice", service="sshd", rhost="10.1.2.3", tty="pts/4",
              container="alice", policy="students"),
        event(600, event="denied", user="dave", service="sshd", reason='policy "barred"'),
        event(60, event="session_end", user="alice", container="alice", duration_seconds=3725,
              cpu_microseconds=65_000_000, memory_peak_bytes=12 << 20),
    ]


@test
def for_people(host):
    """One line each: when, what, who, and the rest with words before it."""
    write(some())
    lines = host.works("events").out.splitlines()
    equal(len(lines), 3, "the lines")
    local = time.strftime("%Y-%m-%d %H:%M", time.localtime(time.time() - 7200))
    contains(lines[0], local, "the first line")
    matches(lines[0], "login +alice +sshd from 10.1.2.3 on pts/4 container alice policy students$",
            "the first line")
    matches(lines[1], 'denied +dave +sshd: policy "barred"$', "the second line")
    matches(lines[2], "lasted 1:02:05, cpu 1:05, memory peak 12M$", "the third line")


@test
def for_programs(host):
    """--json prints the lines as they are; --user and --since choose."""
    events = some()
    write(events)

    def chosen(*arguments):
        out = host.works("events", "--json", *arguments).out
        return [json.loads(line) for line in out.splitlines()]

    equal(chosen(), events, "all")
    equal(chosen("--user", "dave"), events[1:2], "dave's")
    equal(chosen("--since", "1h"), events[1:], "those of the last hour")
    stamp = time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(time.time() - 100))
    equal(chosen("--since", stamp), events[2:], "those since then")
    equal(chosen("-s", "1h", "-u", "alice"), events[2:], "alice's of the last hour")
    equal(chosen("--since", "2000-01-01"), events, "all")


@test
def rotated_files(host):
    """They are read too, the oldest first; a lack of the youngest is no lack of the others."""
    def name(number):
        return EVENTS.with_name(f"{EVENTS.name}.{number}")

    for number, user in ((2, "first"), (1, "second")):
        name(number).write_text(json.dumps(event(7000 - number, event="login", user=user,
                                                 container=user)) + "\n")
        host.cleanup.callback(name(number).unlink, missing_ok=True)
    write([event(60, event="login", user="third", container="third")])

    def users(*arguments):
        out = host.works("events", "--json", *arguments).out
        return [json.loads(line)["user"] for line in out.splitlines()]

    equal(users(), ["first", "second", "third"], "all")
    equal(users("--since", "1h"), ["third"], "those of the last hour")
    equal(users("--container", "second"), ["second"], "those of a container")
    EVENTS.unlink()
    equal(users(), ["first", "second"], "nothing new after a rotation")


# A shell would wait and give up in its own time when it may not fork.
FORKS = """
import os, time
for number in range(20):
    try:
        if os.fork() == 0:
            time.sleep(0.5)
            os._exit(0)
    except BlockingIOError:
        pass
print("ready", flush=True)
"""


@test
def limits_that_are_hit(host):
    """Killed for memory, refused for pids: each is an event when the session ends."""
    host.policy('policy "small" { users = {"alice"} action = contain '
                'limits { memory = "48M" swap = "0" pids = 12 } time { stop = "2s" } }')
    count = len(host.events())
    session = host.log_in("alice", "exec 2>/dev/null; python3 -c 'bytearray(100 << 20)'; "
                          f"exec python3 -c '{FORKS}'")
    session.wait(20)
    new = []

    def told():
        new[:] = [entry for entry in host.events()[count:] if entry["event"] == "limit"]
        return len(new) >= 2
    eventually(told, "two events", 10)
    memory, pids = new[:2]
    equal((memory["user"], memory["container"], memory["policy"]), ("alice", "alice", "small"),
          "whose it was")
    equal((memory["reason"], memory["count"]), ("a process was killed for want of memory", 1),
          "the kill")
    matches(pids["reason"], "^(a process|[0-9]+ processes) more than pids w(as|ere) refused$",
            "the refusal")
    host.works("stop", "alice")
    stop = [entry for entry in host.events()[count:] if entry["event"] == "stop"][-1]
    equal(stop["reason"], "an admin asked for it", "the cause")
    for field in ("duration_seconds", "cpu_microseconds", "memory_peak_bytes"):
        expect(field in stop, f"{field} is told")
    equal(len([entry for entry in host.events()[count:] if entry["event"] == "limit"]), len(new),
          "nothing is told twice")
    contains(host.works("events", "--container", "alice").out,
             "limit       alice        container alice policy small: a process was killed",
             "for people")
    host.works("remove", "--yes", "alice")


@test
def hostile_fields(host):
    """A user name or remote host cannot drive the admin's terminal nor make a second line."""
    write([event(1, event="login", user="a\x1b[2Jb\nlogin root", rhost="\x9b31m\u202e", service="s")])
    out = host.works("events").out
    equal(len(out.splitlines()), 1, "the lines")
    for byte in "\x1b\x9b\r":
        lacks(out, byte, "the output")


@test
def damaged_lines(host):
    """They are left out and counted; a line without its end is not yet one."""
    write(["{", "nonsense", '{"a": 1} x', *[json.dumps(entry) for entry in some()],
           '{"time": "\\u12"}', '{"a": {"b": 1}}', "x" * 20000, "x" * 200000])
    with open(EVENTS, "a") as file:
        file.write('{"time": "20')
    result = host.works("events", "--json")
    equal(len(result.out.splitlines()), 3, "the lines")
    contains(result.err, "damaged", "stderr")


@test
def none_yet(host):
    """No file is no error."""
    if EVENTS.exists():
        EVENTS.unlink()
    equal(host.works("events").out, "", "the output")


@test
def follow_through_rotation(host):
    """-f shows the last ones, then new ones as they come, also when logrotate comes between."""
    write([event(100 - n, event="login", user=f"old{n}") for n in range(30)])
    output = host.directory / "followed"
    with open(output, "w") as file:
        process = subprocess.Popen(["carrel", "events", "-f", "--json"], stdout=file)
    host.cleanup.callback(process.kill)
    seen = []

    def users(count):
        """The next so many."""
        def lines():
            return output.read_text().splitlines()
        eventually(lambda: len(lines()) >= len(seen) + count, f"{count} more lines", 20)
        new = [json.loads(line)["user"] for line in lines()[len(seen):]]
        seen.extend(new)
        return new

    equal(users(10), [f"old{n}" for n in range(20, 30)], "the first ones")
    write([event(0, event="login", user="new1")], "a")
    equal(users(1), ["new1"], "the new one")
    os.rename(EVENTS, EVENTS.with_suffix(".1"))
    with open(EVENTS.with_suffix(".1"), "a") as old:  # by somebody who had it open
        old.write(json.dumps(event(0, event="login", user="late")) + "\n")
    write([event(0, event="login", user="new2")])
    equal(users(2), ["late", "new2"], "those around a rename")
    write([])  # cut short, as logrotate's copytruncate does, and noticed, and written anew
    time.sleep(1)
    write([event(0, event="login", user="new3")], "a")
    equal(users(1), ["new3"], "the one after copytruncate")
    EVENTS.with_suffix(".1").unlink()
    process.terminate()
    expect(process.wait(10) != 0, "it ends when it is told to")


@test
def what_admins_do_is_there(host):
    """Changes are events, with who made them."""
    count = len(host.events())
    host.works("pam", "enable", "sshd", env={"SUDO_USER": "admin"})
    new = host.events()[count:]
    equal([(entry["event"], entry["admin"], entry["reason"]) for entry in new],
          [("admin", "admin", "pam enable sshd")], "the new events")
    contains(host.works("events").out.splitlines()[-1], "by admin: pam enable sshd", "the last")
    eventually(lambda: host.works("events", "--since", "1m").out, "it is recent")
