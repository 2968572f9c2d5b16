"""The ways in on a machine as Debian installs it: nothing of sshd, login, su, cron is changed."""

import contextlib

from debian import PASSWORD
from suite import contains, equal, eventually, expect, lacks, matches, test

WHERE = "hostname; readlink /proc/self/ns/pid"


def place_of(m, user):
    return m.look(user, WHERE).split()


def check_inside(m, listing, user):
    """The output of WHERE is from the container in which the user's ssh logins land."""
    equal(listing.split(), place_of(m, user), "the place")
    expect(listing.split()[1] != m.host("readlink /proc/self/ns/pid"), "it is the host")


@test
def machine_is_healthy(m):
    """The machine has booted with Carrel, no unit has failed, and carrel doctor has no complaint."""
    equal(m.host("systemctl is-system-running --wait"), "running", "the system's state")
    equal(m.host("systemctl is-active ssh cron carrel systemd-logind").split(), ["active"] * 4,
          "the units")
    lacks(m.host("carrel doctor"), "problem ", "carrel doctor")


@test
def ssh_login(m):
    """ssh: the user is in a container, on a terminal that has a name."""
    person = m.ssh_terminal("ada").shell()
    check_inside(m, person.run(WHERE), "ada")
    equal(person.run("hostname; id -un; cat /proc/1/comm").split(),
          ["pupils", "ada", "carrel-init"], "host name, user, PID 1")
    matches(person.run("tty"), r"^/dev/pts/\d+$", "tty")
    equal(person.run("cat /proc/self/loginuid"), "3001", "the login uid")
    equal(person.leave(), 0, "the status")


@test
def ssh_with_a_password(m):
    """ssh with a password: lands in the same container."""
    check_inside(m, m.ssh_with_password("ada", PASSWORD, WHERE).out, "ada")


@test
def ssh_of_others(m):
    """Whom no policy matches stays on the host; whom one bars reads why."""
    equal(m.ssh("clio", "hostname; cat /proc/1/comm").out.split(), ["lab", "systemd"], "the host")
    result = m.ssh("dora", "echo in")
    expect(result.status != 0, "dora gets in")
    contains(result.said, "Your account is closed until September.", "what dora reads")


@test
def console_login(m):
    """login(1) on the console: the shell is inside, on the console's terminal."""
    person = m.console_login("ada").shell()
    check_inside(m, person.run(WHERE), "ada")
    equal(person.run("tty"), m.CONSOLE, "tty")
    equal(person.run(f"stat -c %U {m.CONSOLE}"), "ada", "the terminal's owner")
    equal(person.run("echo by-name >$(tty)"), "by-name", "what was written to the terminal")
    person.type("sleep 1000")
    eventually(lambda: m.inside("root", "pgrep -x -u ada sleep").out, "the process to end")
    person.child.send("\x03")
    person.answer()
    equal(person.run("echo $?"), "130", "the status after ^C")
    person.type("exit")
    person.wait_for("lab login: ")


@test
def console_refusal(m):
    """login(1): whom a policy bars reads why, and getty asks the next person.

    getty hangs the terminal up, and the kernel then drops what nobody has read yet: on a busy machine
    that may be all that login has said.
    """
    person = m.console_login("dora")
    for _ in range(3):
        if person.wait_for("closed until September", "lab login: ") == 0:
            person.wait_for("lab login: ")
            return
        person.type("dora")
        person.wait_for("assword: ")
        person.type(PASSWORD)
    raise AssertionError("dora is not told why")


@test
def su_login(m):
    """su: root's own session becomes the user's, inside, and comes back."""
    check_inside(m, m.host(f"su - ada -c '{WHERE}'"), "ada")
    person = m.ssh_terminal("root").shell()
    person.type("su - ada")
    person.shell()
    check_inside(m, person.run(WHERE), "ada")
    matches(person.run("tty"), r"^/dev/pts", "tty")
    person.type("exit")
    person.answer()
    equal(person.run("hostname"), "lab", "the host name afterwards")


@test
def su_between_users(m):
    """su from a user on the host to a contained one asks for the password and lands inside."""
    person = m.ssh_terminal("clio").shell()
    person.type("su - ben")
    person.wait_for("assword: ")
    person.type(PASSWORD)
    person.shell()
    check_inside(m, person.run(WHERE), "ben")
    equal(person.run("id -un; cat /proc/1/comm"), "ben\ncarrel-init", "user and PID 1")


@test
def files_by_scp_and_sftp(m):
    """scp and sftp put files into the container's home, and get them back whole."""
    text = bytes(range(256)) * 4096
    there, back = m.directory / "there", m.directory / "back"
    there.write_bytes(text)
    for program, put, get in (("scp", [there, "ada@lab:by-scp"], ["ada@lab:by-scp", back]),
                              ("sftp", ["ada@lab"], ["ada@lab:by-sftp", back])):
        back.unlink(missing_ok=True)
        batch = f"put {there} by-sftp\n" if program == "sftp" else None
        for words in (put, get):
            result = m.run(program, "-F", m.ssh_config, *words, stdin=batch)
            equal(result.status, 0, f"the status of {program} ({result.err})")
        expect(back.read_bytes() == text, f"what came back by {program} is not what went there")
    contains(m.look("ada", "ls"), "by-scp\nby-sftp", "the home inside")
    lacks(m.host("ls /home/ada"), "by-", "the home on the host")


@test
def many_logins_at_once(m):
    """Eight first logins of one user at once share one container."""
    with m.policy("crowd"):
        with contextlib.ExitStack() as stack:
            stack.callback(m.host, "true")
            people = [m.ssh_start("ben", WHERE, stdout=-1, stderr=-1, text=True) for _ in range(8)]
            places = {person.communicate(timeout=90)[0] for person in people}
        equal(len(places), 1, f"the number of places {places}")
        equal([person.returncode for person in people], [0] * 8, "the statuses")


@test
def cron_job(m):
    """cron's job of a user runs where the user's logins land."""
    m.cleanup.callback(m.inside, "root", "crontab -u gil -r")
    m.host("crontab -u gil -", f"@reboot ({WHERE}; id -un) >new && mv new from-cron\n")
    m.host("rm -f /run/crond.reboot; systemctl restart cron")  # as at a boot: it waits for no minute
    written = eventually(lambda: m.inside("gil", "cat from-cron").out, "the job's file")
    *place, user = written.split()
    equal(user, "gil", "the user")
    equal(place, place_of(m, "gil"), "the place")
