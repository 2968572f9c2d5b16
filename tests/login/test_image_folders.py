"""root = no on a named image: the root is a tmpfs, programs are bound from the image unless they were
changed, and the rest is bound from the overlay of image and layer."""

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


def add_link(archive, name, content):
    member = tarfile.TarInfo(f"./{name}")
    member.type, member.linkname = tarfile.SYMTYPE, content
    archive.addfile(member)


def build(m, number):
    """A next version of the image "bound", with a file and links in its root, and programs in /opt,
    which anybody could write by mode."""
    tar = m.directory / "bound.tar"
    shutil.copy(build_root(m), tar)
    with tarfile.open(tar, "a") as archive:
        add_text(archive, "opt/tool/version", f"{number}\n", 0o666)
        add_text(archive, "usr/share/version", f"{number}\n")
        add_text(archive, "usr/bin/numbered", f"#!/bin/sh\necho {number}\n", 0o755)
        add_text(archive, "notice", f"{number}\n", 0o666)
        add_link(archive, "data", "usr/share/data")
        add_link(archive, "number", "usr/share/version")
    done = m.run("carrel", "image", "build", "bound", "--from", tar, timeout=300)
    equal(done.status, 0, f"the build of the image ({done.said[-300:]})")
    tar.unlink()


def have_bound(m):
    if "bound " not in m.run("carrel", "image", "list").out:
        build(m, 1)


def changed_by_root(m, name, change):
    """Something that bob does as the container's root, under a policy of that name with root = yes."""
    with m.policy(name, 'image = "bound"\nroot = yes'):
        done = m.ssh("bob", f"sudo -n sh -c '{change}'")
        equal(done.status, 0, f"changing: {change} ({done.err})")
        m.kill_container(f"bob-{name}")


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
def root_of_an_image_is_plain(m):
    """/: a tmpfs of root's, with the image's folders, links and files in it, which are the layer's to
    change as before."""
    have_bound(m)
    with m.policy("plainroot", 'image = "bound"'):
        found = mounts(m)
        equal(found["/"][1], "tmpfs", "the root")
        for place in ("/etc", "/var", "/home", "/srv", "/notice"):
            options, kind = found[place]
            expect(kind == "overlay" and options >= {"nosuid", "nodev"}, f"{place}: {found[place]}")
        for place in ("/dev", "/proc", "/run", "/sys", "/tmp", "/class"):
            expect(found[place][1] != "overlay", f"{place}: {found[place]}")
        done = m.ssh("bob", "stat -c '%A %U' /; cat /notice /number; readlink /data /bin")
        equal(done.out, "drwxr-xr-x root\n1\n1\nusr/share/data\nusr/bin\n", f"what bob sees ({done.err})")
        for attempt in ("touch /x", "mkdir /x", "ln -s x /x", "rm /notice", "mv /notice /tmp", "rmdir /srv",
                        "rm /data", "mv /srv /srv2", "chmod 777 /", "mknod /x p"):
            expect(m.ssh("bob", attempt).status != 0, f"'{attempt}' works")
        names = set(m.ssh("bob", "ls -A /").out.split())
        image = {path.name for path in (BOUND / "1/rootfs").iterdir()}
        equal(names, image | {"class", "dev", "proc", "run", "sys", "tmp", "home"}, "names in /")
        equal(m.ssh("bob", "echo bob was here >>/notice && cat /notice").out, "1\nbob was here\n", "writing")
        m.kill_container("bob-plainroot")
        equal(m.ssh("bob", "cat /notice").out, "1\nbob was here\n", "after a start")
        equal((STATE / "containers/bob-plainroot/layer/upper/notice").read_text(), "1\nbob was here\n", "the layer")
    equal((BOUND / "1/rootfs/notice").read_text(), "1\n", "the image")


@test
def top_level_that_root_made_stays(m):
    """Folders, files, links and a FIFO which a root made in /, and what they removed: as it was."""
    have_bound(m)
    changed_by_root(m, "top", "mkdir -m 777 /mine && echo 1 >/mine/file && echo 2 >/file && chmod 666 /file && "
                              "ln -s mine/file /link && mkfifo -m 666 /pipe && rmdir /srv && rm /number && "
                              "echo 3 >/.hidden && mkdir \"/a name\" && chmod 777 /")
    with m.policy("top", 'image = "bound"'):
        done = m.ssh("bob", "cat /file /link /.hidden; ls -d '/a name'; test -p /pipe && echo pipe; "
                            "ls -d /srv /number 2>/dev/null; echo new >>/file; echo new >/mine/new; touch /x")
        equal(done.out, "2\n1\n3\n/a name\npipe\n", f"what bob sees ({done.err})")
        contains(done.err, "touch", "making a file in /, which a root had opened to all")
        done = m.ssh("bob", "echo through >/pipe & cat /pipe")
        equal(done.out, "through\n", f"the FIFO ({done.err})")
        m.kill_container("bob-top")
    with m.policy("top", 'image = "bound"\nroot = yes'):
        equal(m.ssh("bob", "cat /file /mine/new; ls -d /srv 2>/dev/null").out, "2\nnew\nnew\n", "with root again")
        m.kill_container("bob-top")
    equal(m.run("carrel", "reset", "--yes", "bob-top").status, 0, "the reset")
    with m.policy("top", 'image = "bound"'):
        equal(m.ssh("bob", "ls -d /srv /mine 2>/dev/null; cat /number").out, "/srv\n1\n", "after a reset")


