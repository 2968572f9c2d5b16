"""What goes over the border by an admin's hand, and parts of Carrel that stay beside a container."""

import os
import pathlib
import shutil
import struct
import tarfile
import time

from attacker import all_refused, arm, attempt
from image import build_root, have_image
from machine import STATE
from suite import Skip, contains, equal, eventually, expect, lacks, test

BOUND = 20  # seconds that a command of an admin may take, whatever it meets

# A tree with all that must not come over, one entry of which changes all the time.
HOSTILE_TREE = r"""
import os
os.makedirs("tree/folder", exist_ok=True)
os.chdir("tree")
open("fine", "w").write("fine\n")
open("line\nbreak", "w").write("x")
open("\x1b[2Jclear", "w").write("x")
open("..  ", "w").write("x")
os.makedirs("closed\n\x1b[31mred/inner", exist_ok=True)
os.chmod("closed\n\x1b[31mred", 0)
os.link("fine", "hard")
os.mkfifo("pipe")
os.symlink("/etc", "to-etc")
os.symlink("/etc/shadow", "folder/to-shadow")
os.symlink("../../../../../../root", "up")
open("setuid", "w").write("#!/bin/sh\n")
os.chmod("setuid", 0o6777)
os.truncate(os.open("hole", os.O_RDWR | os.O_CREAT), 1 << 40)
"""
SWAP = r"""
import os
os.chdir("tree")
os.makedirs("swapped", exist_ok=True)
open("swapped/shadow", "w").write("planted")
os.symlink("/etc", "link")
os.mkfifo("stuck")
libc = __import__("ctypes").CDLL(None)
end = __import__("time").time() + 60
while __import__("time").time() < end:
    for other in (b"link", b"stuck"):
        libc.renameat2(-100, b"swapped", -100, other, 2)
        libc.renameat2(-100, b"swapped", -100, other, 2)
"""


def etc_of_the_host(m):
    return m.run("sh", "-c", "find /etc /root -newermt @0 -printf '%p %y %m %U %s %T@\\n' | "
                             "grep -v carrel | sort | sha256sum").out


def in_time(m, *words, stdin=None):
    """An admin's command that comes to an end, well or not."""
    began = time.monotonic()
    done = m.run(*words, stdin=stdin)
    took = time.monotonic() - began
    expect(took < BOUND, f"{' '.join(map(str, words))} took {took:.1f} s")
    return done


@test
def hostile_tree_is_copied(m):
    """carrel cp, collect: links, FIFOs, holes, set-user-id, names, all while the tree changes."""
    m.ssh("bob", "python3 -", stdin=HOSTILE_TREE.encode())
    before = etc_of_the_host(m)
    swapper = m.ssh_start("bob", f"exec python3 -c '{SWAP}'")
    eventually(lambda: "stuck" in m.ssh("bob", "ls tree").out, "the changes")
    for number in range(8):
        out = m.directory / f"tree-{number}"
        if number % 2:
            done = in_time(m, "carrel", "cp", "bob:tree", out)
        else:
            done = in_time(m, "carrel", "collect", "bob", "tree", out)
        lacks(done.said, "\x1b", "what the admin's terminal gets")
        for folder, folders, files in os.walk(out):
            for name in folders + files:
                made = pathlib.Path(folder, name)
                status = made.lstat()
                equal(status.st_mode & 0o7000, 0, f"set-user-id bits of {made}")
                expect(made.is_symlink() or made.is_dir() or made.is_file(), f"{made} is a node")
                expect(status.st_blocks * 512 < 1 << 20, f"{made} takes {status.st_blocks} blocks")
                expect(made.is_dir() or made.is_symlink() or name != "shadow" or
                       made.read_text() in ("planted", "fine\n"), f"{made} is the host's")
        if number % 2 == 0:
            links = m.run("find", out, "-type", "l").out
            equal(links, "", "links that collect has brought")
        # Back in, over what changes there: as the user, so that only the user's files are met.
        if number % 2 and (out / "fine").exists():
            in_time(m, "carrel", "cp", out / "fine", "bob:tree/swapped/shadow")
        shutil.rmtree(out, ignore_errors=True)
    swapper.terminate()
    equal(etc_of_the_host(m), before, "/etc and /root of the host")


