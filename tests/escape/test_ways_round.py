"""Ways round: what runs a user's programs without a login, and attributes that mean more elsewhere."""

import os
import pathlib
import shutil
import socket
import struct

from attacker import all_refused, arm, attempt
from image import have_image
from machine import STATE
from suite import contains, equal, expect, lacks, test


def place(m, user="bob"):
    return m.ssh(user, "readlink /proc/self/ns/pid").out


@test
def files_that_sshd_runs(m):
    """~/.ssh/rc, environment, a forced command, a subsystem: all of it runs inside."""
    home = pathlib.Path("/home/bob")
    with m.policy("files", "home = bind"):
        inside = place(m)
        lines = "readlink /proc/self/ns/pid\n"
        (home / ".ssh/rc").write_text(lines)
        (home / ".pam_environment").write_text("LD_PRELOAD DEFAULT=/home/bob/evil.so\n")
        (home / ".ssh/environment").write_text("LD_PRELOAD=/home/bob/evil.so\n")
        try:
            equal(m.ssh("bob", "true").out, inside, "the place of ~/.ssh/rc")
            m.authorize("bob", 'command="readlink /proc/self/ns/pid" ')
            (home / ".ssh/rc").unlink()
            equal(m.ssh("bob", "echo out").out, inside, "the place of a forced command")
            equal(m.ssh("bob", "sftp", options=("-s",)).out, inside, "and of one for a subsystem")
        finally:
            m.authorize("bob")
            for name in (".ssh/rc", ".pam_environment", ".ssh/environment"):
                (home / name).unlink(missing_ok=True)


@test
def nothing_but_forwarding(m):
    """ssh -W and -N without a program: the host's loopback is not reached from inside."""
    address = m.serve(b"a secret of the host\n")
    done = m.ssh("bob", options=("-W", f"127.0.0.1:{address[1]}"))
    lacks(done.out, "secret", "what ssh -W shows")
    unix = "/run/host-socket"
    m.cleanup.callback(pathlib.Path(unix).unlink, missing_ok=True)
    m.serve(b"a secret of the host\n", family=socket.AF_UNIX, address=unix)
    done = m.ssh("bob", "python3 -c \"import socket; s = socket.socket(1); "
                        f"s.connect('{unix}')\"")
    contains(done.err, "FileNotFoundError", "the host's socket in /run")


@test
def jobs_of_a_user(m):
    """crontab and at write nothing that the host would run."""
    for command in ("echo '* * * * * id >/tmp/out' | crontab -", "echo id | at now",
                    "echo x >/var/spool/cron/crontabs/bob", "systemd-run --user id",
                    "systemctl --user start x"):
        expect(m.ssh("bob", command).status != 0, f"'{command}' works")
    expect(not pathlib.Path("/var/spool/cron/crontabs/bob").exists(), "a crontab on the host")


@test
def overlay_attributes(m):
    """root = yes: attributes that overlayfs reads are refused or, since Linux 6.7, stored escaped."""
    have_image(m)
    with m.policy("overlay", 'image = "lab"\nroot = yes'):
        arm(m)
        all_refused(attempt(m, "overlay /var/tmp"), ("EPERM", "EOPNOTSUPP", "EACCES"))
        answers = attempt(m, "overlay /var/tmp", sudo=True)
        all_refused([pair for pair in answers if pair[0].startswith("trusted")])
        all_refused(answers, ("EPERM", "EOPNOTSUPP", "done"))
        etc = STATE / "containers/bob-overlay/layer/upper/etc"
        for name in os.listxattr(etc):
            expect(name.startswith("user.overlay.overlay.") or
                   b"../etc" not in os.getxattr(etc, name), f"{name} is in the stored layer")


@test
def attributes_of_an_image_file(m):
    """root = yes: a redirect planted in the layer from outside leads nowhere but into the image."""
    have_image(m)
    with m.policy("redirect", 'image = "lab"\nroot = yes'):
        m.ssh("bob", "true")
        m.run("carrel", "stop", "--timeout", "1", "bob-redirect")
        trap = STATE / "containers/bob-redirect/layer/upper/srv/trap"
        trap.mkdir(parents=True)
        os.setxattr(trap, "user.overlay.redirect", b"/../../../../../etc")
        os.setxattr(trap, "user.overlay.opaque", b"x")
        done = m.ssh("bob", "sudo -n ls -a /srv/trap; sudo -n cat /srv/trap/host-secret")
        lacks(done.out, "secret", "what the redirect shows")
        m.run("carrel", "stop", "--timeout", "1", "bob-redirect")
        shutil.rmtree(trap)


@test
def file_capabilities(m):
    """File capabilities of the host's root on a file in a bound home give nothing inside."""
    tool = pathlib.Path("/home/bob/reader")
    shutil.copy("/bin/cat", tool)
    tool.chmod(0o755)
    # VFS_CAP_REVISION_2 with the effective bit: all capabilities permitted.
    os.setxattr(tool, "security.capability",
                struct.pack("<5I", 0x02000001, 0xffffffff, 0, 0xffffffff, 0))
    try:
        with m.policy("caps", "home = bind"):
            done = m.ssh("bob", "./reader /proc/self/status; ./reader /etc/shadow")
            contains(done.out, "CapEff:\t0000000000000000", "its capabilities")
    finally:
        tool.unlink()


@test
def devices_in_a_layer(m):
    """root = yes: a device node that came into the stored layer cannot be opened."""
    have_image(m)
    with m.policy("nodes", 'image = "lab"\nroot = yes'):
        m.ssh("bob", "true")
        m.run("carrel", "stop", "--timeout", "1", "bob-nodes")
        upper = STATE / "containers/bob-nodes/layer/upper"
        (upper / "srv").mkdir(exist_ok=True)
        m.run("mknod", "-m", "666", upper / "srv/memory", "c", "1", "1")
        m.run("mknod", "-m", "666", upper / "srv/zero", "c", "1", "5")
        done = m.ssh("bob", "sudo -n head -c 1 /srv/zero; sudo -n head -c 1 /srv/memory")
        equal(done.err.count("Permission denied"), 2, f"refusals in {done.err!r}")