@test
def names_of_mounts_that_root_made(m):
    """Links and files where Carrel mounts: the container without root has its own folders there."""
    have_bound(m)
    changed_by_root(m, "names", "mkdir /elsewhere")
    upper = STATE / "containers/bob-names/layer/upper"
    for name, kind in (("tmp", "link"), ("class", "file"), ("run", "link"), ("sys", "file")):
        place = upper / name
        if place.is_dir():
            place.rmdir()
        if kind == "link":
            place.symlink_to("/elsewhere")
        else:
            place.write_text("nothing")
    with m.policy("names", 'image = "bound"'):
        done = m.ssh("bob", "touch /tmp/x && stat -c %F /tmp /class /run /sys; ls /elsewhere")
        equal(done.out, "directory\n" * 4, f"what bob sees ({done.err})")
    m.run("carrel", "remove", "--yes", "bob-names")


@test
def too_many_names_in_the_root(m):
    """More in / than a login is to wait for: it is refused with the reason, a reset lets them in."""
    have_bound(m)
    changed_by_root(m, "crowd", "mkdir $(seq -f /made-%g 960)")
    with m.policy("crowd", 'image = "bound"'):
        equal(m.ssh("bob", "ls -d /made-* | wc -l").out, "960\n", "what is there")
        m.kill_container("bob-crowd")
    changed_by_root(m, "crowd", "mkdir $(seq -f /more-%g 100)")
    with m.policy("crowd", 'image = "bound"'):
        expect(m.ssh("bob", "true").status != 0, "the login works")
        contains(m.run("carrel", "events").out,
                 "show what the root has in /: Argument list too long", "the reason")
        equal(m.run("carrel", "reset", "--yes", "bob-crowd").status, 0, "the reset")
        equal(m.ssh("bob", "ls -d /made-* 2>/dev/null | wc -l").out, "0\n", "after it")


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
        equal(found["/usr"][1], "overlay", "a changed folder")
        expect(found["/opt"][1] != "overlay", "/opt, which nobody changed, is not bound from the image")
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
        changed_by_root(m, name, f"rm -r /opt && {change}")
        with m.policy(name, 'image = "bound"'):
            equal(m.ssh("bob", "find /opt 2>/dev/null").out, seen, f"/opt without root: {name}")
            equal(mounts(m).get("/opt", ("", "overlay"))[1], "overlay", f"what is bound: {name}")


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
        equal(mounts(m)["/opt"][1], "overlay", "what is bound")
    with m.policy("shared", 'image = "bound"', container="shared"):
        m.run("usermod", "-d", "/opt/homes/bob", "bob")
        try:
            done = m.run("su", "bob", "-c", "cd && pwd && echo mine >file && cat file")
            equal(done.out, "/opt/homes/bob\nmine\n", f"the home ({done.err})")
        finally:
            m.run("usermod", "-d", "/home/bob", "bob")


@test
def place_behind_a_link_of_an_image(m):
    """/data of the image is a link into /usr, which is bound: binds below it have their place."""
    have_bound(m)
    given = pathlib.Path("/srv/given")
    given.mkdir(exist_ok=True)
    (given / "sheet").write_text("exercise\n")
    binds = 'bind "/srv/given" { target = "/data/given" }\nbind "/srv/given/sheet" { target = "/data/a/sheet" }'
    with m.policy("behind", f'image = "bound"\n{binds}'):
        refused = m.ssh("bob", "true")
        expect(refused.status != 0, "a place behind a link to nowhere")
        contains(m.run("carrel", "events").out, "make the place /data/given: No such file or directory", "the reason")
    changed_by_root(m, "behind", "mkdir /usr/share/data")
    with m.policy("behind", f'image = "bound"\n{binds}'):
        for _ in range(2):
            done = m.ssh("bob", "cat /data/given/sheet /usr/share/data/a/sheet; numbered >/dev/null && echo in")
            equal(done.out, "exercise\nexercise\nin\n", f"the binds ({done.err})")
            equal(mounts(m)["/usr"][1], "overlay", "/usr, in which the places are")
            m.kill_container("bob-behind")
    changed_by_root(m, "there", "rm /data && ln -s opt/tool /data")
    with m.policy("there", f'image = "bound"\n{binds}'):
        equal(m.ssh("bob", "cat /opt/tool/given/sheet; test -s /opt/tool/version && echo in").out, "exercise\nin\n",
              "a folder that is bound")
        equal(mounts(m)["/opt"][1], "overlay", "/opt, in which the places are")


@test
def places_in_the_root(m):
    """Binds and a home at and below names that the image does not have leave nothing in the layer's root,
    but for those of a folder."""
    have_bound(m)
    pathlib.Path("/srv/given").mkdir(exist_ok=True)
    pathlib.Path("/srv/given/sheet").write_text("exercise\n")
    binds = "\n".join(f'bind "/srv/given{source}" {{ target = "{target}" }}' for source, target in
                      (("", "/given"), ("/sheet", "/sheet"), ("", "/far/off/given"), ("", "/tmp/given")))
    m.run("usermod", "-d", "/bob", "bob")
    try:
        with m.policy("corners", f'image = "bound"\n{binds}'):
            for _ in range(2):
                done = m.run("su", "bob", "-c", "cd && pwd && cat /given/sheet /sheet /far/off/given/sheet "
                                                "/tmp/given/sheet && echo mine >>file && wc -l <file")
                contains(done.out, "/bob\n" + "exercise\n" * 4, f"the places ({done.err})")
                m.kill_container("bob-corners")
            equal(done.out[-2:], "2\n", "what is in the home")
            names = {path.name for path in (STATE / "containers/bob-corners/layer/upper").iterdir()}
            lacks(names, "tmp", "what is stored")
            equal(names & {"given", "sheet", "bob", "far"}, {"far"}, "what is stored")
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
