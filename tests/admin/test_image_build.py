"""carrel image build: formats, versions, updates while containers run, interruptions."""

import array
import ctypes
import fcntl
import os
import pathlib
import re
import shutil
import signal
import stat
import struct
import subprocess
import time

from host import RUN, STATE
from images import IMAGES, describe, make_root, make_whole_root, remove_all
from suite import Skip, contains, equal, eventually, expect, lacks, matches, test


def need(program):
    if not shutil.which(program):
        raise Skip(f"{program} is not installed")


def versions(host, name="whole"):
    """{version: entry} of the list."""
    return {entry["version"]: entry for entry in host.json("image", "list", "--json")
            if entry["name"] == name}


def kept_mounts():
    """Places where Carrel keeps an erofs mounted."""
    lines = pathlib.Path("/proc/self/mountinfo").read_text().splitlines()
    return [line.split()[4] for line in lines if " - erofs " in line]


def erofs_devices(pid):
    """The super blocks of erofs in the mount namespace of a process, also out of sight of its root
    (statmount(2), listmount(2))."""
    libc = ctypes.CDLL(None, use_errno=True)
    namespace = array.array("Q", [0])
    with open(f"/proc/{pid}/ns/mnt", "rb") as file:
        fcntl.ioctl(file, 0x8008b705, namespace)  # NS_GET_MNTNS_ID
    found, mounts = set(), (ctypes.c_uint64 * 256)()
    request = struct.pack("=IIQQQ", 32, 0, 2**64 - 1, 0, namespace[0])  # LSMT_ROOT
    count = libc.syscall(458, request, mounts, ctypes.c_size_t(256), 0)
    if count < 0:
        raise Skip(f"no listmount here: {os.strerror(ctypes.get_errno())}")
    for mount in mounts[:count]:
        request = struct.pack("=IIQQQ", 32, 0, mount, 1, namespace[0])  # STATMOUNT_SB_BASIC
        result = ctypes.create_string_buffer(4096)
        equal(libc.syscall(457, request, result, ctypes.c_size_t(4096), 0), 0, "statmount")
        major, minor, magic = struct.unpack_from("=IIQ", result, 16)
        if magic == 0xe0f5e1e2:
            found.add((major, minor))
    return found


def imaged(host, user, image="whole", more=""):
    host.policy(f'policy "i{user}" {{ users = {{"{user}"}}\n image = "{image}"\n {more} }}\n',
                f"10-{user}.conf")


def mark(host, user):
    return host.works("exec", user, "--", "cat", "/etc/mark").out.strip()


def end(host, *users):
    for user in users:
        host.works("remove", "--yes", user)


@test
def erofs_keeps_everything(host):
    """An image in one compressed file has the same files, owners, modes, links and attributes."""
    need("mkfs.erofs")
    root = make_root(host, "root")
    result = host.works("image", "build", "small", "--from", root, "--format", "erofs")
    contains(result.out, "[2/3] compress the files\n", "the steps")
    matches(result.out, r"^image small: version 1: \d+ files in \d+ directories, 100M in "
                        r"[0-9.]+[KM] of erofs, 2 left out$", "the result")
    file = IMAGES / "small/1/rootfs.erofs"
    equal(oct(file.stat().st_mode), "0o100400", "the mode of the file")
    expect(not (IMAGES / "small/1/rootfs").exists(), "what it was made of is gone")
    expect(file.stat().st_size < 10 << 20, "it is compressed")
    place = host.directory / "mounted"
    place.mkdir(exist_ok=True)
    subprocess.run(["mount", "-t", "erofs", "-o", "ro", file, place], check=True)
    try:
        equal(describe(place), describe(root), "the copy")
    finally:
        subprocess.run(["umount", place], check=True)
    entry, = host.json("image", "list", "--json")
    equal((entry["format"], entry["bytes"], entry["state"]), ("erofs", file.stat().st_size,
                                                              "current"), "the entry")
    remove_all(host)


