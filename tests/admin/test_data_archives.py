"""carrel export and import: the data of a container as a tar archive, which may be anybody's."""

import io
import os
import pathlib
import subprocess
import tarfile

from data import facts, filled, inside, log_in, shell, state_is_clean
from host import STATE
from suite import contains, equal, expect, lacks, matches, test
from test_data_snapshots import each_kind

HEAD = ("version=1\nlayout=1\nhome_only={}\ncreated_at=1\ncontainer=alice\nuser=alice\n"
        "policy=plain\nimage=host\n")


def export(host, *arguments, path=None):
    """The archive as a file."""
    path = path or host.directory / "export.tar"
    with open(path, "wb") as file:
        run = subprocess.run(["carrel", "export", *arguments], stdout=file, stderr=subprocess.PIPE,
                             text=True, timeout=120)
    host.transcript.add(f"$ carrel export {arguments}\n{run.stderr}= {run.returncode}")
    return run.returncode, run.stderr, path


def import_(host, path, *arguments):
    with open(path, "rb") as file:
        run = subprocess.run(["carrel", "import", *arguments], stdin=file, capture_output=True,
                             text=True, timeout=120)
    host.transcript.add(f"$ carrel import {arguments}\n{run.stdout}{run.stderr}= {run.returncode}")
    return run.returncode, run.stdout, run.stderr


def exported(host, *arguments, path=None):
    status, err, path = export(host, *arguments, path=path)
    equal((status, err), (0, ""), "the export")
    return path


def member(name, kind=tarfile.REGTYPE, data=b"", **more):
    info = tarfile.TarInfo(name)
    info.type = kind
    info.size = len(data)
    for key, value in more.items():
        setattr(info, key, value)
    return info, data


def made(host, *members, head=HEAD.format(0)):
    """An archive of these members after the head."""
    path = host.directory / "made.tar"
    with tarfile.open(path, "w", format=tarfile.PAX_FORMAT) as tar:
        for info, data in ([member("carrel-export", data=head.encode())] if head else []) + list(members):
            tar.addfile(info, io.BytesIO(data))
    return path


def tree(path):
    return {str(p): (p.lstat().st_mode, p.lstat().st_ino) for p in sorted(pathlib.Path(path).rglob("*"))}


@each_kind
def export_and_import(host, kind):
    """All comes back as it was, in a new container and over an old one; what was there is kept."""
    filled(host, kind)
    before = facts(host)
    path = exported(host, "alice")
    expect(path.stat().st_size < 4 << 20, "the holes are written out")
    host.works("remove", "--yes", "alice")
    equal(import_(host, path, "alice"), (0, "alice: imported\n", ""), "the import")
    matches(host.works("list").out, f"^alice +alice +{kind} +stopped", "the list")
    equal(facts(host), before, "what is inside")
    inside(host, "alice", "cd ~; rm -rf -- *; echo later > later")
    status, out, _ = import_(host, path, "--yes", "alice")
    kept = matches(out, r"^alice: imported; the state before is snapshot (before-import-\S+)$", "out")[1]
    equal(facts(host), before, "what is inside")
    host.works("rollback", "--yes", "--discard", "alice", kept)
    equal(inside(host, "alice", "ls ~"), "later\n", "what was kept")
    state_is_clean()
    equal([e["reason"] for e in host.events() if e["event"] == "admin"
           and e["reason"][:6] in ("export", "import")][-3:], ["export", "import", "import"],
          "the events")


