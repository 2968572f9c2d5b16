"""Disk quotas: a container's data fill their own image and no more, and nothing stored is lost."""

import fcntl
import os
import pathlib
import struct
import subprocess
import time

from machine import POLICY_DIR
from suite import contains, equal, eventually, expect, lacks, matches, test
from test_image import have_image

MIB = 1 << 20
LIMIT = 'limits {{ disk = "{}" }}'
# Appends numbered lines, each synced and only then told.
SYNCED = """
import os
fd = os.open("journal", os.O_CREAT | os.O_WRONLY | os.O_APPEND)
for number in range(1000000):
    os.write(fd, b"line %d\\n" % number)
    os.fsync(fd)
    print(number, flush=True)
"""
FILES = """
import os, sys
made = 0
try:
    while made < int(sys.argv[1]):
        open(f"file-{made}", "w").close()
        made += 1
except OSError as error:
    print(error.strerror)
print(made)
"""
HELD = """
import os
fd = os.open("gone", os.O_CREAT | os.O_RDWR)
os.unlink("gone")
def room():
    facts = os.statvfs(".")
    return facts.f_bavail * facts.f_frsize
os.truncate(fd, 1 << 30)
before = room()
for _ in range(20):
    os.write(fd, b"x" * (1 << 20))
os.fsync(fd)
print((before - room()) >> 20)
"""


MAKE_FILES = """
umask 022; mkdir -m 2750 folder; echo one >folder/one; ln folder/one folder/two; ln -s one folder/three
truncate -s 1000000000 hole; echo end >>hole; mkfifo pipe; touch -d 2001-02-03 old; chmod 640 old
echo 'import os; os.setxattr("old", "user.note", b"kept")' | /usr/bin/python3 -
echo shared >/var/tmp/shared
"""
TELL_FILES = """
find . /var/tmp/shared -path ./.cache -prune -o -printf '%p %y %m %U %G %n %s %T@ %l\\n' |
    grep -v '^. d' | grep -v '^[.]/folder d.*' | sort
cat folder/two /var/tmp/shared; stat -c 'size %s' hole; tail -c4 hole
[ folder/one -ef folder/two ] && echo linked
[ $(stat -c %b hole) -lt 100 ] && echo sparse
echo 'import os; print(os.getxattr("old", "user.note"))' | /usr/bin/python3 -
"""


class Before:
    """A policy file as it was."""

    def __init__(self, file):
        self.file = file
        self.text = file.read_text()

    def restore(self):
        self.file.write_text(self.text)


def add_limit(name, disk):
    """Ask for disk in a policy that did not; returns what it was."""
    before = Before(POLICY_DIR / f"10-{name}.conf")
    before.file.write_text(before.text.replace("contain\n", f"contain\n{LIMIT.format(disk)}\n", 1))
    return before


def image_of(container):
    return pathlib.Path("/var/lib/carrel/containers", container, "layer.ext4")


def loops_of(image):
    """The loop devices that are on this file."""
    inode = str(image.stat().st_ino)
    listing = subprocess.run(["losetup", "--list", "--noheadings", "--output", "NAME,BACK-INO"],
                             capture_output=True, text=True, check=True).stdout
    return [line.split()[0] for line in listing.splitlines() if line.split()[1:] == [inode]]


def end(m, container):
    m.kill_container(container)
    image = image_of(container)
    eventually(lambda: not loops_of(image), f"the end of the loop device of {container}")


def check_refused(m, user, pattern):
    """Returns what the log says of it."""
    mark = m.log.mark()
    result = m.ssh(user, "echo in")
    expect(result.status != 0 and "in\n" not in result.out, f"{user} gets in")
    return m.log.wait(pattern, mark)


@test
def disk_is_held(m):
    """disk: home and /var/tmp together hold that much; the session and the others go on."""
    with m.policy("quota", LIMIT.format("64M")):
        result = m.ssh("bob", "head -c 100M /dev/zero >big; echo status $?; stat -c %s big")
        contains(result.err, "No space left on device", "the error")
        contains(result.out, "status 1", "the session after it")
        size = int(result.out.split()[-1])
        expect(40 * MIB < size < 64 * MIB, f"{size} bytes in 64 MB")
        contains(m.ssh("bob", "head -c 1M /dev/zero >/var/tmp/more").err, "No space left",
                 "writing to /var/tmp")
        equal(m.ssh("alice", "echo fine").out, "fine\n", "another user's login")
        for place in ("~", "/var/tmp"):
            facts = m.ssh("bob", f"df -B1 --output=size {place} | tail -1").out
            expect(52 * MIB < int(facts) <= 64 * MIB, f"{place} has a size of {facts}")
        equal(m.ssh("bob", "rm big; head -c 20M /dev/zero >again; echo $?").out, "0\n",
              "writing after a deletion")
        image = image_of("bob-quota").stat()
        equal((image.st_size, image.st_mode & 0o777, image.st_uid), (64 * MIB, 0o600, 0),
              "the image's size, mode and owner")