@test
def an_update_is_a_new_version(host):
    """Running containers keep theirs, the next start takes the new one, changes stay on top."""
    need("mkfs.erofs")
    root = make_whole_root(host)
    for format in ("dir", "erofs"):
        host.works("image", "build", "whole", "--from", root, "--format", format)
        imaged(host, "alice")
        imaged(host, "bob")
        host.log_in("alice")
        (root / "etc/mark").write_text("the second\n")
        result = host.works("image", "build", "whole", "--from", root, "--format", format)
        contains(result.out, "1 running container keeps its version until the next start", "it")
        equal(mark(host, "alice"), "in the image", "what alice sees")
        host.log_in("bob")
        equal(mark(host, "bob"), "the second", "what bob sees")
        found = versions(host)
        equal([(number, entry["state"], entry["running"]) for number, entry in found.items()],
              [(1, "previous", 1), (2, "current", 1)], "the versions")
        (root / "etc/mark").write_text("the third\n")
        host.works("image", "build", "whole", "--from", root, "--format", format)
        equal([(number, entry["state"], entry["running"])
               for number, entry in versions(host).items()],
              [(1, "in use", 1), (2, "previous", 1), (3, "current", 0)], "the versions")
        lacks(host.works("gc").out, "whole/", "what gc clears while they run")
        contains(host.fails("image", "remove", "--yes", "whole", "--version", "1").err,
                 "in use", "stderr")
        equal(mark(host, "alice"), "in the image", "what alice sees after gc")
        host.works("stop", "--timeout", "0", "alice")
        contains(host.works("gc").out, "image version whole/1: cleared", "what gc says")
        equal(sorted(versions(host)), [2, 3], "the versions")
        host.log_in("alice")
        equal(mark(host, "alice"), "the third", "what alice sees after a new start")
        end(host, "alice", "bob")
        remove_all(host)
        (root / "etc/mark").write_text("in the image\n")
    equal(kept_mounts(), [], "mounts that are left")


@test
def changes_stay_on_top_of_an_update(host):
    """What somebody changed in the image is still there on the new version."""
    need("mkfs.erofs")
    root = make_whole_root(host)
    for directory, mode in (("etc/open", 0o777), ("etc/full", 0o777)):
        (root / directory).mkdir(exist_ok=True)
        (root / directory).chmod(mode)
    (root / "etc/full/old").write_text("of the image\n")
    (root / "etc/full/old").chmod(0o666)
    (root / "etc/full/gone").write_text("to be removed\n")
    host.works("image", "build", "whole", "--from", root, "--format", "erofs")
    imaged(host, "bob")
    host.log_in("bob", "echo mine >/etc/open/new; echo mine >>/etc/full/old; rm /etc/full/gone; "
                       "echo ready; sleep 1000")
    host.works("stop", "--timeout", "0", "bob")
    (root / "etc/full/old").write_text("of the second image\n")
    (root / "etc/full/added").write_text("later\n")
    host.works("image", "build", "whole", "--from", root, "--format", "erofs")
    host.log_in("bob")
    equal(host.works("exec", "bob", "--", "cat", "/etc/open/new", "/etc/full/old",
                     "/etc/full/added").out, "mine\nof the image\nmine\nlater\n", "the files")
    equal(host.works("exec", "bob", "--", "ls", "/etc/full").out, "added\nold\n", "the names")
    end(host, "bob")
    remove_all(host)
    shutil.rmtree(root)


