"""One point: a login in which something fails there, and what must hold after it."""

import contextlib
import hashlib
import os
import pathlib
import platform
import stat
import struct
import subprocess
import time

import library
from machine import RUN, STATE
from suite import expect

HERE = pathlib.Path(__file__).resolve().parent
STEP = int(os.environ.get("FAULT_STEP", "97"))
# Whatever the step: calls after which something may be missing that is still there, or be gone.
# Numbers of renameat2 and faccessat2 (asm/unistd.h).
ALWAYS = {"x86_64": (316, 439), "aarch64": (276, 439)}.get(platform.machine(), ())
USER = "bob"
TREASURE = "kept since the first login"
# Longer than any wait of Carrel's own on this way in (a lost PID 1 is waited for 30 s).
PATIENCE = 50
# What a login may keep for the next, and forgets when in doubt; policies older than two seconds.
KEPT = ("policies", "cgroup-mounts")
SETTLED = 2.5
BOUND = 10
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
    def planned(self, *words, after=""):
        self.log.unlink(missing_ok=True)
        self.plan.write_text(" ".join(str(word) for word in [*words, self.log, after]) + "\n")
        try:
            yield
        finally:
            self.plan.unlink(missing_ok=True)

    @contextlib.contextmanager
    def preloading(self, deed, number, target=None):
        """A request for memory fails, or a call of the library's by `target` (the program itself)."""
        if deed == "allocation":
            with self.planned("preload", number, compiled(self.m, "allocation", *SHARED), after="-"):
                yield
            return
        self.functions = library.failing(target or self.real)
        path = self.m.directory / f"stubs-{self.program.name}"
        path.mkdir(exist_ok=True)
        library.write_stubs(path / "stubs.inc", self.functions)
        built = compiled(self.m, "library", *SHARED, f"-I{path}", name=f"library-{self.program.name}")
        with self.planned("preload", number, built, after=target.name if target else "program"):
            self.log.write_bytes(bytes(16))
            yield

    def library_told(self):
        """How many calls there were, and the name of the one that failed, if any."""
        calls, failed = struct.unpack("<2q", self.log.read_bytes()[:16])
        return calls, list(self.functions)[failed - 1] if failed else None

    def hit(self, deed):
        """What the point was, when it was reached."""
        if not self.log.exists():
            return ""
        if deed == "library":
            return self.library_told()[1] or ""
        word, _, what = self.log.read_text().partition(" ")
        return what.strip() if word == "hit" else ""


SHARED = ("-shared", "-fPIC")


def compiled(m, source, *options, name=None):
    path = m.directory / (name or source)
    if not path.exists():
        subprocess.run(["gcc", "-std=gnu17", "-D_GNU_SOURCE", "-O1", *options, "-o", path,
                        HERE / f"{source}.c"], check=True)
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


def walk(place, *without):
    """Every path below, but for folders of these names and what is in them."""
    for folder, folders, files in os.walk(place):
        folders[:] = [name for name in folders if name not in without]
        yield from (os.path.join(folder, name) for name in folders + files)


def tree(place, *without):
    return sorted(os.path.relpath(path, place) for path in walk(place, *without))


def cgroups(m):
    found = []
    for root in (pathlib.Path("/sys/fs/cgroup"), *pathlib.Path("/sys/fs/cgroup").iterdir()):
        found += [str(path) for path in (root / m.cgroup).rglob("*") if path.is_dir()]
    return sorted(found)


def locks():
    """On files of Carrel's; kept by a process or by a loop device."""
    held = []
    for word in pathlib.Path("/proc/locks").read_text().split():
        if word.count(":") == 2:  # hexadecimal numbers of the device, and the inode
            major, minor, inode = word.split(":")
            held.append((os.makedev(int(major, 16), int(minor, 16)), int(inode)))
    ours = {}
    for path in (*walk(RUN), *walk(STATE, "layer", "host", "images")) if held else ():
        with contextlib.suppress(FileNotFoundError):
            status = os.stat(path)
            ours[status.st_dev, status.st_ino] = path
    return sorted(ours[file] for file in held if file in ours)


def contents():
    """What users keep: each file's place, owner, mode, and what is in it."""
    found = []
    for home in STATE.glob("containers/*/layer/home"):
        for path in home.rglob("*"):
            status = path.lstat()
            found.append(f"{path.relative_to(STATE)} {status.st_mode:o} {status.st_uid} " +
                         (hashlib.sha256(path.read_bytes()).hexdigest()[:16]
                          if stat.S_ISREG(status.st_mode) else ""))
    return sorted(found)


def temporary(m):
    return sorted(path for place in ("/tmp", "/var/tmp", "/dev/shm", "/var/lock")
                  for path in walk(place, m.directory.name) if os.path.isfile(path))


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
        "run-time files": [name for name in tree(RUN) if name not in KEPT],
        # The files of base/holds.h stay with what they are of; a lock that stays is seen below.
        "stored files": [name for name in tree(STATE, "layer", "host", "rootfs") if "/hold-" not in name],
        "stored data": contents(),
        "locks": locks(),
        "temporary files": temporary(m),
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


def forget_kept():
    """So that each login makes the same calls: it reads anew, and keeps."""
    for name in KEPT:
        (RUN / name).unlink(missing_ok=True)


def waiting_in_queue():
    return [path for path in RUN.glob("queue/*") if path.name != "lock"]


