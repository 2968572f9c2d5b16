"""carrel gc: data that expire, and what nobody owns any more."""

import os
import pathlib
import re
import signal
import subprocess
import time

from host import RUN, STATE
from suite import contains, equal, eventually, expect, lacks, matches, test

DAY = 86400
CONTAINERS = STATE / "containers"


def expiring(host, expire="30d", more=""):
    host.policy(f'policy "short" {{\n  groups = {{"students"}}\n  time {{ expire = "{expire}" '
                f'stop = "1s" idle = "never" }}\n  {more}\n}}\n')
    host.cleanup.callback(forget_all, host)


def forget_all(host):
    for path in CONTAINERS.iterdir():
        host.carrel("remove", "--yes", path.name)
    (STATE / "clock").unlink(missing_ok=True)


def store(host, user, unused=0):
    """A stored container that was last used so long ago."""
    host.log_in(user)
    host.works("stop", user)
    if unused:
        set_used(user, time.time() - unused)


def set_used(name, when):
    (CONTAINERS / name / "used").write_text(f"last_used_at={int(when):020}\n")


def used(name):
    return int(matches((CONTAINERS / name / "used").read_text(), r"^last_used_at=(\d{20})$").group(1))


def age_mark(name, seconds):
    """As if the mark had been made so much earlier."""
    file = CONTAINERS / name / "expiring"
    file.write_text(re.sub(r"marked_at=(\d+)", lambda m: f"marked_at={int(m[1]) - seconds}",
                           file.read_text()))


@test
def gc_removes_expired_data_in_two_steps(host):
    """First marked, then removed by a run a while later; the dry run does neither."""
    expiring(host)
    store(host, "alice", 31 * DAY)
    store(host, "bob", 29 * DAY)
    since = len(host.events())
    dry = host.json("gc", "--dry-run", "--json")
    equal([(it["kind"], it["name"], it["cleared"]) for it in dry],
          [("expiring data", "alice", False)], "what it would do")
    expect(not (CONTAINERS / "alice/expiring").exists(), "the dry run marks nothing")
    matches(host.works("gc").out, r"^expiring data alice: unused for 31d.*, removed by a run after "
            r"20\d\d-\d\d-\d\d \d\d:\d\d unless it is used$", "the output")
    contains(host.works("gc").out, "expiring data alice", "a run soon after")
    expect((CONTAINERS / "alice").exists(), "it is still there")
    age_mark("alice", 7 * DAY + 1)
    contains(host.works("gc", "--dry-run").out, "would be removed", "the dry run")
    expect((CONTAINERS / "alice").exists(), "after the dry run")
    equal(host.json("show", "alice", "--json")["state"], "stopped", "it")
    matches(host.works("gc").out, r"^expired data alice: unused for 31d.*, removed$", "the output")
    equal([path.name for path in CONTAINERS.iterdir()], ["bob"], "what is stored")
    event, = [event for event in host.events()[since:] if event["event"] == "expired"]
    equal((event["container"], event["user"], event["policy"]), ("alice", "alice", "short"), "it")
    contains(event["reason"], "unused for 31d", "the reason")


@test
def gc_within_seconds(host):
    """With times of seconds and nobody's hand: marked, and removed a quarter of them later."""
    expiring(host, "1m")
    store(host, "alice", 61)
    contains(host.works("gc").out, "expiring data alice", "the first run")
    eventually(lambda: "expired data alice" in host.works("gc").out, "the removal", 40)
    equal(list(CONTAINERS.iterdir()), [], "what is stored")


@test
def gc_spares_what_is_used_again(host):
    """A login between the mark and the removal keeps the data, and its user is told at login."""
    expiring(host)
    store(host, "alice", 31 * DAY)
    host.works("gc")
    login = host.log_in("alice")
    age_mark("alice", 30 * DAY)
    lacks(host.works("gc").out, "alice", "gc while it runs")
    login.kill()
    host.works("stop", "alice")
    lacks(host.works("gc").out, "alice", "gc when it has stopped")
    expect((CONTAINERS / "alice").exists(), "the data")


@test
def gc_takes_running_for_used(host):
    """A session of 40 days loses nothing, also when PID 1 is killed and the machine crashes."""
    expiring(host)
    host.log_in("alice")
    eventually(lambda: abs(used("alice") - time.time()) < 30, "the use at login")
    set_used("alice", time.time() - 40 * DAY)
    os.kill(host.init_pid("alice"), signal.SIGSTOP)  # it cannot say so itself
    host.works("gc")
    expect(abs(used("alice") - time.time()) < 30, "gc notes that it runs")
    os.kill(host.init_pid("alice"), signal.SIGKILL)
    eventually(lambda: host.init_pid("alice") is None, "its end")
    lacks(host.works("gc").out, "data", "gc afterwards")


@test
def use_is_noted_at_the_end(host):
    """The end of a session and of the container count as use."""
    expiring(host)
    login = host.log_in("alice")
    set_used("alice", time.time() - 40 * DAY)
    login.terminate()
    eventually(lambda: abs(used("alice") - time.time()) < 30, "the use when the session ended")
    set_used("alice", time.time() - 40 * DAY)
    host.works("stop", "alice")
    expect(abs(used("alice") - time.time()) < 30, "the use when it stopped")


@test
def gc_fails_safe(host):
    """Nothing expires whose policy is gone or broken, says nothing of it, or is unknown."""
    expiring(host)
    store(host, "alice", 400 * DAY)
    host.works("gc")
    age_mark("alice", 30 * DAY)
    host.policy("policy {")
    contains(host.fails("gc").err, "no data expires while the policy files are broken", "stderr")
    host.policy('policy "other" { groups = {"students"} time { expire = "1d" } }\n')
    lacks(host.works("gc").out, "data", "gc when the policy is gone")
    host.policy('policy "short" { groups = {"students"} }\n')
    lacks(host.works("gc").out, "data", "gc when it does not expire any more")
    host.policy('policy "short" { groups = {"students"} time { expire = "never" } }\n')
    lacks(host.works("gc").out, "data", "gc when it never expires")
    expect((CONTAINERS / "alice").exists(), "the data")


