"""Neighbours: nesting, and what one user takes from the others."""

import time

from attacker import arm, attempt
from image import have_image
from suite import equal, eventually, expect, matches, test

FLOODS = ("inotify", "terminals", "pipes", "sockets", "queues", "segments", "semaphores", "mqueues",
          "zombies")
BOUND = 10


@test
def mark_removed(m):
    """root = yes: without the mark /run/carrel/inside, su inside stays inside."""
    have_image(m)
    with m.policy("mark", 'image = "lab"\nroot = yes'):
        m.ssh("bob", "sudo -n rm -rf /run/carrel")
        outer = m.ssh("bob", "readlink /proc/self/ns/pid").out
        inner = m.ssh("bob", "sudo -n su bob -s /bin/sh -c 'readlink /proc/self/ns/pid'").out
        expect(outer, "no login after the mark was removed")
        equal(inner, outer, "the place after su")


@test
def another_user_inside(m):
    """root = yes: another contained user is not known inside, and their id is not the host's."""
    have_image(m)
    with m.policy("other", 'image = "lab"\nroot = yes'):
        expect(m.ssh("bob", "sudo -n su alice -c id").status != 0, "su alice works")
        done = m.ssh("bob", "sudo -n setpriv --reuid 2001 --clear-groups id -u; "
                            "sudo -n touch f; sudo -n chown 2001 f; stat -c %u f")
        uid_map = m.ssh("bob", "cat /proc/self/uid_map").out
        lines = [tuple(map(int, line.split())) for line in uid_map.splitlines()]
        for inside, outside, count in lines:
            expect(not outside <= 2001 < outside + count, f"the host's alice is mapped: {uid_map}")
        matches(done.out, "2001", "an id of the container's own")


@test
def another_container_of_the_same_user(m):
    """Two containers of one user, whose id is the same: neither is seen, met or left from the other."""
    with m.policy("one", "", who='users = {"bob"}\n  services = {"su", "su-l"}'):
        first = m.start("su", "bob", "-c", "cd; echo first >note; exec -a of-first python3 -c '\n"
                        "import socket, time\ns = socket.socket(1)\ns.bind(chr(0) + \"of-first\")\n"
                        "s.listen()\nopen(\"/dev/shm/of-first\", \"w\").write(\"x\")\n"
                        "open(\"/tmp/of-first\", \"w\").write(\"x\")\ntime.sleep(300)'")
        pid = eventually(lambda: m.run("pgrep", "-f", "^of-first").out.split(), "the first one")[0]
        arm(m)  # over ssh: the other container
        expect(m.init_pid("bob") and m.init_pid("bob-one"), f"two containers run: {m.running()}")
        answers = dict(attempt(m, f"look-into {pid}"))
        for name in ("ptrace-attach", "process_vm_readv", "pidfd_getfd", "kcmp", "prlimit"):
            equal(answers[name], "ESRCH", name)
        equal(dict(attempt(m, "abstract of-first")), {"connect": "ECONNREFUSED"}, "its socket")
        for command in ("pgrep -f of-first", "cat note", "cat /dev/shm/of-first", "cat /tmp/of-first",
                        f"test -d /proc/{pid}/root"):
            done = m.ssh("bob", command)
            expect(done.status != 0, f"{command} shows {done.out!r}")
        m.ssh("bob", f"for p in $(seq 2 4000) {pid}; do kill -9 $p 2>/dev/null; done; kill -9 -1")
        expect(first.poll() is None, "the first one was ended from the second")


def login_time(m):
    began = time.monotonic()
    equal(m.ssh("alice", "echo in").out, "in\n", "alice's login")
    return time.monotonic() - began


def flood_test(kind):
    def run(m):
        arm(m)
        before = login_time(m)
        flood = m.ssh_start("bob", f"./attempt flood {kind}", stdin=-1, stdout=-1)
        said = flood.stdout.readline().decode()
        count, error = matches(said, r"^(\d+) (\w+)$", "the end of the flood").groups()
        expect(int(count) > 0 and error != "endless", f"no end: {said}")
        # A terminal too: ptys are the machine's, shared by all.
        expect(m.ssh_terminal("alice").shell().run("tty").startswith("/dev/"), "alice's terminal")
        during = max(login_time(m) for _ in range(3))
        expect(during < max(BOUND * before, 5), f"{during:.1f} s instead of {before:.1f} s")
        flood.stdin.close()
    run.__name__ = f"flood_{kind}"
    run.__doc__ = f"One user takes all the {kind} they get; another logs in as fast as before."
    return test(run)


for each in FLOODS:
    flood_test(each)
