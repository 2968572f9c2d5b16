"""carrel list, show, stop, remove, gc, message: containers that run and that are stored."""

import os
import pathlib
import signal
import subprocess
import time

from host import RUN, STATE
from suite import contains, equal, eventually, expect, lacks, matches, test


def entry(host, name):
    found = [item for item in host.json("list", "--json") if item["name"] == name]
    equal(len(found), 1, f"entries of {name}")
    return found[0]


def forget(host, *names):
    for name in names:
        host.carrel("remove", "--yes", name)


@test
def list_shows_what_runs(host):
    """Who, which policy, how many sessions, what it uses and may use, since when."""
    host.log_in("alice")
    host.log_in("alice")
    host.log_in("bob")
    table = host.works("list").out.splitlines()
    matches(table[0], r"^NAME +USER +POLICY +STATE +SESSIONS +PROCESSES +CPU +MEMORY +LIMIT +SINCE$",
            "the header")
    matches(table[1], r"^alice +alice +students +running +2 +[0-9]+ +0:[0-9]+ +[0-9.]+[KM] +512M +20",
            "alice's line")
    equal(len(table), 3, "the lines")
    it = entry(host, "alice")
    equal((it["state"], it["user"], it["policy"], it["sessions"]),
          ("running", "alice", "students", 2), "alice's entry")
    equal(it["memory_limit_bytes"], 512 << 20, "the limit")
    expect(it["processes"] >= 3 and it["memory_bytes"] > 0, "it uses something")
    expect(abs(it["since"] - time.time()) < 120, "since when")
    lacks(host.works("list", "--no-header").out, "NAME", "without header")
    equal([line.split()[0] for line in host.works("list", "--no-header", "b*", "zz*").out.splitlines()],
          ["bob"], "by pattern")
    forget(host, "alice", "bob")


@test
def list_shows_what_is_stored(host):
    """A stopped container is listed, with dashes for what is not known."""
    host.log_in("alice")
    host.works("stop", "alice")
    matches(host.works("list").out, r"^alice +alice +students +stopped +- +- +- +- +512M +20", "it")
    it = entry(host, "alice")
    equal((it["state"], it["sessions"], it["memory_bytes"]), ("stopped", None, None), "the entry")
    forget(host, "alice")
    equal(host.json("list", "--json"), [], "the list")


@test
def list_with_broken_policies(host):
    """What runs is listed all the same; what is wrong is said."""
    host.log_in("alice")
    host.policy("policy {")
    result = host.works("list")
    contains(result.err, "40-test.conf", "stderr")
    matches(result.out, r"^alice +alice +students +running", "the table")
    host.works("stop", "alice")
    forget(host, "alice")


@test
def show_everything(host):
    """Records, usage, limits and sessions, for people and programs."""
    host.log_in("alice")
    text = host.works("show", "alice").out
    for line in (r"^user +alice$", r"^policy +students$", r"^image +host$", r"^state +running$",
                 r"^hostname +students$", r"^limit memory +512M$", r"^limit pids +128$",
                 r"^ends when idle +30m$", r"^storage +[a-z]+$", r"^memory peak +[0-9.]+[KM]$",
                 r"^ +1 +alice +su "):
        matches(text, line, "the text")
    it = host.json("show", "alice", "--json")
    equal(it["session_count"], 1, "the number of sessions")
    session, = it["sessions"]
    equal((session["user"], session["service"]), ("alice", "su"), "the session")
    equal(session["pid"], host.logins[0].pid, "the session's process")
    equal(it["limits"]["pids"], 128, "the limit of pids")
    equal(it["pid"], host.init_pid("alice"), "the pid of PID 1")
    host.works("stop", "alice")
    it = host.json("show", "alice", "--json")
    equal((it["state"], it["sessions"]), ("stopped", []), "when stopped")
    matches(host.works("show", "alice").out, r"^state +stopped$", "the text when stopped")
    forget(host, "alice")


@test
def no_such_container(host):
    """Every command that takes a name says so, and leaves no trace of it."""
    before = os.listdir(RUN / "containers")
    for name in ("nobody", "../alice", "", "A"):
        for command in (["show"], ["enter"], ["stop"], ["remove", "--yes"], ["exec"], ["message"]):
            more = {"exec": ["--", "true"], "message": ["hello"]}.get(command[0], [])
            contains(host.fails(*command, name, *more).err, "there is no container", "stderr")
    equal(os.listdir(RUN / "containers"), before, "what is in /run/carrel/containers")


