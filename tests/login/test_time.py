"""The time rules of policies: idle, session, cpu_day, hours, with times of seconds."""

import contextlib
import json
import os
import pathlib
import subprocess
import time

from machine import STATE
from suite import contains, equal, eventually, expect, lacks, matches, test

EVENTS = pathlib.Path("/var/log/carrel/events.jsonl")
STUBBORN = "trap '' TERM HUP; while :; do sleep 0.1; done"


def events(kind, container, since=0):
    """What was logged of a container after the first `since` lines."""
    lines = EVENTS.read_text().splitlines()[since:]
    return [event for event in map(json.loads, lines)
            if event["event"] == kind and event.get("container") == container]


def events_mark():
    return len(EVENTS.read_text().splitlines()) if EVENTS.exists() else 0


def one_event(kind, container, since, what):
    return eventually(lambda: events(kind, container, since), what)[0]


def session_cgroups(m, container):
    return sorted(path for path in pathlib.Path("/sys/fs/cgroup").glob(
        f"**/{m.cgroup}/{container}/session-*") if path.is_dir())


def host_pids(m, container, command):
    """Processes of a container, by what is in their command line, as the host sees them."""
    place = os.readlink(f"/proc/{m.init_pid(container)}/ns/pid")
    found = []
    for process in pathlib.Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            if os.readlink(process / "ns/pid") == place and \
                    command in (process / "cmdline").read_text():
                found.append(int(process.name))
    return found


def ssh_start(m, user, command):
    """A session that goes on once it has said "ready"."""
    session = m.ssh_start(user, command, stdout=subprocess.PIPE, text=True)
    equal(session.stdout.readline(), "ready\n", "the session's first line")
    return session


# ---- session --------------------------------------------------------------------------------

@test
def session_is_ended_on_time(m):
    """The user is warned and told, the session ends at its time, with an event that says why."""
    with m.policy("short", 'time { session = "5s" warn = "2s" stop = "1s" }'):
        since = events_mark()
        begun = time.monotonic()
        terminal = m.ssh_terminal("bob").shell()
        terminal.wait_for(r"carrel: this session ends in [1-3] seconds?, as it has lasted the "
                          r"longest time then: save your work\.")
        expect(2.5 < time.monotonic() - begun < 5, "the warning comes 2 s before the end")
        terminal.wait_for(r"carrel: the longest time for a session is over: this session ends now")
        terminal.end()
        expect(4.5 < time.monotonic() - begun < 20, "the end comes after 5 s")
        event = one_event("session_end", "bob-short", since, "the event")
        equal((event["reason"], event["user"]), ("the longest session is over", "bob"), "the event")
        expect(4 <= event["duration_seconds"] <= 15, f"it lasted {event['duration_seconds']} s")
        expect(0 < event["cpu_microseconds"] < 10_000_000, f"its cpu: {event['cpu_microseconds']}")
        expect(m.init_pid("bob-short"), "the container runs on")
        equal(m.ssh("bob", "echo again").out, "again\n", "a new login")


@test
def session_takes_its_daemons_along(m):
    """Double-forked, setsid and nohup processes and a tmux server end with their session."""
    with m.policy("short", 'time { session = "6s" stop = "1s" }'):
        session = ssh_start(
            m, "bob", "nohup sleep 1111 >/dev/null 2>&1 & "
            "setsid sh -c '(sleep 2222 &) </dev/null >/dev/null 2>&1' & "
            "(trap '' TERM HUP; setsid sh -c \"trap '' TERM HUP; while :; do sleep 3; done #3333\""
            " </dev/null >/dev/null 2>&1 &); "
            "TERM=xterm tmux new-session -d 'exec sleep 4444'; echo ready; sleep 1000")
        for number in ("1111", "2222", "3333", "4444"):
            eventually(lambda: host_pids(m, "bob-short", number), f"process {number}")
        eventually(lambda: session.poll() is not None, "the end of the session")
        for number in ("1111", "2222", "3333", "4444"):
            eventually(lambda: not host_pids(m, "bob-short", number), f"the end of {number}")
        expect(m.init_pid("bob-short"), "the container runs on")


