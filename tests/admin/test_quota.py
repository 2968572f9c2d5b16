"""carrel quota and carrel status: what is used of what may be used, from outside and inside."""

import json
import re
import socket
import subprocess

from suite import contains, equal, expect, lacks, matches, test

LIMITED = """policy "limited" {
  users = {"alice", "bob"}
  limits {
    memory = "256M"
    cpu = "50%"
    pids = 100
    disk = "64M"
    inodes = 4000
    sessions = 4
  }
  time { idle = "30m" stop = "1s" }
}
"""


def forget(host, *names):
    for name in names:
        host.carrel("remove", "--yes", name)


def limited(host):
    """The policy, and nothing left of containers that were made with another."""
    host.policy(LIMITED)
    forget(host, "alice", "bob")


def inside(user, command, **more):
    """A login of the user by su that runs one command."""
    return subprocess.run(["su", user, "-c", command], capture_output=True, text=True, **more)


def quota(host, *names):
    return {it["name"]: it for it in host.json("quota", "--json", *(names or ["--all"]))}


@test
def quota_tells_what_is_used(host):
    """Memory, processor, processes, disk, inodes and sessions, with what the kernel holds them to."""
    limited(host)
    host.log_in("alice", "head -c 20M /dev/zero >/var/tmp/big; echo ready; sleep 1000")
    it = quota(host, "alice")["alice"]
    equal((it["policy"], it["state"]), ("limited", "running"), "whose figures")
    equal((it["memory_limit_bytes"], it["cpu_limit_hundredths"], it["process_limit"]),
          (256 << 20, 5000, 100), "the limits")
    equal((it["sessions"], it["session_limit"]), (1, 4), "the sessions")
    expect(0 < it["memory_bytes"] <= it["memory_peak_bytes"], "memory and its peak")
    expect(it["processes"] >= 2 and it["cpu_microseconds"] > 0, "it does something")
    expect(20 << 20 <= it["disk_bytes"] < 24 << 20, f"the disk: {it['disk_bytes']}")
    expect(50 << 20 < it["disk_limit_bytes"] < 64 << 20, f"its size: {it['disk_limit_bytes']}")
    expect(10 < it["inodes"] < 100 and it["inode_limit"] <= 4016, "the inodes")
    text = host.works("quota", "alice").out
    matches(text, r"\Aalice \(policy limited\)\n", "the title")
    matches(text, r"^  memory     \S+ +[0-9]+ %  \S+ of 256M$", "the text")
    matches(text, r"^  cpu        0:[0-9]+ used, at most 50% of a processor$", "the text")
    matches(text, r"^  disk       \S+ +3[0-9] %  2[0-9]M of 5[0-9]M$", "the text")
    matches(text, r"^  sessions   \S+ +25 %  1 of 4$", "the text")
    forget(host, "alice")


@test
def quota_of_what_is_stopped(host):
    """How full its disk is, and what it may use at its next start."""
    limited(host)
    host.log_in("alice", "head -c 20M /dev/zero >/var/tmp/big; sync; echo ready; sleep 1000")
    before = quota(host, "alice")["alice"]
    host.works("stop", "alice")
    after = quota(host, "alice")["alice"]
    equal(after["state"], "stopped", "the state")
    for key in ("disk_limit_bytes", "inodes", "inode_limit", "memory_limit_bytes"):
        equal(after[key], before[key], key)
    expect(abs(after["disk_bytes"] - before["disk_bytes"]) < 1 << 20,
           f"disk: {after['disk_bytes']}, it was {before['disk_bytes']}")
    equal((after["memory_bytes"], after["processes"]), (None, None), "what does not run")
    matches(host.works("quota", "alice").out, r"^  memory     at most 256M$", "the text")
    forget(host, "alice")


@test
def quota_without_limits(host):
    """What has no limit has no bar; the host's own file system is not the container's to tell."""
    forget(host, "alice")
    host.policy('policy "free" { users = {"alice"} }')
    host.log_in("alice")
    it = quota(host, "alice")["alice"]
    for key in ("memory_limit_bytes", "process_limit", "disk_bytes", "disk_limit_bytes", "inodes",
                "session_limit", "cpu_limit_hundredths"):
        equal(it[key], None, key)
    text = host.works("quota", "alice").out
    matches(text, r"^  memory     \S+, no limit$", "the text")
    lacks(text, "disk", "the text")
    equal(inside("alice", "carrel quota").stdout.splitlines()[0], "alice (policy free)", "inside")
    forget(host, "alice")


