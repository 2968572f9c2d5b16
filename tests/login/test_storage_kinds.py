"""Every kind of storage, on the file systems that people have, against whatever fills a disk."""

import contextlib
import fcntl
import os
import pathlib
import shutil
import struct
import subprocess

from machine import POLICY_DIR
from suite import Skip, contains, equal, expect, test
from test_image import have_image

MIB = 1 << 20
HOST_SIZE = 1 << 30

# Fills the folder it is in, in the way that is named, and tells the bytes or entries that went in.
FILL = """
import errno, os, sys
way, place = sys.argv[1], sys.argv[2]
os.makedirs(place, exist_ok=True)
os.chdir(place)
made = 0
def data():
    global made
    with open("data", "wb", buffering=0) as file:
        while True:
            made += file.write(b"x" * 65536)
def small():
    global made
    while True:
        with open(f"small-{made}", "wb") as file:
            file.write(b"x" * 3000)
        made += 1
def holes():
    global made
    with open("holes", "wb", buffering=0) as file:
        while True:
            file.seek(made * 1048576)
            file.write(b"x" * 65536)
            os.fsync(file.fileno())
            made += 1
def xattrs():
    global made
    while True:
        name = f"attributes-{made}"
        open(name, "w").close()
        os.setxattr(name, "user.fill", os.urandom(3000))
        made += 1
def deleted():
    global made
    with open("deleted", "wb", buffering=0) as file:
        os.unlink("deleted")
        while True:
            made += file.write(b"x" * 65536)
try:
    globals()[way]()
except OSError as error:
    print(errno.errorcode[error.errno], made)
"""
FULL = {"EDQUOT", "ENOSPC"}


def mount_host(m, kind):
    """A file system of this kind for state_dir, gone with the test."""
    place = m.directory / f"host-{kind}"
    place.mkdir()
    if kind == "tmpfs":
        command = ["mount", "-t", "tmpfs", "-o", f"size={HOST_SIZE}", "tmpfs", place]
    elif kind == "fuse":
        if not shutil.which("bindfs") or not os.path.exists("/dev/fuse"):
            raise Skip("there is no bindfs or no /dev/fuse")
        below = m.directory / "below-fuse"
        below.mkdir()
        m.cleanup.callback(shutil.rmtree, below)
        command = ["bindfs", below, place]
    else:
        if not shutil.which("mkfs.btrfs"):
            raise Skip("btrfs-progs is not installed")
        file = m.directory / f"host-{kind}.img"
        with file.open("wb") as image:
            image.truncate(HOST_SIZE)
        subprocess.run(["mkfs.btrfs", "-q", file], check=True, capture_output=True)
        m.cleanup.callback(file.unlink)
        command = ["mount", "-o", "loop", file, place]
    subprocess.run(command, check=True)
    m.cleanup.callback(unmount, place)
    return place


def unmount(place):
    subprocess.run(["umount", "--recursive", "--lazy", place], check=True)
    place.rmdir()


def enable_quota(place, simple):
    """By hand: older btrfs-progs know nothing of simple quotas."""
    fd = os.open(place, os.O_RDONLY)
    try:
        fcntl.ioctl(fd, 0xc0109428, bytearray(struct.pack("QQ", 4 if simple else 1, 0)))
    except OSError:
        raise Skip("this kernel has no simple quotas (Linux 6.7)") from None
    finally:
        os.close(fd)


@contextlib.contextmanager
def storage(m, kind, host, simple=False):
    """state_dir on another file system, and a kind of storage."""
    if host == "ext4":
        with m.config(storage=kind):
            yield pathlib.Path("/var/lib/carrel")
        return
    place = mount_host(m, host)
    if kind == "btrfs":
        enable_quota(place, simple)
    state = place / "carrel"
    state.mkdir(mode=0o711)
    with m.config(storage=kind, state_dir=f'"{state}"'):
        try:
            yield state
        finally:
            for name in m.running():
                m.kill_container(name)


def fill(m, user, way, place, before=""):
    """Returns the error that stopped it, and what it made."""
    script = f"cat >/var/tmp/fill.py; {before} /usr/bin/python3 /var/tmp/fill.py {way} {place}"
    result = m.ssh(user, script, stdin=FILL)
    expect(result.out.split(), f"{way} in {place} was not stopped: {result.said}")
    error, made = result.out.split()
    return error, int(made)