@test
def session_leaves_the_others_alone(m):
    """Of two sessions only the one whose time is over ends, with what it started."""
    with m.policy("short", 'time { session = "5s" stop = "1s" }'):
        first = ssh_start(m, "bob", "setsid sleep 5555 & echo ready; exec sleep 5555")
        time.sleep(2.5)
        second = ssh_start(m, "bob", "setsid sleep 6666 & echo ready; exec sleep 6666")
        eventually(lambda: first.poll() is not None, "the end of the first")
        eventually(lambda: not host_pids(m, "bob-short", "5555"), "the end of its processes")
        equal(len(host_pids(m, "bob-short", "6666")), 2, "processes of the second")
        expect(second.poll() is None, "the second goes on")
        eventually(lambda: second.poll() is not None, "the end of the second")


@test
def session_of_su_at_a_terminal(m):
    """A session on a terminal of the host, by su, is warned there and ended."""
    with m.policy("short", 'time { session = "5s" warn = "2s" stop = "1s" }'):
        terminal = m.terminal("su", "-", "bob").shell()
        terminal.wait_for("carrel: this session ends in [1-3] second")
        terminal.wait_for("this session ends now")
        terminal.end()


@test
def session_that_does_not_listen(m):
    """What ignores SIGTERM has `stop` to end, and is killed then."""
    with m.policy("short", 'time { session = "3s" stop = "3s" }'):
        since = events_mark()
        begun = time.monotonic()
        ssh_start(m, "bob", f"echo ready; {STUBBORN} #7777")
        eventually(lambda: not host_pids(m, "bob-short", "7777"), "the end of its process")
        expect(5.5 < time.monotonic() - begun < 20, "it had its 3 s and 3 s more")
        equal(one_event("session_end", "bob-short", since, "the event")["reason"],
              "the longest session is over", "the reason")


@test
def session_without_a_terminal(m):
    """A connection that only forwards ends at its time as well."""
    with m.policy("short", 'time { session = "3s" stop = "1s" }'):
        forward = m.ssh_forward("bob")
        eventually(lambda: m.init_pid("bob-short"), "the session")
        eventually(lambda: forward.poll() is not None, "its end", 20)


@test
def session_shows_what_is_left(m):
    """carrel show tells how long each session may still last."""
    with m.policy("short", 'time { session = "1h" cpu_day = "2h" }'):
        ssh_start(m, "bob", "echo ready; exec sleep 1000")
        it = json.loads(m.run("carrel", "show", "--json", "bob-short").out)
        expect(3500 <= it["sessions"][0]["left_seconds"] <= 3600, f"the session: {it['sessions']}")
        expect(7100e6 < it["cpu_day_left_microseconds"] <= 7200e6, "processor time of the day")
        text = m.run("carrel", "show", "bob-short").out
        matches(text, r"^cpu left today +1:59:[0-9]+|2:00:00$", "the text")
        matches(text, r"SINCE +LEFT +PID\n.* (59:[0-9]+|1:00:00) +[0-9]+$", "the text")
    with m.policy("long"):
        ssh_start(m, "bob", "echo ready; exec sleep 1000")
        it = json.loads(m.run("carrel", "show", "--json", "bob-long").out)
        equal((it["sessions"][0]["left_seconds"], it["cpu_day_left_microseconds"]), (None, None),
              "without an end")


@test
def session_cgroups_are_cleared(m):
    """The cgroup of an ended session goes with the next login; policies without ends make none."""
    with m.policy("short", 'time { session = "1h" }'):
        equal([m.ssh("bob", "true").status for _ in range(4)], [0] * 4, "the logins")
        places = session_cgroups(m, "bob-short")
        expect(1 <= len({path.name for path in places}) <= 2, f"cgroups: {places}")
        m.run("carrel", "stop", "bob-short")
        equal(session_cgroups(m, "bob-short"), [], "the cgroups after a stop")
    equal(m.ssh("bob", "true").status, 0, "a plain login")
    equal(session_cgroups(m, "bob"), [], "cgroups of a plain session")


# ---- idle -----------------------------------------------------------------------------------

@test
def idle_zero_stops_at_once(m):
    """idle = 0: the container ends with its last session; the next login starts it anew."""
    with m.policy("idle", 'time { idle = "0" stop = "2s" }'):
        for _ in range(3):
            equal(m.ssh("bob", "echo in").out, "in\n", "a login")
        eventually(lambda: m.init_pid("bob-idle") is None, "the stop", 10)


