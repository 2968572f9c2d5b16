"""A machine with systemd as its first process, in namespaces of this one, on this one's kernel."""

import contextlib
import ctypes
import os
import pathlib
import pty
import socket
import subprocess
import threading
import time

from debian import Unavailable
from lab import Lab

HERE = pathlib.Path(__file__).resolve().parent
CLONE_NEWNET = 0x40000000


def own_network():
    """This process, and what it starts from now on, has a loopback device alone, for all ports."""
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.unshare(CLONE_NEWNET) != 0:
        raise Unavailable(f"no network namespace: {os.strerror(ctypes.get_errno())}")


def cgroup_root():
    """Where this machine has cgroup v2 mounted."""
    for line in pathlib.Path("/proc/self/mounts").read_text().splitlines():
        _, place, kind, *_ = line.split()
        if kind == "cgroup2":
            return pathlib.Path(place)
    raise Unavailable("cgroup v2 is not mounted here")


def remove_cgroups(top):
    """One with those below it, which the kernel lets go of a moment after their last process."""
    deadline = time.monotonic() + 10
    while top.exists() and time.monotonic() < deadline:
        for folder, *_ in os.walk(top, topdown=False):
            with contextlib.suppress(OSError):
                os.rmdir(folder)
        time.sleep(0.05)


class ConsoleLine:
    """
    A terminal that is the machine's console. The one who sits at it is the other end of `peer`;
    what comes while nobody does is lost. getty and login hang it up before each login, after which
    the kernel answers EIO until they have opened it again.
    """

    def __init__(self):
        self.master, slave = pty.openpty()
        self.name = os.ttyname(slave)
        os.close(slave)
        self.person = None
        for pump in (self.show, self.type):
            threading.Thread(target=pump, daemon=True).start()

    def show(self):
        while True:
            try:
                data = os.read(self.master, 4096)
            except OSError:
                time.sleep(0.01)
                continue
            with contextlib.suppress(OSError, AttributeError):
                self.person.sendall(data)

    def type(self):
        while True:
            person = self.person
            try:
                data = person.recv(4096) if person else b""
            except OSError:
                data = b""
            if data:
                os.write(self.master, data)
            else:
                time.sleep(0.01)

    def peer(self):
        ours, theirs = socket.socketpair()
        self.person = ours
        return theirs


class Nested(Lab):
    """
    It has namespaces and a cgroup of its own, of the name of its folder, but no kernel: limits of
    memory, processor, processes and disk rates, audit and AppArmor are for tests/vm.
    """

    LIMITS = 'tmp = "64M" sessions = 20'
    CONSOLE = "/dev/console"

    def __init__(self, debian, directory):
        super().__init__(debian, directory, port=22)
        for old in cgroup_root().glob("carrel-systemd.*"):  # of runs that were killed
            if not pathlib.Path("/proc", old.suffix[1:]).exists():
                remove_cgroups(old)
        self.cgroup = cgroup_root() / self.directory.name
        self.console_line = ConsoleLine()
        self.said = self.directory / "boot.log"
        self.process = None

    def switch_on(self):
        self.cgroup.mkdir(exist_ok=True)
        root = self.directory / "root"
        root.mkdir(exist_ok=True)
        # Should this process be killed, the kernel kills unshare, and with it all that is inside.
        enter = f'echo $$ >"{self.cgroup}/cgroup.procs" && exec "$@"'
        with open(self.said, "wb") as log:
            self.process = subprocess.Popen(
                ["setpriv", "--pdeathsig", "KILL", "sh", "-c", enter, "sh",
                 "unshare", "--mount", "--propagation", "private", "--pid", "--fork",
                 "--kill-child", "--uts", "--ipc", "--cgroup",
                 HERE / "boot", self.root_disk, root, self.console_line.name],
                stdin=subprocess.DEVNULL, stdout=log, stderr=log)

    def runs(self):
        return self.process is not None and self.process.poll() is None

    def last_words(self):
        return self.said.read_text(errors="replace").splitlines()[-10:]

    def went_off(self, patience):
        try:
            self.process.wait(patience)
        except subprocess.TimeoutExpired:
            return False
        remove_cgroups(self.cgroup)
        return True

    def line(self):
        return self.console_line.peer()

    def stop(self):
        """Kill its first process: when that is gone, so is all that was inside, and unshare ends."""
        while self.runs():
            subprocess.run(["pkill", "-KILL", "--parent", str(self.process.pid)], check=False)
            self.went_off(0.2)
        self.forget_masters()
        remove_cgroups(self.cgroup)
