#!/usr/bin/python3
"""A class that logs in for the first time within seconds: with Carrel, and the same without.

    scripts/bench --storm [--users N] [--json]

Cases, in one run:
  bare   the same logins with no Carrel in the stack
  cold   first logins: every container is built
  warm   the same users again: every container runs
All are `su USER -c ...` at once. Told are the time until the last one is in, how many got in, and how late
somebody else on the machine woke at worst.
"""

import argparse
import json
import os
import pathlib
import subprocess
import sys

sys.path.append(str(pathlib.Path(__file__).resolve().parent))
import crowd  # noqa: E402

POLICY = """
policy "crowd" {
  groups = {"crowd"}
  limits { memory = "256M"  swap = "0"  cpu = "100%"  pids = 100  tmp = "16M" }
}
"""


def set_up(count):
    crowd.add_users(count)
    pathlib.Path("/etc/carrel/policy.d").mkdir(parents=True, exist_ok=True)
    cgroup = os.environ["PRIVATE_HOST_CGROUP"]
    pathlib.Path("/etc/carrel/carrel.conf").write_text(f'cgroup_parent = "{cgroup}"\n')
    pathlib.Path("/etc/carrel/policy.d/crowd.conf").write_text(POLICY)
    plain = "auth sufficient pam_rootok.so\naccount required pam_permit.so\nsession required pam_permit.so\n"
    pathlib.Path("/etc/pam.d/runuser").write_text(plain)
    pathlib.Path("/etc/pam.d/su").write_text(plain + "session required pam_carrel.so\n")


def measure(count, program):
    probe = crowd.Probe()
    storm = crowd.Storm(count, program, "id -un")
    late = probe.end()
    return {"in": len(storm.got_in()), "of": count, "seconds": round(storm.seconds, 2),
            "late_ms": round(late * 1000)}


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--users", type=int, default=300)
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    set_up(arguments.users)
    rows = {case: measure(arguments.users, program)
            for case, program in (("bare", "runuser"), ("cold", "su"), ("warm", "su"))}
    for row in rows.values():
        row["ratio"] = round(row["seconds"] / rows["bare"]["seconds"], 2)
    subprocess.run(["carrel", "stop", "--all", "--timeout", "0"], check=True, stdout=subprocess.DEVNULL)
    if arguments.json:
        print(json.dumps(rows))
        return
    print(f"{'case':6} {'in':>10} {'seconds':>8} {'ratio':>6} {'late ms':>8}")
    for case, row in rows.items():
        print(f"{case:6} {row['in']:>5}/{row['of']:<4} {row['seconds']:8.2f} {row['ratio']:6.2f} "
              f"{row['late_ms']:8}")


main()
