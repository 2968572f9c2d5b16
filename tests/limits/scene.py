"""One way in which cgroups are mounted, and what a test can do there."""

import os
import pathlib
import signal
import subprocess
import time

MIB = 1 << 20
PATIENCE = 60  # seconds for anything that should happen soon, on a slow and busy machine


class Skip(Exception):
    """Raised by a test that cannot run here; the text says why."""


def expect(condition, what):
    if not condition:
        raise AssertionError(what)


def equal(actual, expected, what="it"):
    expect(actual == expected, f"{what} is {actual!r}, expected {expected!r}")


def between(actual, low, high, what):
    expect(low <= actual <= high, f"{what} is {actual:.3f}, expected {low:.3f} to {high:.3f}")


def eventually(probe, what, patience=PATIENCE):
    """Call `probe` until it returns something true, and return that."""
    deadline = time.monotonic() + patience
    while True:
        value = probe()
        if value:
            return value
        expect(time.monotonic() < deadline, f"{what}: not within {patience} s")
        time.sleep(0.01)


class Mount:
    """A mounted cgroup hierarchy."""

    def __init__(self, point, v2, options):
        self.point, self.v2, self.options = pathlib.Path(point), v2, set(options.split(","))


def read_mounts():
    mounts = []
    for line in pathlib.Path("/proc/self/mounts").read_text().splitlines():
        _, point, kind, options = line.split()[:4]
        if kind in ("cgroup", "cgroup2"):
            mounts.append(Mount(point, kind == "cgroup2", options))
    return mounts


class Scene:
    """
    `prefix` is the command under which the driver sees the cgroups as this scene has them. Files
    are read directly, not through the library: what the kernel says counts.
    """

    def __init__(self, name, driver, parent, scratch, mounts, prefix):
        self.name, self.parent, self.scratch = name, parent, pathlib.Path(scratch)
        self.mounts, self.command = mounts, prefix + [driver, parent]
        self.v2_only = all(mount.v2 for mount in mounts)
        self.children = []

    # ---- the library ----------------------------------------------------------------------

    def driver(self, *arguments, fails=None):
        """Returns what it prints; with `fails` a kind of failure is expected: its text."""
        done = subprocess.run(self.command + [str(a) for a in arguments], text=True,
                              capture_output=True, timeout=PATIENCE)
        if fails:
            expect(done.returncode == 3 and done.stderr.startswith(fails + ": "),
                   f"{arguments}: expected to fail as '{fails}', got {done.returncode} "
                   f"{done.stderr.strip()!r}")
            return done.stderr
        expect(done.returncode == 0, f"{arguments}: {done.returncode} {done.stderr.strip()}")
        return done.stdout

    def start(self, *arguments, **options):
        """The driver without waiting for it: a process that stays inside a cgroup."""
        child = subprocess.Popen(self.command + [str(a) for a in arguments], text=True,
                                 stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                 stderr=subprocess.PIPE, **options)
        self.children.append(child)
        return child

    def run(self, name, *program, pool=None):
        """Run to the end inside; returns the finished process, however it ended."""
        child = self.start("run", name, *([pool] if pool else []), "--", *program)
        child.out, child.err = child.communicate(timeout=PATIENCE)
        return child

    def sleeper(self, name, pool=None):
        """A process inside; returns when it is there."""
        child = self.start("run", name, *([pool] if pool else []), "--",
                           "sh", "-c", "echo inside; exec sleep 1000")
        equal(child.stdout.readline(), "inside\n", "what the process inside says")
        return child

    def usage(self, name, pool=None):
        lines = self.driver("usage", name, *([pool] if pool else [])).splitlines()
        pairs = (line.split() for line in lines)
        return {key: None if value == "unknown" else int(value) for key, value in pairs}

    # ---- the kernel's side -----------------------------------------------------------------

    def place(self, controller, *below):
        """The directory below Carrel's parent in the hierarchy of a v1 controller, or in v2."""
        for mount in self.mounts:
            if mount.v2 if self.v2_only else controller in mount.options:
                return mount.point.joinpath(self.parent, *below)
        raise Skip(f"there is no controller {controller}")

    def read(self, controller, v1_file, v2_file, *below):
        """A control file's text in this scene's version."""
        place = self.place(controller, *below)
        return (place / (v2_file if self.v2_only else v1_file)).read_text().strip()

    def directories(self, *below):
        """Where such a directory is there, over all hierarchies of this scene."""
        places = [mount.point.joinpath(self.parent, *below) for mount in self.mounts]
        return [place for place in places if place.is_dir()]

    def processes(self, *below):
        """Those in the cgroup, over all hierarchies of this scene, without the dead."""
        pids = set()
        for place in self.directories(*below):
            pids |= set((place / "cgroup.procs").read_text().split())
        return sorted(pids)

    def disk(self):
        """An argument that names the disk, and the disk's number."""
        found = subprocess.run(self.command + ["disk", str(self.scratch)], text=True,
                               capture_output=True)
        if found.returncode != 0:
            raise Skip(f"no disk below {self.scratch}: {found.stderr.strip()}")
        return f"disk={self.scratch}", found.stdout.strip()

    def file_on_disk(self, megabytes):
        path = self.scratch / f"{megabytes}.data"
        if not path.exists():
            block = os.urandom(MIB)
            with open(path, "wb") as out:
                for _ in range(megabytes):
                    out.write(block)
                os.fsync(out.fileno())
        return path

    # ---- and away with it ------------------------------------------------------------------

    def clear(self):
        """End what a test left running, and remove what it made."""
        kill_below(self.mounts, self.parent)
        for child in self.children:
            child.kill()
            child.wait()
            child.stdout.close()
            child.stderr.close()
        self.children.clear()
        detach_images(self.scratch)
        remove_below(self.mounts, self.parent, keep_parent=True)

    def remove_parent(self):
        self.clear()
        remove_below(self.mounts, self.parent, keep_parent=False)


