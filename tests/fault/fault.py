"""One point: a login in which something fails there, and what must hold after it."""

import contextlib
import os
import pathlib
import subprocess
import time

from machine import RUN, STATE
from suite import equal, expect

HERE = pathlib.Path(__file__).resolve().parent
STEP = int(os.environ.get("FAULT_STEP", "61"))
USER = "bob"
TREASURE = "kept since the first login"
# Longer than any wait of Carrel's own on this way in (a lost PID 1 is waited for 30 s).
PATIENCE = 50
ASK = f"readlink /proc/self/ns/pid && cat treasure && echo {'-'.join(['well', 'done'])}"


class Login:
    """What somebody who logged in with su saw."""

    def __init__(self, container, program="su"):
        began = time.monotonic()
        try:
            done = subprocess.run([program, "-", USER, "-c", ASK], stdin=subprocess.DEVNULL,
                                  capture_output=True, text=True, timeout=PATIENCE)
        except subprocess.TimeoutExpired:
            self.status, self.out, self.err = None, "", ""
        else:
            self.status, self.out, self.err = done.returncode, done.stdout, done.stderr
        self.seconds = time.monotonic() - began

    @property
    def is_inside(self):
        lines = self.out.split("\n")
        return (self.status == 0 and lines[0] != os.readlink("/proc/self/ns/pid") and
                TREASURE in self.out and "well-done" in self.out)

    def judge(self, may_be_cut):
        """A working container, or a refusal that says something; never a login without walls."""
        expect(self.status is not None, f"the login hangs for {PATIENCE} s")
        expect(os.readlink("/proc/self/ns/pid") not in self.out, "the login is ON THE HOST")
        if self.is_inside:
            return
        if may_be_cut and self.status not in (0, None):
            return
        expect(self.status != 0, f"success without having been inside: {self.out!r} {self.err!r}")
        expect(self.err.strip(), f"a refusal (status {self.status}) without a word")
        expect("well-done" not in self.out, "refused and yet let in")


class Place:
    """One of Carrel's programs, with the injector in its place."""

    def __init__(self, m, path, real=None):
        self.m, self.program = m, pathlib.Path(path)
        self.plan = self.program.with_name(self.program.name + ".plan")
        self.log = m.directory / f"{self.program.name}.log"
        self.real = self.program.with_name(self.program.name + ".real")
        if real:
            self.real.symlink_to(real)
        else:
            self.program.rename(self.real)
        subprocess.run(["cp", compiled(m, "injector", "-static"), self.program], check=True)

    def put_back(self):
        self.plan.unlink(missing_ok=True)
        self.program.unlink()
        if not self.real.is_symlink():
            self.real.rename(self.program)
        else:
            self.real.unlink()

    @contextlib.contextmanager
    def planned(self, *words):
        self.log.unlink(missing_ok=True)
        self.plan.write_text(" ".join(str(word) for word in [*words, self.log]) + "\n")
        try:
            yield
        finally:
            self.plan.unlink()

    def allocating(self, number):
        library = compiled(self.m, "allocation", "-shared", "-fPIC")
        return self.planned("allocation", number, library)

    def was_hit(self):
        return self.log.exists() and self.log.read_text().startswith("hit")


def compiled(m, name, *options):
    path = m.directory / name
    if not path.exists():
        subprocess.run(["gcc", "-std=gnu17", "-D_GNU_SOURCE", "-O1", *options, "-o", path,
                        HERE / f"{name}.c"], check=True)
    return path


# ---- what must be the same again -----------------------------------------------------------

def run(*command):
    return subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True,
                          timeout=PATIENCE)


def processes():
    """All on the private machine but ourselves, by name."""
    names = []
    for process in pathlib.Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            if (process / "stat").read_text().rpartition(")")[2].split()[0] != "Z":
                names.append((process / "comm").read_text().strip())
    return sorted(names)


def tree(place, *without):
    return sorted(f"{path.relative_to(place)}" for path in place.rglob("*")
                  if not any(part in without for part in path.relative_to(place).parts))


def cgroups(m):
    found = []
    for root in (pathlib.Path("/sys/fs/cgroup"), *pathlib.Path("/sys/fs/cgroup").iterdir()):
        found += [str(path) for path in (root / m.cgroup).rglob("*") if path.is_dir()]
    return sorted(found)


def loops():
    """Files of ours that are on a loop device; other devices of the machine come and go."""
    attached = run("losetup", "--list", "--noheadings", "--output", "BACK-INO").stdout.split()
    return sorted(str(path.relative_to(STATE)) for path in STATE.glob("containers/*/*.ext4")
                  if str(path.stat().st_ino) in attached)