@test
def idle_counts_from_the_last_session(m):
    """The container stays while one session is there, and that long after the last has left."""
    with m.policy("idle", 'time { idle = "2s" stop = "2s" }'):
        since = events_mark()
        session = ssh_start(m, "bob", "echo ready; exec sleep 4")
        pid = m.init_pid("bob-idle")
        m.ssh("bob", "true")
        time.sleep(3)
        equal(m.init_pid("bob-idle"), pid, "the container while a session is there")
        eventually(lambda: session.poll() is not None, "the end of the session")
        left = time.monotonic()
        eventually(lambda: m.init_pid("bob-idle") is None, "the stop", 20)
        expect(time.monotonic() - left > 1.5, "it stayed for 2 s")
        equal(one_event("stop", "bob-idle", since, "the event")["reason"], "idle", "the reason")


@test
def idle_never(m):
    """idle = never: processes go on without a session."""
    with m.policy("idle", 'time { idle = "never" }'):
        m.ssh("bob", "nohup sleep 8888 >/dev/null 2>&1 &")
        pid = m.init_pid("bob-idle")
        time.sleep(2.5)
        equal(m.init_pid("bob-idle"), pid, "the container")
        equal(len(host_pids(m, "bob-idle", "8888")), 1, "its process")


@test
def idle_stops_gently(m):
    """All get SIGHUP and SIGTERM and time to end; a login meanwhile waits for a fresh start."""
    with m.policy("idle", 'time { idle = "1s" stop = "4s" }'):
        m.ssh("bob", "setsid sh -c 'trap \"echo hup >>~/told\" HUP; trap \"echo term >>~/told\" TERM; "
              "while :; do sleep 0.1; done' >/dev/null 2>&1 & sleep 0.5")
        before = m.init_pid("bob-idle")
        told = eventually(lambda: (STATE / "containers/bob-idle/layer/home/bob/told").exists(),
                          "what the process was told", 20)
        expect(told and m.init_pid("bob-idle") == before, "it has time to end")
        results = [m.ssh_start("bob", "cat told; echo in", stdout=subprocess.PIPE, text=True)
                   for _ in range(3)]
        outputs = [result.communicate(timeout=60)[0] for result in results]
        equal(outputs, ["hup\nterm\nin\n"] * 3, "what the logins see")
        expect(m.init_pid("bob-idle") not in (None, before), "it is a fresh one")


# ---- cpu_day --------------------------------------------------------------------------------

BURN = "while :; do :; done"


def burn(seconds):
    """A command that uses so much processor time, however busy the machine is."""
    return f"python3 -c 'import time\nwhile time.process_time() < {seconds}: pass'"


def use_up(m):
    terminal = m.ssh_terminal("bob").shell()
    terminal.type(BURN)
    return terminal


@test
def cpu_day_ends_sessions(m):
    """Warned when `warn` of it is left, ended when it is used up, then refused until midnight."""
    with m.policy("budget", 'time { cpu_day = "4s" warn = "2s" stop = "1s" idle = "never" }'):
        since = events_mark()
        terminal = use_up(m)
        terminal.wait_for(r"carrel: [0-9]+ seconds? of your processor time for today are left")
        terminal.wait_for("carrel: your processor time for today is used up: this session ends now")
        terminal.end()
        event = one_event("session_end", "bob-budget", since, "the event")
        equal(event["reason"], "the day's processor time is used up", "the reason")
        expect(event["cpu_microseconds"] > 3_000_000, f"it used {event['cpu_microseconds']}")
        one_event("stop", "bob-budget", since, "the end of the container: nothing goes on unwatched")
        tomorrow = time.strftime("%a 00:00", time.localtime(time.time() + 86400))
        for _ in range(2):
            result = m.ssh("bob", "echo in")
            expect(result.status != 0, "bob gets in")
            contains(result.said, f"carrel: your processor time for today (4s) is used up; opens "
                     f"{tomorrow}.", "what bob reads")
        matches(one_event("denied", "bob-budget", since, "the refusal")["reason"],
                "used up the day's processor time of policy 'budget'", "the reason")


@test
def cpu_day_outlives_the_container(m):
    """What was used counts after PID 1 was killed; another day begins anew."""
    with m.policy("budget2", 'time { cpu_day = "6s" stop = "1s" }'):
        m.ssh("bob", burn(2))
        m.kill_container("bob-budget2")
        m.ssh("bob", burn(2))
        record = STATE / "containers/bob-budget2/cpu_day"
        m.run("carrel", "stop", "bob-budget2")
        used = int(matches(record.read_text(), r"used=(\d+)").group(1))
        expect(4e6 < used < 5.9e6, f"used: {used}")
        terminal = use_up(m)
        terminal.wait_for("is used up: this session ends now")
        terminal.end()
        contains(m.ssh("bob", "echo in").said, "is used up; opens", "what bob reads")
        text = record.read_text()
        record.write_text(text.replace(matches(text, r"day=(\d+)").group(1), "20200101"))
        equal(m.ssh("bob", "echo in").out, "in\n", "a login on another day")
        record.write_text("nonsense")
        equal(m.ssh("bob", "echo in").out, "in\n", "a login with a damaged record")


