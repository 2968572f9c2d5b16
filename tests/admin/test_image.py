"""carrel image: root file systems that policies can name."""

import os
import signal
import subprocess
import time

from host import STATE
from images import IMAGES, describe, make_root, make_whole_root, remove_all
from suite import contains, equal, eventually, expect, matches, test


@test
def import_of_a_directory(host):
    """The copy has the same owners, modes, times, links, holes and attributes; no devices."""
    root = make_root(host, "root")
    result = host.works("image", "import", "small", root)
    copy = IMAGES / "small/1/rootfs"
    equal(describe(copy), describe(root), "the copy")
    expect((copy / "usr/bin/su").samefile(copy / "usr/bin/sudo"), "hard links are links")
    expect((copy / "home/user/sparse").stat().st_blocks < 2000, "holes stay holes")
    expect(not (copy / "dev/null").exists() and not (copy / "dev/log").exists(), "no devices")
    equal(os.listxattr(copy / "empty"), [], "overlayfs's attributes in the copy")
    contains(result.err, "left out: dev/null", "stderr")
    contains(result.err, "left out: dev/log", "stderr")
    contains(result.out, "2 left out", "stdout")
    equal(IMAGES.stat().st_mode & 0o7777, 0o700, "the mode of images/")
    equal(host.last_event()["reason"], f"image import small from {root}", "the event")
    remove_all(host)


@test
def import_of_a_tar_file(host):
    """The same from an archive, compressed or not."""
    root = make_root(host, "root")
    (root / "home/user/sparse").unlink()
    (root / "dev/log").unlink()
    for name, options in (("plain.tar", []), ("small.tar.gz", ["--gzip"])):
        archive = host.directory / name
        subprocess.run(["tar", "--create", "--xattrs", "--xattrs-include=*", *options, "--file",
                        archive, "--format=posix", "-C", root, "."], check=True)
        result = host.works("image", "import", "small", archive)
        copy = IMAGES / "small/1/rootfs"
        equal(describe(copy), describe(root), "the copy")
        expect(not (copy / "dev/null").exists(), "no devices")
        contains(result.err, "left out: null", "stderr")
        equal(os.listxattr(copy / "empty"), [], "overlayfs's attributes in the copy")
        remove_all(host)


@test
def other_file_systems_stay_out(host):
    """What is mounted in the source is left out and named."""
    root = make_root(host, "root")
    subprocess.run(["mount", "-t", "tmpfs", "tmpfs", root / "empty"], check=True)
    try:
        (root / "empty/secret").write_text("x")
        contains(host.works("image", "import", "small", root).err, "left out: empty", "stderr")
    finally:
        subprocess.run(["umount", root / "empty"], check=True)
    expect(not (IMAGES / "small/1/rootfs/empty").exists(), "the mounted directory is left out")
    remove_all(host)


@test
def never_a_copy_of_itself(host):
    """A source that contains the images does not grow for ever."""
    root = STATE.parent / "with-state"
    (root / "etc").mkdir(parents=True)
    (root / "usr").mkdir()
    inner = root / "lib"
    inner.mkdir()
    from host import CARREL_CONF
    CARREL_CONF.write_text(CARREL_CONF.read_text().replace("/var/lib/carrel", str(inner / "state")))
    contains(host.works("image", "import", "self", root).err, "left out: lib/state", "stderr")
    expect(not (inner / "state/images/self/1/rootfs/lib/state").exists(), "not in the copy")
    subprocess.run(["rm", "-rf", root], check=True)


@test
def import_refusals(host):
    """Bad names, names that are taken, sources that are no root file systems: nothing is left."""
    root = make_root(host, "root")
    empty = host.directory / "nothing"
    empty.mkdir(exist_ok=True)
    broken = host.directory / "broken.tar"
    broken.write_bytes(b"this is no archive" * 100)
    for name in ("Upper", "../x", ".x", "", "a" * 65):
        contains(host.fails("image", "import", name, root).err, "no name for an image", "stderr")
    contains(host.fails("image", "import", "host", root).err, "'host'", "stderr")
    contains(host.fails("image", "import", "x", empty).err, "no /etc", "stderr")
    contains(host.fails("image", "import", "x", broken).err, "tar", "stderr")
    host.fails("image", "import", "x", "/nowhere")
    host.fails("image", "import", "x", "/dev/null")
    host.works("image", "import", "small", root)
    contains(host.fails("image", "import", "small", root).err, "image remove small", "stderr")
    equal(os.listdir(IMAGES), ["small"], "what is in images/")
    remove_all(host)