@test
def quota_of_several(host):
    """Names, a group, a policy or --all; a name that is none is said."""
    limited(host)
    host.log_in("alice")
    host.log_in("bob")
    equal(sorted(quota(host)), ["alice", "bob"], "--all")
    equal(sorted(quota(host, "bob", "alice")), ["alice", "bob"], "by name")
    equal(sorted(quota(host, "--group", "students")), ["alice", "bob"], "by group")
    equal(sorted(quota(host, "--policy", "limited")), ["alice", "bob"], "by policy")
    equal(host.json("quota", "--json", "--policy", "students"), [], "by another policy")
    contains(host.fails("quota", "--policy", "no").err, "there is no policy 'no'", "stderr")
    contains(host.fails("quota", "alice", "nobody").err, "nobody", "stderr")
    equal(host.works("quota", "--all").out.count("\n\n"), 1, "blank lines between two")
    for arguments in ([], ["--all", "alice"]):
        contains(host.fails("quota", *arguments, status=2).err, "only one of them", "stderr")
    forget(host, "alice", "bob")


@test
def quota_inside(host):
    """A user sees their own figures without any privilege, the same ones that root sees."""
    limited(host)
    host.log_in("alice")
    own, = json.loads(inside("alice", "carrel quota --json").stdout)
    seen = quota(host, "alice")["alice"]
    for key in ("name", "policy", "memory_limit_bytes", "cpu_limit_hundredths", "process_limit",
                "disk_limit_bytes", "inode_limit", "session_limit"):
        equal(own[key], seen[key], key)
    equal(own["sessions"], 2, "the sessions then")
    expect(own["memory_bytes"] > 0 and own["processes"] > seen["processes"], "what it uses")
    matches(inside("alice", "carrel quota").stdout, r"^  memory .* of 256M$", "the text")
    for command in ("carrel quota bob", "carrel quota --all", "carrel list", "carrel status bob"):
        run = inside("alice", command)
        equal(run.returncode, 1, f"the status of {command}")
        contains(run.stderr, "in a container there are: carrel quota, carrel status", "stderr")
    forget(host, "alice")


@test
def status_of_a_container(host):
    """Policy, image, since when, sessions, limits, for its user and for the admin."""
    limited(host)
    host.log_in("alice")
    lines = [r"^container   alice$", r"^policy      limited$", r"^image       host$",
             r"^state       running since 20[0-9-]+ [0-9:]+, for [0-9:]+$", r"^sessions    [12] of 4$",
             r"^ends        30m after the last session$",
             r"^limits      memory 256M, cpu 50%, pids 100, disk 5[0-9]M$",
             r"^USER +SERVICE +TTY +FROM +SINCE +LEFT$", r"^alice +su "]
    for text in (host.works("status", "alice").out, inside("alice", "carrel status").stdout):
        for line in lines:
            matches(text, line, "the text")
    own = json.loads(inside("alice", "carrel status --json").stdout)
    equal((own["name"], own["session_count"], own["idle_seconds"]), ("alice", 2, 1800), "inside")
    equal(own["limits"], {"memory": 256 << 20, "cpu": 5000, "pids": 100}, "the limits")
    host.works("stop", "alice")
    matches(host.works("status", "alice").out, r"^state       stopped$", "when stopped")
    contains(host.fails("status", "nobody").err, "no container of that name", "stderr")
    contains(host.fails("status", status=2).err, "you are not in one", "stderr")
    forget(host, "alice")


@test
def quota_at_a_terminal(host):
    """Bars follow the width; blocks where the locale has them; colour when nearly full."""
    limited(host)
    host.log_in("alice", "head -c 50M /dev/zero >/var/tmp/big; echo ready; sleep 1000")
    widths = {}
    for columns in (60, 120):
        terminal = host.at_terminal("quota", "alice", env={"TERM": "vt100"},
                                    dimensions=(24, columns))
        terminal.end()
        text = "".join(terminal.seen).replace("\r", "")
        widths[columns] = len(matches(text, r"^  memory     ([█░]+) ", "the text").group(1))
        expect(max(len(re.sub(r"\033\[[0-9;]*m", "", line)) for line in text.splitlines()) <= columns,
               f"lines fit {columns} columns")
        contains(text, "\033[33m", "the text")
    expect(widths[60] < widths[120], f"the bars' widths: {widths}")
    text = host.works("quota", "alice", env={"LANG": "C"}).out
    matches(text, r"^  memory     #*\.+ ", "in a locale without UTF-8")
    lacks(text, "\033[", "without a terminal")
    forget(host, "alice")


