"""What an idle container's memory is made of, beside that of the bare kernel objects, in kB of each.

Caches are named as in /proc/slabinfo, where those whose objects are alike in size have one name, unless
the kernel was booted with slab_nomerge. large objects: of slab, too large for a cache, most of all that
part of a memory cgroup which has an entry for every file system of the machine; other: what the kernel
has no counter for.
"""

import crowd
import floor
import memory
import scene

CONTAINERS = 500
WORTH_KB = 1


def seen():
    settled = memory.settled()
    return {**memory.kinds(), "all": settled["kernel"] + settled["tmpfs"]}


def each(before, after):
    grown = {name: (after[name] - before.get(name, 0)) / CONTAINERS for name in after}
    grown["other"] = 2 * grown["all"] - sum(grown.values())
    return grown


def of_floor():
    before = seen()
    with floor.Idle(CONTAINERS):
        return each(before, seen())


def of_containers():
    before = seen()
    for number in range(CONTAINERS):
        floor.stopwatch(f"c{number}")
    return each(before, seen())


def measure(options):
    crowd.add_users(CONTAINERS + 1)
    scene.policy("kinds", ["crowd"], kind="groups")
    floor.stopwatch(f"c{CONTAINERS}")
    scene.stop(f"c{CONTAINERS}")
    bare, own = of_floor(), of_containers()
    scene.run("carrel", "stop", "--all", "--timeout", "0")
    (scene.POLICIES / "kinds.conf").unlink()
    names = sorted({*bare, *own}, key=lambda name: -own.get(name, 0))
    return {name: {"floor_kb": round(bare.get(name, 0), 1), "kb": round(own.get(name, 0), 1),
                   "added_kb": round(own.get(name, 0) - bare.get(name, 0), 1)}
            for name in names if max(bare.get(name, 0), own.get(name, 0)) >= WORTH_KB}