def detach_images(scratch):
    """Loop devices of our image files, with the partitions that were made known on them."""
    for image in scratch.glob("*.image"):
        loops = subprocess.run(["losetup", "-nO", "NAME", "-j", str(image)], text=True,
                               capture_output=True).stdout.split()
        for loop in loops:
            subprocess.run(["delpart", loop, "1"], capture_output=True)
            subprocess.run(["losetup", "-d", loop], capture_output=True)
        image.unlink(missing_ok=True)


def directories_below(mounts, parent):
    """Deepest first, the parent itself last."""
    for mount in mounts:
        for path, _, _ in os.walk(mount.point / parent, topdown=False):
            yield pathlib.Path(path)


def kill_below(mounts, parent):
    """Nobody may fork any more, then all are killed. Only what is in our own cgroups."""
    deadline = time.monotonic() + 10
    left = True
    for path in directories_below(mounts, parent):
        if (path / "pids.max").exists() and path.name != parent:
            (path / "pids.max").write_text("0")
    while left and time.monotonic() < deadline:
        left = False
        for path in directories_below(mounts, parent):
            try:
                pids = (path / "cgroup.procs").read_text().split()
            except OSError:
                continue
            for pid in pids:
                left = True
                try:
                    os.kill(int(pid), signal.SIGKILL)
                except ProcessLookupError:
                    pass
        time.sleep(0.01 if left else 0)


def remove_below(mounts, parent, keep_parent):
    deadline = time.monotonic() + 5
    for path in list(directories_below(mounts, parent)):
        while not (keep_parent and path.name == parent):
            try:
                path.rmdir()
                break
            except FileNotFoundError:
                break
            except OSError:
                if time.monotonic() > deadline:
                    print(f"cannot remove {path}", flush=True)
                    break
                time.sleep(0.01)