def check_filling(m, kind, host):
    with storage(m, kind, host) as state, m.policy("fill", 'limits { disk = "64M" }'):
        for way, least, most in (("data", 40 * MIB, 64 * MIB), ("small", 1000, 64 * MIB // 3000),
                                 ("holes", 40 * 16, 64 * 16), ("xattrs", 500, 64 * MIB // 3000),
                                 ("deleted", 40 * MIB, 64 * MIB)):
            error, made = fill(m, "bob", way, "~/fill" if way != "small" else "/var/tmp/fill")
            expect(error in FULL, f"{way} ends with {error}")
            expect(least < made <= most, f"{way}: {made} made in 64 MB")
            result = m.ssh("bob", "rm -rf ~/fill /var/tmp/fill && head -c 8M /dev/zero >again; "
                                  "echo $?; rm again")
            equal(result.out, "0\n", f"writing after the files of {way} are deleted")
        contains((state / "containers/bob-fill/stored").read_text(), f"storage={kind}", "record")
        m.ssh("bob", "head -c 100M /dev/zero >big")
        with m.policy("other", 'limits { disk = "64M" }', who='users = {"alice"}'):
            equal(m.ssh("alice", "head -c 30M /dev/zero >mine; echo $?").out, "0\n",
                  "what another may write")
        equal(m.ssh("bob", "echo fine").out, "fine\n", "a login to a full container")


def check_persistence(m, kind, host):
    """Stays over a stop; grows at the next start; shrinks to what is used and no further."""
    with storage(m, kind, host), m.policy("last", 'limits { disk = "64M" }'):
        m.ssh("bob", "head -c 40M /dev/urandom >data; sha256sum data >sum")
        m.kill_container("bob-last")
        file = POLICY_DIR / "10-last.conf"
        before = file.read_text()
        file.write_text(before.replace("64M", "128M"))
        equal(m.ssh("bob", "sha256sum -c --quiet sum; head -c 60M /dev/zero >more; echo $?;"
                           "rm more").out, "0\n", "the files, and room after it grew")
        m.kill_container("bob-last")
        file.write_text(before.replace("64M", "20M"))
        mark = m.log.mark()
        expect(m.ssh("bob", "true").status != 0, "bob gets in")
        m.log.wait("20M", mark)
        if kind != "image":
            file.write_text(before.replace("64M", "50M"))
            error, made = fill(m, "bob", "data", "~/fill")
            expect(error in FULL and made < 12 * MIB, f"{made} more in 50 MB")


@test
def storage_image_on_ext4_is_filled(m):
    """image on the machine's own file system holds against every kind of writing."""
    check_filling(m, "image", "ext4")


@test
def storage_image_on_btrfs_is_filled(m):
    """image on btrfs holds against every kind of writing."""
    check_filling(m, "image", "btrfs")


@test
def storage_image_on_tmpfs_is_filled(m):
    """image on tmpfs holds against every kind of writing."""
    check_filling(m, "image", "tmpfs")


@test
def storage_image_on_fuse_is_filled(m):
    """image on a file system of FUSE holds against every kind of writing."""
    check_filling(m, "image", "fuse")


@test
def storage_on_fuse_says_what_it_cannot(m):
    """Where only images can be, doctor says so, and a policy without `disk` is refused with why."""
    with storage(m, "auto", "fuse"):
        contains(m.run("carrel", "doctor").said, "is on FUSE", "doctor")
        mark = m.log.mark()
        with m.policy("plain"):
            expect(m.ssh("bob", "true").status != 0, "bob gets in")
            m.log.wait("denied user=bob.*(idmapped|map ids)", mark)


@test
def storage_btrfs_is_filled(m):
    """btrfs holds against every kind of writing."""
    check_filling(m, "btrfs", "btrfs")


@test
def storage_btrfs_with_simple_quotas(m):
    """Simple quotas hold as well."""
    with storage(m, "btrfs", "btrfs", simple=True), m.policy("fill", 'limits { disk = "64M" }'):
        for way, least in (("data", 40 * MIB), ("deleted", 40 * MIB), ("small", 1000)):
            error, made = fill(m, "bob", way, "~/fill")
            expect(error in FULL, f"{way} ends with {error}")
            expect(least < made <= 64 * MIB, f"{way}: {made} made in 64 MB")
            equal(m.ssh("bob", "rm -rf ~/fill; sync; head -c 8M /dev/zero >again; echo $?").out,
                  "0\n", f"writing after the files of {way} are deleted")


@test
def storage_image_on_btrfs_lasts(m):
    """image on btrfs: data stay over stops and changes of the limit."""
    check_persistence(m, "image", "btrfs")


@test
def storage_btrfs_lasts(m):
    """btrfs: data stay over stops and changes of the limit."""
    check_persistence(m, "btrfs", "btrfs")


@test
def storage_btrfs_has_no_way_round(m):
    """Nobody inside makes a subvolume, which would be under no limit; nor lifts the limit."""
    code = """
import fcntl, os, struct
fd = os.open(".", os.O_RDONLY)
for name, number, data in (
        ("create", 0x5000940e, struct.pack("q4088s", 0, b"mine")),
        ("create2", 0x50009418, struct.pack("qQQ32s4040s", 0, 0, 0, b"", b"mine")),
        ("snapshot", 0x50009401, struct.pack("q4088s", fd, b"mine")),
        ("snapshot2", 0x50009417, struct.pack("qQQ32s4040s", fd, 0, 0, b"", b"mine")),
        ("limit", 0x8030942b, struct.pack("QQQQQQ", 0, 1, 2**63, 0, 0, 0))):
    try:
        fcntl.ioctl(fd, number, bytearray(data))
        print(name, "done")
    except OSError as error:
        print(name, error.strerror)
"""
    with storage(m, "btrfs", "btrfs"), m.policy("round", 'limits { disk = "64M" }'):
        out = m.ssh("bob", "/usr/bin/python3 -", stdin=code).out
        equal(out.splitlines(), [f"{name} Operation not permitted" for name in
                                 ("create", "create2", "snapshot", "snapshot2", "limit")],
              "what is said")


@test
def storage_btrfs_of_root_inside(m):
    """The container's root is held by btrfs as well, in its home and in the system's files."""
    have_image(m)
    with storage(m, "btrfs", "btrfs") as state:
        (state / "images").mkdir(mode=0o700)
        subprocess.run(["mount", "--bind", "/var/lib/carrel/images", state / "images"], check=True)
        with m.policy("rooted", 'image = "lab"\nroot = yes\nlimits { disk = "64M" }'):
            for place in ("/etc", "~", "/var/tmp"):
                result = m.ssh("bob", f"sudo -n sh -c 'head -c 100M /dev/zero >{place}/big; "
                                      f"stat -c %s {place}/big; rm {place}/big; id -u'")
                contains(result.err, "Disk quota exceeded", f"writing to {place}")
                size, uid = map(int, result.out.split())
                equal(uid, 0, "the uid")
                expect(40 * MIB < size < 64 * MIB, f"{size} bytes in {place}")


@test
def storage_btrfs_refusals(m):
    """What btrfs cannot hold, or does not because quotas are off, is refused with what to do."""
    with storage(m, "btrfs", "btrfs") as state:
        with m.policy("many", 'limits { disk = "64M" inodes = 5000 }'):
            contains(m.run("carrel", "policy", "check").said, "btrfs cannot limit", "the check")
        subprocess.run(["btrfs", "quota", "disable", state], check=True)
        with m.policy("off", 'limits { disk = "64M" }'):
            contains(m.run("carrel", "policy", "check").said, "btrfs quota enable", "the check")
            mark = m.log.mark()
            expect(m.ssh("bob", "true").status != 0, "bob gets in")
            m.log.wait("quotas are off", mark)
    with m.config(storage="btrfs"), m.policy("other", 'limits { disk = "64M" }'):
        contains(m.run("carrel", "policy", "check").said, "needs state_dir on btrfs", "the check")
    with m.config(storage="project"), m.policy("other", 'limits { disk = "64M" }'):
        contains(m.run("carrel", "policy", "check").said, "project quotas are off", "the check")


@test
def storage_moves_between_kinds(m):
    """From plain to btrfs to an image and back, as carrel.conf says, and nothing is lost."""
    with storage(m, "btrfs", "btrfs") as state, m.policy("moves"):
        m.ssh("bob", "echo kept >note; ln note again")
        folder = state / "containers/bob-moves"
        expect((folder / "layer").exists(), "it is not plain")
        file = POLICY_DIR / "10-moves.conf"
        limit = 'contain\nlimits { disk = "64M" }\n'
        file.write_text(file.read_text().replace("contain\n", limit, 1))
        for kind, entry in (("btrfs", "layer.btrfs"), ("image", "layer.ext4"),
                            ("btrfs", "layer.btrfs")):
            m.kill_container("bob-moves")
            with m.config(storage=kind):
                equal(m.ssh("bob", "cat note; [ note -ef again ] && echo linked").out,
                      "kept\nlinked\n", f"the files on {kind}")
            equal(sorted(path.name for path in folder.glob("*layer*")), [entry], "what is kept")


@test
def memory_places_are_held(m):
    """/tmp, /run and /dev/shm have the size of `tmp` together, count as memory; who is full gets in."""
    with m.policy("places", 'limits { tmp = "16M" memory = "64M" swap = "0" }'):
        for place in ("/tmp", "/dev/shm", "/run/user/2002"):
            error, made = fill(m, "bob", "data", f"{place}/fill")
            equal(error, "ENOSPC", f"the error in {place}")
            expect(12 * MIB < made <= 16 * MIB, f"{made} bytes in {place}")
            others = m.ssh("bob", "for d in /tmp /dev/shm /run/user/2002; do "
                           "head -c 1M /dev/zero >$d/more 2>/dev/null || echo $d; done")
            equal(others.out.split(), ["/tmp", "/dev/shm", "/run/user/2002"], f"{place} is full")
            equal(m.ssh("bob", f"rm -rf {place}/fill /tmp/more /dev/shm/more /run/user/2002/more; "
                        "echo ok").out, "ok\n", "deleting")
    with m.policy("counted", 'limits { tmp = "256M" memory = "64M" swap = "0" }'):
        result = m.ssh("bob", "head -c 128M /dev/zero >/tmp/big; echo $?; stat -c %s /tmp/big")
        expect(result.status != 0 or not result.out.startswith("0\n"),
               f"128 MB in /tmp with 64 MB of memory: {result.out}")
