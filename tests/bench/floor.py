"""The C programs beside this file: the same work of the kernel bare, and a stopwatch on the module."""

import os
import pathlib
import shutil
import subprocess

import scene

HERE = pathlib.Path(__file__).resolve().parent
FIRST_ID = 1000000
FLAGS = {"floor": [], "stopwatch": ["-lpam"],
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
    places = pathlib.Path("/sys/fs/cgroup").glob(f"**/{os.environ['PRIVATE_HOST_CGROUP']}")
    return [place for place in places if place.is_dir()]


def cold(places):
    """With fresh folders, which a first login has to make as well, but the floor only uses."""
    folder = pathlib.Path(os.environ["PRIVATE_HOST"]) / "bench-floor"
    lower = folder / "lower"
    if not lower.exists():  # without what is mounted below /usr, which overlayfs would refuse
        lower.mkdir(mode=0o711, parents=True)
        scene.run("mount", "--bind", "/usr", lower)
    for name in ("root", "upper", "work"):
        shutil.rmtree(folder / name, ignore_errors=True)
        (folder / name).mkdir()
        os.chown(folder / name, FIRST_ID, FIRST_ID)
    return printed(program("floor"), "cold", program("tiny_init"), folder, *places)
