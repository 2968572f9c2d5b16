"""Disk quotas of each kind of storage, held against a user and against the container's own root."""

import contextlib

from inside import SMALL_IMAGE, Person, have_small_image
from suite import contains, equal, expect, matches, test

LIMITS = 'limits { disk = "32M" inodes = 1000 }'
FILL = "dd if=/dev/zero of=big bs=65536 count=1024; stat -c %s big"
REFILL = ("rm big; dd if=/dev/zero of=again bs=65536 count=256 2>/dev/null; stat -c %s again; "
          "rm again")
FILES = ("mkdir many; cd many; n=0; while [ $n -lt 1100 ] && true >$n; do n=$((n + 1)); done; "
         "echo made $n")
FULL = "Disk quota exceeded|No space left on device"


@contextlib.contextmanager
def kept(m, place, name, storage, body=LIMITS):
    """A policy for ben whose containers' data are below `place`."""
    with m.config(f'state_dir = "{place}/carrel"\nstorage = {storage}'):
        with m.policy(name, body):
            yield f"ben-{name}"


def check_gets_in(person, what):
    """Nobody who is full is locked out, whatever a start makes for itself."""
    person.m.host(f"carrel stop {person.container}")
    equal(person.m.ssh("ben", "echo in").out, "in\n", f"a start with no {what} left")


def check_held(person):
    """Bytes and files stop at the limit with an error; who is full gets in and makes room."""
    result = person.run(FILL)
    matches(result.said, FULL, "the error")
    size = int(result.out.split()[-1])
    expect((24 << 20) < size <= (32 << 20), f"{size} bytes fit into 32 MiB")
    check_gets_in(person, "block")
    equal(person.run(REFILL).out, f"{16 << 20}\n", "the bytes that fit after the removal")
    result = person.run(FILES)
    matches(result.said, FULL, "the error")
    made = int(matches(result.out, r"^made (\d+)$").group(1))
    expect(900 < made <= 1000, f"{made} files with inodes = 1000")
    check_gets_in(person, "inode")
    equal(person.run("rm -r many && echo removed").out, "removed\n", "the removal")


def check_user(m, place, storage):
    with kept(m, place, f"{storage}-user", storage) as container:
        person = Person(m, container)
        size, files = person.run("df --output=size,itotal -B1M ~ | tail -1").out.split()
        expect(24 <= int(size) <= 32, f"df shows {size} MiB of 32")
        expect(900 < int(files) <= 1040, f"df shows {files} inodes of 1000")
        check_held(person)
        other = m.ssh("ada", "echo in >in; cat in")
        equal(other.out, "in\n", f"somebody else's file ({other.err})")


def check_root(m, place, storage):
    with kept(m, place, f"{storage}-root", storage, SMALL_IMAGE + LIMITS) as container:
        have_small_image(m)
        check_held(Person(m, container, root=True))


@test
def image_holds_a_user(m):
    """storage = image on ext4: disk and inodes stop a user."""
    check_user(m, "/srv/ext4", "image")


@test
def image_holds_root(m):
    """storage = image on ext4: disk and inodes stop the container's root."""
    check_root(m, "/srv/ext4", "image")


@test
def image_on_xfs_holds_a_user(m):
    """storage = image on xfs: disk and inodes stop a user."""
    check_user(m, "/srv/xfs", "image")


@test
def project_on_ext4_holds_a_user(m):
    """storage = project on ext4: disk and inodes stop a user, and df shows them."""
    check_user(m, "/srv/ext4", "project")


@test
def project_on_ext4_holds_root(m):
    """storage = project on ext4: disk and inodes stop the container's root."""
    check_root(m, "/srv/ext4", "project")


@test
def project_on_xfs_holds_a_user(m):
    """storage = project on xfs: disk and inodes stop a user, and df shows them."""
    check_user(m, "/srv/xfs", "project")


@test
def project_on_xfs_holds_root(m):
    """storage = project on xfs: disk and inodes stop the container's root."""
    check_root(m, "/srv/xfs", "project")


def check_refused_without(m, place, off, on):
    with kept(m, place, "without", "project") as container:
        m.ssh("ben", "echo kept >kept")
        m.host(f"carrel stop {container}")
        m.cleanup.callback(m.inside, "root", on)
        m.host(off)
        result = m.ssh("ben", "echo in")
        expect(result.status != 0 and "in\n" not in result.out, "a login without quotas gets in")
        contains(m.log("denied user=ben"), "quota", "the log")
        m.host(on)
        equal(m.ssh("ben", "cat kept").out, "kept\n", "the file, with quotas on again")


@test
def project_on_ext4_refuses_without_quota(m):
    """storage = project on ext4: where quotas are off, the login is refused with a reason."""
    check_refused_without(m, "/srv/ext4", "quotaoff -P /srv/ext4", "quotaon -P /srv/ext4")


@test
def project_on_xfs_refuses_without_quota(m):
    """storage = project on xfs: the same when it is mounted without prjquota."""
    check_refused_without(m, "/srv/xfs",
                          "umount /srv/xfs; mount -o noquota LABEL=quota-xfs /srv/xfs",
                          "umount /srv/xfs; mount /srv/xfs")


def check_grows(m, place, storage):
    with kept(m, place, f"{storage}-grows", storage) as container:
        session = m.ssh_start("ben", "exec sleep 1000")
        person = Person(m, container)
        matches(person.run(FILL).said, FULL, "the error")
        name = container.removeprefix("ben-")
        m.host(f"sed -i s/32M/96M/ /etc/carrel/policy.d/10-{name}.conf && "
               f"carrel quota apply {container}")
        size = int(person.run("df --output=size -B1M ~ | tail -1").out)
        expect(80 <= size <= 96, f"df shows {size} MiB of 96")
        equal(person.run("stat -c %s big; rm big; " + FILL).out.split()[-1], str(64 << 20),
              "the bytes that fit now")
        expect(session.poll() is None, "the session has ended")


@test
def image_grows_while_mounted(m):
    """carrel quota apply: a larger disk counts at once, for an image that is in use."""
    check_grows(m, "/srv/ext4", "image")


@test
def project_grows_while_in_use(m):
    """carrel quota apply: a larger disk counts at once, for a project quota."""
    check_grows(m, "/srv/xfs", "project")