@each_kind
def export_and_import_home(host, kind):
    """The home alone, over the home alone."""
    filled(host, kind)
    path = exported(host, "--home-only", "alice")
    inside(host, "alice", "cd ~; rm -rf first; echo later > later; echo other > /var/tmp/mine")
    status, out, err = import_(host, path, "--home-only", "--yes", "alice")
    equal((status, err), (0, ""), "the import")
    contains(out, "the state before is snapshot before-import-", "out")
    equal(inside(host, "alice", "cd ~; cat first; test ! -e later && cat /var/tmp/mine"),
          "one\nother\n", "what is inside")
    state_is_clean()
    contains(import_(host, path, "--yes", "alice")[2], "holds a home only: say --home-only", "err")
    # A home out of a whole one.
    whole = exported(host, "alice")
    inside(host, "alice", "cd ~; rm -rf -- *; echo other > /var/tmp/mine")
    equal(import_(host, whole, "--home-only", "--yes", "--discard", "alice")[0], 0, "the import")
    equal(inside(host, "alice", "cd ~; cat first; cat /var/tmp/mine"), "one\nother\n", "inside")
    equal(len(host.json("snapshots", "--json", "alice")), 1, "the snapshots")
    contains(import_(host, path, "--home-only", "bob")[2], "there is no container of that name", "err")


@test
def others_can_read_it(host):
    """tar(1) and Python read an export, holes and attributes too."""
    filled(host)
    path = exported(host, "alice")
    out = host.directory / "out"
    subprocess.run(["rm", "-rf", out], check=True)
    out.mkdir()
    subprocess.run(["tar", "-x", "--xattrs", "--xattrs-include=*", "-f", path, "-C", out], check=True)
    home = out / "home/alice"
    equal(((home / "first").read_text(), os.getxattr(home / "first", "user.note"),
           (home / "first").stat().st_nlink, (home / "first").stat().st_uid),
          ("one\n", b"kept\\0\\1", 2, 2001), "a file")
    expect((home / "hole").stat().st_size == (64 << 20) + 1 and
           (home / "hole").stat().st_blocks < 9999 and
           (home / "hole").read_bytes()[-2:] == b"\0x", "the file with a hole")
    expect((home / "new\nline").exists() and (home / "-rf").exists(), "the odd names")
    with tarfile.open(path) as tar:
        contains(tar.getnames(), "home/alice/work/deep/er/file", "Python's list")
        contains(tar.extractfile("carrel-export").read(), b"user=alice\n", "the head")
    with tarfile.open(host.directory / "again.tar", "w", format=tarfile.PAX_FORMAT) as tar:
        with tarfile.open(path) as old:
            for it in old:
                tar.addfile(it, old.extractfile(it) if it.isreg() and not it.issparse() else None) \
                    if not it.issparse() else None
    equal(import_(host, host.directory / "again.tar", "--yes", "alice")[0], 0, "what Python wrote")
    # GNU tar writes what it has read, with its own sparse files.
    subprocess.run(["tar", "-c", "--format=pax", "--sparse", "--xattrs", "-f",
                    host.directory / "gnu.tar", "-C", out, "carrel-export", "home", "upper", "var-tmp"],
                   check=True)
    equal(import_(host, host.directory / "gnu.tar", "--yes", "alice")[0], 0, "what GNU tar wrote")
    equal(inside(host, "alice", "cd ~; cat first; tail -c1 hole; stat -c %s hole"),
          f"one\nx{(64 << 20) + 1}\n", "inside")


@test
def export_of_a_running_container(host):
    """It is refused, and told what to do; a snapshot can be exported meanwhile."""
    filled(host)
    log_in(host)
    status, err, _ = export(host, "alice")
    equal((status, err), (1, "carrel: alice: is running, and its data change as they are read: stop it "
                             "first ('carrel stop alice'), or export a snapshot ('carrel snapshot alice "
                             "now', 'carrel export --snapshot now alice')\n"), "the result")
    host.works("snapshot", "alice", "now")
    shell(host, "alice", "rm ~/first")
    path = exported(host, "--snapshot", "now", "alice")
    contains(import_(host, path, "--yes", "alice")[2], "stop it first ('carrel stop alice'); nothing is "
             "changed", "err")
    equal(import_(host, path, "--yes", "--stop", "alice")[0], 0, "the import")
    equal(inside(host, "alice", "cat ~/first"), "one\n", "inside")


