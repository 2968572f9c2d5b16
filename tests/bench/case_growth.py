"""Cost by the number of running containers: of the next login, of looking at all, of memory.

cold, warm: pam_open_session; floor: the bare work beside it; list, metrics, quota --all, gc: whole
commands; stop: of one container. Per container, from /proc/meminfo: what MemAvailable fell by, and
how much of that is slab. Others on the machine show in these: believe the large numbers.
"""

import pathlib
import statistics

import crowd
import floor
import scene

POINTS = (1, 10, 100, 300, 1000, 2000, 4000)
SAMPLES = 10
COMMANDS = {"list": ["list"], "metrics": ["metrics"], "quota": ["quota", "--all"], "gc": ["gc"]}


def meminfo():
    rows = (line.split() for line in pathlib.Path("/proc/meminfo").read_text().splitlines())
    found = {row[0].rstrip(":"): int(row[1]) for row in rows}
    return {"available": found["MemAvailable"], "slab": found["Slab"]}


def median(measured, *arguments):
    return round(statistics.median(measured(*arguments) for _ in range(SAMPLES)), 3)


def look(count, cold, floors, before):
    now = meminfo()
    row = {"cold_ms": round(statistics.median(cold), 3), "floor_ms": round(statistics.median(floors), 3)}
    row["to_floor"] = round(row["cold_ms"] / row["floor_ms"], 2)
    row["warm_ms"] = median(floor.stopwatch, f"c{count - 1}")
    for name, command in COMMANDS.items():
        row[f"{name}_ms"] = median(scene.milliseconds, "carrel", *command)
    row["memory_kb"] = round((before["available"] - now["available"]) / count)
    row["slab_kb"] = round((now["slab"] - before["slab"]) / count)
    return row


def stop_ms(count):
    """Of the newest, which starts again for the next measurement."""
    times = []
    for _ in range(SAMPLES):
        times.append(scene.milliseconds("carrel", "stop", f"c{count - 1}"))
        floor.stopwatch(f"c{count - 1}")
    return round(statistics.median(times), 3)


def measure(options):
    total = options.containers
    crowd.add_users(total + 1)
    scene.policy("growth", ["crowd"], kind="groups")
    floor.stopwatch(f"c{total}")  # what the first login of all makes for the others is not theirs
    scene.stop(f"c{total}")
    before, rows, cold, floors = meminfo(), {}, [], []
    for count in range(1, total + 1):
        cold.append(floor.stopwatch(f"c{count - 1}"))
        next_point = min((point for point in (*POINTS, total) if point >= count), default=total)
        if next_point - count < SAMPLES:
            floors.append(floor.cold(floor.cgroups()))
        if count == next_point:
            rows[str(count)] = {**look(count, cold[-SAMPLES:], floors, before),
                                "stop_ms": stop_ms(count)}
            floors = []
    scene.run("carrel", "stop", "--all", "--timeout", "0")
    (scene.POLICIES / "growth.conf").unlink()
    return rows