@test
def class_folder_is_read_only(m):
    """root = yes: what push has laid there is neither written, remounted, replaced nor given away."""
    have_image(m)
    material = m.directory / "material"
    material.write_text("as pushed\n")
    equal(m.run("carrel", "push", "--group", "students", material).status, 0, "carrel push")
    m.cleanup.callback(shutil.rmtree, STATE / "class")
    with m.policy("class", 'image = "lab"\nroot = yes'):
        arm(m)
        equal(m.ssh("bob", "cat /class/students/material").out, "as pushed\n", "what is there")
        for command in ("touch /class/students/x", "sh -c 'echo x >/class/students/material'",
                        "rm /class/students/material", "chmod 777 /class/students",
                        "chown bob /class/students/material", "mount -o remount,rw /class",
                        "mount -o bind,remount,rw /class", "mount --bind /tmp /class",
                        "umount /class", "umount -l /class", "mv /class /class2",
                        "ln /class/students/material /var/tmp/x", "mknod /class/null c 1 3",
                        "setpriv --reuid 0 --regid 2000 touch /class/students/x"):
            expect(m.ssh("bob", f"sudo -n {command}").status != 0, f"root inside: {command} works")
            expect(m.ssh("bob", command.replace("setpriv", "false")).status != 0,
                   f"the user: {command} works")
        equal(m.ssh("bob", "grep ' /class ' /proc/self/mountinfo | grep -c ' ro,nosuid,nodev'").out,
              "1\n", "how it is mounted")
    equal((STATE / "class/students/material").read_text(), "as pushed\n", "the file on the host")
    equal((STATE / "class/students/material").stat().st_uid, 0, "its owner on the host")


@test
def status_socket_is_replaced(m):
    """root = yes: a link, folder or listener in place of the status socket deceives nobody outside."""
    have_image(m)
    with m.policy("socket", 'image = "lab"\nroot = yes'):
        m.ssh("bob", "true")
        for trap in ("ln -s /etc /run/carrel", "ln -s /dev/zero /run/carrel/status",
                     "mkfifo /run/carrel/status", "rm -rf /run/carrel"):
            m.ssh("bob", f"sudo -n sh -c 'rm -rf /run/carrel/*; mv /run/carrel /run/was; {trap}; "
                         f"mkdir -p /run/carrel; {trap}'")
            for words in (("list",), ("show", "bob-socket"), ("status", "bob-socket"), ("metrics",)):
                in_time(m, "carrel", *words)
            # Their own logins may be refused, until the container starts anew.
            done = m.ssh("bob", "echo in", timeout=BOUND)
            expect(done.out == "in\n" or done.status != 0, f"a login after {trap}: {done}")
            equal(m.ssh("alice", "echo in", timeout=BOUND).out, "in\n", "another's login")
            m.run("carrel", "stop", "--timeout", "1", "bob-socket")
            equal(m.ssh("bob", "echo in").out, "in\n", "a login after a new start")
        equal(in_time(m, "carrel", "stop", "--timeout", "1", "bob-socket").status, 0, "carrel stop")


@test
def session_cgroup_is_not_left(m):
    """root = yes: no cgroup is written or made, and what leaves its session stays in its cgroup."""
    have_image(m)
    with m.policy("scoped", 'image = "lab"\nroot = yes\ntime { session = "1h" }'):
        arm(m)
        session = m.ssh_start("bob", "sudo -n setsid sh -c 'setsid sleep 86431 & sleep 86432'")
        pids = eventually(lambda: m.run("pgrep", "-fx", "sleep 86431").out.split(), "its process")
        place = pathlib.Path(f"/proc/{pids[0]}/cgroup").read_text()
        contains(place, "/bob-scoped/session-", "where the process that left is")
        found = m.ssh("bob", "find /sys/fs/cgroup -type f 2>/dev/null").out.split()
        for sudo in (False, True) if found else ():
            all_refused(attempt(m, f"write {' '.join(found)}", sudo=sudo),
                        ("EACCES", "EPERM", "EROFS", "ENOENT"))
            done = m.ssh("bob", f"{'sudo -n ' if sudo else ''}mkdir /sys/fs/cgroup/mine")
            expect(done.status != 0, "a cgroup can be made")
        for kind in ("cgroup", "cgroup2"):
            for sudo in ("", "sudo -n "):
                done = m.ssh("bob", f"{sudo}mount -t {kind} none /mnt")
                expect(done.status != 0, f"{sudo}mount -t {kind} works")
        equal(pathlib.Path(f"/proc/{pids[0]}/cgroup").read_text(), place, "its place afterwards")
        lacks(m.ssh("bob", "cat /proc/self/cgroup").out, m.cgroup, "what is seen of the host's names")
        session.terminate()