@test
def hostile_archives(host):
    """Nothing is made outside, whatever the members are called; the old data stay."""
    filled(host)
    before = facts(host)
    outside = host.directory / "outside"
    outside.mkdir(exist_ok=True)
    (outside / "secret").write_text("secret")
    watched = tree(outside), tree("/etc")
    link = member("home/out", tarfile.SYMTYPE, linkname=str(outside))
    cases = {
        "outside of itself": [[member("home/../../../../x", data=b"x")], [member("home/..")],
                              [member("home/a", tarfile.LNKTYPE, linkname=str(outside / "secret"))],
                              [member("home/a", tarfile.LNKTYPE, linkname="home/../../../x")]],
        "member that no container has": [[member("/etc/x")], [member("../x")], [member("work/x")],
                                         [member(str(outside / "x"), data=b"x")],
                                         [member("./home/x")], [member("homes")]],
        "a link or a mount": [[link, member("home/out/x", data=b"x")],
                              [link, member("home/l", tarfile.LNKTYPE, linkname="home/out/secret")]],
        "cannot make": [[link, member("home/out", data=b"x")],
                        [member("home/f", data=b"x"), member("home/f/g", data=b"x")]],
        "which is no file of the archive": [[link, member("home/l", tarfile.LNKTYPE,
                                                          linkname="home/out")],
                                            [member("home/l", tarfile.LNKTYPE, linkname="home/no")]],
        "not in the pax format": [[member("home/x", b"V")], [member("home/x", b"M")]],
    }
    for message, archives in cases.items():
        for members in archives:
            path = made(host, member("home", tarfile.DIRTYPE, mode=0o755), *members)
            status, _, err = import_(host, path, "--yes", "alice")
            equal(status, 1, f"the status for {members}")
            contains(err, message, f"err for {members}")
            contains(err, "nothing is changed", "err")
    equal((tree(outside), tree("/etc")), watched, "what is outside")
    equal(facts(host), before, "what is inside")
    equal(host.json("snapshots", "--json", "alice"), [], "the snapshots")
    state_is_clean()


@test
def devices_are_left_out(host):
    """Device nodes of an archive are not made, but for overlayfs's own mark of removal."""
    filled(host)
    path = made(host, member("upper", tarfile.DIRTYPE, mode=0o755),
                member("upper/null", tarfile.CHRTYPE, devmajor=1, devminor=3),
                member("upper/disk", tarfile.BLKTYPE, devmajor=8, devminor=0),
                member("upper/gone", tarfile.CHRTYPE, devmajor=0, devminor=0),
                member("upper/o\x1b[2Jdd", tarfile.CHRTYPE, devmajor=1, devminor=1))
    status, _, err = import_(host, path, "--yes", "alice")
    equal(status, 0, "the status")
    contains(err, "left out: upper/null: a device node", "err")
    contains(err, "left out: upper/disk: a device node", "err")
    contains(err, r"o\x1b[2Jdd", "err")
    upper = STATE / "containers/alice/layer/upper"
    equal(os.listdir(upper), ["gone"], "what was made")
    equal((upper / "gone").stat().st_rdev, 0, "its number")
    archive = exported(host, "alice")
    equal(import_(host, archive, "--yes", "alice")[0], 0, "the import")
    equal(os.listdir(upper), ["gone"], "after an export and an import")


@test
def truncated_and_damaged_archives(host):
    """Cut at any place or changed anywhere in its heads, an archive is refused; the old data stay."""
    filled(host)
    before = facts(host)
    path = exported(host, "alice")
    data = path.read_bytes()
    cut = host.directory / "cut.tar"
    for length in {0, 1, 511, 512, 600, 1024, 2048, len(data) // 3, len(data) // 2, len(data) - 1025,
                   len(data) - 1024 - 100}:
        cut.write_bytes(data[:length])
        status, _, err = import_(host, cut, "--yes", "alice")
        equal(status, 1, f"the status, cut at {length}")
        contains(err, "ends in the middle", "err")
    for at in (10, 130, 150, 257, 512 * 3 + 20):
        cut.write_bytes(data[:at] + bytes([data[at] ^ 0xff]) + data[at + 1:])
        equal(import_(host, cut, "--yes", "alice")[0], 1, f"the status, changed at {at}")
    cut.write_bytes(b"\x1f\x8b" + os.urandom(5000))
    contains(import_(host, cut, "--yes", "alice")[2], "not a whole tar archive", "err for another format")
    path = made(host, member("home/x", data=b"x"), head="")
    contains(import_(host, path, "--yes", "alice")[2], "was not written by 'carrel export'", "err")
    path = made(host, head=HEAD.format(0).replace("version=1", "version=2"))
    contains(import_(host, path, "--yes", "alice")[2], "newer version", "err")
    path = made(host, head="version=1\n")
    contains(import_(host, path, "--yes", "alice")[2], "is damaged", "err")
    equal(facts(host), before, "what is inside")
    state_is_clean()