@test
def disk_counts_holes_and_deleted_files(m):
    """A hole takes nothing; what is deleted but open takes its room until it is closed."""
    with m.policy("held", LIMIT.format("64M")):
        taken = int(m.ssh("bob", "/usr/bin/python3 -", stdin=HELD).out)
        expect(20 <= taken <= 22, f"20 MB of an open, deleted file take {taken}")
        free = int(m.ssh("bob", "df -BM --output=avail ~ | tail -1").out.strip().rstrip("M"))
        expect(free > 40, f"{free} MB are free after it was closed")


@test
def inodes_are_held(m):
    """inodes: no more files than that."""
    with m.policy("inodes", 'limits { disk = "64M" inodes = 1000 }'):
        result = m.ssh("bob", "/usr/bin/python3 - 1100", stdin=FILES)
        contains(result.out, "No space left on device", "the error")
        made = int(result.out.split()[-1])
        expect(900 < made <= 1000, f"{made} files with inodes = 1000")
        equal(m.ssh("bob", "rm -rf file-*; echo > one; echo $?").out, "0\n", "a file after that")
        end(m, "bob-inodes")
        file = POLICY_DIR / "10-inodes.conf"
        file.write_text(file.read_text().replace("64M", "300M"))
        contains(check_refused(m, "bob", "inodes"), "3024 inodes", "the log")
        equal(image_of("bob-inodes").stat().st_size, 64 * MIB, "the image's size")


@test
def disk_data_stay_and_grow(m):
    """A larger disk counts from the next start; a smaller one is refused; the files stay."""
    with m.policy("grow", LIMIT.format("64M")):
        m.ssh("bob", "echo kept >note; head -c 30M /dev/urandom >data; sha256sum data >sum")
        end(m, "bob-grow")
        equal(m.ssh("bob", "cat note").out, "kept\n", "the file after a stop")
        file = POLICY_DIR / "10-grow.conf"
        before = file.read_text()
        file.write_text(before.replace("64M", "300M"))
        size = int(m.ssh("bob", "df -BM --output=size ~ | tail -1").out.strip().rstrip("M"))
        expect(size <= 64, f"{size} MB without a stop")
        end(m, "bob-grow")
        result = m.ssh("bob", "sha256sum --check --quiet sum && cat note;"
                              "head -c 150M /dev/zero >big; echo $?")
        equal(result.out, "kept\n0\n", "files and room after it grew")
        equal(image_of("bob-grow").stat().st_size, 300 * MIB, "the image's size")
        end(m, "bob-grow")
        file.write_text(before)
        line = check_refused(m, "bob", "cannot shrink")
        contains(line, "300M", "the log line")
        contains(line, "64M", "the log line")
        file.write_text(before.replace(LIMIT.format("64M"), ""))
        equal(m.ssh("bob", "cat note").out, "kept\n", "the file without a limit")
        expect(loops_of(image_of("bob-grow")), "it is not in the image any more")


@test
def disk_growth_cut_short(m):
    """A start that was killed while it made the disk larger is completed by the next."""
    with m.policy("regrow", LIMIT.format("64M")):
        m.ssh("bob", "echo kept >note")
        end(m, "bob-regrow")
        os.truncate(image_of("bob-regrow"), 300 * MIB)
        file = POLICY_DIR / "10-regrow.conf"
        file.write_text(file.read_text().replace("64M", "300M"))
        equal(m.ssh("bob", "cat note; head -c 150M /dev/zero >big; echo $?").out, "kept\n0\n",
              "the files and the room")


@test
def disk_asked_for_later(m):
    """A container with data gets its quota at the next start; its files move as they are."""
    with m.policy("late"):
        m.ssh("bob", MAKE_FILES)
        before = m.ssh("bob", TELL_FILES).out
        contains(before, "size 1000000004", "what was made")
        m.kill_container("bob-late")
        add_limit("late", "64M")
        equal(m.ssh("bob", TELL_FILES).out, before, "the files after the move")
        contains(m.ssh("bob", "head -c 100M /dev/zero >big").err, "No space left", "the error")
        folder = image_of("bob-late").parent
        equal(sorted(path.name for path in folder.glob("*layer*")), ["layer.ext4"], "what is kept")
        contains((folder / "stored").read_text(), "storage=image", "the record")


