"""A named image in one compressed file: logins by ssh, with and without root inside."""

import pathlib
import shutil

from image import build_root
from suite import Skip, contains, equal, eventually, expect, lacks, test


def have_erofs(m):
    if not shutil.which("mkfs.erofs"):
        raise Skip("mkfs.erofs is not installed")
    if "slim " not in m.run("carrel", "image", "list").out:
        result = m.run("carrel", "image", "build", "slim", "--from", build_root(m), "--format",
                       "erofs", timeout=300)
        equal(result.status, 0, f"the build of the image ({result.err})")


def kept_mounts():
    lines = pathlib.Path("/proc/self/mountinfo").read_text().splitlines()
    return [line.split()[4] for line in lines if " - erofs " in line]


@test
def erofs_without_root(m):
    """root = no: the image's programs, nothing in it can be written, the home can."""
    have_erofs(m)
    with m.policy("slim", 'image = "slim"'):
        out = m.ssh("bob", "id -un; . /etc/os-release; echo $ID; ls /usr/bin/gcc").out
        equal(out, "bob\ndebian\n", "what bob sees")
        contains(m.ssh("bob", "touch /usr/x; touch /etc/x").err, "Permission denied", "writing")
        contains(m.ssh("bob", "sudo -n id").err, "no new privileges", "sudo")
        equal(m.ssh("bob", "echo mine >~/f; cat ~/f").out, "mine\n", "the home")
        equal(m.ssh("bob", "stat -c '%u %g %a' /usr/bin/sudo /etc/shadow").out,
              "0 0 4755\n0 42 640\n", "owners and modes")
        m.kill_container("bob-slim")
        equal(m.ssh("bob", "cat ~/f").out, "mine\n", "the file after a stop")


@test
def erofs_with_root(m):
    """root = yes: packages are installed and removed, files of /etc changed; all of it stays."""
    have_erofs(m)
    equal(m.run("apt-get", "-qq", "update").status, 0, "apt-get update")
    if not list(m.directory.glob("hello_*.deb")):
        m.run("sh", "-c", f"cd {m.directory} && apt-get download hello")
    package = next(m.directory.glob("hello_*.deb"), None)
    expect(package, "apt-get download hello gave nothing")
    with m.policy("power2", 'image = "slim"\nroot = yes'):
        equal(m.ssh("bob", "sudo -n id -u; su -c 'id -u' </dev/null").out, "0\n0\n", "sudo and su")
        m.ssh("bob", "cat >hello.deb", stdin=package.read_bytes())
        done = m.ssh("bob", "sudo -n apt-get install -y ./hello.deb && hello && "
                            "sudo -n apt-get remove -y --allow-remove-essential procps && "
                            "echo changed | sudo -n tee -a /etc/issue && "
                            "sudo -n mv /etc/skel /etc/skeleton && sudo -n rm /etc/motd; "
                            "sudo -n touch /etc/done", timeout=120)
        contains(done.out, "Hello, world!", f"the installed program ({done.err})")
        m.kill_container("bob-power2")
        out = m.ssh("bob", "hello; command -v ps; tail -n 1 /etc/issue; ls -d /etc/skel*; "
                           "test -e /etc/motd || echo gone; dpkg -s hello | grep Status").out
        equal(out, "Hello, world!\nchanged\n/etc/skeleton\ngone\nStatus: install ok installed\n",
              "what is there after a stop")
        lacks(m.ssh("bob", "sudo -n cat /proc/self/mountinfo").out, "erofs", "mounts in sight")
    with m.policy("slim", 'image = "slim"'):
        equal(m.ssh("bob", "command -v hello; command -v ps; ls -d /etc/skel").out,
              "/usr/bin/ps\n/etc/skel\n", "another container of the image")


@test
def erofs_is_mounted_once(m):
    """Two containers by ssh, one mount; it is not unmounted below them."""
    have_erofs(m)
    with m.policy("slim", 'image = "slim"', who='users = {"alice", "bob"}'):
        first = m.ssh_start("alice", "sleep 1000")
        eventually(lambda: "alice-slim" in m.running(), "the start of alice's container")
        equal(m.ssh("bob", "echo in").out, "in\n", "bob")
        equal(len(kept_mounts()), 1, "the number of mounts")
        m.run("carrel", "gc")
        equal(m.ssh("alice", "ls /usr/bin/sudo").out, "/usr/bin/sudo\n", "a cold file after gc")
        m.run("umount", "-l", kept_mounts()[0])
        equal(m.ssh("alice", "ls /usr/bin/apt-get").out, "/usr/bin/apt-get\n", "without it")
        first.kill()


@test
def erofs_damaged(m):
    """A damaged image refuses its users, says so in the log, and lets others in."""
    have_erofs(m)
    file = pathlib.Path("/var/lib/carrel/images/slim/1/rootfs.erofs")
    intact = file.read_bytes()
    since = m.log.mark()
    with m.policy("broken", 'image = "slim"'):
        file.chmod(0o600)
        try:
            file.write_bytes(intact[:-4096])
            expect(m.ssh("bob", "echo in").out != "in\n", "bob got in")
            m.log.wait("denied user=bob.*image 'slim'.*is damaged", since)
            equal(m.ssh("alice", "echo in").out, "in\n", "alice, on another image")
        finally:
            file.write_bytes(intact)
        equal(m.ssh("bob", "echo in").out, "in\n", "bob afterwards")
