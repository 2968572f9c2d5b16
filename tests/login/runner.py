"""Runs a suite of logins on a private copy of this machine and tells the counts."""

import argparse
import json
import os
import pathlib
import shutil
import signal
import subprocess
import sys
import time

HERE = pathlib.Path(__file__).resolve().parent
PRIVATE_HOST = HERE.parent.parent / "scripts" / "private-host"
PROGRAMS = ("/usr/sbin/sshd", "/usr/sbin/cron", "/usr/bin/ssh", "/usr/bin/tmux",
            "/usr/bin/rsync", "/usr/bin/xauth")

import suite  # noqa: E402  (found beside this file)


def parse_arguments(summary):
    parser = argparse.ArgumentParser(description=summary)
    parser.add_argument("build", nargs="?", metavar="BUILD_DIR")
    parser.add_argument("-k", dest="pattern", default="", help="only names that match")
    parser.add_argument("--bare", action="store_true", help="without Carrel")
    parser.add_argument("--list", action="store_true", help="names and what they assert")
    parser.add_argument("--inside", action="store_true", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if not (arguments.list or arguments.inside or arguments.bare or arguments.build):
        parser.error("name the build directory, or say --bare")
    return arguments


def load_tests(folder):
    sys.path.append(str(folder))
    for path in sorted(folder.glob("test_*.py")):
        __import__(path.stem)


def main_inside(arguments):
    """On the private machine: set it up, run the tests, tell the counts on descriptor RESULTS."""
    from machine import Machine
    results = int(os.environ.pop("RESULTS"))
    os.set_inheritable(results, False)
    cache = int(os.environ.pop("CACHE"))
    os.set_inheritable(cache, False)
    machine = Machine(contained=not arguments.bare, cache=pathlib.Path(f"/proc/self/fd/{cache}"))
    try:
        machine.set_up()
        counts = suite.run_all(suite.selected(arguments.pattern, arguments.bare), machine)
    finally:
        machine.stop()
    os.write(results, json.dumps(counts).encode())
    return 0


def open_cache():
    """The folder of what outlives a run; the private host cannot see it by its path."""
    path = os.environ.get("CARREL_CACHE_DIR") or os.path.expanduser("~/.cache/carrel")
    os.makedirs(path, mode=0o700, exist_ok=True)
    return os.open(path, os.O_RDONLY | os.O_DIRECTORY)


def main_outside(arguments):
    missing = [program for program in PROGRAMS if not shutil.which(program)]
    if missing:
        print(f"run: missing {' '.join(missing)}", file=sys.stderr)
        return 2
    reader, writer = os.pipe()
    cache = open_cache()
    # The private host ends, and cleans up, should this process be killed.
    command = ["setpriv", "--pdeathsig", "TERM", PRIVATE_HOST]
    if not arguments.bare:
        command += ["--build", arguments.build]
    command += [os.path.realpath(sys.argv[0]), "--inside", *sys.argv[1:]]
    environment = dict(os.environ, RESULTS=str(writer), CACHE=str(cache),
                       PYTHONDONTWRITEBYTECODE="1")
    host = subprocess.Popen(command, pass_fds=[writer, cache], env=environment)
    os.close(writer)
    os.close(cache)
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda *_: host.terminate())
    text = os.read(reader, 4096)
    status = host.wait()
    if not text:
        print(f"run: stopped before the end (status {status})", file=sys.stderr)
        return 1
    passed, failed, skipped = json.loads(text)
    start = time.monotonic()
    left = what_is_left(f"carrel-private-host.{host.pid}")
    suite.report("FAIL" if left else "ok", "nothing_is_left_on_the_machine",
                 time.monotonic() - start, left)
    passed, failed = passed + (not left), failed + bool(left)
    print(f"{passed} passed, {failed} failed, {skipped} skipped", flush=True)
    return 1 if failed or status else 0


def what_is_left(name):
    """Processes, mounts, cgroups, loop devices and files in /var/tmp of the machine of this name."""
    left = []
    for process in pathlib.Path("/proc").glob("[0-9]*"):
        try:
            if any(name in (process / file).read_text() for file in ("cgroup", "mountinfo")):
                left.append(f"process {process.name}: {(process / 'comm').read_text().strip()}")
        except OSError:
            continue  # ended meanwhile
    left += [f"{place}/{name}" for place, folders, _ in os.walk("/sys/fs/cgroup") if name in folders]
    left += [str(path) for path in pathlib.Path("/var/tmp").glob(name)]
    loops = subprocess.run(["losetup", "--list", "--noheadings"], capture_output=True, text=True)
    left += [line for line in loops.stdout.splitlines() if name in line or "(deleted)" in line]
    return left


def main(summary):
    """The tests in the folder of the program that calls this; returns its exit status."""
    arguments = parse_arguments(summary)
    if arguments.list or arguments.inside:
        load_tests(pathlib.Path(sys.argv[0]).resolve().parent)
    if arguments.inside:
        return main_inside(arguments)
    if arguments.list:
        for test in suite.TESTS:
            print(f"{test.name:44} {test.summary}")
        return 0
    return main_outside(arguments)