HOSTILE = r"""
import socket, sys, time
def ask(): s = socket.socket(socket.AF_UNIX); s.connect("/run/carrel/status"); return s
def answer(s):
    text = b""
    while (part := s.recv(65536)): text += part
    return text
garbage = ask()
try: garbage.sendall(b"\xff\0" * 100000)
except OSError: pass
kept = []
for i in range(300):                        # connections that nobody reads from
    s = socket.socket(socket.AF_UNIX); s.setblocking(False)
    try: s.connect("/run/carrel/status")
    except BlockingIOError: time.sleep(0.01)
    kept.append(s)
end = time.monotonic() + 1
while time.monotonic() < end:
    s = ask(); s.close()                    # and those that are gone before they are answered
for i in range(50):                         # descriptors, when it has not closed yet
    try: socket.send_fds(ask(), [b"x"], [0, 1, 2])
    except OSError: pass
text = answer(ask())
assert text.startswith(b"format=1\nname=alice\n"), text
assert b"bob" not in text, text
print("ready", flush=True); time.sleep(1000)
"""


@test
def status_socket_takes_abuse(host):
    """Garbage, descriptors, slow readers and floods: PID 1 serves on and keeps nothing of it."""
    limited(host)
    host.log_in("bob")
    host.log_in("alice")
    descriptors = f"/proc/{host.init_pid('alice')}/fd"
    before = subprocess.run(["ls", descriptors], capture_output=True, text=True).stdout.split()
    source = HOSTILE.replace('"', '\\"')
    host.log_in("alice", f'python3 -c "{source}"')
    after = subprocess.run(["ls", descriptors], capture_output=True, text=True).stdout.split()
    # A login more: the pidfd of its service and the two ends of its leash.
    expect(len(after) <= len(before) + 3, f"descriptors of PID 1: {before}, then {after}")
    it = quota(host, "alice")["alice"]
    equal((it["state"], it["sessions"]), ("running", 2), "it answers the admin")
    equal(inside("alice", "carrel status --json").returncode, 0, "and its user")
    forget(host, "alice", "bob")


@test
def status_socket_is_only_inside(host):
    """The host has no such socket, and one container's tells nothing of another."""
    limited(host)
    host.log_in("alice")
    with socket.socket(socket.AF_UNIX) as client:
        try:
            client.connect("/run/carrel/status")
        except FileNotFoundError:
            pass
        else:
            raise AssertionError("there is a status socket on the host")
    own = inside("bob", "carrel status --json")
    equal(json.loads(own.stdout)["name"], "bob", "bob's own")
    lacks(own.stdout, "alice", "bob's own")
    forget(host, "alice", "bob")


def held(host, name):
    return quota(host, name)[name]


APPLY = """policy "moving" {{
  users = {{"alice", "bob"}}
  limits {{ {} }}
  time {{ stop = "1s" idle = "30m" }}
}}
"""


def moving(host, limits):
    host.policy(APPLY.format(limits))


@test
def apply_changes_what_runs(host):
    """Today's limits hold at once, in the kernel and in PID 1; what changed is said and recorded."""
    forget(host, "alice", "bob")
    moving(host, 'memory = "256M" swap = "0" cpu = "50%" pids = 100 sessions = 3')
    login = host.log_in("alice")
    equal(host.works("quota", "apply", "alice").out, "alice: nothing to change\n", "at first")
    events = len(host.events())
    moving(host, 'memory = "300M" swap = "10M" cpu = "70%" cpu_weight = 33 pids = 50 sessions = 5')
    equal(host.works("quota", "apply", "alice").out,
          "alice: memory 256M -> 300M, swap 0 -> 10M, cpu 50% -> 70%, cpu_weight 100 -> 33, "
          "pids 100 -> 50\n", "what changed")
    it = held(host, "alice")
    equal((it["memory_limit_bytes"], it["swap_limit_bytes"], it["cpu_limit_hundredths"],
           it["process_limit"]), (300 << 20, 10 << 20, 7000, 50), "the limits then")
    own = json.loads(inside("alice", "carrel status --json").stdout)
    equal(own["session_limit"], 5, "the limit of sessions that its PID 1 knows")
    expect(login.poll() is None, "the session goes on")
    event = host.events()[events]
    contains(event["reason"], "quota apply: memory 256M -> 300M", "the event")
    equal(event["container"], "alice", "the event's container")
    moving(host, 'pids = 50')
    equal(host.works("quota", "apply", "--all").out,
          "alice: memory 300M -> unlimited, swap 10M -> unlimited, cpu 70% -> unlimited, "
          "cpu_weight 33 -> 100\n", "when limits are taken away")
    equal(held(host, "alice")["memory_limit_bytes"], None, "the limit of memory then")
    forget(host, "alice")


@test
def apply_does_not_kill(host):
    """A limit below what is in use is refused with the numbers, and nothing else is changed."""
    forget(host, "alice")
    moving(host, 'memory = "256M" pids = 100')
    login = host.log_in("alice", "python3 -c \"import time; x = b'x' * (100 << 20); "
                                 "print('ready', flush=True); time.sleep(1000)\"")
    moving(host, 'memory = "50M" pids = 70')
    result = host.fails("quota", "apply", "alice")
    matches(result.err, r'^carrel: alice: its processes use 1[0-9]{2}M of memory, more than the 50M '
                        r'of policy "moving": nothing is changed', "stderr")
    it = held(host, "alice")
    equal((it["memory_limit_bytes"], it["process_limit"]), (256 << 20, 100), "the limits then")
    expect(login.poll() is None, "the session goes on")
    forget(host, "alice")


