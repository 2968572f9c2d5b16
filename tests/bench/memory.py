"""What the machine's memory comes down to, when others use it, too."""

import os
import pathlib
import time

ENOUGH_READINGS = 4
MOST_READINGS = 60
STABLE_KB = 500
PAGE_KB = os.sysconf("SC_PAGE_SIZE") // 1024
USERS = ("MemFree", "Buffers", "Cached", "SwapCached", "AnonPages")
COUNTERS = {"KernelStack": "stacks", "PageTables": "page tables", "Percpu": "per processor",
            "Shmem": "pages of tmpfs"}


def kept_by_processors():
    """kB that are free, but in the lists of one processor, where meminfo does not count them: often
    some hundred megabytes, which come and go."""
    pages = sum(int(line.split()[1]) for line in pathlib.Path("/proc/zoneinfo").read_text().splitlines()
                if line.split()[0] == "count:")
    return pages * PAGE_KB


def meminfo():
    """kB. kernel: all that is neither free nor a program's nor a file's, so that it does not matter how
    much programs of others take meanwhile."""
    rows = (line.split() for line in pathlib.Path("/proc/meminfo").read_text().splitlines())
    found = {row[0].rstrip(":"): int(row[1]) for row in rows}
    used = found["MemTotal"] - kept_by_processors()
    return {"kernel": used - sum(found[name] for name in USERS), "slab": found["Slab"],
            "tmpfs": found["Shmem"], "used": used - found["MemAvailable"]}


def settled():
    """The least that is seen until it falls no more, without what can be had back.

    The kernel frees much only after a grace period, or by workers that run when they get to it.
    """
    os.sync()  # what is not written yet cannot be had back
    least, unchanged = meminfo(), 0
    for _ in range(MOST_READINGS):
        pathlib.Path("/proc/sys/vm/drop_caches").write_text("3")
        time.sleep(1)
        now = meminfo()
        unchanged = unchanged + 1 if now["kernel"] > least["kernel"] - STABLE_KB else 0
        least = {name: min(least[name], now[name]) for name in now}
        if unchanged == ENOUGH_READINGS:
            break
    return least


def kinds():
    """kB of the kernel by kind of object: caches of slab, what counters there are beside."""
    rows = (line.split() for line in pathlib.Path("/proc/slabinfo").read_text().splitlines()[2:])
    found = {row[0]: int(row[14]) * int(row[5]) * PAGE_KB for row in rows}
    rows = (line.split() for line in pathlib.Path("/proc/meminfo").read_text().splitlines())
    counters = {row[0].rstrip(":"): int(row[1]) for row in rows}
    found["large objects"] = counters["Slab"] - sum(found.values())
    for name in COUNTERS:
        found[COUNTERS[name]] = counters[name]
    return found


def private_kb(pid):
    """Of one process: what no other has, pages of its program included."""
    rows = (line.split() for line in pathlib.Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines())
    return sum(int(row[1]) for row in rows if row[0] in ("Private_Clean:", "Private_Dirty:"))
