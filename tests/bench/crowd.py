"""A class that logs in at once: many users, each of whom runs one command through real PAM."""

import os
import pathlib
import signal
import subprocess
import threading
import time

GROUP = 60000
FIRST_UID = 70000


def add_users(count, group="crowd"):
    """Users c0, c1... in a group of their own; those that are there already stay."""
    known = open("/etc/passwd").read()
    missing = [i for i in range(count) if f"\nc{i}:" not in known]
    if f"\n{group}:" not in open("/etc/group").read():
        with open("/etc/group", "a") as file:
            file.write(f"{group}:x:{GROUP}:\n")
    with open("/etc/passwd", "a") as file:
        for i in missing:
            file.write(f"c{i}:x:{FIRST_UID + i}:{GROUP}::/home/c{i}:/bin/sh\n")
    with open("/etc/shadow", "a") as file:
        for i in missing:
            file.write(f"c{i}:*:19000:0:99999:7:::\n")


class Storm:
    """All begin within the time that it takes to start so many processes."""

    def __init__(self, count, program="su", command="id -un; readlink /proc/self/ns/pid; ls -A ~",
                 words=None):
        """`words` gives the whole command line for a user, in place of `PROGRAM USER -c COMMAND`."""
        words = words or (lambda user: [program, user, "-c", command])
        self.begun, self.ended, self.outputs, self.statuses = {}, {}, {}, {}
        self.start = time.monotonic()
        processes = {}
        for i in range(count):
            self.begun[i] = time.monotonic() - self.start
            processes[i] = subprocess.Popen(
                words(f"c{i}"), stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        waiters = [threading.Thread(target=self.wait_for, args=item) for item in processes.items()]
        for waiter in waiters:
            waiter.start()
        for waiter in waiters:
            waiter.join()
        self.seconds = time.monotonic() - self.start

    def wait_for(self, number, process):
        try:
            self.outputs[number] = process.communicate(timeout=300)[0]
        except subprocess.TimeoutExpired:
            process.kill()
            self.outputs[number] = "timed out"
        self.statuses[number] = process.wait()
        self.ended[number] = time.monotonic() - self.start

    def got_in(self):
        return [number for number, output in self.outputs.items()
                if self.statuses[number] == 0 and f"c{number}" in output.splitlines()]


class Probe:
    """Somebody else on the machine: how late do they wake who asked to sleep for 10 ms?"""

    def __init__(self):
        self.latest = 0.0
        self.done = threading.Event()
        self.pid = os.fork()
        if self.pid == 0:
            latest, begun = 0.0, time.monotonic()
            stop = []
            signal.signal(signal.SIGTERM, lambda *_: stop.append(True))
            while not stop and time.monotonic() - begun < 300:
                before = time.monotonic()
                time.sleep(0.01)
                latest = max(latest, time.monotonic() - before - 0.01)
            pathlib.Path("/run/crowd-probe").write_text(str(latest))
            os._exit(0)

    def end(self):
        os.kill(self.pid, signal.SIGTERM)
        os.waitpid(self.pid, 0)
        return float(pathlib.Path("/run/crowd-probe").read_text())


def to_bare(rows):
    """Throughput as a part of that without Carrel, of which there are several rows, in each."""
    bare = [row["seconds"] for name, row in rows.items() if "bare" in name]
    mean = sum(bare) / len(bare)
    return {name: {**row, "throughput_to_bare": round(mean / row["seconds"], 2)}
            for name, row in rows.items()}
