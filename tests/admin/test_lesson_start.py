"""carrel start, freeze, thaw: containers that are ready before a lesson, and held during it."""

import fcntl
import os
import pathlib
import signal
import subprocess
import time

from host import EVENTS, RUN
from suite import contains, equal, eventually, expect, lacks, matches, test
from test_lesson_select import TEAM, forget

QUEUE = RUN / "queue"


def state(host, name):
    return host.json("show", "--json", name)["state"]


@test
def start_makes_all_ready(host):
    """Every member's container runs with their home in it; no session; the others are named."""
    host.cleanup.callback(forget, host, "alice", "bob")
    result = host.works("start", "--group", "students")
    equal(host.running(), ["alice", "bob"], "what runs")
    contains(result.out, "alice: started\n", "alice's line")
    contains(result.out, "2 started, 0 running already, 0 failed", "the summary")
    contains(result.out, "dave: left out: policy \"barred\"", "who has no container")
    equal(host.json("show", "--json", "alice")["session_count"], 0, "sessions")
    equal(host.works("exec", "alice", "--", "sh", "-c", "pwd; ls -a").out.splitlines()[0],
          "/home/alice", "the home")
    host.log_in("alice")
    contains(host.works("start", "alice", "bob").out, "alice: is running already", "a second time")
    lacks(EVENTS.read_text(), '"event":"host"', "the events")


@test
def start_a_policy_and_a_team(host):
    """--policy takes everybody it contains; a team's container is furnished for each member."""
    host.policy(TEAM)
    subprocess.run(["usermod", "-aG", "staff", "bob"], check=True)
    host.cleanup.callback(subprocess.run, ["gpasswd", "-d", "bob", "staff"], capture_output=True)
    host.cleanup.callback(forget, host, "staff")
    host.works("start", "--policy", "team")
    equal(host.running(), ["staff"], "what runs")
    for user in ("bob", "carol"):
        equal(host.works("exec", "--user", user, "staff", "--", "sh", "-c", "pwd; id -un").out,
              f"/home/{user}\n{user}\n", "in the team's container")


@test
def start_idles(host):
    """The time of idling begins with the start."""
    host.policy('policy "short" { users = {"alice"}\n time { idle = "1s" stop = "1s" } }')
    host.cleanup.callback(forget, host, "alice")
    host.works("start", "alice")
    eventually(lambda: host.running() == [], "its end for being idle")


@test
def start_tells_failures(host):
    """One that fails is named with the reason, the others start, the status is 1."""
    host.cleanup.callback(forget, host, "alice", "bob")
    host.policy('policy "odd" { users = {"bob"}\n bind "/nonexistent" { } }')
    result = host.fails("start", "--group", "students")
    contains(result.err, "carrel: bob: bind \"/nonexistent\"", "the reason")
    contains(result.out, "1 started, 0 running already, 1 failed", "the summary")
    equal(host.running(), ["alice"], "what runs")
    contains(host.fails("start", "carol").err, "carol: has no container: no policy is for them",
             "one who is not contained")
    contains(host.fails("start", "zoe").err, "there is no user 'zoe'", "an unknown user")
    contains(host.fails("start", "--policy", "nosuch").err, "there is no policy", "a policy")
    host.policy('policy "all" { }', name="99-all.conf")
    contains(host.fails("start", "--policy", "all").err, "is for everybody", "everybody's policy")
    for words in ([], ["--jobs", "0", "alice"], ["--jobs", "x", "alice"], ["alice", "--all"]):
        host.fails("start", *words, status=2)
    contains(host.fails("start", "alice", user="alice").err, "only root", "not root")


@test
def start_shows_a_bar(host):
    """On a terminal one line tells how far it is."""
    host.cleanup.callback(forget, host, "alice", "bob")
    terminal = host.at_terminal("start", "--group", "students")
    terminal.wait_for(r"\[#+\] 2 of 2")
    terminal.wait_for("2 started")


