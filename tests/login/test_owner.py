"""Whose a container is: shared by a group, of an account that changed, of a policy that is gone."""

import os
import pathlib
import time

from machine import POLICY_DIR, STATE
from suite import contains, equal, eventually, expect, test
from test_trouble import check_refused

STUDENTS = 'groups = {"students"}'


def refused(m, reason, user="bob"):
    """One line for the user; the log has the reason."""
    since = m.log.mark()
    check_refused(m, user)
    return m.log.wait(reason, since)


@test
def shared_by_a_group(m):
    """A name without %u is one container for all: the same processes and files, homes of their own."""
    with m.policy("room", who=STUDENTS, container="room"):
        m.ssh("alice", "umask 022; echo of-alice >/var/tmp/note; echo mine >secret")
        alice = m.ssh_start("alice", "exec sleep 86424")
        places = {m.ssh(user, "readlink /proc/self/ns/pid").out for user in ("alice", "bob")}
        equal(len(places), 1, "containers that they are in")
        equal(m.ssh("bob", "cat /var/tmp/note; pgrep -fx 'sleep 86424' | wc -l").out, "of-alice\n1\n",
              "what bob sees of alice")
        expect(m.ssh("bob", "cat ~alice/secret").status != 0, "bob reads what is in alice's home")
        expect(m.ssh("bob", "pkill -fx 'sleep 86424'").status != 0, "bob ends alice's process")
        expect(alice.poll() is None, "alice's process has ended")
        m.kill_container("room")


@test
def became_a_member_later(m):
    """Who comes to the group while its container runs is told to wait for its next start."""
    with m.policy("room", who=STUDENTS, container="room"):
        m.ssh_start("alice", "exec sleep 60")
        equal(m.ssh("alice", "echo in").out, "in\n", "alice's login")
        equal(m.run("usermod", "-aG", "students", "henry").status, 0, "usermod")
        m.cleanup.callback(m.run, "gpasswd", "-d", "henry", "students")
        contains(refused(m, "before 'henry' belonged to it", "henry"), "carrel stop room", "the log")
        equal(m.run("carrel", "stop", "--timeout", "1", "room").status, 0, "carrel stop")
        equal(m.ssh("henry", "echo in").out, "in\n", "henry's login after a new start")
        m.kill_container("room")


@test
def belongs_to_another(m):
    """Data that were stored for another account are given to nobody, and the log says what to do."""
    with m.policy("owned"):
        m.ssh("bob", "echo kept >note")
        m.kill_container("bob-owned")
        record = STATE / "containers/bob-owned/stored"
        before = record.read_text()
        contains(before, "user=bob", "the record")
        record.write_text(before.replace("user=bob", "user=robert"))
        contains(refused(m, "belongs to 'robert'"), "carrel remove bob-owned", "the log")
        record.write_text(before)
        equal(m.ssh("bob", "cat note").out, "kept\n", "the file")


@test
def home_of_another(m):
    """home = bind with a home that is somebody else's: refused, and theirs is not shown."""
    home = pathlib.Path("/home/bob")
    with m.policy("bind", "home = bind"):
        os.chown(home, 2001, 2001)
        m.cleanup.callback(os.chown, home, 2002, 2002)
        contains(refused(m, "does not belong to 'bob'"), "/home/bob", "the log")
        os.chown(home, 2002, 2002)
        equal(m.ssh("bob", "echo in").out, "in\n", "the login with the home given back")


@test
def home_that_is_missing(m):
    """home = bind without a home: refused at once, and who is in the container stays."""
    home, away = pathlib.Path("/home/bob"), pathlib.Path("/home/bob.away")
    with m.policy("room", "home = bind", who=STUDENTS, container="room"):
        alice = m.ssh_start("alice", "exec sleep 86425")
        eventually(lambda: m.run("pgrep", "-fx", "sleep 86425").out, "alice's session")
        home.rename(away)
        m.cleanup.callback(lambda: away.exists() and away.rename(home))
        began = time.monotonic()
        since = m.log.mark()
        expect(m.run("su", "bob", "-c", "echo in").status != 0, "bob gets in")
        expect(time.monotonic() - began < 10, f"the refusal took {time.monotonic() - began:.1f} s")
        contains(m.log.wait("refused|denied", since), "/home/bob", "the log")
        expect(alice.poll() is None and m.run("pgrep", "-fx", "sleep 86425").out,
               "alice's session was ended")
        away.rename(home)
        equal(m.run("su", "bob", "-c", "echo in").out, "in\n", "the login with the home")
        m.kill_container("room")


@test
def policy_of_a_running_container_is_gone(m):
    """carrel exec says so, and what to do; the user's next login gets what the policies say now."""
    with m.policy("gone"):
        m.ssh_start("bob", "exec sleep 60")
        equal(m.ssh("bob", "echo in").out, "in\n", "the login")
        file = POLICY_DIR / "10-gone.conf"
        text = file.read_text()
        file.unlink()
        done = m.run("carrel", "exec", "bob-gone", "--", "true")
        equal(done.status, 1, "carrel exec")
        contains(done.err, "policy 'gone'", "what it says")
        contains(done.err, "carrel stop bob-gone", "what it says")
        equal(m.ssh("bob", "hostname").out, "students\n", "the next login")
        file.write_text(text)
