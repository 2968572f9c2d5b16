"""A named image for the cases that need one: some programs of this machine and their libraries."""

import os
import pathlib
import re
import shutil

import scene

NAME = "bench"
PROGRAMS = ("sh", "true", "id")


def libraries(program):
    return re.findall(r"(/\S+) \(0x", scene.run("ldd", program))


def tree(programs=PROGRAMS):
    """A new root file system with these, on a merged /usr."""
    root = pathlib.Path(os.environ["PRIVATE_HOST"]) / "bench-image"
    shutil.rmtree(root, ignore_errors=True)
    for name in ("etc", "usr/bin", "usr/lib", "usr/lib64", "usr/sbin", "tmp", "proc", "dev"):
        (root / name).mkdir(parents=True, exist_ok=True)
    for name in ("bin", "lib", "lib64", "sbin"):
        (root / name).symlink_to(f"usr/{name}")
    for name in ("passwd", "group", "nsswitch.conf"):
        shutil.copy(f"/etc/{name}", root / "etc")
    for program in programs:
        source = os.path.realpath(shutil.which(program))
        for file in (source, *libraries(source)):
            (root / file[1:]).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(os.path.realpath(file), root / file[1:])
        if not (root / "usr/bin" / program).exists():
            (root / "usr/bin" / program).symlink_to(source)
    return root


def build(root):
    scene.run("carrel", "image", "build", NAME, "--from", root)