@test
def disk_asked_for_too_late(m):
    """What does not fit into the new quota, or is too much for a login, stays as it is."""
    with m.policy("toolate"):
        m.ssh("bob", "echo kept >note; head -c 80M /dev/zero >big")
        m.kill_container("bob-toolate")
        before = add_limit("toolate", "64M")
        line = check_refused(m, "bob", "uses 8")
        contains(line, "more than disk = 64M", "the log line")
        before.restore()
        equal(m.ssh("bob", "cat note; for i in 1 2 3; do cp big big$i; done").out, "kept\n",
              "the file")
        m.kill_container("bob-toolate")
        add_limit("toolate", "1G")
        contains(check_refused(m, "bob", "too many for a login"), "carrel quota apply bob-toolate",
                 "the log")
        before.restore()
        equal(m.ssh("bob", "cat note").out, "kept\n", "the file")
        before = add_limit("toolate", "1G")
        contains(m.run("carrel", "quota", "apply", "bob-toolate").said, "stop bob-toolate",
                 "carrel quota apply of one that runs")
        m.kill_container("bob-toolate")
        equal(m.run("carrel", "quota", "apply", "bob-toolate").said,
              "bob-toolate: storage plain -> image\n", "carrel quota apply")
        equal(m.ssh("bob", "cat note; cmp big big3; df -BM --output=size . | tail -1").out.split()[0],
              "kept", "the file, held")


@test
def disk_damaged(m):
    """Whose image is damaged is refused, and it is not touched; the others get in."""
    with m.policy("broken", LIMIT.format("64M")):
        m.ssh("bob", "echo kept >note")
        end(m, "bob-broken")
        image = image_of("bob-broken")
        with image.open("r+b") as file:
            file.seek(1024)
            superblock = file.read(1024)
            file.seek(1024)
            file.write(bytes(1024))
        before = image.read_bytes()
        line = check_refused(m, "bob", "layer.ext4")
        contains(line, "e2fsck", "the log line")
        contains(line, "bob-broken", "the log line")
        equal(m.ssh("alice", "echo fine").out, "fine\n", "another user's login")
        expect(image.read_bytes() == before, "the image was changed")
        with image.open("r+b") as file:
            file.seek(1024)
            file.write(superblock)
        equal(m.ssh("bob", "cat note").out, "kept\n", "the file after the repair")


@test
def disk_with_errors_is_checked(m):
    """Errors that ext4 noted are repaired by e2fsck before the next start."""
    with m.policy("errors", LIMIT.format("64M")):
        m.ssh("bob", "echo kept >note; sync")
        end(m, "bob-errors")
        image = image_of("bob-errors")
        subprocess.run(["debugfs", "-w", "-R", "ssv state 2", image], check=True,
                       capture_output=True)
        equal(m.ssh("bob", "cat note").out, "kept\n", "the file")
        end(m, "bob-errors")
        with image.open("rb") as file:
            file.seek(1024 + 58)
            equal(struct.unpack("<H", file.read(2))[0], 1, "the state after it")


@test
def disk_keeps_what_is_synced(m):
    """What was synced is there when the container is killed while it writes."""
    with m.policy("synced", LIMIT.format("64M")):
        for _ in range(3):
            writer = m.ssh_start("bob", "rm -f journal; exec /usr/bin/python3 -c " +
                                 "'" + SYNCED.replace("'", '"') + "'",
                                 stdout=subprocess.PIPE, text=True)
            told = []
            while len(told) < 50:
                line = writer.stdout.readline()
                expect(line, "the writer ended by itself")
                told.append(int(line))
            m.kill_container("bob-synced")
            told += map(int, writer.stdout.read().split())
            lines = m.ssh("bob", "cat journal").out.splitlines()
            expect(len(lines) > told[-1], f"{len(lines)} lines of {told[-1] + 1} that were synced")
            equal(lines, [f"line {number}" for number in range(len(lines))], "the lines")


