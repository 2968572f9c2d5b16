"""Ways round: what runs a user's programs without a login, and attributes that mean more elsewhere."""

import os
import pathlib
import shutil
import socket
import struct

from attacker import all_refused, arm, attempt, listen_with
from image import have_image
from machine import STATE, can_connect, free_port
from suite import contains, equal, eventually, expect, lacks, test


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
def settings_of_sshd(m):
    """ForceCommand, a subsystem, PermitUserEnvironment, PermitUserRC of the host's sshd: all inside."""
    home = pathlib.Path("/home/bob")
    evil = home / "evil.so"
    done = m.run("gcc", "-D_GNU_SOURCE", "-shared", "-fPIC", "-o", evil,
                 pathlib.Path(__file__).with_name("hostile.c"))
    equal(done.status, 0, f"gcc ({done.err})")
    show = "readlink /proc/self/ns/pid"
    with m.policy("settings", "home = bind"):
        inside = place(m)
        expect(inside != os.readlink("/proc/self/ns/pid") + "\n", "bob is on the host")
        (home / ".ssh/environment").write_text(f"LD_PRELOAD={evil}\nCHOSEN=by-bob\n")
        try:
            port = "-p", str(listen_with(m, f"ForceCommand {show}", f"Subsystem place {show}"))
            for words, more in ((("echo", "out"), ()), ((), ()), (("sftp",), ("-s",)),
                                (("place",), ("-s",))):
                equal(m.ssh("bob", *words, options=(*port, *more)).out, inside,
                      f"the place of a ForceCommand in place of {words}")
            (home / ".ssh/rc").write_text(show + "\n")
            port = "-p", str(listen_with(m, "PermitUserEnvironment yes", "PermitUserRC yes",
                                         f"Subsystem place {show}"))
            done = m.ssh("bob", "echo $CHOSEN", options=port)
            equal(done.out, inside + "by-bob\n", "~/.ssh/rc, and the environment")
            equal(m.ssh("bob", "place", options=(*port, "-s")).out, inside, "a subsystem")
            contains(m.ssh("bob", "cat /var/tmp/loaded").out, "sh loads", "bob's library inside")
        finally:
            for name in (".ssh/rc", ".ssh/environment", "evil.so"):
                (home / name).unlink(missing_ok=True)
    expect(not pathlib.Path("/var/tmp/loaded").exists(), "bob's library was loaded on the host")


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
def refused_forward_nothing(m):
    """A refused login keeps its connection open (ssh -N, -W): it reaches nothing of the host."""
    address = m.serve(b"a secret of the host\n")
    unix = "/run/host-socket"
    m.cleanup.callback(pathlib.Path(unix).unlink, missing_ok=True)
    m.serve(b"a secret of the host\n", family=socket.AF_UNIX, address=unix)
    os.chmod(unix, 0o666)
    refusals = ({"action": "deny"}, {"body": "limits { sessions = 1 }"}, {"body": 'image = "none"'})
    for refusal in refusals:
        with m.policy("refused", **refusal):
            if "sessions" in refusal.get("body", ""):
                m.ssh_start("bob", "sleep 60")
                eventually(lambda: m.run("pgrep", "-fx", "sleep 60").out, "the one session")
            expect(m.ssh("bob", "true").status != 0, f"{refusal}: a command runs")
            for flags in (("-W", f"127.0.0.1:{address[1]}"), ("-s", "sftp")):
                done = m.ssh("bob", options=flags) if flags[0] == "-W" else m.ssh(
                    "bob", "sftp", options=("-s",))
                lacks(done.out, "secret", f"{refusal}: what {flags} shows")
                expect(done.status != 0, f"{refusal}: {flags} works")
            ways = {free_port(): f"127.0.0.1:{address[1]}", free_port(): unix}
            forwards = [word for port, target in ways.items() for word in ("-L", f"{port}:{target}")]
            outward = free_port()
            m.ssh_start("bob", options=("-N", *forwards, "-R", f"{outward}:127.0.0.1:9"))
            for port in ways:
                eventually(lambda: can_connect(port), "the client's end of a forward")
                with socket.create_connection(("127.0.0.1", port)) as connection:
                    connection.settimeout(20)
                    equal(connection.recv(100), b"", f"{refusal}: what comes through to {ways[port]}")
            expect(not can_connect(outward), f"{refusal}: a port of the host listens for them")
            m.run("pkill", "-fx", "sleep 60")


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


@test
def top_level_of_an_earlier_root(m):
    """Devices, set-user-id, redirects and links in /, from a time with root = yes: nothing without it."""
    have_image(m)
    with m.policy("earlier", 'image = "lab"'):
        m.ssh("bob", "true")
        m.run("carrel", "stop", "--timeout", "1", "bob-earlier")
        upper = STATE / "containers/bob-earlier/layer/upper"
        m.run("mknod", "-m", "666", upper / "memory", "c", "1", "1")
        m.run("mknod", "-m", "666", upper / "disk", "b", "7", "0")
        shutil.copy("/usr/bin/id", upper / "id")
        (upper / "id").chmod(0o6755)
        (upper / "trap").mkdir()
        os.setxattr(upper / "trap", "user.overlay.redirect", b"/../../../../../etc")
        for number, name in enumerate(("proc", "sys", "dev", "run", "tmp", "class")):
            if (upper / name).is_dir():
                (upper / name).rmdir()
            (upper / name).symlink_to(("/var/tmp", "/..", "/layer", "/image", "/proc/1/root", "/usr")[number])
        for name, content in (("out", "/../.."), ("below", "/layer/upper"), ("image", "/image"), ("layer", "/layer"),
                              ("first", "/proc/1/root/etc/host-secret")):
            (upper / name).symlink_to(content)
        done = m.ssh("bob", "head -c 1 /memory; head -c 1 /disk; /id -u; ls -a /trap; cat /trap/host-secret /first; "
                            "cat /out/etc/host-secret; ls /below /image/ /layer/; cat /proc/kcore | head -c 4; "
                            "echo x >/proc/sys/kernel/core_pattern; stat -c %F /proc /sys /dev /run /tmp /class")
        equal(done.out.splitlines()[0], m.run("id", "-u", "bob").out.strip(), f"the id of a set-user-id file ({done.err})")
        equal(done.out.splitlines()[-6:], ["directory"] * 6, "where Carrel mounts")
        lacks(done.out, "secret", "what the links show")
        lacks(done.out, "ELF", "kcore")
        equal(done.err.count("Permission denied"), 3, f"refusals in {done.err!r}")
    lacks(pathlib.Path("/proc/sys/kernel/core_pattern").read_text(), "x\n", "core_pattern")
