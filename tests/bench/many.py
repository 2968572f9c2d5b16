#!/usr/bin/python3
"""What `carrel list` costs when many containers run, on a private copy of this machine.

    scripts/private-host --build BUILD tests/bench/many.py [--containers N] [--json]

Starts N idle containers (about half a megabyte each) and times commands that look at all of them.
"""

import argparse
import concurrent.futures
import json
import os
import pathlib
import statistics
import subprocess
import time

POLICY = """
policy "many" {
  groups = {"many"}
  limits { memory = "64M"  swap = "0"  cpu = "50%"  pids = 64  tmp = "1M"  sessions = 4 }
}
"""
COMMANDS = [["list"], ["list", "--json"], ["list", "m1*"], ["quota", "--all"], ["metrics"]]


def set_up(count):
    with open("/etc/group", "a") as file:
        file.write("many:x:60000:\n")
    with open("/etc/passwd", "a") as file:
        for i in range(count):
            file.write(f"m{i}:x:{70000 + i}:60000::/home/m{i}:/bin/sh\n")
    with open("/etc/shadow", "a") as file:
        for i in range(count):
            file.write(f"m{i}:*:19000:0:99999:7:::\n")
    pathlib.Path("/etc/carrel/policy.d").mkdir(parents=True, exist_ok=True)
    cgroup = os.environ["PRIVATE_HOST_CGROUP"]
    pathlib.Path("/etc/carrel/carrel.conf").write_text(f'cgroup_parent = "{cgroup}"\n')
    pathlib.Path("/etc/carrel/policy.d/many.conf").write_text(POLICY)
    pathlib.Path("/etc/pam.d/su").write_text(
        "auth sufficient pam_rootok.so\naccount required pam_permit.so\n"
        "session required pam_carrel.so\n")


def log_in(number):
    subprocess.run(["su", f"m{number}", "-c", "true"], check=True, stdin=subprocess.DEVNULL,
                   stdout=subprocess.DEVNULL)


def timed(command, rounds=7):
    """Time by the clock, and that of processors alone, which other load changes less."""
    times, processor = [], []
    for _ in range(rounds):
        start = time.perf_counter()
        run = subprocess.Popen(["carrel", *command], stdout=subprocess.DEVNULL)
        _, status, used = os.wait4(run.pid, 0)
        times.append((time.perf_counter() - start) * 1000)
        processor.append((used.ru_utime + used.ru_stime) * 1000)
        run.returncode = os.waitstatus_to_exitcode(status)
        if run.returncode != 0:
            raise SystemExit(f"carrel {' '.join(command)} failed")
    return {"median_ms": round(statistics.median(times), 1), "best_ms": round(min(times), 1),
            "processor_ms": round(statistics.median(processor), 1)}


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--containers", type=int, default=2000)
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    set_up(arguments.containers)
    with concurrent.futures.ThreadPoolExecutor(2 * os.cpu_count()) as pool:
        list(pool.map(log_in, range(arguments.containers)))
    running = subprocess.run(["carrel", "list", "--json"], check=True, capture_output=True)
    count = sum(it["state"] == "running" for it in json.loads(running.stdout))
    rows = {" ".join(command): timed(command) for command in COMMANDS}
    if arguments.json:
        print(json.dumps({"containers": count, "commands": rows}))
    else:
        print(f"{count} containers run")
        for name, row in rows.items():
            print(f"{name:14} {row['median_ms']:8.1f} ms, at best {row['best_ms']:.1f}, "
                  f"{row['processor_ms']:.1f} of processors")
    subprocess.run(["carrel", "stop", "--all"], check=True, stdout=subprocess.DEVNULL)


main()