@test
def cpu_day_of_what_stays_behind(m):
    """Processes that a session left behind use it up too: then the container ends."""
    with m.policy("budget3", 'time { cpu_day = "2s" stop = "1s" idle = "never" }'):
        since = events_mark()
        m.ssh("bob", "nohup sh -c 'while :; do :; done' >/dev/null 2>&1 &")
        equal(one_event("stop", "bob-budget3", since, "the stop")["reason"],
              "the day's processor time is used up", "the reason")


# ---- hours ----------------------------------------------------------------------------------

def wall(minutes):
    """HH:MM so many minutes from now."""
    return time.strftime("%H:%M", time.localtime(time.time() + 60 * minutes))


@test
def hours_refuse(m):
    """Outside of the hours a login is refused, with the moment at which it opens."""
    opens = time.time() + 2 * 3600
    with m.policy("shut", f'time {{ hours = "{wall(120)}-{wall(180)}" }}'):
        since = events_mark()
        result = m.ssh("bob", "echo in")
        expect(result.status != 0 and "in\n" not in result.out, "bob gets in")
        contains(result.said, f"carrel: logins are closed at this hour (open: {wall(120)}-{wall(180)}); "
                 f"opens {time.strftime('%a %H:%M', time.localtime(opens))}.", "what bob reads")
        contains(one_event("denied", "bob-shut", since, "the refusal")["reason"],
                 "outside of the allowed hours of policy 'shut'", "the reason")
        equal(m.ssh("admin", "echo in").out, "in\n", "an exempt user")
    with m.policy("open", f'time {{ hours = "{wall(-60)}-{wall(60)}" }}'):
        equal(m.ssh("bob", "echo in").out, "in\n", "a login within the hours")


@test
def hours_end_sessions(m):
    """When the hours end, sessions were warned and are ended, and so is what they left behind."""
    while time.localtime().tm_sec > 40:  # long enough to be warned before the minute is over
        time.sleep(1)
    with m.policy("open", f'time {{ hours = "{wall(-60)}-{wall(1)}" warn = "10s" stop = "1s" '
                  'idle = "never" }'):
        since = events_mark()
        m.ssh("bob", "nohup sleep 9999 >/dev/null 2>&1 &")
        terminal = m.ssh_terminal("bob").shell()
        terminal.wait_for(r"carrel: this session ends in [0-9]+ seconds?, as the allowed hours are "
                          r"over then")
        terminal.wait_for(r"carrel: the allowed hours are over: this session ends now")
        expect(time.time() % 60 < 20, "it is the next minute")
        terminal.end()
        equal(one_event("stop", "bob-open", since, "the end of the container")["reason"],
              "the allowed hours are over", "the reason")
        ends = [event for event in events("session_end", "bob-open", since) if "reason" in event]
        equal([event["reason"] for event in ends], ["the allowed hours are over"], "the session")
        contains(m.ssh("bob", "echo in").said, "logins are closed", "what bob reads")


# ---- expire ---------------------------------------------------------------------------------

@test
def expire_is_told_at_login(m):
    """A new container's user is told, and one who comes when more than half of the time is over."""
    told = "Your files here are removed after 30d without a login"
    with m.policy("kept", 'time { expire = "30d" idle = "0" stop = "1s" }'):
        contains(m.ssh_terminal("bob").shell().greeting, told + ".", "the first greeting")
        eventually(lambda: m.init_pid("bob-kept"), "the container")
        m.run("carrel", "stop", "bob-kept")
        lacks(m.ssh_terminal("bob").shell().greeting, told, "the next greeting")
        m.run("carrel", "stop", "bob-kept")
        used = int(time.time()) - 20 * 86400
        (STATE / "containers/bob-kept/used").write_text(f"last_used_at={used:020}\n")
        contains(m.ssh_terminal("bob").shell().greeting, told + "; the last was before 20d.",
                 "the greeting after 20 days")
        m.run("carrel", "remove", "--yes", "bob-kept")
