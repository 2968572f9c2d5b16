"""Files: the way out of the root, links, set-user-id, what root leaves for the next login."""

import pathlib
import shutil
import time

from attacker import all_refused, arm, attempt
from image import have_image
from machine import STATE
from suite import contains, equal, eventually, expect, lacks, test

BOUND = 10  # seconds that a login may take, whatever it meets


def quick_login(m, what):
    """A login that ends in time: it works, or says that it does not."""
    began = time.monotonic()
    done = m.ssh("bob", "echo in", timeout=60)
    took = time.monotonic() - began
    expect(took < BOUND, f"{what}: the login took {took:.1f} s")
    expect(done.out == "in\n" or (done.status != 0 and done.said.strip()),
           f"{what}: neither in nor refused: {done}")
    return done


@test
def chroot_of_a_user(m):
    """A user cannot even begin the old way out."""
    arm(m)
    equal(attempt(m, "break-out"), [("chroot", "EPERM")], "the answer")


@test
def chroot_of_root(m):
    """root = yes: whoever breaks out of the root finds an empty tmpfs, their layer and image."""
    have_image(m)
    with m.policy("cage", 'image = "lab"\nroot = yes'):
        arm(m)
        answers = attempt(m, "break-out", sudo=True)
        found = dict(answers)
        equal(found.get("shadow-of-host"), "ENOENT", "a file of the host")
        equal(found.get("root-of-host"), "ENOENT", "a file of the host")
        if found["root"] == "other":
            equal(found["create"], "EROFS", "a folder out there")
        for name in [what[7:] for what, _ in answers if what.startswith("entry ")]:
            expect("private-host" not in name, f"{name} is seen")


@test
def home_replaced_on_the_host(m):
    """home = bind: a FIFO, file or another's home is refused at once; root's shows nothing."""
    home, aside = pathlib.Path("/home/bob"), pathlib.Path("/home/bob.aside")
    with m.policy("bind", "home = bind"):
        for what, make in (
                ("a link to /root", lambda: home.symlink_to("/root")),
                ("a link to another home", lambda: home.symlink_to("/home/alice")),
                ("a FIFO", lambda: m.run("mkfifo", home)),
                ("a file", lambda: home.write_text(""))):
            shutil.move(home, aside)
            try:
                make()
                began = time.monotonic()
                done = m.run("su", "bob", "-c", "cat ~/host-secret; ls ~; echo in", timeout=60)
                expect(time.monotonic() - began < BOUND, f"{what}: su took too long")
                lacks(done.said, "a secret", f"a login with {what}")
                # Only root can place a link in /home: it is followed, to a folder closed to bob.
                if what != "a link to /root":
                    lacks(done.out, "in\n", f"a login with {what}")
                    expect(done.status != 0 and done.err, f"{what}: nothing is said")
            finally:
                home.unlink()
                shutil.move(aside, home)
            m.kill_container("bob-bind")
        equal(m.ssh("bob", "echo in").out, "in\n", "afterwards")


@test
def set_user_id_on_binds(m):
    """home = bind: set-user-id programs and devices there have no effect inside."""
    shutil.copy("/usr/bin/id", "/home/bob/setuid-id")
    pathlib.Path("/home/bob/setuid-id").chmod(0o4755)
    m.run("mknod", "-m", "666", "/home/bob/disk", "c", "1", "5")
    try:
        with m.policy("nosuid", "home = bind"):
            lacks(m.ssh("bob", "./setuid-id").out, "euid=", "id")
            contains(m.ssh("bob", "head -c 1 disk").err, "Permission denied", "a device")
    finally:
        pathlib.Path("/home/bob/setuid-id").unlink()
        pathlib.Path("/home/bob/disk").unlink()


@test
def hard_links(m):
    """No hard link takes a file of the system along."""
    arm(m)
    all_refused(attempt(m, "link /etc/passwd p /usr/bin/su s /proc/self/exe e /run/carrel/inside i"),
                ("EXDEV", "EPERM", "EACCES", "EROFS", "ENOENT"))
    # Nor does one take a file of theirs to where it counts for nothing, or out of what counts it.
    all_refused(attempt(m, "link attempt /var/tmp/x attempt /tmp/x attempt /dev/shm/x attempt /x "
                           "attempt /run/x attempt /class/x attempt /srv/x"),
                ("EXDEV", "EPERM", "EACCES", "EROFS", "ENOENT"))


@test
def stored_data_is_closed(m):
    """root = yes: set-user-id files of the container's root are no way up on the host."""
    have_image(m)
    with m.policy("stored", 'image = "lab"\nroot = yes'):
        equal(m.ssh("bob", "sudo -n cp /bin/dash /usr/local/bin/up && "
                           "sudo -n chmod 4755 /usr/local/bin/up").status, 0, "making it")
        file = STATE / "containers/bob-stored/layer/upper/usr/local/bin/up"
        expect(file.exists(), f"{file} is not there")
        for path in (STATE / "containers", file):
            done = m.run("setpriv", "--reuid", "65534", "--regid", "65534",
                         "--clear-groups", "ls", path)
            contains(done.err, "Permission denied", f"nobody looking at {path}")
        # Through a shell: setpriv itself still has root's capabilities when it looks for a program.
        done = m.run("setpriv", "--reuid", "2002", "--regid", "2002", "--clear-groups",
                     "sh", "-c", f"{file} -pc id")
        expect(done.status != 0 and "uid" not in done.out, f"bob ran it on the host: {done}")


