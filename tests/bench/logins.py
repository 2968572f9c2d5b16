#!/usr/bin/python3
"""What Carrel adds to a login: the same `su USER -c true`, with and without it.

Cases, one login of each per round, so that what the machine does at the time hits all alike:
  bare     a user whom no policy names and whose service has no Carrel in its PAM stack
  host     Carrel in the stack decides "host": the price for those who are not contained
  warm     into a container that runs
  cold     into one that does not: it is built first
A whole process is timed, from fork to exit. Medians are what to quote, ratios to bare what to keep.
"""

import argparse
import json
import os
import pathlib
import statistics
import subprocess
import time

POLICY = """
policy "bench" {
  users  = {"warm", "cold"}
  limits { memory = "256M"  swap = "0"  cpu = "100%"  pids = 100  tmp = "16M" }
}
"""


def set_up():
    for user in ("bare", "host", "warm", "cold"):
        subprocess.run(["useradd", "-m", user], check=True)
    pathlib.Path("/etc/carrel/policy.d").mkdir(parents=True, exist_ok=True)
    cgroup = os.environ["PRIVATE_HOST_CGROUP"]
    pathlib.Path("/etc/carrel/carrel.conf").write_text(f'cgroup_parent = "{cgroup}"\n')
    pathlib.Path("/etc/carrel/policy.d/bench.conf").write_text(POLICY)
    plain = "auth sufficient pam_rootok.so\naccount required pam_permit.so\nsession required pam_permit.so\n"
    pathlib.Path("/etc/pam.d/runuser").write_text(plain)
    pathlib.Path("/etc/pam.d/su").write_text(plain + "session required pam_carrel.so\n")


def login(program, user):
    start = time.perf_counter()
    subprocess.run([program, user, "-c", "true"], check=True, stdin=subprocess.DEVNULL)
    return (time.perf_counter() - start) * 1000


def measure(rounds):
    times = {"bare": [], "host": [], "warm": [], "cold": []}
    for user in ("host", "warm", "cold"):
        login("su", user)
    for _ in range(rounds):
        subprocess.run(["carrel", "stop", "cold"], check=True, stdout=subprocess.DEVNULL)
        times["bare"].append(login("runuser", "bare"))
        for case in ("host", "warm", "cold"):
            times[case].append(login("su", case))
    return times


def figures(times):
    base = statistics.median(times["bare"])
    rows = {}
    for case, values in times.items():
        cuts = statistics.quantiles(values, n=100, method="inclusive")
        median = statistics.median(values)
        rows[case] = {"median_ms": round(median, 2), "p10_ms": round(cuts[9], 2),
                      "p99_ms": round(cuts[98], 2), "added_ms": round(median - base, 2),
                      "ratio": round(median / base, 2)}
    return rows


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=100)
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    set_up()
    rows = figures(measure(max(arguments.rounds, 2)))
    subprocess.run(["carrel", "stop", "--all"], check=True, stdout=subprocess.DEVNULL)
    if arguments.json:
        print(json.dumps(rows))
        return
    print(f"{'case':6} {'median ms':>10} {'p10':>8} {'p99':>8} {'added':>8} {'ratio':>6}")
    for case, row in rows.items():
        print(f"{case:6} {row['median_ms']:10.2f} {row['p10_ms']:8.2f} {row['p99_ms']:8.2f} "
              f"{row['added_ms']:8.2f} {row['ratio']:6.2f}")


main()