class Crowd:
    """Others who are in front of the queue, as long as they hold their tickets."""

    def __init__(self, host, count):
        QUEUE.mkdir(mode=0o700, exist_ok=True)
        self.tickets = []
        for number in range(1, count + 1):
            ticket = (QUEUE / f"{number:016x}").open("w")
            fcntl.flock(ticket, fcntl.LOCK_EX)
            self.tickets.append(ticket)
        host.cleanup.callback(self.leave)

    def leave(self):
        for ticket in self.tickets:
            ticket.close()
        for path in QUEUE.glob("0*"):
            path.unlink(missing_ok=True)


@test
def interrupted_start_is_whole(host):
    """After SIGINT no other is begun, those that were are complete, and it says so."""
    host.cleanup.callback(forget, host, "alice", "bob")
    crowd = Crowd(host, 200)
    process = subprocess.Popen(["carrel", "start", "--jobs", "1", "--group", "students"],
                               stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    eventually(lambda: len(list(QUEUE.glob("0*"))) == 201, "the ticket of the first")
    process.send_signal(signal.SIGINT)
    time.sleep(0.1)
    equal(process.poll(), None, "it waits for the one that has begun")
    crowd.leave()
    out, err = process.communicate(timeout=30)
    equal(process.returncode, 1, "the status")
    contains(err, "interrupted", "stderr")
    contains(out, "1 started, 0 running already, 0 failed, 1 not begun", "the summary")
    equal(host.running(), ["alice"], "what runs")


@test
def killed_start_is_whole(host):
    """After SIGKILL at any moment a second start completes it."""
    host.cleanup.callback(forget, host, "alice", "bob")
    for delay in (0, 0.002, 0.005, 0.01, 0.015, 0.02, 0.04):
        process = subprocess.Popen(["carrel", "start", "--group", "students"],
                                   stdout=subprocess.DEVNULL)
        time.sleep(delay)
        process.kill()
        process.wait()
        host.works("start", "--group", "students")
        equal(host.running(), ["alice", "bob"], f"what runs after a kill at {delay}")
        host.works("stop", "--all", "--timeout", "0")
    eventually(lambda: list(QUEUE.glob("0*")) == [], "the queue")


@test
def two_admins_at_once(host):
    """Commands on different containers do not wait for each other, on the same one they take turns."""
    host.cleanup.callback(forget, host, "alice", "bob")
    host.works("start", "alice")
    lock = (RUN / "containers/alice/lock").open("r+")
    fcntl.flock(lock, fcntl.LOCK_EX)
    begun = time.monotonic()
    host.works("start", "bob")
    host.works("freeze", "bob")
    host.works("thaw", "bob")
    expect(time.monotonic() - begun < 4, "bob's container does not wait for alice's")
    other = subprocess.Popen(["carrel", "freeze", "alice"], stdout=subprocess.DEVNULL)
    time.sleep(0.3)
    equal(other.poll(), None, "the second admin waits")
    lock.close()
    equal(other.wait(timeout=10), 0, "and then gets on")
    commands = [subprocess.Popen(["carrel", *words], stdout=subprocess.DEVNULL,
                                 stderr=subprocess.DEVNULL)
                for words in (["thaw", "alice"], ["stop", "alice"], ["start", "alice"],
                              ["freeze", "alice"], ["stop", "--all"], ["start", "alice", "bob"]) * 2]
    for command in commands:
        command.wait(timeout=60)
    host.works("thaw", "--all")
    host.works("start", "alice", "bob")
    for user in ("alice", "bob"):
        equal(host.works("exec", user, "--", "echo", "whole").out, "whole\n", user)


@test
def the_queue_is_left_by_the_dead(host):
    """Tickets of those that were killed hold nobody up; who waits is told how many are before."""
    host.cleanup.callback(forget, host, "alice")
    crowd = Crowd(host, 300)
    (pathlib.Path("/etc/pam.d/su")).write_text(host.pam_before["su"] +
                                               "session required pam_carrel.so\n")
    shell = host.admin_shell()
    shell.type("su alice -c 'echo came $CARREL'")
    shell.wait_for("preparing your workspace, 300 before you")
    for ticket in crowd.tickets:
        ticket.close()  # what the kernel does for one that is killed
    shell.wait_for("came alice")
    equal(list(QUEUE.glob("0*")), [], "the queue")


@test
def who_waits_is_not_cut_off(host):
    """Waiting for the turn is no hang: the module's timeout is for silence only."""
    host.cleanup.callback(forget, host, "alice")
    crowd = Crowd(host, 50)
    (pathlib.Path("/etc/pam.d/su")).write_text(
        host.pam_before["su"] + "session required pam_carrel.so timeout=2\n")
    process = subprocess.Popen(["su", "alice", "-c", "echo came"], stdin=subprocess.DEVNULL,
                               stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    time.sleep(5)
    equal(process.poll(), None, "it waits")
    crowd.leave()
    equal(process.communicate(timeout=20)[0], "came\n", "the whole output: nothing about waiting")


@test
def freeze_and_thaw(host):
    """Nothing runs while frozen; a login and enter are refused at once; thawed it goes on."""
    host.cleanup.callback(forget, host, "alice")
    host.log_in("alice", "echo ready; while :; do echo x >> ~/ticks; sleep 0.02; done")
    equal(host.works("freeze", "--group", "students").out, "alice: frozen\n", "the output")
    equal(host.last_event()["reason"], "freeze", "the event")
    equal(state(host, "alice"), "frozen", "the state")
    matches(host.works("list").out, r"^alice .* frozen ", "the list")
    ticks = host.carrel("list", "--json")
    contains(ticks.out, '"frozen"', "the list for programs")
    begun = time.monotonic()
    late = subprocess.run(["su", "alice", "-c", "true"], capture_output=True, text=True, timeout=20,
                          stdin=subprocess.DEVNULL)
    expect(late.returncode != 0 and time.monotonic() - begun < 2, "refused at once")
    contains(late.stderr, "frozen by the administrator", "what the user reads")
    contains(host.fails("exec", "alice", "--", "true").err, "carrel thaw alice", "exec")
    contains(host.fails("message", "alice", "hello").err, "is frozen", "message")
    contains(host.works("freeze", "alice").out, "is frozen already", "a second time")
    host.works("snapshot", "alice", "during")
    equal(state(host, "alice"), "frozen", "the state after a snapshot")
    equal(host.works("thaw", "alice").out, "alice: goes on\n", "the output of thaw")
    equal(state(host, "alice"), "running", "the state")
    count = host.works("exec", "alice", "--", "sh", "-c", "wc -l < ~/ticks").out
    eventually(lambda: host.works("exec", "alice", "--", "sh", "-c", "wc -l < ~/ticks").out != count,
               "that it goes on")
    contains(host.works("thaw", "alice").out, "was not frozen", "thaw of what is not frozen")
    contains(host.fails("freeze", "bob").err, "there is no container", "freeze of nothing")


@test
def stop_a_frozen_one(host):
    """It is let go to end in good order, and its next start is not frozen."""
    host.cleanup.callback(forget, host, "alice")
    host.log_in("alice", "trap 'echo ended >~/told; exit' TERM HUP; echo ready; "
                         "while :; do sleep 0.1; done")
    host.works("freeze", "alice")
    equal(host.works("stop", "alice").out, "alice: stopped\n", "the output")
    equal(host.cgroups(), [], "cgroups that are left")
    equal(host.works("start", "alice").err, "", "the next start")
    equal(host.works("exec", "alice", "--", "cat", "told").out, "ended\n", "the tidy end")


@test
def killed_while_frozen(host):
    """A container whose PID 1 was killed while it was frozen starts anew, and is not frozen."""
    host.cleanup.callback(forget, host, "alice")
    host.log_in("alice")
    host.works("freeze", "alice")
    pid = host.init_pid("alice")
    os.kill(pid, signal.SIGKILL)
    host.logins.pop().kill()
    time.sleep(0.2)
    # The v1 freezer keeps even a killed process until it is let go.
    host.works("stop", "--timeout", "0", "alice")
    eventually(lambda: host.init_pid("alice") is None, "the end of PID 1")
    host.works("start", "alice")
    equal(host.works("exec", "alice", "--", "echo", "here").out, "here\n", "its next start")