@test
def a_way_back(host):
    """carrel image use: the version before is there again for the next start."""
    root = make_whole_root(host)
    host.works("image", "build", "whole", "--from", root)
    (root / "etc/mark").write_text("a mistake\n")
    host.works("image", "build", "whole", "--from", root)
    host.works("gc")
    equal([entry["state"] for entry in versions(host).values()], ["previous", "current"], "both")
    matches(host.works("image", "use", "whole", "1").out, "the next start takes version 1", "it")
    equal(host.last_event()["reason"], "image use whole version 1", "the event")
    imaged(host, "bob")
    host.log_in("bob")
    equal(mark(host, "bob"), "in the image", "what bob sees")
    contains(host.fails("image", "remove", "--yes", "whole", "--version", "1").err,
             "the current one", "stderr")
    host.works("image", "remove", "--yes", "whole", "--version", "2")
    contains(host.fails("image", "use", "whole", "2").err, "no version 2", "stderr")
    host.fails("image", "use", "whole", "two", status=2)
    host.fails("image", "use", "nothing", "1")
    (root / "etc/mark").write_text("in the image\n")
    host.works("image", "build", "whole", "--from", root)
    equal(sorted(versions(host)), [1, 2], "the numbers afterwards")
    end(host, "bob")
    remove_all(host)


@test
def one_mount_for_all(host):
    """Containers of an erofs image share one mount on the host: the same super block."""
    need("mkfs.erofs")
    host.works("image", "build", "whole", "--from", make_whole_root(host), "--format", "erofs")
    for user in ("alice", "bob"):
        imaged(host, user)
        host.log_in(user)
    kept, = kept_mounts()
    expect(kept.startswith(str(RUN / "images/whole/1-")), f"the place is {kept}")
    equal(stat.S_IMODE((RUN / "images").stat().st_mode), 0o700, "the mode of its folder")
    device = os.stat(kept).st_dev
    for user in ("alice", "bob"):
        equal(erofs_devices(host.init_pid(user)), {(os.major(device), os.minor(device))},
              f"the super blocks that {user}'s container has mounted")
    lacks(host.works("gc", "--dry-run").out, "mount of an image", "gc with containers")
    host.works("stop", "--timeout", "0", "alice", "bob")
    contains(host.works("gc").out, "mount of an image whole/1-", "gc without")
    equal(kept_mounts(), [], "the mounts")
    host.log_in("bob")
    equal(mark(host, "bob"), "in the image", "what bob sees after that")
    end(host, "alice", "bob")
    host.works("image", "remove", "--yes", "whole")
    equal(kept_mounts(), [], "the mounts after the image was removed")


@test
def many_logins_at_once(host):
    """Started together, containers of an image that is not mounted yet mount it once."""
    need("mkfs.erofs")
    host.works("image", "build", "whole", "--from", make_whole_root(host), "--format", "erofs")
    host.policy('policy "all" { groups = {"students"}\n image = "whole"\n name = "%u" }\n',
                "10-all.conf")
    (pathlib.Path("/etc/pam.d/su")).write_text(host.pam_before["su"]
                                               + "session    required     pam_carrel.so\n")
    crowd = [subprocess.Popen(["su", user, "-c", "cat /etc/mark"], stdout=subprocess.PIPE,
                              text=True) for user in ("alice", "bob") * 4]
    equal({process.communicate()[0] for process in crowd}, {"in the image\n"}, "what they see")
    equal(len(kept_mounts()), 1, "the number of mounts")
    end(host, "alice", "bob")
    remove_all(host)


