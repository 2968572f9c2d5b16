"""The C programs beside this file: the same work of the kernel bare, and a stopwatch on the module."""

import functools
import os
import pathlib
import subprocess
import time

import scene

HERE = pathlib.Path(__file__).resolve().parent
FIRST_ID = 1000000
SETTLE_SECONDS = 0.03
FLAGS = {"floor": [], "inside": ["-static"], "layers": [], "stopwatch": ["-lpam"],
         "tiny_init": ["-nostdlib", "-static", "-fno-stack-protector", "-fno-builtin"]}


def program(name):
    """Compiled when first asked for, into the private machine."""
    made = pathlib.Path(os.environ["PRIVATE_HOST"]) / f"bench-{name}.program"
    if not made.exists():
        scene.run("cc", "-O2", "-std=gnu17", "-Wall", "-Wextra", "-D_GNU_SOURCE",
                  HERE / f"{name}.c", "-o", made, *FLAGS[name])
    return made


def printed(*command):
    """Milliseconds, of a program that prints microseconds."""
    done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True)
    if done.returncode:
        raise SystemExit(f"bench: {' '.join(map(str, command))} failed: {done.stderr}")
    return float(done.stdout) / 1000


def stopwatch(user):
    return printed(program("stopwatch"), "su", user)


def running_pid(container):
    text = pathlib.Path(f"/run/carrel/containers/{container}/running").read_text()
    return dict(line.split("=", 1) for line in text.splitlines())["pid"]


def join(container):
    return printed(program("floor"), "join", running_pid(container))


def spawn_join(container):
    return printed(program("floor"), "spawn-join", program("tiny_init"), running_pid(container))


def cgroups():
    """Those in which Carrel puts containers, which exist once it has made one."""
    name = os.environ["PRIVATE_HOST_CGROUP"]
    mounted = pathlib.Path("/sys/fs/cgroup")
    return [place for place in (mounted / name, *mounted.glob(f"*/{name}")) if place.is_dir()]


@functools.cache
def moved():
    """A process to move, and the cgroups that it is moved into."""
    places = [place / "bench-moved" for place in cgroups()]
    for place in places:
        place.mkdir(exist_ok=True)
    return subprocess.Popen(["sleep", "infinity"], stdin=subprocess.DEVNULL).pid, places


def settle():
    """Let what ended before be buried, and pay ahead for the first move between cgroups after a pause
    (case_alone measures it), which would fall on whatever comes first."""
    time.sleep(SETTLE_SECONDS)
    if not all(place.is_dir() for place in moved()[1]):
        moved.cache_clear()  # `carrel gc` clears cgroups that are no container's
    pid, places = moved()
    for place in places:
        (place / "cgroup.procs").write_text(str(pid))


@functools.cache
def folder():
    """As that of a container that was there before: what the first start makes in it stays."""
    made = pathlib.Path(os.environ["PRIVATE_HOST"]) / "bench-floor"
    lower = made / "lower"
    lower.mkdir(mode=0o711, parents=True)
    scene.run("mount", "--bind", "/usr", lower)  # without what is mounted below, as overlayfs wants it
    for name in ("root", "upper", "work"):
        (made / name).mkdir()
        os.chown(made / name, FIRST_ID, FIRST_ID)
    return made


def cold(places, root="host"):
    """Root is "host" or "overlay": what image = "host" has, or a named image."""
    return printed(program("floor"), "cold", program("tiny_init"), folder(), root, *places)


class Idle:
    """So many containers of the floor, until the end of the with-block; pid is that of the last PID 1."""

    def __init__(self, count):
        self.count = count

    def __enter__(self):
        self.process = subprocess.Popen(
            [program("floor"), "idle", str(self.count), program("tiny_init"), folder(), "host",
             *cgroups()], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        line = self.process.stdout.readline()
        if not line:
            raise SystemExit("bench: the idle containers of the floor did not start")
        self.pid = int(line)
        return self

    def __exit__(self, *_):
        self.process.communicate()
