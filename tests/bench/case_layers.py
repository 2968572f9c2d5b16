"""Reading and stat of many files below what is around programs in a container, one layer at a time.

limited: cgroups with limits; user: a user namespace; seccomp: the filter; root: a tmpfs as root with /usr
bound in it, then of that mount what a container's has. groups: who is in four groups more, for whom the
kernel searches maps of eleven parts. Ratios are to none of it; the last rows are all that a container has.
"""

import os
import pathlib
import pwd

import case_inside
import figures
import floor
import scene

LAYERS = ("none", "limited", "user", "user,groups", "seccomp", "root", "root,readonly", "root,readonly,noatime",
          "root,readonly,idmap", "root,readonly,noatime,idmap", "root,readonly,noatime,idmap,groups",
          "limited,user,seccomp,root,readonly,idmap", "limited,user,seccomp,root,readonly,noatime,idmap",
          "limited,user,seccomp,root,readonly,noatime,idmap,groups")
HEADER_BYTES = 32  # helper/seccomp/cache.c
USER = "layers"


def filter_file():
    """The program that a container of this user has, without its header and key."""
    kept = next(pathlib.Path("/run/carrel/seccomp").iterdir()).read_bytes()
    key, code = (int.from_bytes(kept[at:at + 8], "little") for at in (8, 16))
    file = pathlib.Path(os.environ["PRIVATE_HOST"]) / "bench-filter"
    file.write_bytes(kept[HEADER_BYTES + key:][:code])
    return file


def measure(options):
    scene.add_user(USER)
    scene.policy("layers", [USER], base=case_inside.LIMITS)
    scene.login(USER)
    root = pathlib.Path(os.environ["PRIVATE_HOST"]) / "bench-layers"
    root.mkdir()
    limits = case_inside.limited()
    fixed = [str(pwd.getpwnam(USER).pw_uid), filter_file(), root, floor.program("inside")]
    times = {what: {layers: [] for layers in LAYERS} for what in ("read", "stat")}
    for number in range(options.rounds):
        for what, of_layers in times.items():
            for layers in LAYERS[::-1 if number % 2 else 1]:
                before = limits if "limited" in layers else []
                of_layers[layers].append(floor.printed(*before, floor.program("layers"), layers, *fixed, what,
                                                       case_inside.TREE))
    scene.run("carrel", "stop", "--all")
    (scene.POLICIES / "layers.conf").unlink()
    tables = {what: figures.table(of_layers, ("none",)) for what, of_layers in times.items()}
    return {layers: {f"{what}_{name}": value for what, rows in tables.items() for name, value in
                     (("p10_ms", rows[layers]["p10_ms"]), ("p10", round(rows[layers]["p10_ms"] / rows["none"]["p10_ms"], 3)),
                      ("median", rows[layers]["to_none"]))}
            for layers in LAYERS}