@test
def disk_full(host):
    """A full disk at export or import fails clearly and changes nothing."""
    filled(host, "image")
    before = facts(host)
    with open("/dev/full", "wb") as full:
        run = subprocess.run(["carrel", "export", "alice"], stdout=full, capture_output=False,
                             stderr=subprocess.PIPE, text=True)
    equal((run.returncode, run.stderr), (1, "carrel: alice: cannot write the archive: No space left on "
                                            "device\n"), "the export")
    run = subprocess.run("carrel export alice | head -c 1000 >/dev/null; exit ${PIPESTATUS[0]}",
                         shell=True, executable="/bin/bash", capture_output=True, text=True)
    equal(run.returncode, 1, "the status with a reader that ends")
    path = made(host, member("home", tarfile.DIRTYPE, mode=0o755),
                *(member(f"home/{i}", data=bytes(8 << 20)) for i in range(9)))
    status, _, err = import_(host, path, "--yes", "alice")
    equal(status, 1, "the status of an import that does not fit")
    matches(err, r"cannot write home/\d: No space left on device; nothing is changed", "err")
    path = made(host, member("home", tarfile.DIRTYPE, mode=0o755),
                *(member(f"home/{i}", data=bytes(8 << 20)) for i in range(9)), head=HEAD.format(1))
    matches(import_(host, path, "--yes", "--home-only", "alice")[2],
            r"cannot write ./\d: No space left on device; nothing is changed", "err")
    state_is_clean()
    equal(facts(host), before, "what is inside")
    equal(host.json("snapshots", "--json", "alice"), [], "the snapshots")


@test
def mistakes_with_archives(host):
    """Terminals, names, policies, questions, users."""
    filled(host)
    terminal = host.at_terminal("export", "alice")
    terminal.wait_for(r"an archive is nothing for a terminal: add '> alice.tar'")
    equal(terminal.end(), 2, "the status")
    terminal = host.at_terminal("import", "alice")
    terminal.wait_for(r"no archive comes from a terminal: add '< alice.tar'")
    equal(terminal.end(), 2, "the status")
    path = exported(host, "alice", path=host.directory / "whole.tar")
    contains(import_(host, path, "alice")[2], "--yes", "err without --yes")
    contains(import_(host, path, "../alice")[2], "that cannot be the name of a container", "err")
    contains(import_(host, path, "--policy", "nope", "new")[2],
             "there is no policy 'nope', which says how the data are stored: name another with --policy",
             "err")
    equal(import_(host, path, "--policy", "plain", "--home-only", "alice")[0], 2, "the status")
    contains(export(host, "--snapshot", "nope", "alice")[1], "there is no snapshot 'nope'", "err")
    contains(export(host, "nobody")[1], "there is no container of that name", "err")
    for command in ("export", "import"):
        contains(host.fails(command, "alice", user=2001).err, "root", "err for a user")
        host.fails(command, status=2)
        host.fails(command, "a", "b", status=2)
    filled(host, user="bob")
    contains(import_(host, path, "--yes", "bob")[2],
             "bob: the archive is of user 'alice', whose files keep their numbers", "err")
    host.works("remove", "--yes", "alice")
    equal(import_(host, path, "alice")[0], 0, "the import")