@test
def an_interrupted_import_leaves_no_image(host):
    """Killed halfway: no image of that name, and the next import clears the rest."""
    root = make_root(host, "root")
    for number in range(3000):
        (root / f"usr/file{number}").write_text("x" * 10000)
    before = None
    for delay in (0.01, 0.03, 0.06):
        process = subprocess.Popen(["carrel", "image", "import", "small", root],
                                   stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        eventually(lambda: list(IMAGES.glob(".new-small-*")) or process.poll() is not None,
                   "the beginning of the import")
        time.sleep(delay)
        process.send_signal(signal.SIGKILL)
        process.wait()
        if (IMAGES / "small").exists():
            host.works("image", "remove", "--yes", "small")
            continue
        before = list(IMAGES.iterdir())
        equal([path.name.startswith(".new-small-") for path in before], [True], "what is left")
        equal(host.json("image", "list", "--json"), [], "the images")
    expect(before, "one import was interrupted")
    listed = host.json("gc", "--dry-run", "--json")
    equal([entry["kind"] for entry in listed], ["part of an image"], "what gc would clear")
    host.works("image", "import", "other", make_root(host, "root"))
    equal(os.listdir(IMAGES), ["other"], "what is in images/")
    remove_all(host)


@test
def one_import_at_a_time(host):
    """While one is at work another is told so, and gc leaves the work alone."""
    root = make_root(host, "root")
    import fcntl
    lock = os.open(IMAGES, os.O_RDONLY)
    fcntl.flock(lock, fcntl.LOCK_EX)
    (IMAGES / ".new-work-0").mkdir()
    contains(host.fails("image", "import", "small", root).err, "at work", "stderr")
    host.works("gc")
    expect((IMAGES / ".new-work-0").exists(), "the work of the other is still there")
    os.close(lock)
    contains(host.works("gc").out, ".new-work-0", "the output of gc")
    equal(os.listdir(IMAGES), [], "what is in images/")


@test
def list_and_remove(host):
    """The list shows what there is; remove asks first."""
    root = make_root(host, "root")
    equal(host.json("image", "list", "--json"), [], "the images")
    host.works("image", "import", "small", root)
    entry, = host.json("image", "list", "--json")
    equal((entry["name"], entry["source"], entry["containers"]), ("small", str(root), 0), "it")
    expect(abs(entry["created_at"] - time.time()) < 60, "when it was made")
    matches(host.works("image", "list").out, r"^small +1 +current +dir +[0-9.M]+ +0 +0 +20[0-9-]+ [0-9:]+ +/", "the table")
    contains(host.fails("image", "remove", "small").err, "--yes", "stderr")
    terminal = host.at_terminal("image", "remove", "small")
    terminal.wait_for(r"Remove image small\? \[y/N\]")
    terminal.type("")
    equal(terminal.end(), 1, "the status")
    expect((IMAGES / "small/1/rootfs/etc").exists(), "it is still there")
    terminal = host.at_terminal("image", "remove", "small")
    terminal.wait_for(r"\[y/N\]")
    terminal.type("y")
    equal(terminal.end(), 0, "the status")
    equal(os.listdir(IMAGES), [], "what is in images/")
    for name in ("small", "..", "/etc"):
        contains(host.fails("image", "remove", "--yes", name).err, "no such image", "stderr")


@test
def an_image_in_use_stays(host):
    """It is not removed while a stored container is made of it; the policy that names it is told."""
    host.works("image", "import", "small", make_root(host, "root"))
    stored = STATE / "containers/zoe"
    stored.mkdir(parents=True)
    (stored / "stored").write_text("version=1\ncreated_at=1\nlast_used_at=1\nuser=zoe\n"
                                   "policy=p\nimage=small\nstorage=plain\n")
    contains(host.fails("image", "remove", "--yes", "small").err, "zoe", "stderr")
    equal(host.json("image", "list", "--json")[0]["containers"], 1, "its containers")
    host.works("remove", "--yes", "zoe")
    host.policy('policy "imaged" { users = {"bob"}\n image = "small" }\n')
    host.works("policy", "check")
    contains(host.works("image", "remove", "--yes", "small").err, '"imaged"', "stderr")
    equal(host.carrel("policy", "check").status, 1, "the status of policy check")


@test
def containers_run_from_an_image(host):
    """What was imported from this machine's own programs is a place to log in to."""
    root = make_whole_root(host)
    host.works("image", "import", "whole", root)
    host.policy('policy "imaged" { users = {"bob"}\n image = "whole" }\n', "10-image.conf")
    host.works("policy", "check")
    host.log_in("bob")
    equal(host.works("exec", "bob", "--", "cat", "/etc/mark").out, "in the image\n", "the mark")
    contains(host.fails("image", "remove", "--yes", "whole").err, "bob", "stderr")
    host.works("remove", "--yes", "bob")
    host.works("image", "remove", "--yes", "whole")
