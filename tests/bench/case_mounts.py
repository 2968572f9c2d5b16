"""Logins while the host has 2,000 mounts more, which a new mount namespace is a copy of.

In turns, some rounds without them and some with: cold, warm: pam_open_session; floor: the bare work,
which does copy them.
"""

import ctypes
import os
import pathlib

import figures
import floor
import scene

MOUNTS = 2000
BLOCKS = 4
MS_BIND = 0x1000
MNT_DETACH = 2


def libc(call, *arguments):
    if getattr(ctypes.CDLL(None, use_errno=True), call)(*arguments):
        raise SystemExit(f"bench: {call}: {os.strerror(ctypes.get_errno())}")


def mount_many():
    place = pathlib.Path("/srv/mounts")
    place.mkdir(exist_ok=True)
    scene.run("mount", "-t", "tmpfs", "tmpfs", place)
    for number in range(MOUNTS - 1):
        folder = str(place / str(number)).encode()
        os.mkdir(folder)
        libc("mount", folder, folder, None, MS_BIND, None)
    return place


def measure(options):
    scene.add_user("mounts-user")
    scene.policy("mounts", ["mounts-user"])
    floor.stopwatch("mounts-user")
    places = floor.cgroups()
    times = {f"{name}{kind}": [] for name in ("floor", "cold", "warm")
             for kind in ("", f" {MOUNTS} mounts")}
    for _ in range(BLOCKS):
        for kind in ("", f" {MOUNTS} mounts"):
            place = mount_many() if kind else None
            for _ in range(max(1, options.rounds // BLOCKS)):
                scene.stop("mounts-user")
                floor.settle()
                times[f"floor{kind}"].append(floor.cold(places))
                floor.settle()
                times[f"cold{kind}"].append(floor.stopwatch("mounts-user"))
                times[f"warm{kind}"].append(floor.stopwatch("mounts-user"))
            if place:
                libc("umount2", str(place).encode(), MNT_DETACH)
    scene.run("carrel", "stop", "--all")
    (scene.POLICIES / "mounts.conf").unlink()
    rows = figures.table(times, [])
    return {name: figures.against(row, rows[name.split()[0]]) for name, row in rows.items()}
