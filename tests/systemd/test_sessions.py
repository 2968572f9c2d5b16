"""What logind, systemd and journald make of contained logins, beyond what tests/vm asks them too."""

import json
import subprocess
import time

from suite import contains, equal, eventually, expect, lacks, matches, test
from test_systemd import cgroup_of, sleeper

# Tries each socket by which programs of the host ask systemd, logind and journald for something.
KNOCK = """
import os, socket
for path in ("/run/dbus/system_bus_socket", "/run/systemd/private", "/run/systemd/notify",
             "/run/systemd/io.system.ManagedOOM", "/run/systemd/journal/socket",
             "/run/user/%d/bus" % os.getuid(), "/run/user/%d/systemd/private" % os.getuid()):
    for kind in (socket.SOCK_STREAM, socket.SOCK_DGRAM):
        try:
            socket.socket(socket.AF_UNIX, kind).connect(path)
            print("reached", path)
        except OSError:
            pass
print("knocked")
"""


def sessions_of(m, user):
    """Properties of each session that logind has for the user."""
    numbers = [line.split()[0] for line in m.host("loginctl list-sessions --no-legend").splitlines()
               if line.split()[2] == user]
    listing = [m.inside("root", f"loginctl show-session {number}") for number in numbers]
    return [dict(line.split("=", 1) for line in shown.out.splitlines())
            for shown in listing if shown.status == 0]  # one may end meanwhile


def wait_for_none(m, user):
    eventually(lambda: not sessions_of(m, user), f"the end of {user}'s sessions", 20)


def log_out(m, user):
    m.forget_master(user)
    wait_for_none(m, user)


@test
def session_of_ssh(m):
    """loginctl show-session of a contained ssh login says who, from where, and which process."""
    log_out(m, "ada")
    session, pid = sleeper(m)
    shown, = sessions_of(m, "ada")
    for key, value in {"Name": "ada", "User": "3001", "Service": "sshd", "Remote": "yes",
                       "RemoteHost": "127.0.0.1", "Class": "user", "State": "active"}.items():
        equal(shown[key], value, key)
    equal(m.host(f"cat /proc/{shown['Leader']}/comm"), "sshd", "the leader")
    matches(cgroup_of(m, pid), "^/system.slice/carrel.service/", "the cgroup of what runs inside")
    session.terminate()
    wait_for_none(m, "ada")


@test
def session_of_the_console(m):
    """A contained login at the console has its terminal; ended by loginctl, getty asks the next."""
    log_out(m, "ada")
    person = m.console_login("ada").shell()
    shown, = sessions_of(m, "ada")
    for key, value in {"Service": "login", "Remote": "no", "TTY": "console"}.items():
        equal(shown[key], value, key)
    contains(m.host("who"), "console", "who")
    m.host(f"loginctl terminate-session {shown['Id']}")
    person.wait_for("lab login: ")
    wait_for_none(m, "ada")


@test
def one_of_two_sessions_ends(m):
    """loginctl terminate-session ends this login of a user, and neither the other nor what stays."""
    log_out(m, "ada")
    first, first_pid = sleeper(m)
    before = sessions_of(m, "ada")
    second, second_pid = sleeper(m)
    equal(len(sessions_of(m, "ada")), 2, "the number of ada's sessions")
    m.ssh("ada", "setsid sleep 2003 >/dev/null 2>&1 </dev/null & true")
    m.host(f"loginctl terminate-session {before[0]['Id']}")
    eventually(lambda: first.poll() is not None, "the end of the first login")
    equal(m.host(f"cat /proc/{second_pid}/comm"), "sleep", "the second login's process")
    expect(second.poll() is None, "the second login has ended, too")
    equal(m.host("pgrep -c -u ada -f 'sleep 2003'"), "1", "what the user left running")
    second.terminate()
    wait_for_none(m, "ada")
    m.host("pkill -u ada sleep")
    expect(first_pid != second_pid, "the two are one process")


@test
def all_sessions_of_a_user_end(m):
    """loginctl terminate-user ends all logins of a contained user, and nobody else's."""
    log_out(m, "ada")
    logins = [sleeper(m)[0] for _ in range(2)]
    other, _ = sleeper(m, "emil")
    m.host("loginctl terminate-user ada")
    for login in logins:
        eventually(lambda: login.poll() is not None, "the end of a login")
    wait_for_none(m, "ada")
    expect(other.poll() is None, "emil's login has ended, too")
    equal(len(sessions_of(m, "emil")), 1, "the number of emil's sessions")
    equal(m.ssh("ada", "hostname").out, "pupils\n", "ada's next login")


