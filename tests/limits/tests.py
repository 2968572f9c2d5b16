"""What holds: each test gets a scene, and leaves cleaning up to it."""

import os
import re
import resource
import shutil
import subprocess
import sys
import threading
import time

from scene import MIB, Skip, between, equal, eventually, expect

UNLIMITED = None


def all_tests(where):
    """In the order below; some are about one version of cgroups only."""
    return [test for test in TESTS
            if getattr(test, "version", None) in (None, "v2" if where.v2_only else "v1")]


TESTS = []


def test(function):
    TESTS.append(function)
    return function


def on(version):
    def mark(function):
        function.version = version
        return test(function)
    return mark


def python(program):
    return [sys.executable, "-I", "-S", "-c", program]


def hog(megabytes):
    return python(f"held = b'x' * ({megabytes} << 20); print('held', flush=True)")


BUSY = ["sh", "-c", "echo inside; while :; do :; done"]


def busy(where, name, pool=None, prefix=()):
    child = where.start("run", name, *([pool] if pool else []), "--", *prefix, *BUSY)
    equal(child.stdout.readline(), "inside\n", "what the busy process says")
    return child


def cpu_share(where, containers, seconds=2.0):
    """How much of one CPU each of (name, pool) gets."""
    before = [where.usage(*container)["cpu_microseconds"] for container in containers]
    start = time.monotonic()
    time.sleep(seconds)
    after = [where.usage(*container)["cpu_microseconds"] for container in containers]
    wall = (time.monotonic() - start) * 1e6
    return [(last - first) / wall for first, last in zip(before, after)]


# ---- memory ---------------------------------------------------------------------------------

@test
def memory_hog_is_killed_within_its_limit(where):
    where.driver("create", "alice", f"memory={64 * MIB}", "swap=0")
    small, large = where.run("alice", *hog(20)), where.run("alice", *hog(200))
    equal((small.returncode, small.out), (0, "held\n"), "a program within the limit")
    equal(large.returncode, -9, "the status of a program beyond the limit")
    used = where.usage("alice")
    expect(used["memory_kills"] >= 1, f"no kill is counted: {used}")
    between(used["memory_peak_bytes"], 20 * MIB, 64 * MIB, "the peak")


@test
def hog_takes_nobody_else_along(where):
    """memory.oom.group stays 0: the shell that started the hog goes on."""
    where.driver("create", "alice", f"memory={64 * MIB}", "swap=0")
    program = f"{sys.executable} -I -S -c \"b'x' * (200 << 20)\"; echo status $?"
    child = where.run("alice", "sh", "-c", program)
    equal((child.returncode, child.out), (0, "status 137\n"), "the shell")


def held_memory(where, name):
    """Bytes of memory, and of swap on top."""
    def number(text):
        return UNLIMITED if text == "max" or int(text) > 1 << 62 else int(text)

    memory = number(where.read("memory", "memory.limit_in_bytes", "memory.max", name))
    swap = number(where.read("memory", "memory.memsw.limit_in_bytes", "memory.swap.max", name))
    if where.v2_only or swap is UNLIMITED or memory is UNLIMITED:
        return memory, swap
    return memory, swap - memory


def set_memory(where, name, memory, swap):
    where.driver("create", name, *([f"memory={memory * MIB}"] if memory is not UNLIMITED else []),
                 *([f"swap={swap * MIB}"] if swap is not UNLIMITED else []))


@test
def memory_and_swap_change_in_every_direction(where):
    for memory, swap in ((64, 0), (128, 64), (32, 16), (32, 256), (256, 0), (16, 512),
                         (UNLIMITED, UNLIMITED), (64, 32), (64, UNLIMITED), (16, 0)):
        set_memory(where, "alice", memory, swap)
        equal(held_memory(where, "alice"),
              tuple(n if n is UNLIMITED else n * MIB for n in (memory, swap)),
              f"memory and swap after {memory}, {swap}")