@test
def stored_links_lead_nowhere(m):
    """root = yes: snapshot, rollback, export, quota, reset of data whose folders became links."""
    have_image(m)
    with m.policy("links", 'image = "lab"\nroot = yes'):
        m.ssh("bob", "echo mine >mine")
        m.run("carrel", "stop", "--timeout", "1", "bob-links")
        m.run("carrel", "snapshot", "bob-links", "before")
        before = etc_of_the_host(m)
        m.ssh("bob", "sudo -n sh -c 'cd /; mv /home /home.was; ln -s /etc /home; mv /var/tmp "
                     "/var/tmp.was; ln -s /root /var/tmp; mkdir -p /srv/x; ln -s / /srv/x/root; "
                     "ln -s /etc/shadow /srv/x/..x; ln -s ../../../../../../../etc /opt/up; "
                     "mknod /srv/null c 1 3; rm -rf /mnt; ln -s /etc /mnt'")
        m.run("carrel", "stop", "--timeout", "1", "bob-links")
        for words in (("snapshot", "bob-links", "after"), ("snapshots", "bob-links"),
                      ("quota", "bob-links"), ("export", "bob-links"),
                      ("rollback", "--discard", "--yes", "bob-links", "after"),
                      ("rollback", "--discard", "--yes", "bob-links", "before"),
                      ("snapshots", "--remove", "after", "--yes", "bob-links"),
                      ("reset", "--all", "--yes", "bob-links")):
            done = in_time(m, "carrel", *words)
            equal(done.status, 0, f"carrel {words[0]} ({done.err})")
            lacks(done.said, "a secret of the host", f"what {words[0]} brings")
        equal(etc_of_the_host(m), before, "/etc and /root of the host")


@test
def watch_is_out_of_reach(m):
    """The process that watches a login is neither seen, signalled nor traced from inside."""
    have_image(m)
    with m.policy("watched", 'image = "lab"\nroot = yes'):
        arm(m)
        session = m.ssh_start("bob", "exec sleep 300")
        # Those of logins that have just ended go a moment later.
        time.sleep(2)
        watchers = m.run("pgrep", "-x", "carrel-watch").out.split()
        expect(watchers, "a watcher is there")
        for sudo in (False, True):
            for pid in watchers:
                answers = [(what, answer) for what, answer in
                           attempt(m, f"signals {pid}", sudo=sudo) if what.startswith("signal")]
                all_refused(answers, "ESRCH")
                answers = dict(attempt(m, f"look-into {pid}", sudo=sudo))
                equal(answers["ptrace-attach"], "ESRCH", "a trace of it")
        equal(m.ssh("bob", "sudo -n ps -e -o comm | grep -c carrel-watch").out, "0\n", "what is seen")
        expect(set(watchers) <= set(m.run("pgrep", "-x", "carrel-watch").out.split()),
               "a watcher has ended")
        session.terminate()


@test
def frozen_blocks_nobody(m):
    """A frozen container, its root at work on it: commands of the host and other logins go on."""
    m.ssh_start("bob", "while :; do :; done")
    m.look("bob", "true")
    equal(m.run("carrel", "freeze", "bob").status, 0, "carrel freeze")
    try:
        out = m.directory / "frozen"
        for words in (("list",), ("show", "bob"), ("status", "bob"), ("metrics",), ("doctor",),
                      ("quota", "bob"), ("exec", "bob", "true"), ("cp", "bob:.profile", out),
                      ("collect", "--timeout", "2", "bob", ".profile", out),
                      ("message", "bob", "hello")):
            done = in_time(m, "timeout", "15", "carrel", *words)
            expect(done.status in (0, 1), f"carrel {words[0]} ends with {done.status}: {done.said}")
        began = time.monotonic()
        equal(m.ssh("alice", "echo in").out, "in\n", "another user's login")
        expect(time.monotonic() - began < BOUND, "another user's login took too long")
        # Their own login ends with an answer or waits no longer than the module's deadline.
        m.ssh("bob", "echo in", timeout=120)
    finally:
        m.run("carrel", "thaw", "bob")
    equal(m.ssh("bob", "echo in").out, "in\n", "their login afterwards")
    m.run("carrel", "freeze", "bob")
    equal(in_time(m, "carrel", "stop", "--timeout", "1", "bob").status, 0, "a stop of a frozen one")