@test
def disk_has_one_mounter(m):
    """An image that somebody else has locked is not mounted; one that is mounted is locked."""
    with m.policy("locked", LIMIT.format("64M")):
        m.ssh("bob", "echo kept >note")
        image = image_of("bob-locked")
        lock = struct.pack("hhqqi", fcntl.F_WRLCK, 0, 0, 0, 0)
        with image.open("r+b") as file:
            try:
                fcntl.fcntl(file, fcntl.F_OFD_SETLK, lock)
                raise AssertionError("the mounted image is not locked")
            except BlockingIOError:
                pass
            end(m, "bob-locked")
            fcntl.fcntl(file, fcntl.F_OFD_SETLK, lock)
            contains(check_refused(m, "bob", "is locked"), str(image), "the log line")
            expect(not loops_of(image), "it is attached")
        equal(m.ssh("bob", "cat note").out, "kept\n", "the file when the lock is gone")


@test
def disk_of_a_login_that_outlives_its_container(m):
    """While anything still has the image mounted, the next start shares it and no second one is."""
    with m.policy("outlive", LIMIT.format("64M")):
        m.ssh("bob", "echo kept >note")
        image = image_of("bob-outlive")
        holder = os.open(f"/proc/{m.init_pid('bob-outlive')}/root/var/tmp", os.O_RDONLY)
        try:
            device = loops_of(image)
            equal(len(device), 1, "the number of loop devices")
            m.kill_container("bob-outlive")
            time.sleep(0.5)
            equal(loops_of(image), device, "the loop device while it is held")
            equal(m.ssh("bob", "cat note; echo more >>note; cat note").out, "kept\nkept\nmore\n",
                  "the file")
            equal(loops_of(image), device, "the loop device after a second start")
        finally:
            os.close(holder)
        end(m, "bob-outlive")
        equal(m.ssh("bob", "cat note").out, "kept\nmore\n", "the file at the end")


@test
def disk_removed(m):
    """carrel remove takes the image along."""
    with m.policy("rid", LIMIT.format("64M")):
        m.ssh("bob", "echo kept >note")
        image = image_of("bob-rid")
        device = loops_of(image)
        result = m.run("carrel", "remove", "--yes", "bob-rid")
        equal(result.status, 0, f"the status of carrel remove ({result.err})")
        expect(not image.parent.exists(), "the folder is still there")
        eventually(lambda: subprocess.run(["losetup", *device], capture_output=True).returncode,
                   "the end of the loop device")
        equal(m.ssh("bob", "ls").out, "", "the new home")


@test
def disk_interrupted_mkfs(m):
    """What an interrupted start left is not used."""
    folder = image_of("bob-cut").parent
    folder.mkdir(mode=0o700)
    (folder / ".new-layer.ext4").write_bytes(b"half of an image")
    with m.policy("cut", LIMIT.format("64M")):
        equal(m.ssh("bob", "echo in").out, "in\n", "the login")
    expect(not (folder / ".new-layer.ext4").exists(), "it is still there")


@test
def disk_checked_beforehand(m):
    """carrel policy check and the login refuse what cannot be held."""
    with m.policy("alone", "limits { inodes = 5000 }"):
        contains(m.run("carrel", "policy", "check").said, "inodes without disk", "the check")
        check_refused(m, "bob", "inodes without disk")
    with m.policy("few", 'limits { disk = "100G" inodes = 1000 }'):
        contains(m.run("carrel", "policy", "check").said, "too few", "the check")
    with m.config(storage="plain"), m.policy("plain", LIMIT.format("64M")):
        contains(m.run("carrel", "policy", "check").said, "storage = plain", "the check")
        check_refused(m, "bob", "storage = plain")
    with m.policy("fine", LIMIT.format("64M")):
        lacks(m.run("carrel", "policy", "check").said, "disk", "the check")


@test
def disk_and_write_rate(m):
    """write_rate holds for what is in an image too."""
    with m.policy("both", 'limits { disk = "64M" write_rate = "4M" }'):
        result = m.ssh("bob", "dd if=/dev/zero of=big bs=1M count=12 oflag=direct 2>&1")
        seconds = float(matches(result.out, r"copied, ([\d.]+) s").group(1))
        expect(seconds > 2.0, f"12 MB with 4 MB a second took {seconds} s")


@test
def disk_of_root_inside(m):
    """The container's root is held by the quota as well."""
    have_image(m)
    with m.policy("rooted", 'image = "lab"\nroot = yes\n' + LIMIT.format("64M")):
        result = m.ssh("bob", "sudo -n sh -c 'head -c 100M /dev/zero >/opt/big; stat -c %s"
                              " /opt/big; id -u'")
        contains(result.err, "No space left on device", "the error")
        size, uid = map(int, result.out.split())
        equal(uid, 0, "the uid")
        expect(40 * MIB < size < 64 * MIB, f"{size} bytes in 64 MB")
        contains(m.ssh("bob", "head -c 1M /dev/zero >~/more").err, "No space left", "the home")