@test
def changing_never_lifts_the_limit(where):
    set_memory(where, "alice", 64, 0)
    seen, done = set(), threading.Event()

    def watch():
        while not done.is_set():
            seen.add(where.read("memory", "memory.limit_in_bytes", "memory.max", "alice"))
            seen.add(where.read("memory", "memory.memsw.limit_in_bytes", "memory.swap.max",
                                "alice"))

    watcher = threading.Thread(target=watch)
    watcher.start()
    try:
        for _ in range(15):
            set_memory(where, "alice", 128, 64)
            set_memory(where, "alice", 64, 0)
    finally:
        done.set()
        watcher.join()
    expect(len(seen) > 1, "the watcher saw no change at all")
    expect("max" not in seen and max(map(int, seen)) <= 192 * MIB, f"seen: {sorted(seen)}")


@on("v1")
def less_than_is_used_is_refused(where):
    """v1 does not take back what cannot be swapped out; the old limit stays."""
    where.driver("create", "alice", f"memory={128 * MIB}", "swap=0")
    child = where.start("run", "alice", "--", *python(
        "held = b'x' * (60 << 20); print('held', flush=True); import time; time.sleep(1000)"))
    equal(child.stdout.readline(), "held\n", "what the hog says")
    where.driver("create", "alice", f"memory={16 * MIB}", "swap=0", fails="busy")
    equal(held_memory(where, "alice"), (128 * MIB, 0), "memory and swap")
    expect(child.poll() is None, "the program inside is gone")


# ---- processes ------------------------------------------------------------------------------

FORK_BOMB = python("""
import os, time
made = 0
try:
    for _ in range(200):
        if os.fork() == 0:
            time.sleep(1000)
        made += 1
except OSError as refused:
    print(made, refused.errno, flush=True)
time.sleep(1000)
""")


def fork_bomb(where, name, pool=None):
    """Starts as many processes as it may; returns what it says then."""
    bomb = where.start("run", name, *([pool] if pool else []), "--", *FORK_BOMB)
    return bomb.stdout.readline()


@test
def fork_bomb_stops_at_its_limit(where):
    where.driver("create", "alice", "pids=10")
    equal(fork_bomb(where, "alice"), "9 11\n", "children made, and errno (EAGAIN)")
    used = where.usage("alice")
    equal(used["pids"], 10, "the processes inside")
    expect(used["pids_refusals"] >= 1, f"no refusal is counted: {used}")


# ---- CPU ------------------------------------------------------------------------------------

@test
def cpu_hog_is_held_near_its_quota(where):
    where.driver("create", "alice", "cpu=2500")
    for _ in range(2):
        busy(where, "alice")
    share, = cpu_share(where, [("alice",)])
    between(share, 0.15, 0.33, "the share of one CPU for 25%")


@test
def weight_divides_a_busy_cpu(where):
    where.driver("create", "light", "cpu_weight=100")
    where.driver("create", "heavy", "cpu_weight=400")
    for name in ("light", "heavy"):
        busy(where, name, prefix=("taskset", "-c", "0"))
    light, heavy = cpu_share(where, [("light",), ("heavy",)])
    between(heavy / max(light, 1e-6), 2.5, 6.0, "the share of weight 400 over that of 100")


@test
def cpu_limits_are_set_back(where):
    where.driver("create", "alice", "cpu=2500", "cpu_weight=50", "pids=7")
    equal(where.read("cpu", "cpu.cfs_quota_us", "cpu.max", "alice").split()[0], "25000", "quota")
    equal(where.read("cpu", "cpu.shares", "cpu.weight", "alice"),
          "50" if where.v2_only else "512", "weight")
    where.driver("create", "alice", "pids=unlimited")
    equal(where.read("cpu", "cpu.cfs_quota_us", "cpu.max", "alice").split()[0],
          "max" if where.v2_only else "-1", "quota")
    equal(where.read("cpu", "cpu.shares", "cpu.weight", "alice"),
          "100" if where.v2_only else "1024", "weight")
    equal(where.read("pids", "pids.max", "pids.max", "alice"), "max", "pids.max")


# ---- disk -----------------------------------------------------------------------------------

RATE, MEGABYTES = 4 * MIB, 12  # three seconds


def timed_dd(where, name, *arguments, pool=None):
    start = time.monotonic()
    child = where.run(name, "dd", "status=none", "bs=256k", f"count={4 * MEGABYTES}", *arguments,
                      pool=pool)
    equal(child.returncode, 0, f"dd {arguments} ({child.err.strip()})")
    return time.monotonic() - start


def reading(where):
    return f"if={where.file_on_disk(MEGABYTES)}", "of=/dev/null", "iflag=direct"


