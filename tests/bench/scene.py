"""The private machine (scripts/private-host) that all cases share: users, PAM stacks, policies."""

import os
import pathlib
import subprocess
import time

CONFIG = pathlib.Path("/etc/carrel/carrel.conf")
POLICIES = pathlib.Path("/etc/carrel/policy.d")
KEPT_AFTER_SECONDS = 4
QUIET_PART = 0.95
QUIET_SECONDS, QUIET_PATIENCE_SECONDS = 1, 60
LIMITS = 'limits { memory = "256M"  swap = "0"  cpu = "100%"  pids = 100  tmp = "16M" '
BARE_STACK = """auth sufficient pam_rootok.so
account required pam_permit.so
session required pam_permit.so
"""
MODULE = "session required pam_carrel.so\n"


class Skip(Exception):
    """What cannot be measured here, and why."""


def run(*command, **options):
    """Must succeed; what it says is shown only when it does not."""
    done = subprocess.run(command, **{"stdin": subprocess.DEVNULL, **options}, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True)
    if done.returncode:
        raise SystemExit(f"bench: {' '.join(map(str, command))} failed:\n{done.stdout}")
    return done.stdout


def pam_stacks():
    """su has Carrel in its stack, runuser does not: they are the same program otherwise."""
    pathlib.Path("/etc/pam.d/runuser").write_text(BARE_STACK)
    pathlib.Path("/etc/pam.d/su").write_text(BARE_STACK + MODULE)


def configure(**settings):
    settings.setdefault("cgroup_parent", f'"{os.environ["PRIVATE_HOST_CGROUP"]}"')
    CONFIG.parent.mkdir(exist_ok=True)
    CONFIG.write_text("".join(f"{key} = {value}\n" for key, value in settings.items()))


def policy(*arguments, **more):
    """write_policy, and wait: what is parsed is kept when no file is newer than two seconds."""
    write_policy(*arguments, **more)
    time.sleep(KEPT_AFTER_SECONDS)


def write_policy(name, who, kind="users", limits="", settings="", base=LIMITS):
    """For these users, or groups; with more limits, and more settings beside them."""
    POLICIES.mkdir(parents=True, exist_ok=True)
    names = ", ".join(f'"{it}"' for it in who)
    (POLICIES / f"{name}.conf").write_text(
        f'policy "{name}" {{\n  {kind} = {{{names}}}\n  {settings}\n  {base} {limits} }}\n}}\n')


def add_user(name):
    run("useradd", "-m", name)


def idle_seconds():
    """Of all processors together since boot, and of how many."""
    fields = pathlib.Path("/proc/stat").read_text().split("\n", 1)[0].split()[1:]
    return (int(fields[3]) + int(fields[4])) / os.sysconf("SC_CLK_TCK"), os.cpu_count()


def wait_for_quiet():
    """The kernel goes on burying networks and cgroups by the thousand when their last process is gone."""
    deadline = time.monotonic() + QUIET_PATIENCE_SECONDS
    while time.monotonic() < deadline:
        begun, (before, processors) = time.monotonic(), idle_seconds()
        time.sleep(QUIET_SECONDS)
        if idle_seconds()[0] - before > QUIET_PART * processors * (time.monotonic() - begun):
            return


def stop(name):
    run("carrel", "stop", name)


def milliseconds(*command):
    """From fork to exit."""
    start = time.perf_counter()
    done = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                          stderr=subprocess.PIPE, text=True)
    spent = (time.perf_counter() - start) * 1000
    if done.returncode:
        raise SystemExit(f"bench: {' '.join(command)} failed: {done.stderr}")
    return spent


def login(user, program="su"):
    return milliseconds(program, user, "-c", "true")