def add_hostile_members(tar):
    """What an image could bring: set-user-id, capabilities, devices, whiteouts, attributes."""
    def add(name, kind=tarfile.REGTYPE, mode=0o755, device=(0, 0), content=None, **attributes):
        member = tarfile.TarInfo(f"./{name}")
        member.type, member.mode = kind, mode
        member.devmajor, member.devminor = device
        member.pax_headers = {f"SCHILY.xattr.{key.replace('__', '.')}": value
                              for key, value in attributes.items()}
        if content:
            member.size = content.stat().st_size
            with open(content, "rb") as file:
                tar.addfile(member, file)
        else:
            tar.addfile(member)

    reader = pathlib.Path("/bin/cat").resolve()
    # VFS_CAP_REVISION_2, effective: every capability. Its bytes are text, as pax wants them.
    every = struct.pack("<5I", 0x02000001, 0x7f7f7f7f, 0, 0x7f, 0).decode("latin-1")
    add("usr/bin/setuid-cat", mode=0o6755, content=reader)
    add("usr/bin/capable-cat", content=reader, security__capability=every)
    add("srv/memory", tarfile.CHRTYPE, 0o666, (1, 1))
    add("srv/zero", tarfile.CHRTYPE, 0o666, (1, 5))
    add("srv/disk", tarfile.BLKTYPE, 0o666, (7, 0))
    add("whiteout", tarfile.CHRTYPE, 0o666)
    add("opt", tarfile.DIRTYPE, user__overlay__opaque="y")
    add("redirected", tarfile.DIRTYPE, user__overlay__redirect="/../../../etc",
        trusted__overlay__redirect="/../../../etc", user__overlay__metacopy="")


@test
def hostile_image_gives_nothing(m):
    """An erofs image with set-user-id, capabilities, devices, overlayfs attributes, whiteouts."""
    if not shutil.which("mkfs.erofs"):
        raise Skip("mkfs.erofs is not installed")
    tar = m.directory / "hostile.tar"
    shutil.copy(build_root(m), tar)
    with tarfile.open(tar, "a", format=tarfile.PAX_FORMAT) as archive:
        add_hostile_members(archive)
    done = m.run("carrel", "image", "build", "hostile", "--from", tar, "--format", "erofs",
                 timeout=300)
    equal(done.status, 0, f"the build ({done.said[-300:]})")
    tar.unlink()
    for root in (False, True):
        sudo = "sudo -n " if root else ""
        with m.policy("image", 'image = "hostile"' + ("\nroot = yes" if root else "")):
            for program in ("setuid-cat", "capable-cat"):
                status = m.ssh("bob", f"{program} /proc/self/status").out
                if root:
                    continue  # as sudo: the container's own root, by right
                contains(status, "CapEff:\t0000000000000000", f"capabilities of {program}")
                contains(status, "Uid:\t2002\t2002\t2002", f"ids of {program}")
                expect(m.ssh("bob", f"{program} /etc/shadow").status != 0, f"{program} reads shadow")
            for node in ("memory", "zero", "disk"):
                done = m.ssh("bob", f"{sudo}head -c 1 /srv/{node}")
                expect(done.status != 0 and done.out == "", f"/srv/{node} opens: {done}")
            lacks(m.ssh("bob", f"{sudo}ls -a /redirected; {sudo}cat /redirected/host-secret").out,
                  "secret", "where the redirect leads")
            # With more than the bounding set has, a file's capabilities let it not start at all.
            done = m.ssh("bob", f"{sudo}capable-cat /proc/self/status")
            expect(root == (done.status != 0), f"capabilities of a file: {done}")
