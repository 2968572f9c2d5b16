"""root = no on a named image: its programs are bound, without the overlay, unless they were changed."""

import pathlib
import shutil
import tarfile

from image import build_root, have_image
from suite import contains, equal, expect, lacks, test

STATE = pathlib.Path("/var/lib/carrel")
BOUND = STATE / "images/bound"
OPTIONS_OF_MOUNT = {"ro", "nosuid", "nodev"}


def add_text(archive, name, text, mode=0o644):
    pathlib.Path("/tmp/text").write_text(text)
    member = archive.gettarinfo("/tmp/text", f"./{name}")
    member.mode, member.uid, member.gid, member.uname, member.gname = mode, 0, 0, "", ""
    with open("/tmp/text", "rb") as file:
        archive.addfile(member, file)


def build(m, number):
    """A next version of the image "bound", with programs in /opt, which anybody could write by mode."""
    tar = m.directory / "bound.tar"
    shutil.copy(build_root(m), tar)
    with tarfile.open(tar, "a") as archive:
        add_text(archive, "opt/tool/version", f"{number}\n", 0o666)
        add_text(archive, "usr/share/version", f"{number}\n")
        add_text(archive, "usr/bin/numbered", f"#!/bin/sh\necho {number}\n", 0o755)
    done = m.run("carrel", "image", "build", "bound", "--from", tar, timeout=300)
    equal(done.status, 0, f"the build of the image ({done.said[-300:]})")
    tar.unlink()


def have_bound(m):
    if "bound " not in m.run("carrel", "image", "list").out:
        build(m, 1)


def mounts(m, user="bob"):
    """Mount point: its options and the type of its file system, as the user sees them."""
    lines = [line.split() for line in m.ssh(user, "cat /proc/self/mountinfo").out.splitlines()]
    return {line[4]: (set(line[5].split(",")), line[line.index("-") + 1]) for line in lines}


@test
def folders_of_an_image_are_bound(m):
    """/usr and /opt: the image's own files, read-only whatever their modes say, also for root."""
    have_bound(m)
    root = BOUND / "1/rootfs"
    with m.policy("bind", 'image = "bound"'):
        found = mounts(m)
        equal(found["/"][1], "overlay", "the root")
        for folder in ("/usr", "/opt"):
            options, kind = found[folder]
            expect(kind != "overlay" and options >= OPTIONS_OF_MOUNT, f"{folder}: {found[folder]}")
        lines = m.ssh("bob", "cd /; find usr opt -printf '%p %s %m %U %G %l\\n' | sort").out
        equal(lines, m.run("sh", "-c", f"cd {root}; find usr opt -printf '%p %s %m %U %G %l\\n' | sort").out,
              "names, sizes, modes, owners")
        for attempt in ("touch /usr/x", "echo 2 >/opt/tool/version", "rm /opt/tool/version",
                        "chmod 777 /opt/tool", "ln /usr/bin/id /opt/tool/id"):
            done = m.ssh("bob", attempt)
            expect(done.status != 0, f"'{attempt}' works")
        contains(m.ssh("bob", "echo 2 >/opt/tool/version").err, "Read-only file system", "writing")
        done = m.run("carrel", "exec", "--user", "root", "bob-bind", "--", "touch", "/usr/x")
        contains(done.err, "Read-only file system", "what the container's root is told")
        expect(not (root / "usr/x").exists(), "the image has changed")
        equal(m.ssh("bob", "cat /opt/tool/version; numbered").out, "1\n1\n", "the files")
        equal(list((STATE / "containers/bob-bind/layer/upper").glob("[uo]*")), [], "what is stored of it")


@test
def folders_that_root_changed_stay(m):
    """root = yes, then no: what was changed, added and removed is there as it was, in its layer."""
    have_bound(m)
    with m.policy("turn", 'image = "bound"\nroot = yes'):
        equal(mounts(m)["/"][1], "overlay", "the root")
        lacks(mounts(m), "/usr", "what is bound with root = yes")
        done = m.ssh("bob", "sudo -n sh -c 'echo echo mine >>/usr/bin/numbered; rm /usr/share/version; "
                            "echo new >/usr/share/new'")
        equal(done.status, 0, f"changing /usr ({done.err})")
        m.kill_container("bob-turn")
    look = "numbered; cat /usr/share/new; test -e /usr/share/version || echo gone; cat /opt/tool/version"
    with m.policy("turn", 'image = "bound"'):
        equal(m.ssh("bob", look).out, "1\nmine\nnew\ngone\n1\n", "the changes without root")
        found = mounts(m)
        lacks(found, "/usr", "what is bound of a changed folder")
        expect("/opt" in found, "/opt, which nobody changed, is not bound")
        expect(m.ssh("bob", "touch /usr/x").status != 0, "bob writes to /usr")
    with m.policy("turn", 'image = "bound"\nroot = yes'):
        equal(m.ssh("bob", look).out, "1\nmine\nnew\ngone\n1\n", "the changes with root again")
    with m.policy("bind", 'image = "bound"'):
        equal(m.ssh("bob", "numbered").out, "1\n", "another container of the image")


