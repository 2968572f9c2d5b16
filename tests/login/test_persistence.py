"""What stays: processes and files over logouts, files over stops."""

import os
import pathlib

from suite import contains, equal, eventually, expect, matches, test


def restart(m, user, container=None):
    """Stop the user's container; the next login starts it anew."""
    m.forget_master(user)
    before = m.init_pid(container or user)
    expect(before, f"no container of {user} runs")
    m.kill_container(container or user)
    return before


@test(bare=True)
def home_stays(m):
    """A file in the home is there at the next login."""
    m.ssh("bob", "echo kept >note; mkdir -p a/b; ln -s note link; chmod 751 a")
    equal(m.ssh("bob", "cat link; stat -c '%a %U' a").out, "kept\n751 bob\n", "the files")


@test
def home_stays_after_a_stop(m):
    """Home and /var/tmp stay when the container is stopped; /tmp and processes do not."""
    m.ssh("bob", "echo kept >note; echo kept >/var/tmp/note; echo gone >/tmp/note")
    before = restart(m, "bob")
    equal(m.ssh("bob", "cat note /var/tmp/note; ls /tmp").out, "kept\nkept\n", "the files")
    expect(m.init_pid("bob") != before, "it is still the old container")


@test
def carrel_stop(m):
    """carrel stop ends the sessions and processes, the next login has the files."""
    session = m.ssh_start("bob", "echo kept >note; exec sleep 1000")
    eventually(lambda: m.ssh("bob", "pgrep -x sleep").out, "the session")
    equal(m.run("carrel", "stop", "bob").status, 0, "status of carrel stop")
    eventually(lambda: session.poll() is not None, "the end of the session")
    equal(m.init_pid("bob"), None, "the container")
    equal(m.ssh("bob", "cat note; pgrep -c sleep").out, "kept\n0\n", "what bob finds")


@test(bare=True)
def process_survives_logout(m):
    """A process under nohup still runs at the next login."""
    m.ssh("bob", "nohup sleep 14142 >/dev/null 2>&1 &")
    contains(m.ssh("bob", "pgrep -fa '[s]leep 14142'").out, "sleep 14142", "the processes")
    m.ssh("bob", "pkill -f '[s]leep 14142'")


@test
def same_container_again(m):
    """The container of a user goes on between logins."""
    where = [m.ssh("bob", "readlink /proc/self/ns/pid /proc/self/ns/mnt").out for _ in range(3)]
    expect(where[0] and len(set(where)) == 1, f"places: {where}")


@test
def same_block_again(m):
    """A container that starts anew still owns its files."""
    m.ssh("bob", "echo mine >mine")
    restart(m, "bob")
    equal(m.ssh("bob", "stat -c %U:%G mine; echo more >>mine; cat mine").out,
          "bob:bob\nmine\nmore\n", "the file")


@test
def home_bind(m):
    """home = bind shows the host's home, and what is written belongs to the user there."""
    host_home = pathlib.Path("/home/bob")
    (host_home / "from-host").write_text("hello from the host\n")
    with m.policy("bound", "home = bind"):
        equal(m.ssh("bob", "cat from-host; echo hello >from-inside").out,
              "hello from the host\n", "the host's file")
    written = host_home / "from-inside"
    equal(written.read_text(), "hello\n", "the file on the host")
    equal(written.stat().st_uid, 2002, "its owner")


@test
def home_tmpfs(m):
    """home = tmpfs is there between logins and gone after a stop."""
    with m.policy("fleeting", "home = tmpfs"):
        m.ssh("bob", "echo x >note")
        equal(m.ssh("bob", "cat note; stat -f -c %T ~").out, "x\ntmpfs\n", "the file")
        restart(m, "bob", "bob-fleeting")
        expect(m.ssh("bob", "test -e note").status != 0, "the file is still there")


@test
def bind_mounts(m):
    """bind: readonly and writable folders and files of the host, also under another name."""
    shared, hand_in = pathlib.Path("/srv/exercises"), pathlib.Path("/srv/hand-in")
    shared.mkdir(exist_ok=True)
    hand_in.mkdir(exist_ok=True)
    os.chmod(hand_in, 0o1777)
    (shared / "one.txt").write_text("exercise one\n")
    with m.policy("binds", """
  bind "/srv/exercises" { readonly = yes }
  bind "/srv/hand-in" { target = "/hand-in" }
  bind "/srv/exercises/one.txt" { target = "/first" readonly = yes }"""):
        equal(m.ssh("bob", "cat /srv/exercises/one.txt /first").out, "exercise one\n" * 2, "text")
        result = m.ssh("bob", "touch /srv/exercises/new")
        matches(result.err, "Read-only|Permission denied", "writing the exercises")
        equal(m.ssh("bob", "echo done >/hand-in/bob").said, "", "handing in")
    equal((hand_in / "bob").read_text(), "done\n", "what was handed in")
    equal((hand_in / "bob").stat().st_uid, 2002, "its owner")


@test
def bind_source_missing(m):
    """A missing bind source: refused with one sentence, and the log names the path."""
    since = m.log.mark()
    with m.policy("nowhere", 'bind "/srv/not/there" { readonly = yes }'):
        result = m.ssh("bob", "echo in")
    expect(result.status != 0 and "in\n" not in result.out, "bob gets in")
    equal(len(result.said.strip().splitlines()), 1, f"the lines of {result.said!r}")
    m.log.wait("/srv/not/there", since)


@test
def stop_hangs_up(m):
    """When the container ends, those who are in it are disconnected at once."""
    session = m.ssh_start("bob", "exec sleep 1000")
    eventually(lambda: m.ssh("bob", "pgrep -x sleep").out, "the session")
    restart(m, "bob")
    eventually(lambda: session.poll() is not None, "the end of the session", 10)
