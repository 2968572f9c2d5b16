"""What an admin sends into a container: the processes of enter, exec, cp, collect, and terminals."""

import time

from attacker import all_refused, arm
from image import have_image
from suite import equal, expect, lacks, test

def ambush(m, command, sudo):
    """Reach into every process called carrel while `command` goes on again and again."""
    watcher = m.ssh_start("bob", f"{'sudo -n ' if sudo else ''}./attempt ambush carrel 5", stdout=-1)
    end = time.monotonic() + 5
    while time.monotonic() < end:
        command()
    equal(watcher.communicate(timeout=60)[0].decode().splitlines(), ["met some"],
          "what the ambush got")


def commands(m, name):
    out = m.directory / "joined"
    return (lambda: m.run("carrel", "exec", name, "--", "sleep", "0.3"),
            lambda: m.run("carrel", "exec", "--user", "root", name, "--", "sleep", "0.3"),
            lambda: m.run("carrel", "cp", f"{name}:data", out),
            lambda: m.run("carrel", "cp", "--user", "root", f"{name}:/home/bob/data", out),
            lambda: m.run("carrel", "cp", out, f"{name}:back"))


@test
def joined_processes_of_a_user(m):
    """exec and cp: the user whose container is joined gets nothing of the process that joined."""
    arm(m)
    m.ssh("bob", "head -c 20M /dev/zero >data")
    turns = iter(commands(m, "bob") * 1000)
    ambush(m, lambda: next(turns)(), sudo=False)


@test
def joined_processes_of_root(m):
    """root = yes: nor does the container's root (CVE-2016-8649)."""
    have_image(m)
    with m.policy("joined", 'image = "lab"\nroot = yes'):
        arm(m)
        m.ssh("bob", "head -c 20M /dev/zero >data")
        turns = iter(commands(m, "bob-joined") * 1000)
        ambush(m, lambda: next(turns)(), sudo=True)


@test
def joined_for_collect(m):
    """root = yes: the process of collect is as closed."""
    have_image(m)
    number = iter(range(1000))
    with m.policy("brought", 'image = "lab"\nroot = yes'):
        arm(m)
        m.ssh("bob", "head -c 20M /dev/zero >data")

        def collect():
            done = m.run("carrel", "collect", "bob", "data", m.directory / f"got{next(number)}")
            equal(done.status, 0, f"carrel collect ({done.said})")
        ambush(m, collect, sudo=True)


def type_into(m, terminal, before=""):
    """The answers of the terminal requests, by every name that the terminal has inside."""
    for name in ("-", "/dev/tty", "/proc/self/fd/0"):
        lines = terminal.run(f"{before}./attempt terminals {name}").splitlines()
        answers = [tuple(line.rsplit(" ", 1)) for line in lines]
        if name != "-" and answers[0][0] == "open":
            all_refused(answers, ("EACCES", "ENOENT", "ENXIO"))
            continue
        plain = [pair for pair in answers if pair[0].startswith("TCGETS")]
        all_refused([pair for pair in answers if pair not in plain], "EPERM")
        expect(("TCGETS", "done") in plain, f"{name} is a terminal: {answers}")


@test
def admins_terminal_is_not_typed_into(m):
    """su - user, carrel enter at an admin's terminal: no TIOCSTI, TIOCLINUX by any name of it."""
    have_image(m)
    with m.policy("typed", 'image = "lab"\nroot = yes'):
        arm(m)
        for command in ("su - bob", "carrel enter bob-typed"):
            admin = m.terminal("/bin/bash", "--norc", "-i").shell()
            admin.type(f"exec 3>&1; {command}")
            admin.shell()
            type_into(m, admin)
            type_into(m, admin, "sudo -n ")
            # Also later, when the admin has the terminal back.
            admin.run("(sleep 1; ./attempt terminals -) "
                      "</dev/tty >late 2>&1 &")
            admin.type("exit")
            time.sleep(2)
            admin.type("echo 'still'' mine'")
            admin.wait_for("still mine")
            late = m.ssh("bob", "cat late").out
            expect("TIOCSTI done" not in late and "TIOCLINUX done" not in late, f"late: {late}")
            lacks(admin.child.before, "xx", "what is typed at the admin's")
            admin.close()


@test
def terminal_node_of_the_host(m):
    """The node of the terminal that su brought is the one thing of the host's devices inside."""
    admin = m.terminal("/bin/bash", "--norc", "-i").shell()
    own = admin.run("tty")
    other = m.terminal("/bin/bash", "--norc", "-i").shell()
    second = other.run("tty")
    admin.type("su - bob")
    admin.shell()
    for path in {second, "/dev/pts/0", "/dev/pts/1", "/dev/tty0", "/dev/tty1", "/dev/console"}:
        if path != own:
            admin.run(f"echo typed-by-bob >{path}")
    other.type("echo un''touched")
    other.wait_for("untouched")
    lacks(other.child.before, "typed-by-bob", "another terminal of the host")