def writing(where):
    return "if=/dev/zero", f"of={where.file_on_disk(MEGABYTES)}", "oflag=direct", "conv=notrunc"


def is_held(where, limit, arguments):
    disk, _ = where.disk()
    where.driver("create", "free")
    bare = timed_dd(where, "free", *arguments)
    if bare > 1.0:
        raise Skip(f"the disk itself needs {bare:.1f} s for {MEGABYTES} MiB")
    where.driver("create", "alice", f"{limit}={RATE}", disk)
    between(timed_dd(where, "alice", *arguments), 2.2, 7.0,
            f"seconds for {MEGABYTES} MiB at {RATE // MIB} MiB/s")
    # Taken out of the policy, by a caller who no longer knows the disk.
    where.driver("create", "alice")
    between(timed_dd(where, "alice", *arguments), 0.0, 2.0, "seconds without a limit")


@test
def read_rate_is_held(where):
    is_held(where, "read_rate", reading(where))


@test
def direct_write_rate_is_held(where):
    is_held(where, "write_rate", writing(where))


@on("v2")
def buffered_write_rate_is_held(where):
    disk, _ = where.disk()
    equal(where.driver("check", f"write_rate={RATE}"), "", "the caveat")
    where.driver("create", "alice", f"write_rate={RATE}", disk)
    seconds = timed_dd(where, "alice", "if=/dev/zero", f"of={where.scratch}/buffered",
                       "conv=fsync")
    between(seconds, 2.2, 8.0, f"seconds for {MEGABYTES} MiB at {RATE // MIB} MiB/s")


@on("v1")
def buffered_writes_are_told_of(where):
    """v1 cannot hold them: the admin is told."""
    text = where.driver("check", f"write_rate={RATE}")
    expect(text.startswith("caveat: ") and "buffered" in text, f"the caveat is {text!r}")
    equal(where.driver("check", f"read_rate={RATE}"), "", "the caveat of a read rate")


@test
def rates_need_a_disk(where):
    text = where.driver("create", "alice", f"read_rate={RATE}", "disk=/dev/shm",
                        fails="unsupported")
    expect("tmpfs" in text, f"the file system is not named: {text}")
    where.driver("create", "alice", f"write_rate={RATE}", fails="unsupported")
    equal(where.directories("alice"), [], "what a refused limit left behind")


# ---- pools ----------------------------------------------------------------------------------

@test
def pool_bounds_processes_together(where):
    for name in ("alice", "bob"):
        where.driver("create", name, "cs", "pids=10", "pool.pids=12")
    for name in ("alice", "bob"):
        fork_bomb(where, name, "cs")
    pids = [where.usage(name, "cs")["pids"] for name in ("alice", "bob")]
    equal(pids, [10, 2], "the processes of the two")


@test
def pool_bounds_memory_together(where):
    program = python("held = b'x' * (60 << 20); print('held', flush=True); "
                     "import time; time.sleep(1000)")
    for name in ("alice", "bob"):
        where.driver("create", name, "cs", f"memory={90 * MIB}", "swap=0",
                     f"pool.memory={100 * MIB}", "pool.swap=0")
    first = where.start("run", "alice", "cs", "--", *program)
    equal(first.stdout.readline(), "held\n", "what the first says")
    second = where.start("run", "bob", "cs", "--", *program)
    eventually(lambda: first.poll() is not None or second.poll() is not None,
               "one of two that are too large together is killed")
    used = sum(where.usage(name, "cs")["memory_bytes"] for name in ("alice", "bob"))
    between(used, 0, 100 * MIB, "what both use")


@test
def pool_bounds_cpu_together(where):
    for name in ("alice", "bob"):
        where.driver("create", name, "cs", "cpu=20000", "pool.cpu=3000")
        busy(where, name, "cs")
    shares = cpu_share(where, [("alice", "cs"), ("bob", "cs")])
    between(sum(shares), 0.18, 0.40, "the share of one CPU for 30%")