@test
def folders_that_root_replaced_stay(m):
    """A whole folder of the root removed, or a link in its place: the login without root works."""
    have_bound(m)
    for name, change, seen in (("gone", "true", ""), ("link", "ln -s /var/tmp/nowhere /opt", "/opt\n"),
                               ("file", "echo mine >/opt", "/opt\n"), ("new", "mkdir /opt", "/opt\n")):
        with m.policy(name, 'image = "bound"\nroot = yes'):
            done = m.ssh("bob", f"sudo -n sh -c 'rm -r /opt && {change}'")
            equal(done.status, 0, f"replacing /opt: {name} ({done.err})")
            m.kill_container(f"bob-{name}")
        with m.policy(name, 'image = "bound"'):
            equal(m.ssh("bob", "find /opt 2>/dev/null").out, seen, f"/opt without root: {name}")
            lacks(mounts(m), "/opt", f"what is bound: {name}")


@test
def folders_of_a_version_stay_while_it_runs(m):
    """A new version, gc and a way back: who runs keeps their files, who starts gets the current."""
    have_bound(m)
    with m.policy("bind", 'image = "bound"', who='users = {"alice", "bob"}'):
        equal(m.ssh("bob", "numbered").out, "1\n", "the first version")
        build(m, 2)
        build(m, 3)
        m.run("carrel", "gc")
        equal(m.ssh("bob", "numbered; cat /usr/share/version /opt/tool/version").out, "1\n1\n1\n",
              "who was running")
        equal(m.ssh("alice", "numbered; cat /opt/tool/version").out, "3\n3\n", "who starts now")
        m.kill_container("bob-bind")
        equal(m.ssh("bob", "numbered; cat /usr/share/version").out, "3\n3\n", "after a start")
        m.run("carrel", "gc")
        expect(not (BOUND / "1").exists(), "the version that nobody uses is still there")
    m.run("carrel", "remove", "--yes", "bob-bind")
    m.run("carrel", "remove", "--yes", "alice-bind")


@test
def place_in_a_folder_of_an_image(m):
    """A bind or a home below /opt finds its place, with the image's own files beside it."""
    have_bound(m)
    pathlib.Path("/srv/given").mkdir(exist_ok=True)
    pathlib.Path("/srv/given/sheet").write_text("exercise\n")
    with m.policy("place", 'image = "bound"\nbind "/srv/given" { target = "/opt/course/given" }'):
        done = m.ssh("bob", "cat /opt/course/given/sheet; test -s /opt/tool/version && echo there")
        equal(done.out, "exercise\nthere\n", f"the bind ({done.err})")
        lacks(mounts(m), "/opt", "what is bound")
    with m.policy("shared", 'image = "bound"', container="shared"):
        m.run("usermod", "-d", "/opt/homes/bob", "bob")
        try:
            done = m.run("su", "bob", "-c", "cd && pwd && echo mine >file && cat file")
            equal(done.out, "/opt/homes/bob\nmine\n", f"the home ({done.err})")
        finally:
            m.run("usermod", "-d", "/home/bob", "bob")


@test
def mounts_of_the_host_in_an_image_stay_there(m):
    """What an admin has mounted below the files of an image is not seen inside."""
    have_image(m)
    place = next((STATE / "images/lab").glob("*/rootfs")) / "usr/share/man"
    m.run("mount", "-t", "tmpfs", "tmpfs", place)
    try:
        (place / "hosts").write_text("secret\n")
        with m.policy("below", 'image = "lab"'):
            done = m.ssh("bob", "echo in; cat /usr/share/man/hosts")
            equal(done.out, "in\n", f"what bob sees ({done.err})")
    finally:
        m.run("umount", place)
