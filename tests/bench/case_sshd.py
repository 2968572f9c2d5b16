"""Through a real sshd: `ssh USER@host true`, a connection each and multiplexed over one.

bare: an sshd without Carrel in its stack; host: with it, a user whom no policy names; warm, cold: into
a running container, into a stopped one. A connection is mostly cryptography; over an open one the
module has nothing to do.
"""

import os
import pathlib
import shutil
import socket
import subprocess
import time

import figures
import floor
import scene

PLACE = pathlib.Path("/run/bench-sshd")
FIRST_PORT = 20000 + os.getpid() % 10000
CONFIG = """Port {port}
ListenAddress 127.0.0.1
HostKey {place}/host
PidFile {place}/{name}.pid
UsePAM yes
AuthorizedKeysFile {place}/key.pub
StrictModes no
MaxStartups 1000
"""


def keys():
    if not shutil.which("/usr/sbin/sshd"):
        raise scene.Skip("openssh-server is not installed")
    PLACE.mkdir(exist_ok=True)
    for name in ("host", "key"):
        if not (PLACE / name).exists():
            scene.run("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", PLACE / name)


class Sshd:
    """A real one whose PAM service is its name: that is what the program is called by."""

    def __init__(self, name, module):
        keys()
        self.name, self.port = name, FIRST_PORT + (0 if name == "sshd" else 1)
        self.stack(module)
        config, program = PLACE / f"{name}.config", PLACE / name
        config.write_text(CONFIG.format(port=self.port, place=PLACE, name=name))
        if not program.is_symlink():
            program.symlink_to("/usr/sbin/sshd")
        self.daemon = subprocess.Popen([program, "-D", "-f", config], stdin=subprocess.DEVNULL,
                                       stderr=subprocess.DEVNULL)
        self.wait()

    def stack(self, module):
        pathlib.Path(f"/etc/pam.d/{self.name}").write_text(
            scene.BARE_STACK + (scene.MODULE if module else ""))

    def wait(self):
        for _ in range(500):
            try:
                socket.create_connection(("127.0.0.1", self.port)).close()
                return
            except OSError:
                time.sleep(0.01)
        raise SystemExit(f"bench: {self.name} does not listen")

    def ssh(self, user, *options, command="true"):
        """The words of a command that begins a connection."""
        return ["ssh", "-F", "none", "-i", str(PLACE / "key"), "-p", str(self.port), *options,
                "-o", "StrictHostKeyChecking=no", "-o", "UserKnownHostsFile=/dev/null",
                "-o", "LogLevel=ERROR", f"{user}@127.0.0.1", command]

    def shared(self, user, master="no"):
        """The same over one that is open already."""
        return self.ssh(user, "-o", f"ControlPath={PLACE}/{user}", "-o", f"ControlMaster={master}",
                        "-o", "ControlPersist=yes")

    def end(self):
        self.daemon.terminate()
        self.daemon.wait()


def measure(options):
    bare, daemon = Sshd("sshd-bare", module=False), Sshd("sshd", module=True)
    users = {"bare": bare, "host": daemon, "warm": daemon, "cold": daemon}
    for user in users:
        scene.add_user(f"sshd-{user}")
    scene.policy("sshd", ["sshd-warm", "sshd-cold"], limits="sessions = 100")
    shared = [user for user in users if user != "cold"]
    for user in users:
        scene.milliseconds(*users[user].ssh(f"sshd-{user}"))
    for user in shared:
        scene.milliseconds(*users[user].shared(f"sshd-{user}", "auto"))
    times = {**{user: [] for user in users}, **{f"{user} multiplexed": [] for user in shared}}
    for _ in range(options.rounds):
        for user, sshd in users.items():
            scene.stop("sshd-cold")
            floor.settle()
            times[user].append(scene.milliseconds(*sshd.ssh(f"sshd-{user}")))
        for user in shared:
            times[f"{user} multiplexed"].append(
                scene.milliseconds(*users[user].shared(f"sshd-{user}")))
    for user in shared:
        subprocess.run([*users[user].shared(f"sshd-{user}")[:-1], "-O", "exit"], capture_output=True)
    for sshd in (bare, daemon):
        sshd.end()
    scene.run("carrel", "stop", "--all")
    (scene.POLICIES / "sshd.conf").unlink()
    rows = figures.table(times, [])
    return {name: figures.against(row, rows["bare multiplexed" if "multiplexed" in name else "bare"])
            for name, row in rows.items()}
