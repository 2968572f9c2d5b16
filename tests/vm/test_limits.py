"""Limits that hold on cgroup v2 below systemd: for a user, and for the container's own root."""

import json
import re
import time

from debian import PASSWORD
from inside import SMALL_IMAGE, Person, have_small_image, quote
from suite import contains, equal, eventually, expect, lacks, test

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
    data = f"$(find /var/lib/carrel/containers/{person.container} -type f -name big)"
    m.host(f"sync; dd if={data} iflag=nocache count=0")  # read from the disk, not from memory
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


ELSEWHERE = "taskset 2 true && echo moved"  # to the second processor


def check_processors(m, person):
    """Before, while and after the admin gives all of Carrel the first processor alone."""
    def unit_gets(which):
        m.host(f"systemctl set-property --runtime carrel.service AllowedCPUs={which}")
    look = f"nproc; {ELSEWHERE}"
    equal(person.run(look).out.split(), ["2", "moved"], "processors, and whether one may choose")
    session = m.ssh_start("ben", "exec sleep 1000")  # is there before the change
    pid = eventually(lambda: m.inside("root", "pgrep -n -x -u ben sleep").out.strip(), "a process")
    m.cleanup.callback(unit_gets, "0-1")  # systemd cannot take it back from a unit that is in use
    unit_gets("0")
    equal(m.host(f"taskset -p {pid}").split()[-1], "1", "the processors of who is inside already")
    equal(person.run(look).out.split(), ["1"], "processors, and whether one may choose")
    expect(session.poll() is None, "the session has ended")
    unit_gets("0-1")
    equal(person.run(look).out.split(), ["2", "moved"], "processors afterwards")


@test
def processors_of_a_user(m):
    """cpuset: AllowedCPUs= of the unit holds for who is inside, and for who comes."""
    with m.policy("processors"):
        check_processors(m, Person(m, "ben-processors"))


@test
def processors_of_the_containers_root(m):
    """cpuset: the container's root gets no other processor than the unit has."""
    have_small_image(m)
    with m.policy("processors-root", SMALL_IMAGE):
        check_processors(m, Person(m, "ben-processors-root", root=True))


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
        events = "/sys/fs/cgroup/system.slice/carrel.service/pool-course/memory.events"
        eventually(lambda: re.search("oom_kill [1-9]", m.inside("root", f"cat {events}").out),
                   "an end of what is too much together")
        used = [container["memory_bytes"] for container in
                json.loads(m.host("carrel list --json '*-pooled'"))]
        expect(len(used) == 2 and sum(used) <= 64 << 20, f"{used} bytes are used of 64 MiB")
        for session in sessions:
            session.terminate()


@test
def pool_of_processes_and_processor(m):
    """A pool holds forks and busy loops of two users' containers together."""
    people = ("ben", "emil")
    pool = 'pool "lesson" { policies = {"busy"} cpu = "50%" pids = 40 }\n'
    place = "/sys/fs/cgroup/system.slice/carrel.service/pool-lesson"
    with m.policy("busy", "", users=people, more=pool):
        def all_say(program):
            sessions = [m.ssh_start(user, f"exec sh -c {quote(program)}", stdout=-1, stderr=-1,
                                    text=True) for user in people]
            return [session.communicate(timeout=120) for session in sessions]

        said = all_say(FORKS)
        made = sum(max(map(int, out.split())) for out, _ in said)
        expect(20 < made < 40, f"{made} processes with pids = 40 for both")
        contains("".join(err for _, err in said), "fork", "what the shells say")
        m.host(f"pkill -x sleep --uid {','.join(people)}")

        def used():
            return int(m.host(f"sed -n 's/^usage_usec //p' {place}/cpu.stat")) / 1e6
        before, start = used(), time.monotonic()
        all_say(SPIN)
        share = (used() - before) / (time.monotonic() - start)
        expect(0.25 < share < 0.65, f"{share:.2f} of a processor with cpu = 50% for both")
