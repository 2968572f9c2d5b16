"""carrel metrics: figures for Prometheus, by hand and through node_exporter's textfile collector."""

import os
import re
import shutil
import stat
import subprocess
import time

from host import STATE
from suite import contains, equal, expect, lacks, matches, test

POLICY = """policy "measured" {
  users = {"alice", "bob"}
  limits { memory = "256M" cpu = "50%" pids = 100 disk = "64M" sessions = 4 }
  time { stop = "1s" }
}
"""
SAMPLE = re.compile(r'^([a-z_]+)\{((?:[a-z]+="(?:[^"\\\n]|\\["\\n])*",?)+)\} ([0-9]+(?:\.[0-9]+)?)$')
SUFFIXES = ("_bytes", "_seconds", "_ratio", "_limit", "_total", "_up", "_sessions", "_processes",
            "_inodes", "_containers")


def families(text):
    """Check the format, by its rules and those of promtool; family -> {labels: value}."""
    found, types, current = {}, {}, None
    expect(text.endswith("\n"), "the last line ends")
    lines = text.splitlines()
    for number, line in enumerate(lines):
        if line.startswith("# HELP "):
            current = line.split()[2]
            expect(current not in found, f"{current} has its samples together")
            matches(line, r"^# HELP [a-z_]+ [A-Z].*\.$", "the help")
            kind = lines[number + 1].split()
            equal(kind[:3], ["#", "TYPE", current], f"the line after the help of {current}")
            found[current], types[current] = {}, kind[3]
        elif not line.startswith("#"):
            name, labels, value = SAMPLE.match(line).groups()
            equal(name, current, "the family of a sample")
            expect(labels not in found[name], f"{name} with {labels} is there once")
            found[name][labels] = float(value)
    for name, kind in types.items():
        equal(kind, "counter" if name.endswith("_total") else "gauge", f"the type of {name}")
        expect(name.endswith(SUFFIXES), f"{name} ends in its unit")
        expect(found[name], f"{name} has samples")
    promtool = shutil.which("promtool")  # of Debian's prometheus: 96 MB, so it is not asked for
    if promtool:
        run = subprocess.run([promtool, "check", "metrics"], input=text, text=True,
                             capture_output=True)
        equal((run.returncode, run.stdout + run.stderr), (0, ""), "what promtool says")
    return found


def begin(host):
    host.policy(POLICY)
    for user in ("alice", "bob"):
        host.carrel("remove", "--yes", user)


@test
def metrics_of_all(host):
    """Every container with its labels, running or not; what is not known is left out."""
    begin(host)
    host.log_in("alice", "head -c 20M /dev/zero >/var/tmp/big; echo ready; sleep 1000")
    host.log_in("bob")
    host.works("stop", "bob")
    found = families(host.works("metrics").out)
    alice, bob = (f'container="{user}",policy="measured",user="{user}"' for user in ("alice", "bob"))
    equal(found["carrel_containers"], {'state="running"': 1, 'state="stopped"': 1}, "how many")
    equal(found["carrel_container_up"], {alice: 1, bob: 0}, "which run")
    equal(found["carrel_container_sessions"], {alice: 1}, "the sessions")
    equal(found["carrel_container_memory_limit_bytes"], {alice: 256 << 20, bob: 256 << 20}, "memory")
    equal(found["carrel_container_cpu_limit_ratio"][alice], 0.5, "the processor's limit")
    equal(found["carrel_container_processes_limit"][alice], 100, "the limit of processes")
    expect(0 < found["carrel_container_memory_bytes"][alice] < 256 << 20, "memory in use")
    lacks(found["carrel_container_memory_bytes"], bob, "memory of what does not run")
    expect(20 << 20 <= found["carrel_container_disk_bytes"][alice] < 24 << 20, "the disk")
    expect(abs(found["carrel_container_start_time_seconds"][alice] - time.time()) < 60, "the start")
    expect(found["carrel_container_cpu_seconds_total"][alice] < 60, "processor time in seconds")
    begin(host)


@test
def metrics_of_none(host):
    """A machine without containers has a sound text as well."""
    begin(host)
    found = families(host.works("metrics").out)
    equal(sorted(found), ["carrel_containers"], "the families")


@test
def metrics_are_escaped(host):
    """No name, however odd, can break the format or forge a line."""
    begin(host)
    host.log_in("alice")
    record = STATE / "containers/alice/stored"
    text = record.read_text()
    record.write_text(text.replace("user=alice", "user=a%22b%5Cc%0Ad%FF"))
    found = families(host.works("metrics").out)
    label, = found["carrel_container_up"]
    contains(label, r'user="a\"b\\c\\x0ad\\xff"', "the label")
    record.write_text(text)
    begin(host)


@test
def metrics_into_a_file(host):
    """The file is replaced at once and readable by the collector; trouble is told."""
    begin(host)
    host.log_in("alice")
    folder = host.directory / "collector"
    folder.mkdir()
    file = folder / "carrel.prom"
    file.write_text("old\n")
    os.chmod(file, 0o600)
    before = file.open()
    run = host.works("metrics", "--write", file)
    equal(run.out, "", "stdout")
    equal(before.read(), "old\n", "what a reader sees that opened it before")
    contains(families(file.read_text())["carrel_container_up"],
             'container="alice",policy="measured",user="alice"', "the file")
    equal(stat.S_IMODE(file.stat().st_mode), 0o644, "its mode")
    equal([path.name for path in folder.iterdir()], ["carrel.prom"], "what else is there")
    contains(host.fails("metrics", "--write", folder / "no/such.prom").err, "its directory", "stderr")
    contains(host.fails("metrics", "--write", folder).err, "Is a directory", "stderr")
    equal(host.carrel("metrics", "more").status, 2, "with an operand")
    begin(host)