@test
def pool_cpu_changes_below_its_containers(where):
    """v1 refuses a child with a larger quota than its parent's: it must not show."""
    def quota(*below):
        return where.read("cpu", "cpu.cfs_quota_us", "cpu.max", *below).split()[0]

    where.driver("create", "alice", "cs", "cpu=20000", "pool.cpu=10000")
    where.driver("create", "bob", "cs", "cpu=5000", "pool.cpu=3000")
    equal(quota("pool-cs"), "30000", "the pool's quota")
    if not where.v2_only:
        equal(quota("pool-cs", "alice"), "30000", "the quota of one who had more")
    where.driver("create", "alice", "cs", "cpu=20000", "pool.cpu=40000")
    equal((quota("pool-cs"), quota("pool-cs", "alice")), ("400000", "200000"), "the quotas")
    where.driver("create", "alice", "cs", "cpu=20000")
    equal(quota("pool-cs"), "max" if where.v2_only else "-1", "the quota of a pool without")


@on("v1")
def pool_rates_are_refused(where):
    disk, _ = where.disk()
    text = where.driver("create", "alice", "cs", f"pool.read_rate={RATE}", disk,
                        fails="unsupported")
    expect("pool" in text and "v1" in text, f"the reason is {text!r}")
    where.driver("check-pool", f"write_rate={RATE}", fails="unsupported")
    equal(where.directories("pool-cs"), [], "what a refused limit left behind")


@on("v2")
def pool_bounds_rates_together(where):
    disk, _ = where.disk()
    where.driver("check-pool", f"read_rate={RATE}")
    children = []
    start = time.monotonic()
    for name in ("alice", "bob"):
        where.driver("create", name, "cs", f"pool.read_rate={RATE}", disk)
        children.append(where.start("run", name, "cs", "--", "dd", "status=none", "bs=256k",
                                    f"count={4 * MEGABYTES}", *reading(where)))
    for child in children:
        equal(child.wait(60), 0, "dd")
    between(time.monotonic() - start, 4.5, 14.0, f"seconds for twice {MEGABYTES} MiB")


@test
def pool_goes_with_its_last_container(where):
    for name in ("alice", "bob"):
        where.driver("create", name, "cs", "pids=10", "pool.pids=12")
    where.driver("remove", "alice", "cs")
    expect(where.directories("pool-cs", "bob"), "the other container is gone")
    where.driver("remove", "bob", "cs")
    equal(where.directories("pool-cs"), [], "what is left of the pool")