@test
def apply_counts_no_file_cache(host):
    """What only caches files is given up for a smaller limit."""
    forget(host, "alice")
    moving(host, 'memory = "256M"')
    host.log_in("alice", "head -c 100M /dev/zero >~/big; cat ~/big >/dev/null; echo ready; sleep 1000")
    moving(host, 'memory = "50M"')
    contains(host.works("quota", "apply", "alice").out, "memory 256M -> 50M", "the output")
    it = held(host, "alice")
    expect(it["memory_bytes"] <= 50 << 20, f"{it['memory_bytes']} bytes in use")
    forget(host, "alice")


@test
def apply_chooses(host):
    """By name, group, policy or all; of one that does not run, only its data."""
    forget(host, "alice", "bob")
    moving(host, "pids = 100")
    host.log_in("alice")
    host.log_in("bob")
    moving(host, "pids = 90")
    equal(host.works("quota", "apply", "--policy", "moving").out,
          "alice: pids 100 -> 90\nbob: pids 100 -> 90\n", "by policy")
    contains(host.works("quota", "apply", "--policy", "students").out, "no container",
             "by another policy")
    equal(host.works("quota", "apply", "--group", "students").out,
          "alice: nothing to change\nbob: nothing to change\n", "by group")
    host.works("stop", "bob")
    moving(host, "pids = 80")
    equal(host.works("quota", "apply", "--all").out, "alice: pids 90 -> 80\n", "all that run")
    equal(host.works("quota", "apply", "bob").out, "bob: nothing to change\n", "one that is stopped")
    contains(host.fails("quota", "apply", "nobody").err, "nobody", "stderr")
    for arguments in ([], ["--all", "alice"], ["--all", "--policy", "moving"]):
        contains(host.fails("quota", "apply", *arguments, status=2).err, "only one of them", "stderr")
    forget(host, "alice", "bob")


@test
def apply_needs_sound_policies(host):
    """Broken files, a policy or a pool that is gone, a limit this machine cannot hold: no change."""
    forget(host, "alice")
    pool = 'pool "together" { policies = {"moving"} memory = "1G" }\n'
    host.policy(pool, name="30-pool.conf")
    moving(host, "pids = 100")
    host.log_in("alice")
    host.policy("policy {")
    contains(host.fails("quota", "apply", "alice").err, "while the policies are broken", "stderr")
    host.policy('policy "other" { users = {"alice"} }')
    host.policy('pool "together" { memory = "1G" }', name="30-pool.conf")
    contains(host.fails("quota", "apply", "alice").err, 'its policy "moving" is not in', "stderr")
    host.policy("", name="30-pool.conf")
    moving(host, "pids = 70")
    contains(host.fails("quota", "apply", "alice").err, 'its pool "together" is not in', "stderr")
    equal(held(host, "alice")["process_limit"], 100, "the limit")
    host.policy(pool, name="30-pool.conf")
    equal(host.works("quota", "apply", "alice").out, "alice: pids 100 -> 70\n", "in its pool")
    forget(host, "alice")


@test
def apply_to_the_disk(host):
    """A larger disk is there at once; one smaller than what is in use is refused."""
    forget(host, "alice")
    moving(host, 'disk = "64M"')
    host.log_in("alice", "head -c 40M /dev/zero >/var/tmp/big; echo ready; sleep 1000")
    before = held(host, "alice")
    moving(host, 'disk = "128M"')
    if not int(re.search(r"^CapEff:\s*(\w+)", open("/proc/self/status").read(), re.M).group(1), 16) & 1 << 24:
        contains(host.fails("quota", "apply", "alice").err, "CAP_SYS_RESOURCE is missing", "stderr")
        equal(held(host, "alice")["disk_limit_bytes"], before["disk_limit_bytes"], "its size then")
        forget(host, "alice")
        return
    matches(host.works("quota", "apply", "alice").out, r"^alice: disk [0-9]+M -> 1[0-9]{2}M",
            "what changed")
    after = held(host, "alice")
    expect(after["disk_limit_bytes"] - before["disk_limit_bytes"] > 50 << 20, "it is larger")
    equal(after["disk_bytes"] >> 20, before["disk_bytes"] >> 20, "what is in use")
    moving(host, 'disk = "32M"')
    host.fails("quota", "apply", "alice")
    equal(held(host, "alice")["disk_limit_bytes"], after["disk_limit_bytes"], "its size then")
    forget(host, "alice")