@test
def restarted_logind_knows_all(m):
    """systemctl restart systemd-logind: contained logins stay listed, and can still be ended."""
    log_out(m, "ada")
    session, _ = sleeper(m)
    before = sessions_of(m, "ada")
    m.host("systemctl restart systemd-logind")
    after = sessions_of(m, "ada")
    equal([shown["Id"] for shown in after], [shown["Id"] for shown in before], "the sessions")
    m.host(f"loginctl terminate-session {before[0]['Id']}")
    eventually(lambda: session.poll() is not None, "the end of the login")
    wait_for_none(m, "ada")


@test
def su_is_no_session(m):
    """su to a contained user stays in the session of who called it, as without Carrel."""
    log_out(m, "ada")
    person = m.ssh_terminal("root").shell()
    person.type("su - ada")
    person.shell()
    equal(person.run("hostname"), "pupils", "the host name")
    equal(sessions_of(m, "ada"), [], "ada's sessions")
    lacks(m.host("who"), "ada", "who")


@test
def linger_starts_nothing(m):
    """loginctl enable-linger: a contained user's manager does not run, and logins go on."""
    m.cleanup.callback(m.inside, "root", "loginctl disable-linger ada")
    m.host("loginctl enable-linger ada; systemctl reset-failed")
    eventually(lambda: m.inside("root", "systemctl is-active user@3001.service").out.strip()
               not in ("active", "activating"), "the manager's refusal")
    lacks(m.host("ps -u ada -o args= || true"), "systemd --user", "ada's processes")
    equal(m.ssh("ada", "hostname").out, "pupils\n", "a login")


@test
def host_is_not_asked_from_inside(m):
    """Inside, no socket of systemd, the bus or the journal is found, and loginctl says so."""
    equal(m.python("ada", KNOCK), "knocked", "what is said inside")
    equal(m.ssh("clio", "/usr/bin/python3 -", stdin=KNOCK).out.splitlines()[0],
          "reached /run/dbus/system_bus_socket", "the same on the host")
    for command in ("loginctl", "systemctl status", "systemd-run true", "journalctl -n 1 -u ssh"):
        result = m.inside("ada", command)
        lacks(result.out, "ssh.service", f"the output of {command}")
        expect(result.status != 0 or "No journal files" in result.said,
               f"{command} works inside: {result.said}")


@test
def runtime_folder_of_each_login(m):
    """Twelve logins in a row, more than systemd starts units for: each has its run-time folder."""
    log_out(m, "ada")
    m.host("systemctl reset-failed")
    for number in range(12):
        said = m.ssh("ada", "stat -c '%U %a' $XDG_RUNTIME_DIR; test -w $XDG_RUNTIME_DIR && echo w")
        equal(said.out, "ada 700\nw\n", f"the folder of login {number + 1}")
        wait_for_none(m, "ada")
    m.host("systemctl reset-failed")


@test
def journal_hears_the_inside(m):
    """logger inside: the line is in the journal as the container's, whoever it says it is from."""
    m.look("ada", "logger -t sshd 'hello from inside'")
    eventually(lambda: m.log("hello from inside"), "the line in the journal")
    entry = json.loads(m.host("journalctl -o json -n 1 --grep 'hello from inside'"))
    for key, value in {"MESSAGE": "sshd: hello from inside", "SYSLOG_IDENTIFIER": "carrel",
                       "SYSLOG_PID": "ada", "_SYSTEMD_UNIT": "carrel.service",
                       "_SYSTEMD_CGROUP": "/system.slice/carrel.service/ada"}.items():
        equal(entry.get(key), value, key)


@test
def reboot_with_people_inside(m):
    """systemctl reboot: quick whatever a login ignores, records end, and files are back."""
    m.look("ada", "echo kept >kept-over-a-reboot")
    m.ssh_start("ada", "trap '' TERM HUP; echo started; while :; do sleep 1; done",
                stdout=subprocess.PIPE).stdout.readline()
    sleeper(m, "emil")
    start = time.monotonic()
    m.power_off("reboot")
    took = time.monotonic() - start
    expect(took < 30, f"the machine went off after {took:.0f} s")  # the unit has 20
    m.boot()
    equal(m.running(), [], "what runs after a boot")
    equal(m.ssh("ada", "cat kept-over-a-reboot").out, "kept\n", "the file")
    equal(m.host("systemctl is-active ssh cron carrel").split(), ["active"] * 3, "the units")
    lacks(m.host("who; last -n 20 emil"), "still logged in", "who and last")
    log_out(m, "ada")