@test
def many_come_and_go_in_one_pool(where):
    """The last one out takes the pool away while the next one is coming in."""
    trouble = []

    def come_and_go(name):
        try:
            for _ in range(10):
                where.driver("create", name, "cs", "pids=10", "pool.pids=100")
                where.driver("remove", name, "cs")
        except AssertionError as failure:
            trouble.append(str(failure))

    threads = [threading.Thread(target=come_and_go, args=(f"user{i}",)) for i in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    equal(trouble, [], "what went wrong")
    equal(where.directories("pool-cs"), [], "what is left of the pool")


# ---- in, out, away --------------------------------------------------------------------------

def cgroups_of(pid):
    with open(f"/proc/{pid}/cgroup", encoding="ascii") as text:
        return text.read()


@test
def process_goes_in_and_back(where):
    where.driver("create", "alice", "pids=10")
    own = cgroups_of(os.getpid())
    inside = where.run("alice", "cat", "/proc/self/cgroup").out
    expect(f"/{where.parent}/alice" in inside, f"it is not inside: {inside}")
    equal(where.driver("attach-and-back", "alice", "--", "cat", "/proc/self/cgroup"), own,
          "where it is afterwards")


@test
def all_threads_go_in(where):
    where.driver("create", "alice", "pids=10")
    child = where.start("attach-and-back", "alice", "--", *python(
        "import threading, time\n"
        "for _ in range(3):\n threading.Thread(target=time.sleep, args=(1000,)).start()\n"
        "print('threads', flush=True)"))
    equal(child.stdout.readline(), "threads\n", "what the program says")
    where.driver("attach", "alice", "--", child.pid)
    equal(where.usage("alice")["pids"], 4, "the threads inside")


@test
def half_an_attach_is_taken_back(where):
    where.driver("create", "alice")
    last = where.driver("layout").splitlines()[-1].split()[0].split(",")[0]
    next(m.point for m in where.mounts if (m.v2 if last == "unified" else
                                           m.options & {last, f"name={last}"})
         ).joinpath(where.parent, "alice").rmdir()
    child = subprocess.Popen(["sleep", "1000"])
    try:
        before = cgroups_of(child.pid)
        where.driver("attach", "alice", "--", child.pid,
                     fails="missing" if where.v2_only else "system")
        equal(cgroups_of(child.pid), before, "where the process is")
    finally:
        child.kill()
        child.wait()
    where.driver("attach", "alice", "--", child.pid, fails="missing")


@test
def kill_ends_everything(where):
    where.driver("create", "alice", "pids=30")
    deaf = where.start("run", "alice", "--", "sh", "-c",
                       "trap '' TERM INT HUP; echo inside; while :; do sleep 1000; done")
    equal(deaf.stdout.readline(), "inside\n", "what it says")
    # Each child forks the next and exits: never the same process twice.
    runner = where.start("run", "alice", "--", *python(
        "import os\nprint('inside', flush=True)\nos.setsid()\n"
        "while True:\n try:\n  if os.fork(): os._exit(0)\n except OSError: pass"))
    equal(runner.stdout.readline(), "inside\n", "what it says")
    expect(where.usage("alice")["pids"] >= 2, "nothing is running")
    where.driver("kill", "alice")
    # Not pids.current: that counts the dead whom nobody has waited for yet.
    eventually(lambda: where.processes("alice") == [], "everything ends")
    equal(deaf.wait(10), -9, "how the deaf one ended")
    where.driver("remove", "alice")
    equal(where.directories("alice"), [], "what is left")


@test
def kill_spares_the_others(where):
    for name in ("alice", "bob"):
        where.driver("create", name)
    alice, bob = where.sleeper("alice"), where.sleeper("bob")
    where.driver("kill", "alice")
    equal(alice.wait(10), -9, "how the one ended")
    time.sleep(0.1)
    equal(bob.poll(), None, "how the other ended")


@test
def remove_waits_for_nobody(where):
    where.driver("create", "alice")
    child = where.sleeper("alice")
    start = time.monotonic()
    where.driver("remove", "alice", fails="busy")
    between(time.monotonic() - start, 0.04, 5.0, "the seconds it tried")
    equal(child.poll(), None, "how the process inside ended")
    child.kill()
    child.wait()
    where.driver("remove", "alice")
    where.driver("remove", "alice")
    where.driver("remove", "nobody", "nopool")
    equal(where.directories("alice"), [], "what is left")


@test
def opening_what_is_not_there(where):
    where.driver("usage", "nobody", fails="missing")
    where.driver("usage", "nobody", "nopool", fails="missing")


@test
def names_like_files_and_pools(where):
    where.driver("create", "alice", "x", "pids=10", "pool.pids=12")
    for name in ("tasks", "cgroup.procs", "john.doe", "pool-x", "_pool-x", "anchor"):
        where.driver("create", name, "pids=5")
        expect(where.directories(f"_{name}"), f"'{name}' has no cgroup of its own")
        where.driver("remove", name)
    equal(where.read("pids", "pids.max", "pids.max", "pool-x"), "12", "the pool's pids.max")
    for name in ("../alice", ".", "..", "a/b"):
        where.driver("create", name, "pids=5", fails="request")
        where.driver("remove", name, fails="request")


# ---- the host -------------------------------------------------------------------------------

@test
def usage_is_plausible(where):
    where.driver("create", "alice", f"memory={256 * MIB}")
    empty = where.usage("alice")
    equal((empty["pids"], empty["memory_kills"], empty["pids_refusals"]), (0, 0, 0), "at first")
    child = where.start("run", "alice", "--", *python(
        "import time\nheld = b'x' * (50 << 20)\nend = time.process_time() + 0.5\n"
        "while time.process_time() < end: pass\nprint('held', flush=True)\ntime.sleep(1000)"))
    equal(child.stdout.readline(), "held\n", "what the program says")
    used = where.usage("alice")
    between(used["memory_bytes"], 50 * MIB, 100 * MIB, "memory_bytes")
    between(used["memory_peak_bytes"], used["memory_bytes"] - MIB, 100 * MIB, "memory_peak_bytes")
    between(used["cpu_microseconds"], 5e5, 5e6, "cpu_microseconds")
    equal(used["pids"], 1, "pids")
    disk, _ = where.disk()
    # Some kernels count on v1 only what they throttle.
    where.driver("create", "alice", "read_rate=1000000000", "write_rate=1000000000", disk)
    timed_dd(where, "alice", *reading(where))
    timed_dd(where, "alice", *writing(where))
    used = where.usage("alice")
    between(used["read_bytes"], MEGABYTES * MIB, (MEGABYTES + 32) * MIB, "read_bytes")
    between(used["written_bytes"], MEGABYTES * MIB, (MEGABYTES + 4) * MIB, "written_bytes")


@test
def check_names_what_cannot_be_held(where):
    where.driver("check", f"memory={64 * MIB}", "swap=0", "cpu=5000", "pids=10", "disk=100")
    text = where.driver("check", "cpu=50", fails="unsupported")
    expect("'cpu'" in text and "1%" in text, f"the reason is {text!r}")
    where.driver("create", "alice", "cpu=50", fails="unsupported")
    where.driver("create", "alice", "read_rate=0", fails="unsupported")
    equal(where.directories("alice"), [], "what a refused limit left behind")


@on("v1")
def refused_by_the_kernel_leaves_nothing(where):
    """A parent with a smaller quota makes the kernel refuse in the middle of the way."""
    where.driver("layout")
    quota = where.place("cpu") / "cpu.cfs_quota_us"
    quota.write_text("50000")
    try:
        where.driver("create", "alice", "cs", "cpu=10000", "pids=5", fails="unsupported")
        equal(where.directories("alice") + where.directories("pool-cs"), [], "what is left")
        where.driver("create", "bob", "cpu=4000")
        where.driver("create", "bob", "cpu=10000", fails="unsupported")
        expect(where.directories("bob"), "a cgroup that was there before is gone")
    finally:
        quota.write_text("-1")


@test
def parents_are_places_below(where):
    driver = where.command[:-1]
    for parent in ("", "/", "..", "../x", "a/../b", "a//b", "a/.", "x" * 300):
        done = subprocess.run(driver + [parent, "layout"], capture_output=True, text=True)
        expect(done.returncode == 3 and done.stderr.startswith("policy: "),
               f"parent {parent!r}: {done.returncode} {done.stderr}")
    deep = f"{where.parent}/deep/er"
    subprocess.run(driver + [f"/{deep}/", "create", "alice", "pids=7", "cpu=5000",
                             f"memory={64 * MIB}"], check=True)
    equal(where.read("pids", "pids.max", "pids.max", "deep", "er", "alice"), "7", "pids.max")


@on("v2")
def parent_with_processes_is_left_alone(where):
    """Enabling only cpu and pids in it would keep its processes from ever moving below."""
    held = f"{where.parent}/held"
    where.driver("layout")
    child = subprocess.Popen(["sleep", "1000"])
    try:
        place = where.place("memory", "held")
        (place / "leaf").mkdir(parents=True)
        (place / "cgroup.procs").write_text(str(child.pid))
        driver = [*where.command[:-1], held]
        done = subprocess.run([*driver, "check", "pids=10"], capture_output=True, text=True)
        equal(done.returncode, 3, "the status of a check below a populated parent")
        expect("no process is in" in done.stderr, f"it says {done.stderr!r}")
        (place / "leaf/cgroup.procs").write_text(str(child.pid))
        subprocess.run([*driver, "check", "pids=10", "cpu=5000", "memory=1000000"], check=True)
    finally:
        child.kill()
        child.wait()


def with_disks(where, images, script):
    """
    Runs a shell script in a mount namespace of its own: $0 is the driver, $1 the parent, then the
    images. The scene detaches them when it clears.
    """
    for tool in ("losetup", "addpart", "mkfs.btrfs", "mkfs.ext4"):
        if not shutil.which(tool):
            raise Skip(f"{tool} is not installed")
    paths = [where.scratch / f"{name}.image" for name in images]
    for path in paths:
        with open(path, "wb") as image:
            image.truncate(128 * MIB)
    script = f"mkdir -p {where.scratch}/mnt; M={where.scratch}/mnt; {script}"
    return subprocess.run(["unshare", "-m", "--propagation", "private", "sh", "-euc", script,
                           where.command[-2], where.parent, *map(str, paths)],
                          capture_output=True, text=True, timeout=60)


@test
def partition_stands_for_its_disk(where):
    done = with_disks(where, ["parted"], """
        loop=$(losetup --find --show "$2")
        addpart "$loop" 1 2048 131072
        mkfs.ext4 -q "$loop"p1; mount "$loop"p1 "$M"
        stat -c %Hr:%Lr "$loop"; stat -c %Hr:%Lr "$loop"p1; "$0" "$1" disk "$M"
    """)
    equal(done.returncode, 0, f"the status ({done.stderr.strip()})")
    disk, partition, found = done.stdout.split()
    expect(disk != partition, "the partition is not told from its disk")
    equal(found, disk, "the disk of the partition")


@test
def btrfs_stands_for_its_one_disk(where):
    done = with_disks(where, ["one"], """
        mkfs.btrfs -q "$2" >&2
        loop=$(losetup --find --show "$2")
        mount "$loop" "$M"; btrfs subvolume create "$M/sub" >&2
        stat -c %Hr:%Lr "$loop"; "$0" "$1" disk "$M"; "$0" "$1" disk "$M/sub"
    """)
    equal(done.returncode, 0, f"the status ({done.stderr.strip()})")
    disk, top, sub = done.stdout.split()
    equal((top, sub), (disk, disk), "the disks of the file system and of a subvolume")


@test
def btrfs_on_two_disks_is_refused(where):
    """Each disk would get the whole rate."""
    done = with_disks(where, ["one", "two"], """
        first=$(losetup --find --show "$2"); second=$(losetup --find --show "$3")
        mkfs.btrfs -q -f "$first" "$second" >&2; mount "$first" "$M"
        "$0" "$1" disk "$M"
    """)
    equal(done.returncode, 3, f"the status ({done.stderr.strip()})")
    expect("unsupported" in done.stderr and "2 disks" in done.stderr, f"it says {done.stderr!r}")


@test
def systemd_must_have_made_the_parent(where):
    """Where systemd runs, Carrel's place is the unit's; nothing is made in its stead."""
    if any((mount.point / "system.slice/carrel.service").exists() for mount in where.mounts):
        raise Skip("carrel.service is running on this host")
    slices = [(m.point / "system.slice").exists() for m in where.mounts]
    pretend = 'mount -t tmpfs none /run && mkdir -p /run/systemd/system && exec "$0" "$@"'
    prefix, driver = where.command[:-2], where.command[-2]
    done = subprocess.run(["unshare", "-m", "--propagation", "private", "sh", "-c", pretend,
                           *prefix, driver, "-", "layout"], capture_output=True, text=True)
    equal(done.returncode, 3, f"the status ({done.stderr.strip()})")
    expect(re.match("missing: .*carrel.service", done.stderr), f"it says {done.stderr!r}")
    equal([(m.point / "system.slice").exists() for m in where.mounts], slices, "system.slice")


RLIMITS = python("import resource as r\nfor n in ('NOFILE', 'NPROC', 'CORE', 'FSIZE', 'STACK', "
                 "'MEMLOCK'): print(*r.getrlimit(getattr(r, 'RLIMIT_' + n)))")


@test
def rlimits_reach_the_process(where):
    text = where.driver("rlimits", "open_files=100", "processes=200", "core=0",
                        "file_size=1048576", "stack=8388608", "locked_memory=65536", "--",
                        *RLIMITS)
    equal(text.split(), "100 100 200 200 0 0 1048576 1048576 8388608 8388608 65536 65536".split(),
          "the limits")
    text = where.driver("rlimits", "core=unlimited", "--", *RLIMITS)
    equal(text.splitlines()[2].split(), ["-1", "-1"], "core without limit")


def may_raise():
    with open("/proc/self/status", encoding="ascii") as status:
        effective = next(line for line in status if line.startswith("CapEff:"))
    return int(effective.split()[1], 16) & 1 << 24  # CAP_SYS_RESOURCE


@test
def open_files_go_up_to_the_hosts_ceiling(where):
    with open("/proc/sys/fs/nr_open", encoding="ascii") as nr_open:
        most = ceiling = nr_open.read().strip()
    # Who may not raise a hard limit stays below what the policy allows: it holds.
    if not may_raise():
        most = str(resource.getrlimit(resource.RLIMIT_NOFILE)[1])
    text = where.driver("rlimits", "open_files=unlimited", "--", *RLIMITS)
    equal(text.splitlines()[0].split(), [most, most], "open files without limit")
    text = where.driver("rlimits", f"open_files={int(ceiling) + 1}", "--", "true",
                        fails="unsupported")
    expect("nr_open" in text, f"the reason is {text!r}")