TRAPS = {
    "dangling": "ln -s /host/$n $p",
    "link": "ln -s /proc/1/root/etc $p",
    "loop": "ln -s $p $p",
    "fifo": "mkfifo $p",
    "folder": "mkdir -p $p/a",
    "huge": "truncate -s 8G $p",
    "device": "ln -s /dev/zero $p",
}
PLACES = ("/etc/passwd", "/etc/group", "/etc/shadow", "/etc/sudoers.d", "/etc/skel",
          "/run/carrel/homes", "/run/carrel/etc", "/run/user", "/etc/nsswitch.conf",
          "/etc/localtime", "/etc/motd", "/etc/environment", "/run/utmp", "/var/log/wtmp",
          "/var/log/lastlog")
# What cannot be opened or has an end does nothing to those that are only read.
WAITING = ("fifo", "huge", "device")
SHORT = ("/etc/passwd", "/etc/sudoers.d", "/etc/skel", "/run/carrel/homes", "/run/carrel/etc",
         "/run/user")
SET_TRAP = """
n=$(basename {place}); p={place}
rm -rf $p 2>/dev/null || mv $p $p.aside
{trap}
"""


def host_listing(m):
    """What a helper that follows a link of the container would change on the host."""
    return m.run("sh", "-c", "sha256sum /etc/passwd /etc/group /etc/shadow; "
                 "stat -c '%n %F %a %u %g' /etc /etc/skel /run/carrel /host /etc/sudoers.d "
                 "2>&1; ls -A /etc | grep -v '^[.]'; ls -A /etc/skel /run/user 2>&1").out


def set_traps(m, kinds):
    """Each kind at each place, a login after each; the container's files are put back by a kill."""
    before = host_listing(m)
    for kind in kinds:
        for place in PLACES if kind in WAITING else SHORT:
            script = SET_TRAP.format(place=place, trap=TRAPS[kind])
            fresh_start(m, "bob-trap")
            equal(m.ssh("bob", "sudo -n sh", stdin=script).status, 0, f"{kind} at {place}")
            quick_login(m, f"{kind} at {place}")
            if place.startswith(("/etc", "/var")):
                stop(m, "bob-trap")
                quick_login(m, f"{kind} at {place} after a stop")
    equal(host_listing(m), before, "the host's files")


def fresh_start(m, container):
    """As `carrel remove` and a new login would have it, but sooner."""
    stop(m, container)
    upper = STATE / "containers" / container / "layer/upper"
    for path in upper.iterdir() if upper.exists() else ():
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        else:
            path.unlink()


def stop(m, container):
    """As an admin does: this ends login services that hang on a FIFO inside, too."""
    if container in m.running():
        equal(m.run("carrel", "stop", "--timeout", "1", container).status, 0, "carrel stop")


@test
def trap_during_a_session(m):
    """root = yes: FIFOs laid while logged in: sshd hangs at the end, and is ended all the same."""
    have_image(m)
    with m.policy("later", 'image = "lab"\nroot = yes'):
        for place in ("/etc/passwd", "/run/utmp", "/var/log/wtmp"):
            fresh_start(m, "bob-later")
            person = m.ssh_terminal("bob").shell()
            # sudo itself may hang on it.
            person.type(f"sudo -n sh -c 'rm -f {place}; mkfifo {place}; touch /var/tmp/laid' & exit")
            eventually(lambda: (STATE / "containers/bob-later/layer/var-tmp/laid").exists(), "it")
            began = time.monotonic()
            equal(m.run("carrel", "stop", "--timeout", "1", "bob-later").status, 0, "carrel stop")
            expect(time.monotonic() - began < BOUND, f"the stop with a FIFO at {place}")
            eventually(lambda: not m.run("pgrep", "-f", "^sshd: bob").out, "sshd has ended")
            equal(m.ssh("alice", "echo in").out, "in\n", "another user's login")
            fresh_start(m, "bob-later")


def trap_test(kind):
    def run(m):
        have_image(m)
        with m.policy("trap", 'image = "lab"\nroot = yes'):
            m.ssh("bob", "true")
            set_traps(m, [kind])
            stop(m, "bob-trap")
    run.__name__ = f"trap_{kind}"
    run.__doc__ = f"root = yes: '{TRAPS[kind]}' in place of what the next login needs."
    return test(run)


for each in TRAPS:
    trap_test(each)


@test
def mounted_elsewhere(m):
    """root = yes: /proc, /sys, /dev as links in the stored layer: nothing is unmasked by that."""
    have_image(m)
    with m.policy("moved", 'image = "lab"\nroot = yes'):
        arm(m)
        layer = STATE / "containers/bob-moved/layer/upper"
        for place in ("proc", "sys", "dev", "run", "tmp"):
            m.kill_container("bob-moved")
            # As the container's root could by a rename while the mount is elsewhere.
            link = layer / place
            if link.is_dir() and not link.is_symlink():
                shutil.rmtree(link)
            link.symlink_to("/var/elsewhere")
            (layer / "var/elsewhere").mkdir(parents=True, exist_ok=True)
            quick_login(m, f"/{place} as a link")
            done = m.ssh("bob", "sudo -n sh -c 'echo x >/proc/sys/kernel/core_pattern; "
                         "echo x >/var/elsewhere/sys/kernel/core_pattern; cat /var/elsewhere/kcore"
                         " | head -c 4; cat /proc/kcore | head -c 4'")
            lacks(done.out, "ELF", f"kcore with /{place} as a link")
            m.kill_container("bob-moved")
            link.unlink()
    lacks(pathlib.Path("/proc/sys/kernel/core_pattern").read_text(), "x\n", "core_pattern")
