"""Named images: another system inside than on the host, and root in it where the policy says so."""

import contextlib
import pathlib
import shutil
import subprocess

import witness
from image import have_image
from machine import namespace_of
from suite import Skip, contains, equal, expect, matches, test

MODULE = "/usr/lib/x86_64-linux-gnu/security/pam_carrel.so"


@test
def image_of_its_own(m):
    """image = NAME: the image's system, not the host's; what is changed there stays its own."""
    have_image(m)
    with m.policy("lab", 'image = "lab"'):
        out = m.ssh("bob", "id -un; ls /etc/apt; test -e /usr/bin/gcc || echo no gcc").out
        contains(out, "bob", "the user")
        contains(out, "no gcc", "the image's /usr")
        contains(m.ssh("bob", "touch /usr/x; touch /etc/x").err, "Permission denied", "writing")
        equal(m.ssh("bob", "echo mine >~/f; cat /etc/hostname; hostname").out.split(),
              ["lab", "lab"], "the host name in both places")
        contains(m.ssh("bob", "sudo -n id; echo $?").err, "no new privileges", "sudo")
        result = m.run("carrel", "image", "remove", "lab", "--yes")
        expect(result.status != 0, "an image in use was removed")
        contains(result.err, "bob-lab", "the reason")
        m.kill_container("bob-lab")
        equal(m.ssh("bob", "cat ~/f").out, "mine\n", "the file after a stop")


def uids_of(m, container):
    """Every uid, as the host sees it, of the processes in a container."""
    place = m.namespaces(m.init_pid(container))["pid"]
    inside = [path for path in pathlib.Path("/proc").glob("[0-9]*") if namespace_of(path) == place]
    lines = []
    for path in inside:
        with contextlib.suppress(FileNotFoundError, ProcessLookupError):  # of one that has ended meanwhile
            lines.append(matches((path / "status").read_text(), r"^Uid:(.*)").group(1))
    expect(len(lines) > 1, "no process runs inside")
    return {uid for line in lines for uid in line.split()}


@test
def root_inside(m):
    """root = yes: sudo and su give the container's root, who is nobody on the host."""
    have_image(m)
    with m.policy("power", 'image = "lab"\nroot = yes'):
        equal(m.ssh("bob", "sudo -n id -u").out, "0\n", "sudo")
        equal(m.ssh("bob", "su -c 'id -u' </dev/null").out, "0\n", "su")
        status = m.ssh("bob", "sudo -n grep CapBnd /proc/self/status").out
        bound = int(status.split()[1], 16)
        expect(bound and not bound & (1 << 21), f"the bounding set has CAP_SYS_ADMIN: {status}")
        pid = m.ssh("bob", "sudo -n sleep 1000 >/dev/null 2>&1 & sleep 1; pgrep -x sleep").out
        expect(pid, "root's process does not run")
        expect("0" not in uids_of(m, "bob-power"), "the host sees its own root inside")
        for attack in ("mount -t tmpfs x /mnt", "mknod /tmp/d b 8 0", "unshare -m true",
                       "chroot / unshare -U true", "dmesg", "ls /proc/1/root/",
                       "ls /proc/1/fd/", "cat /proc/1/environ", "hostname other"):
            expect(m.ssh("bob", f"sudo -n {attack}").status != 0, f"'{attack}' works")
        m.ssh("bob", "sudo -n kill -9 1")
        equal(m.ssh("bob", "cat /proc/1/comm").out, "carrel-init\n", "PID 1 after kill -9 1")


@test
def packages_inside(m):
    """root = yes: apt installs a package, it stays after a stop, and the host notices nothing."""
    have_image(m)
    before = sorted(path.name for path in pathlib.Path("/usr/bin").iterdir())
    equal(m.run("apt-get", "-qq", "update").status, 0, "apt-get update")
    fetched = subprocess.run(["apt-get", "download", "hello"], cwd=m.directory,
                             capture_output=True, text=True, check=False)
    package = next(m.directory.glob("hello_*.deb"), None)
    expect(package, f"apt-get download hello: {fetched.stderr[-300:]}")
    with m.policy("apt", 'image = "lab"\nroot = yes'):
        m.ssh("bob", "cat >hello.deb", stdin=package.read_bytes())
        result = m.ssh("bob", "sudo -n apt-get install -y ./hello.deb && hello")
        contains(result.out, "Hello, world!", "the installed program")
        m.kill_container("bob-apt")
        contains(m.ssh("bob", "hello").out, "Hello, world!", "the program after a stop")
    equal(sorted(path.name for path in pathlib.Path("/usr/bin").iterdir()), before,
          "the host's /usr/bin")


@test
def login_inside_is_not_contained_again(m):
    """su in a container whose own PAM stack has Carrel's line stays in that container."""
    if witness.PLACE.exists():
        raise Skip("the image lacks the libraries that a module with sanitizers needs")
    have_image(m)
    with m.policy("nested", 'image = "lab"\nroot = yes'):
        m.ssh("bob", "cat >m.so", stdin=pathlib.Path(MODULE).read_bytes())
        done = m.ssh("bob", f"sudo -n install -D -m 644 m.so {MODULE} && echo 'session required "
                            "pam_carrel.so' | sudo -n tee -a /etc/pam.d/su >/dev/null")
        equal(done.status, 0, f"preparing the container ({done.err})")
        outer = m.ssh("bob", "readlink /proc/self/ns/pid").out
        inner = m.ssh("bob", "sudo -n su bob -s /bin/sh -c 'readlink /proc/self/ns/pid'")
        equal(inner.out, outer, f"the place after su ({inner.err})")


@test
def user_manager_is_refused(m):
    """systemd-user: a contained user's own service manager may not run on the host."""
    if not shutil.which("pamtester"):
        raise Skip("pamtester is not installed")
    service = pathlib.Path("/etc/pam.d/systemd-user")
    before = service.read_text() if service.exists() else None
    service.write_text("account required pam_permit.so\nsession required pam_permit.so\n"
                       "session required pam_carrel.so\n")
    try:
        refused = m.run("pamtester", "systemd-user", "alice", "open_session")
        expect(refused.status != 0, "alice's user manager was let in")
        matches(refused.out + refused.err, "systemd --user", "what is said")
        equal(m.run("pamtester", "systemd-user", "carol", "open_session").status, 0,
              "the user manager of one on the host")
    finally:
        if before is None:
            service.unlink()
        else:
            service.write_text(before)


@test
def cgroups_not_mounted(m):
    """No cgroups in view: students are refused with the reason in the log, root gets in."""
    since = m.log.mark()
    m.run("mount", "-t", "tmpfs", "tmpfs", "/sys/fs/cgroup")
    try:
        expect(m.ssh("bob", "echo in").out != "in\n", "a student got in without limits")
        equal(m.ssh("root", "echo in").out, "in\n", "root")
        m.log.wait("denied user=bob.*cgroup", since)
    finally:
        m.run("umount", "/sys/fs/cgroup")
    equal(m.ssh("bob", "echo in").out, "in\n", "the student afterwards")
