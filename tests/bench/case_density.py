"""Memory of idle containers, with network namespace and limits, beside the bare kernel objects.

all: what the kernel has for each (slab is part of it), tmpfs, and what PID 1 has for itself (init);
available: by how much MemAvailable fell, which others on the machine show in. floor: the same
namespaces, mounts and cgroups with a PID 1 of two system calls. The slope over all points says what
10,000 would take.
"""

import statistics

import crowd
import floor
import memory
import scene

FRACTIONS = (4, 2, 1)
LOOKED_AT = 20


def slope(points):
    """Least squares of (count, kB)."""
    x_mean = statistics.mean(x for x, _ in points)
    y_mean = statistics.mean(y for _, y in points)
    return (sum((x - x_mean) * (y - y_mean) for x, y in points) /
            sum((x - x_mean) ** 2 for x, _ in points))


def each(before, pids, count):
    now = memory.settled()
    grown = {name: (now[name] - before[name]) / count for name in now}
    init = statistics.median(memory.private_kb(pid) for pid in pids)
    return {"all_kb": round(grown["kernel"] + grown["tmpfs"] + init), "slab_kb": round(grown["slab"]),
            "init_kb": init, "available_kb": round(grown["used"])}


def of_floor(count):
    before = memory.settled()
    with floor.Idle(count) as idle:
        return each(before, [idle.pid], count)


def of_containers(count):
    before = memory.settled()
    for number in range(count):
        floor.stopwatch(f"c{number}")
    row = each(before, [floor.running_pid(f"c{number}") for number in range(LOOKED_AT)], count)
    scene.run("carrel", "stop", "--all", "--timeout", "0")
    return row


def with_slope(rows):
    found = slope([(0, 0), *((count, count * row["all_kb"]) for count, row in rows.items())])
    return {**rows, "slope": {"all_kb": round(found), "gb_of_10000": round(found * 10000 / 1e6, 2)}}


def measure(options):
    total = max(options.containers, LOOKED_AT * max(FRACTIONS))
    counts = [total // fraction for fraction in FRACTIONS]
    crowd.add_users(total + 1)
    scene.policy("density", ["crowd"], kind="groups")
    floor.stopwatch(f"c{total}")  # what the first login of all makes for the others is not theirs
    scene.stop(f"c{total}")
    floors, own = {}, {}
    for count in counts:  # the kernel's part of each never shrinks again: the most come last
        floors[count], own[count] = of_floor(count), of_containers(count)
    floors, own = with_slope(floors), with_slope(own)
    (scene.POLICIES / "density.conf").unlink()
    for count, row in own.items():
        row["to_floor"] = round(row["all_kb"] / floors[count]["all_kb"], 2)
    return {**{f"floor {count}": row for count, row in floors.items()},
            **{str(count): row for count, row in own.items()}}
