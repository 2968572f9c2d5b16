"""Who is contained and who is not."""

import contextlib
import pathlib
import socket
import subprocess

from machine import PASSWORD, can_connect, free_port
from suite import contains, equal, eventually, expect, lacks, test

CLOSED = "Your account is closed until September."


def check_on_host(m, user):
    """The user's login is an ordinary one on the host."""
    equal(m.namespaces_of(user), m.namespaces(), f"namespaces of {user}")
    lacks(m.look(user, "env"), "CARREL", "env")


@test(bare=True)
def staff_on_the_host(m):
    """action = host: the login is as it was without Carrel."""
    check_on_host(m, "carol")
    equal(m.look("carol", "awk '/^(NoNewPrivs|Seccomp):/ {print $2}' /proc/self/status").split(),
          ["0", "0"], "NoNewPrivs and Seccomp")


@test(bare=True)
def staff_files(m):
    """scp of a user on the host goes to the host's home."""
    source = m.directory / "for-carol"
    source.write_text("hello carol\n")
    equal(m.run("scp", "-F", m.ssh_config, source, "carol@lab:").said, "", "what scp says")
    equal(pathlib.Path("/home/carol/for-carol").read_text(), "hello carol\n", "the file")


@test(bare=True)
def root_is_exempt(m):
    """root is never contained: by ssh, on the console, with su."""
    check_on_host(m, "root")
    equal(m.run("su", "-", "root", "-c", "readlink /proc/self/ns/mnt").out.strip(),
          m.namespaces()["mnt"], "su's mounts")


@test(bare=True)
def exempt_group(m):
    """A member of an exempt group is not contained, whatever other groups say."""
    check_on_host(m, "admin")


@test(bare=True)
def exempt_on_the_console(m):
    """The admin gets in on the console."""
    person = m.terminal("login")
    person.wait_for("login: ")
    person.type("admin")
    person.wait_for("assword: ")
    person.type(PASSWORD)
    person.shell()
    equal(person.run("readlink /proc/self/ns/mnt"), m.namespaces()["mnt"], "mounts")


@test
def denied_without_a_terminal(m):
    """action = deny: the command does not run and the message says why."""
    result = m.ssh("dave", "echo in")
    expect(result.status != 0, "the status is 0")
    lacks(result.out, "in\n", "output")
    contains(result.said, CLOSED, "what dave is told")


@test
def denied_at_a_terminal(m):
    """action = deny: the person at a terminal reads the message."""
    person = m.ssh_terminal("dave")
    person.wait_for(CLOSED.replace(".", r"\."))
    expect(person.end() != 0, "the status is 0")


@test
def denied_with_a_password(m):
    """action = deny holds for password logins."""
    result = m.ssh_with_password("dave", PASSWORD, "echo in")
    expect(result.status != 0 and "in\n" not in result.out, "dave gets in")


@test
def denied_everywhere(m):
    """su and the console refuse too."""
    result = m.run("su", "dave", "-c", "echo in")
    expect(result.status != 0 and "in\n" not in result.out, "dave gets in with su")
    contains(result.said, CLOSED, "what su says")
    person = m.terminal("login")
    person.wait_for("login: ")
    person.type("dave")
    person.wait_for("assword: ")
    person.type(PASSWORD)
    person.wait_for(CLOSED.replace(".", r"\."))


def check_no_forwarding(m, user):
    """
    sshd keeps the connection of a user whose session PAM refuses, for forwarding only (ssh -N):
    nothing of the host may be reached through it.
    """
    _, port = m.serve()
    here, there = free_port(), free_port()
    path, socket_here = f"/tmp/host-{port}.sock", m.directory / f"{port}.sock"
    m.serve(family=socket.AF_UNIX, address=path)
    pathlib.Path(path).chmod(0o666)
    connection = m.ssh_forward(user, "-L", f"{here}:127.0.0.1:{port}", "-L",
                               f"{socket_here}:{path}")
    eventually(lambda: connection.poll() is not None or socket_here.exists(), "an end, or ports")
    if connection.poll() is None:
        equal(received(("127.0.0.1", here)), b"", "what comes from the host's port")
        equal(received(str(socket_here)), b"", "what comes from the host's socket")
    remote = m.ssh_forward(user, "-v", "-R", f"{there}:127.0.0.1:{port}", stderr=subprocess.PIPE)
    for line in remote.stderr:  # to its end, or until sshd has answered
        if b"remote forward" in line and (b"success" in line or b"failed" in line):
            break
    expect(not can_connect(there), "a port on the host")


def received(address):
    family = socket.AF_UNIX if isinstance(address, str) else socket.AF_INET
    with contextlib.suppress(ConnectionError), socket.socket(family) as peer:
        peer.settimeout(30)
        peer.connect(address)
        return peer.recv(100)
    return b""


@test
def denied_forwarding(m):
    """A denied user reaches nothing of the host by forwarding."""
    check_no_forwarding(m, "dave")


@test
def refused_forwarding(m):
    """Nor does one who is refused for want of sessions, or because Carrel is in trouble."""
    with m.policy("one", "limits { sessions = 1 }"):
        m.ssh_start("bob", "exec sleep 1000")
        eventually(lambda: m.run("pgrep", "-cxu", "bob", "sleep").out == "1\n", "the session")
        check_no_forwarding(m, "bob")
    with m.policy("broken", 'image = "no-such-image"'):
        check_no_forwarding(m, "bob")


@test
def unmatched_stays_on_the_host(m):
    """unmatched = host: who no policy names is on the host."""
    check_on_host(m, "henry")


@test
def unmatched_denied(m):
    """unmatched = deny: who no policy names is refused, exempt users are not."""
    with m.config(unmatched="deny", unmatched_message='"Ask the library for an account."'):
        result = m.ssh("henry", "echo in")
        expect(result.status != 0 and "in\n" not in result.out, "henry gets in")
        contains(result.said, "Ask the library for an account.", "what henry is told")
        for user in ("root", "admin", "carol", "alice"):
            equal(m.ssh(user, "echo in").out, "in\n", f"the login of {user}")


@test
def services_restrict(m):
    """A policy for some services leaves the others to the next."""
    with m.policy("ssh-only", 'services = {"su"}', action="deny"):
        equal(m.ssh("bob", "echo in").out, "in\n", "the login over ssh")
        expect(m.run("su", "bob", "-c", "true").status != 0, "su is let in")


@test
def first_match_wins(m):
    """The first policy in file order decides, and takes effect at the next login."""
    equal(m.ssh("bob", "hostname").out, "students\n", "the host name before")
    with m.policy("first", 'hostname = "first"'):
        equal(m.ssh("bob", "hostname").out, "first\n", "the host name")
    equal(m.ssh("bob", "hostname").out, "students\n", "the host name afterwards")


@test
def container_names(m):
    """name = decides who shares: users of a group in one container, with their own ids."""
    with m.policy("team", who='groups = {"students"}', container="team"):
        places = [m.ssh(user, "readlink /proc/self/ns/pid; id -u; whoami").out.split()
                  for user in ("alice", "bob")]
        equal(places[0][0], places[1][0], "the second user's place")
        equal([place[1:] for place in places], [["2001", "alice"], ["2002", "bob"]], "the ids")
        expect(m.ssh("bob", "ls /home/alice").status != 0, "bob reads alice's home")