def world(m):
    """Everything that a login could leave behind."""
    return {
        "processes": processes(),
        "mounts": sorted(line.split(" ", 4)[4] for line in
                         pathlib.Path("/proc/self/mountinfo").read_text().splitlines()),
        "cgroups": cgroups(m),
        "loop devices": loops(),
        "run-time files": tree(RUN),
        "stored files": tree(STATE, "layer", "host"),
    }


def differences(before, after):
    found = []
    for what, old in before.items():
        new = list(after[what])
        for item in old:
            if item in new:
                new.remove(item)
            else:
                found.append(f"{what}: {item} is gone")
        found += [f"{what}: {item} is left" for item in new]
    return found


def settle(m, before):
    """The last processes of a container that was ended take a moment to go."""
    deadline = time.monotonic() + 10
    while True:
        left = differences(before, world(m))
        if not left or time.monotonic() > deadline:
            return left
        time.sleep(0.02)


def stop(container):
    done = run("carrel", "stop", container)
    expect(done.returncode == 0 or "not running" in done.stderr or "no container" in done.stderr,
           f"carrel stop: {done.stderr}")


# ---- one after the other -------------------------------------------------------------------

class Sweep:
    """Points of one way in. `prepare` brings about what the login is to find."""

    def __init__(self, m, place, container, prepare=lambda: None, program="su"):
        self.m, self.place, self.container = m, place, container
        self.prepare, self.program = prepare, program
        self.troubles, self.tried, self.reached = [], 0, 0

    def calls(self):
        """The system calls of each process on this way, in order: {process: [numbers]}."""
        self.cycle()  # what a first time makes is there from now on
        before = world(self.m)
        self.prepare()
        with self.place.planned("count"):
            login = Login(self.container, self.program)
        expect(login.is_inside, f"the login that is counted: {login.out!r} {login.err!r}")
        stop(self.container)
        left = settle(self.m, before)
        expect(not left, f"without any fault: {'; '.join(left)}")
        calls = {}
        for line in self.place.log.read_text().splitlines():
            process, call = line.split()
            calls.setdefault(int(process), []).append(int(call))
        return calls

    def may_be_cut(self, deed, process):
        """May this end the login without a word? With its PID 1, or with the login service."""
        return process > 0 or (deed == "kill" and self.program != "su")

    def cycle(self):
        self.prepare()
        login = Login(self.container, self.program)
        expect(login.is_inside, f"a login without any fault: {login.out!r} {login.err!r}")
        stop(self.container)

    def run(self, deeds=("fail", "kill"), choose=lambda process, calls: range(len(calls))):
        """Every STEP-th of the chosen points, each with every deed."""
        points = [(process, number) for process, calls in sorted(self.calls().items())
                  for number in choose(process, calls)]
        before = world(self.m)
        for process, number in points[::STEP]:
            for deed in deeds:
                self.point(before, deed, process, number)
        self.tell(len(points) * len(deeds))

    def run_allocations(self):
        """Each request for memory fails."""
        self.cycle()
        before = world(self.m)
        self.prepare()
        with self.place.allocating(-1):
            expect(Login(self.container).is_inside, "the login that is counted")
        word, count = self.place.log.read_text().split()
        equal(word, "count", "the log")
        stop(self.container)
        for number in range(0, int(count), STEP):
            self.point(before, "allocation", 0, number)
        self.tell(int(count))

    def tell(self, points):
        print(f"      {self.tried} of {points} points tried, {self.reached} reached, "
              f"{self.tried - len(self.troubles)} survived", flush=True)
        expect(self.reached > self.tried // 2, "most points were not reached")
        expect(not self.troubles, f"{len(self.troubles)} points: " + "; ".join(self.troubles[:8]))

    def planned(self, deed, process, number):
        if deed == "allocation":
            return self.place.allocating(number)
        return self.place.planned(deed, process, number)

    def point(self, before, deed, process, number):
        self.tried += 1
        try:
            self.prepare()
            with self.planned(deed, process, number):
                login = Login(self.container, self.program)
            self.reached += self.place.was_hit()
            login.judge(may_be_cut=self.may_be_cut(deed, process))
            again = Login(self.container)
            expect(again.is_inside, f"the next login (status {again.status}) says {again.err!r} "
                                    f"{again.out!r}")
            stop(self.container)
            left = settle(self.m, before)
            expect(not left, "; ".join(left))
        except AssertionError as trouble:
            hit = self.place.log.read_text().split() if self.place.log.exists() else []
            self.troubles.append(f"{deed} process {process} call {number} ({' '.join(hit)}): "
                                 f"{trouble}")
            print(f"      {self.troubles[-1]}", *self.m.log.lines[-4:], sep="\n        ", flush=True)
            self.recover()

    def recover(self):
        """So that one trouble is told once."""
        run("carrel", "stop", self.container)
        run("carrel", "gc")