@test
def gc_after_a_jump_of_the_clock(host):
    """A clock that is far ahead removes nothing, until an admin says that it is right."""
    expiring(host)
    store(host, "alice", 31 * DAY)
    host.works("gc")
    age_mark("alice", 30 * DAY)
    clock = STATE / "clock"
    clock.write_text(re.sub(r"real=(\d+)", lambda m: f"real={int(m[1]) - 100 * DAY}",
                            clock.read_text()))
    for _ in range(2):
        matches(host.fails("gc").err, r"the clock is (99|100) days ahead of where it should be "
                r"since gc ran last: no data expires; .*--trust-clock", "stderr")
    expect((CONTAINERS / "alice").exists(), "the data")
    contains(host.works("gc", "--trust-clock").out, "expired data alice", "with --trust-clock")
    clock.write_text("nonsense\n")
    host.works("gc")
    matches(clock.read_text(), r"^real=\d+$", "a damaged record of the clock")


@test
def gc_mends_a_use_in_the_future(host):
    """Data that were last used by a clock far ahead expire counted from now on."""
    expiring(host)
    store(host, "alice", -400 * DAY)
    lacks(host.works("gc").out, "data", "gc")
    expect(abs(used("alice") - time.time()) < 30, "when it was used, by gc")
    set_used("alice", time.time() - 31 * DAY)
    (CONTAINERS / "alice/used").write_text("nonsense\n")
    lacks(host.works("gc").out, "data", "gc with a damaged record falls back on the start")


@test
def expiry_is_shown(host):
    """show and list --json say when data may go; what runs has no such time."""
    expiring(host)
    host.log_in("alice")
    equal(host.json("show", "alice", "--json")["expires_at"], None, "while it runs")
    host.works("stop", "alice")
    expires = host.json("show", "alice", "--json")["expires_at"]
    expect(abs(expires - time.time() - 37 * DAY) < 60, f"it expires at {expires}")
    equal(host.json("list", "--json")[0]["expires_at"], expires, "the list's")
    matches(host.works("show", "alice").out, r"^data expires +20\d\d-", "the text")


@test
def gc_clears_cgroups_of_nobody(host):
    """Empty cgroups that no record knows of go, also in pools; what lives stays."""
    host.log_in("bob")
    places = [path for path in pathlib.Path("/sys/fs/cgroup").glob(f"*/{host.cgroup}")]
    for place in places:
        (place / "ghost").mkdir()
        (place / "pool-old").mkdir()
        (place / "pool-old" / "_tasks").mkdir()
    dry = host.json("gc", "--dry-run", "--json")
    equal(sorted((it["kind"], it["name"], it["cleared"]) for it in dry),
          [("cgroup", "ghost", False), ("cgroup", "tasks", False)], "what it would clear")
    out = host.works("gc").out
    contains(out, "cgroup ghost: cleared", "the output")
    contains(out, "cgroup tasks: cleared", "the output")
    equal({pathlib.Path(path).name for path in host.cgroups()}, {"bob"}, "the cgroups")
    expect(host.init_pid("bob"), "what lives")
    equal(host.json("gc", "--json"), [], "what is left to clear")
    host.carrel("remove", "--yes", "bob")


@test
def gc_clears_folders_of_nobody(host):
    """The run-time folder of a container that is no more goes; a login makes it again."""
    host.log_in("alice")
    host.carrel("remove", "--yes", "alice")
    (RUN / "containers/ghost").mkdir(mode=0o700, exist_ok=True)
    (RUN / "containers/ghost/lock").write_text("")
    contains(host.works("gc", "--dry-run").out, "run-time folder ghost: would be cleared", "it")
    contains(host.works("gc").out, "run-time folder ghost: cleared", "the output")
    expect(not (RUN / "containers/ghost").exists(), "the folder is still there")
    host.log_in("alice")
    expect((RUN / "containers/alice/running").exists(), "alice's")
    host.carrel("remove", "--yes", "alice")


@test
def gc_while_people_log_in(host):
    """No login fails because gc takes its folder or cgroup away."""
    host.log_in("alice")  # su is set up
    host.carrel("remove", "--yes", "alice")
    deadline, done = time.monotonic() + 6, 0
    while time.monotonic() < deadline:
        logins = [subprocess.Popen(["su", user, "-c", "true"], stdin=subprocess.DEVNULL,
                                   stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
                  for user in ("alice", "bob")]
        host.works("gc")
        for login in logins:
            equal((login.communicate(timeout=60)[0], login.returncode), ("", 0), "a login")
            done += 1
        host.works("remove", "--yes", "alice")
        host.works("remove", "--yes", "bob")
    expect(done >= 4, f"{done} logins")


@test
def gc_as_it_is_shipped(host):
    """The timer, the service and the cron job run what there is."""
    source = pathlib.Path(__file__).resolve().parents[2]
    service = (source / "systemd/carrel-gc.service.in").read_text()
    contains(service, "ExecStart=@sbindir@/carrel gc", "the service")
    contains((source / "systemd/carrel-gc.timer").read_text(), "Persistent=true", "the timer")
    job = (source / "systemd/carrel-gc.cron.in").read_text()
    matches(job, r"^#?[0-9]+ [0-9]+ \* \* \* root .*@sbindir@/carrel gc", "the cron job")
