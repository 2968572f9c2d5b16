"""Through a real sshd: `ssh USER@host true`, a connection each and multiplexed over one.

bare: a user whom no policy names, with Carrel in the stack of sshd all the same; warm: into a running
container. A connection is mostly cryptography; over an open one the module has nothing to do.
"""

import os
import pathlib
import shutil
import socket
import subprocess
import time

import figures
import scene

PLACE = pathlib.Path("/run/bench-sshd")
PORT = 20000 + os.getpid() % 10000
CONFIG = f"""Port {PORT}
ListenAddress 127.0.0.1
HostKey {PLACE}/host
PidFile {PLACE}/pid
UsePAM yes
AuthorizedKeysFile {PLACE}/key.pub
StrictModes no
MaxStartups 1000
"""


def start():
    if not shutil.which("/usr/sbin/sshd"):
        raise scene.Skip("openssh-server is not installed")
    PLACE.mkdir(exist_ok=True)
    for name in ("host", "key"):
        scene.run("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", PLACE / name)
    (PLACE / "config").write_text(CONFIG)
    pathlib.Path("/etc/pam.d/sshd").write_text(scene.BARE_STACK + scene.MODULE)
    daemon = subprocess.Popen(["/usr/sbin/sshd", "-D", "-f", PLACE / "config"],
                              stdin=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    for _ in range(500):
        try:
            socket.create_connection(("127.0.0.1", PORT)).close()
            return daemon
        except OSError:
            time.sleep(0.01)
    raise SystemExit("bench: sshd does not listen")


def ssh(user, *options, command="true"):
    return ["ssh", "-F", "none", "-i", str(PLACE / "key"), "-p", str(PORT), *options,
            "-o", "StrictHostKeyChecking=no", "-o", "UserKnownHostsFile=/dev/null",
            "-o", "LogLevel=ERROR", f"{user}@127.0.0.1", command]


def shared(user, master="no"):
    return ssh(user, "-o", f"ControlPath={PLACE}/{user}", "-o", f"ControlMaster={master}",
               "-o", "ControlPersist=yes")


def measure(options):
    daemon = start()
    users = {"bare": "sshd-bare", "warm": "sshd-warm"}
    for user in users.values():
        scene.add_user(user)
    scene.policy("sshd", ["sshd-warm"], limits="sessions = 100")
    times = {f"{name}{kind}": [] for kind in ("", " multiplexed") for name in users}
    for user in users.values():
        scene.milliseconds(*shared(user, "auto"))
    for _ in range(options.rounds):
        for name, user in users.items():
            times[name].append(scene.milliseconds(*ssh(user)))
            times[f"{name} multiplexed"].append(scene.milliseconds(*shared(user)))
    for user in users.values():
        subprocess.run([*shared(user)[:-1], "-O", "exit"], capture_output=True)
    daemon.terminate()
    daemon.wait()
    scene.run("carrel", "stop", "--all")
    (scene.POLICIES / "sshd.conf").unlink()
    return figures.table(times, ["bare", "bare multiplexed"])
