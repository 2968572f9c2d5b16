"""Cost by the number of running containers: of the next login, and of looking at all.

cold, warm: pam_open_session of the newest; floor: the bare work of a cold one at that time, in turns
with it; to_first: cold and warm to those with a single container; list, metrics, quota --all, gc: whole
commands; stop: of one container.
"""

import statistics

import crowd
import floor
import scene

POINTS = (1, 10, 100, 300, 1000, 2000, 4000)
SAMPLES = 20
COMMAND_SAMPLES = 5
COMMANDS = {"list": ["list"], "metrics": ["metrics"], "quota": ["quota", "--all"], "gc": ["gc"]}


def middle(times):
    return round(statistics.median(times), 3)


def logins(user):
    """Rows of the next login, the container being stopped and started again for each sample."""
    times = {"cold": [], "floor": [], "warm": [], "stop": []}
    places = floor.cgroups()
    for _ in range(SAMPLES):
        times["stop"].append(scene.milliseconds("carrel", "stop", user))
        floor.settle()
        times["floor"].append(floor.cold(places))
        floor.settle()
        times["cold"].append(floor.stopwatch(user))
        times["warm"].append(floor.stopwatch(user))
    return {f"{name}_ms": middle(found) for name, found in times.items()}


def look(count):
    row = logins(f"c{count - 1}")
    row["to_floor"] = round(row["cold_ms"] / row["floor_ms"], 2)
    for name, command in COMMANDS.items():
        row[f"{name}_ms"] = middle(scene.milliseconds("carrel", *command)
                                   for _ in range(COMMAND_SAMPLES))
    return row


def measure(options):
    total = options.containers
    crowd.add_users(total)
    scene.policy("growth", ["crowd"], kind="groups")
    rows, points = {}, {*(point for point in POINTS if point < total), total}
    for count in range(1, total + 1):
        floor.stopwatch(f"c{count - 1}")
        if count in points:
            rows[str(count)] = look(count)
    for row in rows.values():
        for kind in ("cold", "warm"):
            row[f"{kind}_to_first"] = round(row[f"{kind}_ms"] / rows["1"][f"{kind}_ms"], 2)
    scene.run("carrel", "stop", "--all", "--timeout", "0")
    (scene.POLICIES / "growth.conf").unlink()
    return rows
