"""Logins of somebody in 500 groups, by the last of 1,000 policy files, beside one group and one file.

cold, warm: pam_open_session, in turns: some rounds with the one, some with the other.
"""

import shutil

import figures
import floor
import scene

GROUPS = 500
FILES = 1000
FIRST_GID = 61000
BLOCKS = 3


def groups():
    with open("/etc/group", "a") as file:
        for number in range(GROUPS):
            file.write(f"policies-{number}:x:{FIRST_GID + number}:policies-many\n")


def write_files(user, count):
    """So many, of which the last names the user's group."""
    shutil.rmtree(scene.POLICIES, ignore_errors=True)
    for number in range(count - 1):
        scene.write_policy(f"p{number:04}", [f"nobody-{number}"], kind="groups")
    scene.policy("policies", [user], kind="groups")
    floor.stopwatch(user)


def measure(options):
    kinds = {"": ("policies-one", 1), f" {FILES} files, {GROUPS} groups": ("policies-many", FILES)}
    for user, _ in kinds.values():
        scene.add_user(user)
    groups()
    times = {f"{name}{kind}": [] for name in ("cold", "warm") for kind in kinds}
    for _ in range(BLOCKS):
        for kind, (user, files) in kinds.items():
            write_files(user, files)
            for _ in range(max(1, options.rounds // BLOCKS)):
                scene.stop(user)
                floor.settle()
                for name in ("cold", "warm"):
                    times[f"{name}{kind}"].append(floor.stopwatch(user))
    scene.run("carrel", "stop", "--all")
    shutil.rmtree(scene.POLICIES)
    rows = figures.table(times, [])
    return {name: figures.against(row, rows[name.split()[0]]) for name, row in rows.items()}