@test
def stop_in_good_order(host):
    """Programs get SIGTERM and the time to end; nothing is left in /run, in cgroups, on the host."""
    login = host.log_in("alice", "trap 'echo ended >~/told; exit 0' TERM HUP; echo ready; "
                                 "while :; do sleep 0.1; done")
    pid = host.init_pid("alice")
    contains(host.works("stop", "alice").out, "alice: stopped\n", "the output")
    eventually(lambda: login.poll() is not None, "the end of the session")
    eventually(lambda: not pathlib.Path(f"/proc/{pid}").exists(), "PID 1 is gone")
    equal(host.cgroups(), [], "the cgroups")
    expect(not (RUN / "containers/alice/running").exists(), "the record is gone")
    equal(host.last_event()["reason"], "stop", "the event")
    equal(host.last_event()["container"], "alice", "the event's container")
    check = subprocess.run(["su", "alice", "-c", "cat ~/told"], capture_output=True, text=True)
    equal(check.stdout, "ended\n", "what the program wrote")
    forget(host, "alice")


@test
def stop_by_force(host):
    """What does not listen to SIGTERM ends all the same, after the time that was given."""
    host.log_in("alice", "trap '' TERM HUP; echo ready; while :; do sleep 1; done")
    begun = time.monotonic()
    host.works("stop", "--timeout", "3", "alice")
    took = time.monotonic() - begun
    expect(1.9 < took < 8, f"it took {took:.1f} s")
    equal(host.running(), [], "what runs")
    equal(host.cgroups(), [], "the cgroups")
    forget(host, "alice")


@test
def stop_a_frozen_init(host):
    """A PID 1 that does not answer is killed."""
    host.log_in("alice")
    os.kill(host.init_pid("alice"), signal.SIGSTOP)
    eventually(lambda: " no answer " in host.works("list").out, "the list shows it")
    result = host.works("stop", "alice")
    contains(result.err, "by force", "stderr")
    contains(result.out, "stopped by force", "stdout")
    equal((host.running(), host.cgroups()), ([], []), "what is left")
    forget(host, "alice")


@test
def stop_several(host):
    """All at once, in the time of one; what does not run is said and no error."""
    for user in ("alice", "bob"):
        host.log_in(user, "trap '' TERM HUP; echo ready; while :; do sleep 1; done")
    begun = time.monotonic()
    host.works("stop", "--timeout", "2", "alice", "bob")
    expect(time.monotonic() - begun < 8, "together they took no longer than one")
    contains(host.works("stop", "alice").out, "is not running", "the output")
    contains(host.works("stop", "--all").out, "no container is running", "the output")
    host.log_in("alice")
    host.log_in("bob")
    host.works("stop", "--all")
    equal(host.running(), [], "what runs")
    forget(host, "alice", "bob")


def add_class(host, count):
    """A group `class` of so many users, who are contained, for a while."""
    files = {path: path.read_text() for path in (pathlib.Path("/etc/passwd"), pathlib.Path("/etc/group"))}
    passwd, group = files
    users = [f"pupil{number}" for number in range(count)]
    for path, text in files.items():
        host.cleanup.callback(path.write_text, text)
    passwd.write_text(files[passwd] + "".join(
        f"{user}:x:{30000 + number}:30000::/home/{user}:/bin/sh\n" for number, user in enumerate(users)))
    group.write_text(files[group] + "class:x:30000:\n")
    host.policy('policy "class" { groups = {"class"} }')
    return users


@test
def stop_more_than_descriptors(host):
    """A whole class, by an admin who may have fewer files open than there are containers."""
    users = add_class(host, 110)
    host.cleanup.callback(forget, host, *users)
    host.works("start", "--group", "class")
    equal(len(host.running()), len(users), "how many run")
    run = subprocess.run(["prlimit", "--nofile=100:100", "carrel", "stop", "--all"],
                         capture_output=True, text=True, timeout=60)
    equal((run.returncode, run.stderr, host.running()), (0, "", []), "status, complaints, what runs")


