"""The tests of logins and limits that run natively elsewhere, here on cgroup v2 below systemd."""

import pathlib
import re

from suite import equal, expect, test

TOP = pathlib.Path(__file__).resolve().parent.parent.parent
THERE = "/root/carrel"
# Of tests/login: what cgroups, logind and consoles can make different, and no test here asserts.
# All of it takes an emulated machine too long.
LOGINS = ("memory_of_files|fork_bomb|sessions|open_files|pool|pool_rate|idle_stop|"
          "console_job_control|su_command|su_terminal|su_leaves_nothing_of_root|runuser_login")
# Of tests/limits: skipped because of what this machine is, and run elsewhere.
EXPECTED_SKIPS = ("partition_stands_for_its_disk", "btrfs_stands_for_its_one_disk",
                  "btrfs_on_two_disks_is_refused", "systemd_must_have_made_the_parent")


def check_all_passed(m, command, least, patience):
    """Run a suite there; at least so many of its tests must pass, and none may fail."""
    result = m.run(*m.ssh_command("root", command), timeout=patience)
    failed = re.findall(r"^FAIL .*(?:\n {8}.*)*", result.out, re.MULTILINE)
    expect(not failed, "\n".join(failed)[:8000])
    skips = re.findall(r"^SKIP +(?:v2/)?(\S+)", result.out, re.MULTILINE)
    equal([name for name in skips if name not in EXPECTED_SKIPS], [], "the skipped tests")
    passed = len(re.findall(r"^ok ", result.out, re.MULTILINE))
    expect(passed >= least, f"{passed} tests passed, at least {least} should: {result.said[-500:]}")


@test
def limits_suite(m):
    """tests/limits, on cgroup v2."""
    made = m.run("make", "-C", m.build, "tests/limits/driver", timeout=300)
    equal(made.status, 0, f"the status of make ({made.said[-300:]})")
    m.bring(THERE, {"tests/limits": TOP / "tests/limits",
                    "build/tests/limits/driver": pathlib.Path(m.build, "tests/limits/driver")})
    check_all_passed(m, f"cd {THERE} && timeout 280 python3 tests/limits/run build", 30, 300)


@test
def login_suite(m):
    """Of tests/login those about limits, su and consoles, with logind and below carrel.service."""
    m.bring(THERE, {"tests/login": TOP / "tests/login", "tests/bench": TOP / "tests/bench",
                    "scripts": TOP / "scripts"})
    # The suite is its own syslog and its own cron, and lets its own key in.
    m.cleanup.callback(m.configure)
    m.cleanup.callback(m.inside, "root", "ln -sfn /run/systemd/journal/dev-log /dev/log; "
                                         "mv /root/keys /root/.ssh/authorized_keys; "
                                         "systemctl start cron")
    m.host("rm /dev/log; cp -p /root/.ssh/authorized_keys /root/keys; systemctl stop cron; "
           "mkdir /var/tmp/suite")
    m.write(f"{THERE}/suite", f"exec python3 {THERE}/tests/login/run --inside -k '^({LOGINS})$' "
                              f"3>/dev/null 4<{THERE}")
    # As a service of its own: what starts from a session would stay in that session for logind.
    check_all_passed(
        m, "systemd-run --quiet --pipe --wait --collect --property=RuntimeMaxSec=280 "
           "env RESULTS=3 CACHE=4 PYTHONDONTWRITEBYTECODE=1 PRIVATE_HOST=/var/tmp/suite "
           f"PRIVATE_HOST_CGROUP=system.slice/carrel.service sh {THERE}/suite", 12, 300)
