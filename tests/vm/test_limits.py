"""Limits that hold on cgroup v2 below systemd: for a user, and for the container's own root."""

import json
import time

from debian import PASSWORD
from inside import SMALL_IMAGE, Person, have_small_image, quote
from suite import contains, equal, expect, lacks, test

# Programs for the sh of Debian and for that of busybox.
HOG = "x=0123456789abcdef; while :; do x=$x$x; echo ${#x}; done"
FORKS = "n=0; while [ $n -lt 200 ]; do sleep 30 >/dev/null 2>&1 & n=$((n + 1)); echo $n; done"
SPIN = "for n in 1 2 3; do timeout 5 sh -c 'while :; do :; done' & done; wait"
WRITE = "head -c 8388608 /dev/zero | dd of=big bs=65536 conv=fsync 2>/dev/null; stat -c %s big"
READ = "cat big | wc -c"
LIMITS = ('limits { memory = "48M" swap = "0" pids = 40 cpu = "20%" '
          'read_rate = "2M" write_rate = "2M" }')


def for_both(check):
    """Two tests of one check."""
    policy = check.__name__.replace("_", "-")

    def of_a_user(m):
        with m.policy(policy, LIMITS):
            check(m, Person(m, f"ben-{policy}"))

    def of_root(m):
        have_small_image(m)
        with m.policy(policy, SMALL_IMAGE + LIMITS):
            check(m, Person(m, f"ben-{policy}", root=True))
    for function, who in ((of_a_user, "a_user"), (of_root, "the_containers_root")):
        function.__name__ = f"{check.__name__}_of_{who}"
        function.__doc__ = check.__doc__
        test(function)
    return check


@for_both
def memory(m, person):
    """memory.max kills what is too large, and nothing else."""
    result = person.run(f"echo begin; sh -c {quote(HOG)}; echo status $?")
    contains(result.out, "status 137", "what the shell around it says")
    sizes = [int(line) for line in result.out.splitlines() if line.isdigit()]
    expect((1 << 20) < max(sizes) < (48 << 20), f"it got to {max(sizes)} bytes within 48 MiB")
    equal(m.ssh("ada", "hostname").out, "pupils\n", "somebody else's login")


@for_both
def processes(m, person):
    """pids.max stops forks, with a message."""
    result = person.run(FORKS)
    contains(result.err, "fork", "what the shell says")
    made = max(int(line) for line in result.out.split())
    expect(15 < made < 40, f"{made} processes with pids = 40")


@for_both
def processor(m, person):
    """cpu.max holds three busy loops at a fifth of one processor."""
    def used():
        listing = json.loads(m.host(f"carrel list --json {person.container}"))
        return listing[0]["cpu_microseconds"] / 1e6
    person.run("true")
    before, start = used(), time.monotonic()
    person.run(SPIN)
    share = (used() - before) / (time.monotonic() - start)
    expect(0.08 < share < 0.30, f"{share:.2f} of a processor with cpu = 20%")


@for_both
def disk_rates(m, person):
    """io.max slows what is written, by way of the page cache too, and what is read."""
    start = time.monotonic()
    equal(person.run(WRITE).out.strip(), str(8 << 20), "the bytes written")
    took = time.monotonic() - start
    expect(took > 3.0, f"8 MiB were written in {took:.1f} s at 2 MiB/s")
    m.host("sync; echo 3 >/proc/sys/vm/drop_caches")
    start = time.monotonic()
    equal(person.run(READ).out.strip(), str(8 << 20), "the bytes read")
    took = time.monotonic() - start
    expect(took > 3.0, f"8 MiB were read in {took:.1f} s at 2 MiB/s")


@for_both
def own_limits(m, person):
    """Nobody inside can change the limits of their own container, which they may read."""
    result = person.run("cat /sys/fs/cgroup/memory.max; for f in memory.max pids.max cpu.max "
                        "io.max cgroup.procs cgroup.subtree_control; do "
                        "(echo max >/sys/fs/cgroup/$f) && echo changed; done; "
                        "mkdir /sys/fs/cgroup/sub && echo made; true")
    equal(result.out.splitlines()[0], str(48 << 20), "memory.max as seen inside")
    lacks(result.out, "changed", "what was said")
    lacks(result.out, "made", "what was said")


@test
def limits_of_each_process(m):
    """setrlimit(2): open files and processes of who comes by way of another user's su."""
    with m.policy("each", "limits { open_files = 512 processes = 100 }"):
        person = m.ssh_terminal("clio").shell()
        person.type("su - ben")
        person.wait_for("assword: ")
        person.type(PASSWORD)
        person.shell()
        equal(person.run("hostname; ulimit -n; ulimit -u").split(), ["each", "512", "100"],
              "host name and limits")


@test
def pool_of_two(m):
    """A pool holds the memory of two users' containers together."""
    pool = 'pool "course" { policies = {"pooled"} memory = "64M" swap = "0" }\n'
    hold = "x=0123456789abcdef; while [ ${#x} -lt 8000000 ]; do x=$x$x; done; echo held; sleep 60"
    body = 'limits { memory = "60M" swap = "0" }'
    with m.policy("pooled", body, users=("ben", "emil"), more=pool):
        sessions = [m.ssh_start(user, f"for n in 1 2 3; do sh -c '{hold}' & done; wait",
                                stdout=-1, text=True) for user in ("ben", "emil")]
        time.sleep(8)
        used = [container["memory_bytes"] for container in
                json.loads(m.host("carrel list --json '*-pooled'"))]
        expect(len(used) == 2 and sum(used) <= 64 << 20, f"{used} bytes are used of 64 MiB")
        for session in sessions:
            session.terminate()
        killed = m.host("cat /sys/fs/cgroup/system.slice/carrel.service/pool-course/memory.events")
        expect("oom_kill 0" not in killed, f"nothing was killed: {killed}")