@test
def remove_asks(host):
    """Only with a y on a terminal or with --yes; what was in it is gone, and home on the host stays."""
    host.log_in("alice", "echo mine >~/file; echo ready; sleep 1000")
    contains(host.fails("remove", "alice").err, "--yes", "stderr")
    equal(host.running(), ["alice"], "what runs")
    terminal = host.at_terminal("remove", "alice")
    terminal.wait_for(r"Remove container alice of alice and all its data\? It is running and will "
                      r"be stopped. \[y/N\]")
    terminal.type("no")
    equal(terminal.end(), 1, "the status")
    expect((STATE / "containers/alice").exists(), "it is still there")
    terminal = host.at_terminal("remove", "alice")
    terminal.wait_for(r"\[y/N\]")
    terminal.type("y")
    equal(terminal.end(), 0, "the status")
    equal((host.running(), os.listdir(STATE / "containers")), ([], []), "what is left")
    equal(host.last_event()["reason"], "remove", "the event")
    equal(host.last_event()["user"], "alice", "the event's user")
    expect(pathlib.Path("/home/alice").exists(), "the home on the host is still there")
    host.log_in("alice", "cat ~/file 2>/dev/null; echo ready; sleep 1000")  # first line: "ready"
    forget(host, "alice")


@test
def remove_a_damaged_one(host):
    """A record that cannot be read keeps no data for ever, and its neighbours are listed."""
    host.log_in("bob")
    host.works("stop", "bob")
    (STATE / "containers/alice").mkdir()
    (STATE / "containers/alice/stored").write_text("nonsense\n")
    result = host.carrel("list", "--json")
    equal(result.status, 1, "the status of list")
    contains(result.err, "alice", "stderr")
    contains(result.out, '"bob"', "stdout")
    host.works("remove", "--yes", "alice")
    equal(os.listdir(STATE / "containers"), ["bob"], "what is stored")
    forget(host, "bob")


@test
def an_interrupted_removal(host):
    """What a killed remove left is no container and goes with the next one, or with gc."""
    for name in (".removing-alice-00c0ffee", ".removing-bob-00c0ffee"):
        (STATE / "containers" / name / "upper/deep").mkdir(parents=True)
    equal(host.json("list", "--json"), [], "the list")
    equal([item["name"] for item in host.json("gc", "--dry-run", "--json")],
          [".removing-alice-00c0ffee", ".removing-bob-00c0ffee"], "what gc would clear")
    contains(host.works("gc").out, ".removing-bob-00c0ffee: cleared", "the output")
    equal(os.listdir(STATE / "containers"), [], "what is left")
    (STATE / "containers/.removing-alice-00c0ffee").mkdir()
    host.log_in("bob")
    host.works("remove", "--yes", "bob")
    equal(os.listdir(STATE / "containers"), [], "what is left")


@test
def gc_clears_the_dead(host):
    """A container whose PID 1 was killed leaves traces; gc clears them, and nothing that lives."""
    host.log_in("alice")
    host.log_in("bob")
    pid = host.init_pid("alice")
    os.kill(pid, signal.SIGKILL)
    eventually(lambda: host.init_pid("alice") is None, "the end of alice's container")
    expect([path for path in host.cgroups() if path.endswith("/alice")], "its cgroup is there")
    dry = host.json("gc", "--dry-run", "--json")
    equal(dry, [{"kind": "container", "name": "alice", "cleared": False}], "what it would clear")
    expect((RUN / "containers/alice/running").exists(), "the dry run clears nothing")
    contains(host.works("gc").out, "container alice: cleared", "the output")
    expect(not (RUN / "containers/alice/running").exists(), "the record is gone")
    equal([path for path in host.cgroups() if path.endswith("/alice")], [], "its cgroups")
    equal(host.running(), ["bob"], "what runs")
    equal(host.json("gc", "--json"), [], "what is left to clear")
    contains(host.last_event()["reason"], "gc: 1 cleared", "the event")
    host.log_in("alice")
    forget(host, "alice", "bob")


@test
def message_to_terminals(host):
    """Every terminal of the container shows it; control bytes do not get through."""
    host.log_in("alice")
    terminal = host.at_terminal("enter", "alice")
    terminal.shell()
    host.works("message", "alice", "the", "machine goes down at\x1b[2J six")
    terminal.wait_for(r"the machine goes down at \[2J six")
    terminal.leave()
    equal(host.last_event()["container"], "alice", "the event's container")
    contains(host.fails("message", "bob", "hello").err, "no container", "stderr")
    host.fails("message", "alice", "x" * 2000, status=2)
    forget(host, "alice")
