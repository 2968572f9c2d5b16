"""The other ways in: login on a console, su, runuser, cron."""

import json

from machine import PASSWORD, USERS
from suite import contains, equal, eventually, lacks, matches, test


def check_place(m, listing, user="alice"):
    """The output of `hostname; readlink /proc/self/ns/pid` is from the user's container."""
    where = "hostname; readlink /proc/self/ns/pid"
    equal(listing.split(), m.look(user, where).split(), "the place")


WHERE = "hostname; readlink /proc/self/ns/pid"


def console(m, user, password):
    """login(1) as getty starts it: root's, on a terminal of the host."""
    person = m.terminal("login")
    person.wait_for("login: ")
    person.type(user)
    person.wait_for("assword: ")
    person.type(password)
    return person


@test(bare=True)
def console_login(m):
    """login: the user gets a shell on the console's terminal, which has a name and is theirs."""
    person = console(m, "alice", PASSWORD).shell()
    check_place(m, person.run(WHERE))
    tty = person.run("tty")
    matches(tty, r"^/dev/", "tty")
    equal(person.run("stat -c %U $(tty)"), "alice", "the terminal's owner")
    equal(person.run("echo by-name >$(tty)"), "by-name", "what was written to the terminal")
    equal(person.run("echo $HOME $USER; pwd").split(), ["/home/alice", "alice", "/home/alice"])
    person.leave()


@test(bare=True)
def console_job_control(m):
    """login: ^C and ^Z work on the console."""
    person = console(m, "alice", PASSWORD).shell()
    person.type("sleep 1000")
    eventually(lambda: m.look("alice", "pgrep -x sleep || true"), "sleep")
    person.key("z")
    person.wait_for("Stopped")
    person.answer()
    person.type("fg")
    person.wait_for("sleep 1000")
    person.key("c")
    person.answer()
    equal(person.run("echo $?"), "130", "status after ^C")


@test(bare=True)
def console_wrong_password(m):
    """login: a wrong password is refused, and asked for again."""
    person = console(m, "alice", "wrong")
    person.wait_for("Login incorrect")


@test(bare=True)
def su_command(m):
    """su -c: output and status of a command as the user."""
    result = m.run("su", "alice", "-c", f"{WHERE}; exit 5")
    check_place(m, result.out)
    equal(result.status, 5, "status")


@test(bare=True)
def su_login_shell(m):
    """su -: a login shell on root's terminal, which has a name inside."""
    person = m.terminal("su", "-", "alice").shell()
    check_place(m, person.run(WHERE))
    matches(person.run("tty"), r"^/dev/", "tty")
    equal(person.run("pwd"), "/home/alice", "pwd")
    equal(person.leave(), 0, "status")


@test(bare=True)
def su_terminal(m):
    """su without -: tty names a terminal too, and job control works."""
    person = m.terminal("su", "alice").shell()
    matches(person.run("tty"), r"^/dev/", "tty")
    person.type("sleep 1001")
    eventually(lambda: m.look("alice", "pgrep -f '[s]leep 1001' || true"), "sleep")
    person.key("c")
    person.answer()
    equal(person.run("echo $?"), "130", "status after ^C")


@test
def su_between_users(m):
    """su from one user to another asks for the password and lands with the other."""
    # Without resource limits: su keeps its caller's real uid, and setting the limits of such a
    # process needs CAP_SYS_RESOURCE (prlimit(2)), which root on some virtual machines lacks.
    with m.policy("between"):
        person = m.terminal("su", "carol").shell()
        person.type("su - bob")
        person.wait_for("assword: ")
        person.type(PASSWORD)
        person.shell()
        check_place(m, person.run(WHERE), "bob")


@test(bare=True)
def runuser_login(m):
    """runuser -l: a login shell's command as the user."""
    result = m.run("runuser", "-l", "alice", "-c", f"{WHERE}; exit 6")
    check_place(m, result.out)
    equal(result.status, 6, "status")


@test(bare=True)
def runuser_program(m):
    """runuser -u: a program with its arguments as the user."""
    result = m.run("runuser", "-u", "alice", "--", "sh", "-c", WHERE)
    check_place(m, result.out)


@test(bare=True)
def su_feeds_streams(m):
    """A megabyte through su -c comes out as it went in."""
    text = "0123456789abcdef" * 65536
    equal(len(m.run("su", "alice", "-c", "cat", stdin=text).out), len(text), "bytes")


@test(bare=True)
def su_leaves_nothing_of_root(m):
    """su from root leaves no descriptor of root's and no environment that names root."""
    lacks(m.run("su", "-", "alice", "-c", "env").out, "/root", "env")
    descriptors = m.run("su", "-", "alice", "-c", "ls /proc/self/fd").out.split()
    equal(sorted(descriptors), ["0", "1", "2", "3"], "open descriptors (3 is ls's own)")


@test(bare=True)
def cron_job(m):
    """cron's job of a user runs where the user's logins land."""
    def tells():
        return m.inside("gina", "cat from-cron").out

    lines = eventually(tells, "the job's file", 100).splitlines()
    if m.contained and lines[:2] != m.look("gina", WHERE).split():  # of before it was stopped
        m.inside("gina", "rm from-cron")
        lines = eventually(tells, "the next job's file", 100).splitlines()
    contains(lines[2], f"uid={USERS['gina'][0]}(gina)", "id in the job")
    if m.contained:
        equal(lines[:2], m.look("gina", WHERE).split(), "the job's place")
        m.log.wait(r"gina.*cron")


@test(bare=True)
def json_free_of_noise(m):
    """What programs parse is not disturbed: a command's output is only its own."""
    for result in (m.run("su", "alice", "-c", "echo '{}'"),
                   m.run("runuser", "-u", "alice", "--", "echo", "{}"),
                   m.ssh("alice", "echo '{}'")):
        equal(json.loads(result.said), {}, "the output")
