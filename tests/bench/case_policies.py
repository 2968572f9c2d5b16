"""Logins of somebody in 500 groups, by the last of 1,000 policy files, beside one group and one file.

cold, warm: pam_open_session, in turns.
"""

import pathlib
import shutil

import figures
import floor
import scene

GROUPS = 500
FILES = 1000
FIRST_GID = 61000


def groups():
    with open("/etc/group", "a") as file:
        for number in range(GROUPS):
            file.write(f"policies-{number}:x:{FIRST_GID + number}:policies-many\n")


def folder(user, count):
    """Somewhere beside policy.d: so many files, of which the last names the user's group."""
    made = pathlib.Path(f"/etc/carrel/{user}.d")
    shutil.rmtree(scene.POLICIES, ignore_errors=True)
    for number in range(count - 1):
        scene.policy(f"p{number:04}", [f"nobody-{number}"], kind="groups")
    scene.policy("policies", [user], kind="groups")
    scene.POLICIES.rename(made)
    return made


def with_policies(made, measured, *arguments):
    made.rename(scene.POLICIES)
    result = measured(*arguments)
    scene.POLICIES.rename(made)
    return result


def measure(options):
    for user in ("policies-one", "policies-many"):
        scene.add_user(user)
    groups()
    users = {"": ("policies-one", folder("policies-one", 1)),
             f" {FILES} files, {GROUPS} groups": ("policies-many", folder("policies-many", FILES))}
    times = {f"{name}{kind}": [] for name in ("cold", "warm") for kind in users}
    for user, made in users.values():
        with_policies(made, floor.stopwatch, user)
    for _ in range(options.rounds):
        for kind, (user, made) in users.items():
            scene.stop(user)
            floor.settle()
            for name in ("cold", "warm"):
                times[f"{name}{kind}"].append(with_policies(made, floor.stopwatch, user))
    scene.run("carrel", "stop", "--all")
    for _, made in users.values():
        shutil.rmtree(made)
    rows = figures.table(times, [])
    return {name: figures.against(row, rows[name.split()[0]]) for name, row in rows.items()}