@test
def damaged_images_are_refused(host):
    """Truncated, overwritten, missing, for another machine: that image is refused, others go on."""
    need("mkfs.erofs")
    root = make_whole_root(host)
    for name in ("whole", "other"):
        host.works("image", "build", name, "--from", root, "--format", "erofs")
    imaged(host, "bob")
    imaged(host, "alice", "other")
    host.log_in("alice")
    file = IMAGES / "whole/1/rootfs.erofs"
    intact = file.read_bytes()

    def refused(words):
        before = len(host.events())
        result = subprocess.run(["su", "bob", "-c", "true"], capture_output=True, text=True)
        expect(result.returncode != 0, "bob got in")
        reasons = [event.get("reason", "") for event in host.events()[before:]]
        contains(" ".join(reasons), words, "the reason in the events")
        return result.stderr + result.stdout

    file.chmod(0o600)
    file.write_bytes(intact[:len(intact) // 2])
    refused("is damaged: it has")
    file.write_bytes(b"\0" * len(intact))
    refused("it cannot be mounted")
    file.write_bytes(intact[:1024] + bytes([intact[1024] ^ 1]) + intact[1025:])
    refused("it cannot be mounted")
    file.write_bytes(intact[:len(intact) // 2] + bytes(range(256)) * 256
                     + intact[len(intact) // 2 + 65536:])
    # In the middle it shows when it is read: as an error, or to a program that runs from there.
    met = subprocess.run(["su", "bob", "-c", "cat /usr/bin/* /usr/lib/*/* /lib64/* >/dev/null"],
                         capture_output=True, text=True)
    matches(met.stdout + met.stderr + str(met.returncode), "error|135", "what bob meets")
    host.works("stop", "--timeout", "0", "bob")
    file.unlink()
    refused("version 1 cannot be opened")
    contains(host.carrel("policy", "check").out, "its current version is missing", "policy check")
    equal(versions(host)[1]["state"], "missing", "the state in the list")
    file.write_bytes(intact)
    info = IMAGES / "whole/1/info"
    text = info.read_text()
    info.write_text(re.sub("machine=.*", "machine=sparc", text))
    refused("built for sparc and this machine is")
    contains(host.carrel("policy", "check").out, "built for sparc", "policy check")
    info.write_text(text)
    link = IMAGES / "whole/current"
    link.unlink()
    link.symlink_to("7")
    refused("version 7 cannot be opened")
    link.unlink()
    link.symlink_to("../../etc")
    refused("names no version")
    link.unlink()
    refused("no current version")
    host.works("image", "use", "whole", "1")
    host.log_in("bob")
    equal(mark(host, "alice"), "in the image", "what alice sees")
    end(host, "bob", "alice")
    remove_all(host)


@test
def images_of_older_carrels(host):
    """rootfs and info in the image's own folder go on working, and become version 0."""
    root = make_whole_root(host)
    old = IMAGES / "whole"
    old.mkdir(mode=0o700)
    subprocess.run(["cp", "-a", root, old / "rootfs"], check=True)
    (old / "info").write_text("created_at=1700000000\nsource=/srv/old\n")
    imaged(host, "bob")
    host.works("policy", "check")
    host.log_in("bob")
    equal(mark(host, "bob"), "in the image", "what bob sees")
    entry = versions(host)[0]
    equal((entry["state"], entry["source"], entry["running"], entry["bytes"]),
          ("current", "/srv/old", 1, None), "the entry")
    (root / "etc/mark").write_text("the first\n")
    host.works("image", "build", "whole", "--from", root)
    equal([(number, entry["state"]) for number, entry in versions(host).items()],
          [(0, "previous"), (1, "current")], "the versions")
    contains(host.fails("image", "remove", "--yes", "whole", "--version", "0").err, "in use", "it")
    host.works("image", "use", "whole", "0")
    host.works("image", "use", "whole", "1")
    host.works("stop", "--timeout", "0", "bob")
    host.works("image", "remove", "--yes", "whole", "--version", "0")
    expect(not (old / "rootfs").exists() and not (old / "info").exists(), "the old files are gone")
    host.log_in("bob")
    equal(mark(host, "bob"), "the first", "what bob sees then")
    end(host, "bob")
    remove_all(host)


def slow_root(host):
    """One whose import and compression take long enough to be interrupted."""
    root = make_root(host, "slow")
    for number in range(1500):
        (root / f"usr/file{number}").write_bytes(os.urandom(20000))
    return root


def interrupt(host, command, number, moment):
    """Send the signal at that moment; returns the status and what was said."""
    process = subprocess.Popen(["carrel", *map(str, command)], stdout=subprocess.PIPE,
                               stderr=subprocess.STDOUT, text=True)
    said = ""
    while moment not in said:
        line = process.stdout.readline()
        if not line:
            break
        said += line
    time.sleep(0.02)
    process.send_signal(number)
    said += process.stdout.read()
    return process.wait(), said


def busy_tools():
    """Programs that work on an image."""
    found = []
    for path in pathlib.Path("/proc").glob("[0-9]*/comm"):
        try:
            if path.read_text().strip() in ("mkfs.erofs", "tar", "umoci", "mmdebstrap", "apt-get"):
                found.append(path.parent.name)
        except OSError:
            pass
    return found


@test
def interrupted_builds_leave_nothing(host):
    """SIGINT, SIGTERM and SIGHUP at every step: the old version is untouched, nothing is left."""
    need("mkfs.erofs")
    root = slow_root(host)
    archive = host.directory / "slow.tar.gz"
    subprocess.run(["tar", "-czf", archive, "-C", root, "."], check=True)
    host.works("image", "build", "small", "--from", make_root(host, "root"))
    before = sorted(str(path) for path in IMAGES.rglob("*"))
    for source, moment in ((root, "copy"), (root, "compress"), (archive, "unpack"),
                           (archive, "look through")):
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            for name in ("small", "new"):
                command = ["image", "build", name, "--from", source, "--format", "erofs"]
                status, said = interrupt(host, command, number, moment)
                equal(status, 1, f"the status after {number} at {moment}: {said}")
                contains(said, f"carrel: image {name}: interrupted; nothing has been changed\n",
                         "what is said")
                equal(sorted(str(path) for path in IMAGES.rglob("*")), before, "what is there")
                equal(busy_tools(), [], "programs that still run")
    remove_all(host)


@test
def killed_builds_are_cleared(host):
    """kill -9 at every step: no half image; its programs end; gc or the next build clears it."""
    need("mkfs.erofs")
    root = slow_root(host)
    archive = host.directory / "slow.tar.gz"
    subprocess.run(["tar", "-czf", archive, "-C", root, "."], check=True)
    host.works("image", "build", "small", "--from", make_root(host, "root"))
    before = sorted(str(path) for path in IMAGES.rglob("*"))
    for source, moment in ((root, "copy"), (root, "compress"), (archive, "unpack"),
                           (archive, "look through")):
        for name in ("small", "new"):
            command = ["image", "build", name, "--from", source, "--format", "erofs"]
            status, said = interrupt(host, command, signal.SIGKILL, moment)
            equal(status, -9, f"the status at {moment}: {said}")
            eventually(lambda: not busy_tools(), "the end of its programs")
            equal([(entry["name"], entry["version"], entry["state"])
                   for entry in host.json("image", "list", "--json")],
                  [("small", 1, "current")], "the images")
            matches(host.works("gc").out, rf"^part of an image \.new-{name}-\w+: cleared$", "gc")
            equal(sorted(str(path) for path in IMAGES.rglob("*")), before, "what is there")
    interrupt(host, ["image", "build", "new", "--from", root], signal.SIGKILL, "copy")
    host.works("image", "build", "small", "--from", make_root(host, "root"))
    equal(sorted(os.listdir(IMAGES)), ["small"], "what the next build leaves")
    remove_all(host)


@test
def progress_on_a_terminal(host):
    """One line that moves, with a bar where the whole is known; Ctrl-C undoes the work."""
    need("mkfs.erofs")
    root = slow_root(host)
    terminal = host.at_terminal("image", "build", "new", "--from", str(root), "--format", "erofs",
                                env={"TERM": "xterm"})
    terminal.wait_for(r"\[1/3\] copy the files \d+ files, \S+: ")
    terminal.wait_for(r"\[2/3\] compress the files \[#+ *\] +\d+% ")
    terminal.key("c")
    terminal.wait_for("interrupted; nothing has been changed")
    equal(terminal.end(), 1, "the status")
    equal(os.listdir(IMAGES), [], "what is left")


@test
def build_refusals(host):
    """What cannot be built is refused with what to do, and leaves nothing."""
    root = make_root(host, "root")
    contains(host.fails("image", "build", "x", status=2).err, "--from", "without a source")
    contains(host.fails("image", "build", "x", "--from", root, "--format", "zip", status=2).err,
             "'dir' or 'erofs'", "a format")
    contains(host.fails("image", "build", "x", "--from", root, "--include", "vim").err,
             "--include is for", "--include with a directory")
    contains(host.fails("image", "build", "x", "--from", "debian:Book worm").err,
             "no name of a Debian suite", "a suite")
    for wrong in ("vim nano", "./evil.deb", "?essential", ",", "vim,", "-y"):
        contains(host.fails("image", "build", "x", "--from", "debian:bookworm",
                            f"--include={wrong}").err, "names of packages", f"include {wrong}")
    contains(host.fails("image", "build", "x", "--from", "/nowhere:tag").err, "cannot open", "it")
    foreign = make_whole_root(host, "foreign")
    shell = foreign / "usr/bin" / os.readlink("/usr/bin/sh")
    program = bytearray(shell.read_bytes())
    program[18:20] = (2).to_bytes(2, "little")
    for name in ("bash", "sh", os.readlink("/usr/bin/sh")):
        (foreign / "usr/bin" / name).unlink(missing_ok=True)
    (foreign / "usr/bin/sh").write_bytes(program)
    contains(host.fails("image", "build", "x", "--from", foreign).err, "another architecture", "it")
    equal(os.listdir(IMAGES), [], "what is left")


@test
def missing_programs_are_named(host):
    """Each says which package has it, before any work is done."""
    root = make_root(host, "root")
    layout = host.directory / "layout"
    layout.mkdir(exist_ok=True)
    (layout / "oci-layout").write_text("{}")
    covering = host.directory / "no-program"
    covering.write_text("")
    covering.chmod(0o600)
    for program, package, arguments in (
            ("/usr/bin/mkfs.erofs", "erofs-utils", ["--from", root, "--format", "erofs"]),
            ("/usr/bin/mmdebstrap", "mmdebstrap", ["--from", "debian:bookworm"]),
            ("/usr/bin/umoci", "umoci", ["--from", layout])):
        there = pathlib.Path(program).exists()
        if there:
            subprocess.run(["mount", "--bind", covering, program], check=True)
        try:
            contains(host.fails("image", "build", "x", *arguments).err,
                     f"this needs {program}, which is not here: apt install {package}", "stderr")
        finally:
            if there:
                subprocess.run(["umount", program], check=True)
    equal(os.listdir(IMAGES), [], "what is left")


@test
def ids_that_nobody_has_inside(host):
    """Owners above 65535 are pointed out."""
    root = make_root(host, "root")
    os.chown(root / "home/user/file", 100000, 0)
    contains(host.works("image", "build", "small", "--from", root).err,
             "warning: 1 files belong to ids above 65535", "stderr")
    remove_all(host)


@test
def debian_from_its_packages(host):
    """debian:SUITE, with more packages, from the apt sources of this machine."""
    need("mmdebstrap")
    need("mkfs.erofs")
    result = host.works("image", "build", "deb", "--from", "debian:bookworm", "--include",
                        "sudo,procps", "--format", "erofs")
    contains(result.out, "[1/4] install Debian\n", "the steps")
    equal(result.err, "", "stderr")
    imaged(host, "bob", "deb", "root = yes")
    host.log_in("bob")
    equal(host.works("exec", "--user", "bob", "bob", "--", "sudo", "-n", "id", "-u").out, "0\n",
          "sudo inside")
    contains(host.works("exec", "bob", "--", "cat", "/etc/os-release").out, "bookworm", "it")
    end(host, "bob")
    status, said = interrupt(host, ["image", "build", "deb", "--from", "debian:bookworm"],
                             signal.SIGKILL, "install Debian")
    equal(status, -9, "the status")
    eventually(lambda: not busy_tools(), "the end of its programs")
    contains(host.works("gc").out, "part of an image .new-deb-", "gc")
    contains(host.fails("image", "build", "deb", "--from", "debian:nosuchsuite").err,
             "/usr/bin/mmdebstrap failed", "a suite that nobody has")
    equal(sorted(os.listdir(IMAGES / "deb")), ["1", "current"], "what is there")
    remove_all(host)