def settle(m, before):
    """The last processes of a container that was ended take a moment to go."""
    deadline = time.monotonic() + 10
    while True:
        left = differences(before, world(m))
        if not left or time.monotonic() > deadline:
            return left
        time.sleep(0.02)


def stop(container):
    """Nothing runs any more."""
    done = run("carrel", "stop", container)
    expect(done.returncode == 0 or "not running" in done.stderr or "no container" in done.stderr,
           f"carrel stop: {done.stderr}")


# ---- one after the other -------------------------------------------------------------------

class Sweep:
    """
    Points of one way in. `prepare` brings about what the login is to find, `attempt` is the login in
    which something fails, and `end` leaves things as they were before.
    """

    def __init__(self, m, place, container, prepare=lambda: None, attempt=None, end=stop):
        self.m, self.place, self.container = m, place, container
        self.prepare, self.end = prepare, end
        self.attempt = attempt or (lambda: Login(container))
        self.troubles, self.tried, self.reached = [], 0, 0

    def counted(self, deed, *words):
        """A login in which nothing fails, for the log to tell what could."""
        self.prepare()
        forget_kept()
        with self.planned(deed, *words):
            login = self.attempt()
        expect(login.is_inside, f"the login that is counted: {login.out!r} {login.err!r}")
        self.end(self.container)

    def calls(self):
        """The system calls of each process on this way, in order: {process: [numbers]}."""
        self.cycle()  # what a first time makes is there from now on
        before = world(self.m)
        self.counted("count")
        left = settle(self.m, before)
        expect(not left, f"without any fault: {'; '.join(left)}")
        calls = {}
        for line in self.place.log.read_text().splitlines():
            process, call = line.split()
            calls.setdefault(int(process), []).append(int(call))
        return calls

    def may_be_cut(self, deed, process):
        """May this end the login without a word? With its PID 1, or with the login service."""
        return process > 0 or (deed == "kill" and self.place.real.is_symlink())

    def cycle(self):
        self.prepare()
        login = self.attempt()
        expect(login.is_inside, f"a login without any fault: {login.out!r} {login.err!r}")
        self.end(self.container)

    def run(self, deeds=("fail", "kill"), choose=lambda process, calls: range(len(calls))):
        """Every STEP-th of the chosen points and those of ALWAYS, each with every deed."""
        points = [(process, number, calls[number]) for process, calls in sorted(self.calls().items())
                  for number in choose(process, calls)]
        before = world(self.m)
        for at, (process, number, call) in enumerate(points):
            if at % STEP and call not in ALWAYS:
                continue
            for deed in deeds:
                self.point(before, deed, process, number)
        self.tell(len(points) * len(deeds))

    def run_allocations(self):
        """Each request for memory fails."""
        self.cycle()
        self.counted("allocation", -1)
        word, count = self.place.log.read_text().split()
        expect(word == "count", f"the log begins with {word}")
        self.run_numbers("allocation", int(count))

    def run_library(self, caller=None):
        """Each call of a library's function by the program, or by the library `caller`, fails."""
        self.caller = caller
        self.cycle()
        self.counted("library", -1)
        self.run_numbers("library", self.place.library_told()[0])

    def run_numbers(self, deed, count):
        before = world(self.m)
        for number in range(0, count, STEP):
            self.point(before, deed, 0, number)
        self.tell(count)

    def tell(self, points):
        print(f"      {self.tried} of {points} points tried, {self.reached} reached, "
              f"{self.tried - len(self.troubles)} survived", flush=True)
        expect(self.reached > self.tried // 2, "most points were not reached")
        expect(not self.troubles, f"{len(self.troubles)} points: " + "; ".join(self.troubles[:8]))

    def planned(self, deed, *numbers):
        if deed == "library":
            return self.place.preloading(deed, numbers[-1], self.caller)
        if deed == "allocation":
            return self.place.preloading(deed, numbers[-1])
        return self.place.planned(deed, *numbers)

    def point(self, before, deed, process, number):
        self.tried += 1
        try:
            self.prepare()
            forget_kept()
            with self.planned(deed, process, number):
                login = self.attempt()
            self.reached += bool(self.place.hit(deed))
            login.judge(may_be_cut=self.may_be_cut(deed, process))
            # A call that fails tells at once; only a PID 1 that is lost is waited for.
            expect(process > 0 or deed == "kill" or login.seconds < BOUND,
                   f"the login took {login.seconds:.1f} s")
            self.log_in_again()
            if waiting_in_queue():  # of a helper that was killed: the next start takes it away
                self.log_in_again()
            left = settle(self.m, before)
            expect(not left, "; ".join(left))
        except AssertionError as trouble:
            self.troubles.append(f"{deed} process {process} call {number} "
                                 f"({self.place.hit(deed)}): {trouble}")
            print(f"      {self.troubles[-1]}", *self.m.log.lines[-4:], sep="\n        ", flush=True)
            self.recover()

    def log_in_again(self):
        again = Login(self.container)
        expect(again.is_inside, f"the next login (status {again.status}) says {again.err!r} "
                                f"{again.out!r}")
        self.end(self.container)

    def recover(self):
        """So that one trouble is told once."""
        run("carrel", "stop", self.container)
        run("carrel", "gc")
        with contextlib.suppress(AssertionError):
            self.end(self.container)
