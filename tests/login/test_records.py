"""What the host's own programs say of contained logins: who, w, last."""

import os
import pathlib
import re
import signal

from machine import PASSWORD
from suite import contains, equal, eventually, expect, lacks, matches, test
from test_services import console


def who(m):
    return m.run("who").out


def last(m, user):
    return [line for line in m.run("last", "-w", user).out.splitlines() if line.startswith(user)]


def watchers(m):
    return {int(pid) for pid in m.run("pgrep", "-x", "carrel-watch").out.split()}


@test
def who_knows_a_contained_login(m):
    """who and w list a login by ssh as long as it lasts, with where it comes from."""
    lacks(who(m), "bob", "who before")
    person = m.ssh_terminal("bob").shell()
    line = eventually(lambda: [line for line in who(m).splitlines() if line.startswith("bob")],
                      "bob in who")[0]
    matches(line, r"^bob +carrel:(\d+) .*\(127\.0\.0\.1\)$", "who")
    pid = line.split()[1].removeprefix("carrel:")
    contains(pathlib.Path(f"/proc/{pid}/cgroup").read_text(), "/bob", "the cgroup of that pid")
    matches(m.run("w", "--no-header", "bob").out, r"^bob +carrel:", "w")
    person.leave()
    eventually(lambda: "bob" not in who(m), "bob is gone from who")


@test
def last_knows_begin_and_end(m):
    """last shows the login, first as still logged in, then with its end."""
    before = len(last(m, "bob"))
    person = m.ssh_terminal("bob").shell()
    eventually(lambda: len(last(m, "bob")) == before + 1, "a line in last")
    matches(last(m, "bob")[0], r"127\.0\.0\.1 .*still logged in", "last while it lasts")
    person.leave()
    # In the very second of the end last(1) says "still running".
    eventually(lambda: re.search(r"\(\d\d:\d\d\)", last(m, "bob")[0]), "the end in last")
    equal(len(last(m, "bob")), before + 1, "lines in last")


@test
def two_logins_of_a_user(m):
    """Two logins are two records; the end of one leaves the other."""
    first = m.ssh_terminal("bob").shell()
    second = m.ssh_terminal("bob").shell()
    eventually(lambda: who(m).count("bob ") == 2, "bob twice in who")
    first.leave()
    eventually(lambda: who(m).count("bob ") == 1, "bob once in who")
    second.leave()
    eventually(lambda: "bob " not in who(m), "bob is gone from who")


@test
def console_is_named(m):
    """A login on the console is listed with the host's terminal."""
    person = console(m, "alice", PASSWORD).shell()
    lines = eventually(lambda: [line for line in who(m).splitlines()
                                if line.startswith("alice ") and "pts/" in line],
                       "alice in who with her terminal")
    terminal = lines[0].split()[1]
    expect(pathlib.Path("/dev", terminal).is_char_device(), f"there is no /dev/{terminal}")
    person.leave()
    eventually(lambda: terminal not in who(m), "the terminal is gone from who")


@test
def switching_users_is_no_login(m):
    """su and runuser leave no record, as without Carrel."""
    watching, logins = watchers(m), last(m, "bob")
    equal(m.run("su", "-", "bob", "-c", "true").status, 0, "su")
    equal(m.run("runuser", "-u", "bob", "true").status, 0, "runuser")
    equal(watchers(m) - watching, set(), "new watchers")
    equal(len(last(m, "bob")), len(logins), "lines in last")


@test
def a_killed_login_service_leaves_no_record(m):
    """kill -9 of the login service: the record ends all the same."""
    person = m.ssh_terminal("bob").shell()
    line = eventually(lambda: [line for line in who(m).splitlines() if line.startswith("bob")],
                      "bob in who")[0]
    os.kill(int(line.split()[1].removeprefix("carrel:")), signal.SIGKILL)
    eventually(lambda: "bob" not in m.run("utmpdump", "/run/utmp").out, "the record has ended")


@test
def ending_the_watcher_ends_the_login(m):
    """What logind does to a session that it ends (SIGTERM to what is left of it) ends the login."""
    before = watchers(m)
    person = m.ssh_terminal("bob").shell()
    mine = eventually(lambda: watchers(m) - before, "a watcher")
    equal(len(mine), 1, "watchers of one login")
    os.kill(mine.pop(), signal.SIGTERM)
    person.end()
    eventually(lambda: watchers(m) <= before, "the watcher is gone")
    eventually(lambda: "bob" not in who(m), "bob is gone from who")


@test
def the_watcher_has_next_to_nothing(m):
    """It holds no descriptor of the container's and two capabilities: to pass signals on, for audit."""
    before = watchers(m)
    person = m.ssh_terminal("bob").shell()
    process = pathlib.Path("/proc", str(eventually(lambda: watchers(m) - before, "one").pop()))
    status = dict(line.split(":\t") for line in (process / "status").read_text().splitlines()
                  if line.startswith(("CapEff", "CapPrm", "NoNewPrivs", "Seccomp:")))
    kill_and_audit_write = 1 << 5 | 1 << 29
    equal(int(status["CapEff"], 16), kill_and_audit_write, "capabilities in force")
    equal(int(status["CapPrm"], 16), kill_and_audit_write, "capabilities allowed")
    equal(status["NoNewPrivs"].strip(), "1", "no_new_privs")
    equal(status["Seccomp"].strip(), "2", "seccomp")
    kinds = sorted({re.sub(r"^socket:.*", "socket", os.readlink(fd))
                    for fd in (process / "fd").iterdir()})
    equal(kinds, ["/dev/null", "anon_inode:[pidfd]", "anon_inode:[signalfd]", "socket"],
          "descriptors: /dev/null, the login service, signals, audit")
    person.leave()


@test
def no_watcher_no_harm(m):
    """A carrel-watch that cannot be started costs the record, never the login, and is told."""
    program = pathlib.Path("/usr/libexec/carrel/carrel-watch")
    program.rename(program.with_suffix(".away"))
    m.cleanup.callback(lambda: program.with_suffix(".away").rename(program))
    mark = m.log.mark()
    equal(m.ssh("bob", "echo in").out, "in\n", "the login")
    m.log.wait(r"cannot start .*carrel-watch.*who and loginctl", mark)
