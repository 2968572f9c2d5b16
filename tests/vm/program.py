"""What the programs tests/vm/run and tests/systemd/run do alike: a machine for a while, and counts."""

import argparse
import contextlib
import os
import pathlib
import shutil
import signal
import subprocess
import sys

import debian
import suite


def parser(summary):
    arguments = argparse.ArgumentParser(description=summary)
    arguments.add_argument("build", nargs="?", metavar="BUILD_DIR")
    arguments.add_argument("-k", dest="pattern", default="", help="only names that match")
    arguments.add_argument("--list", action="store_true", help="names and what they assert")
    arguments.add_argument("--shell", action="store_true", help="a shell on the machine")
    return arguments


def cache_folder():
    home = os.environ.get("XDG_CACHE_HOME") or pathlib.Path.home() / ".cache"
    return pathlib.Path(os.environ.get("CARREL_CACHE_DIR") or pathlib.Path(home, "carrel"))


class NotInstalled(debian.Unavailable):
    """Programs are missing, as where no qemu can be installed."""


def check_machine(programs):
    if os.geteuid() != 0:
        raise debian.Unavailable("needs root")
    if os.uname().machine != "x86_64":
        raise debian.Unavailable("the Debian that is made is one for x86_64")
    path = "/usr/sbin:/usr/bin:/sbin:/bin"
    missing = [program for program in programs if not shutil.which(program, path=path)]
    if missing:
        raise NotInstalled(f"{', '.join(missing)} (see the file packages)")


@contextlib.contextmanager
def machine(name, arguments, make):
    """The machine that `make` makes, installed and on; nothing of it is left at the end."""
    made = debian.prepare(cache_folder(), lambda text: print(f"{name}: {text}", flush=True))
    with folder_for(name) as folder:
        lab = make(made, folder)
        try:
            lab.boot()
            lab.install(arguments.build)
            yield lab
        finally:
            lab.stop()


@contextlib.contextmanager
def folder_for(name):
    """A folder on disk for a while; those of runs that were killed are removed."""
    for old in pathlib.Path("/var/tmp").glob(f"carrel-{name}.*"):
        if not pathlib.Path("/proc", old.suffix[1:]).exists():
            shutil.rmtree(old)
    folder = pathlib.Path(f"/var/tmp/carrel-{name}.{os.getpid()}")
    folder.mkdir(mode=0o700)
    try:
        yield folder
    finally:
        shutil.rmtree(folder)


def leave(number, _):
    """By way of every `finally`, once: an impatient second signal must not stop that."""
    for other in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(other, signal.SIG_IGN)
    sys.exit(128 + number)


def run(name, arguments, chosen, make):
    """Run the `chosen` tests, or what was asked for instead; returns the counts, or None."""
    with machine(name, arguments, make) as lab:
        if arguments.shell:
            subprocess.run(lab.ssh_command("root", options=["-t"]), check=False)
            return None
        counts = suite.run_all(chosen, lab)
        print(f"{name}: boots took " + ", ".join(f"{time:.1f}" for time in lab.boots) + " s")
        return counts


def main(name, arguments, modules, programs, make, chosen=None, what_is_left=None):
    """
    Tests of these modules on the machine that make(debian, folder) makes with these programs.
    `chosen` are the names of those that run, if not all; what_is_left() lists what should be gone
    afterwards. Returns the exit status.
    """
    for module in modules:
        __import__(module)
    if arguments.list:
        for test in suite.TESTS:
            print(f"{test.name:44} {test.summary}")
        return 0
    if not arguments.build:
        print(f"usage: tests/{name}/run [OPTION...] BUILD_DIR", file=sys.stderr)
        return 2
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, leave)
    tests = suite.selected(arguments.pattern, False)
    if chosen:
        tests = [test for test in tests if test.name in chosen]
        suite.equal(sorted(test.name for test in tests), sorted(chosen), "the tests that exist")
    try:
        check_machine(programs)
        counts = run(name, arguments, tests, make)
    except debian.Unavailable as trouble:
        what = "not_installed" if isinstance(trouble, NotInstalled) else "not_made"
        print(f"SKIP  {what}: {' '.join(str(trouble).split())}\n"
              "0 passed, 0 failed, 1 skipped")
        return 0
    if counts is None:
        return 0
    passed, failed, skipped = counts
    if what_is_left:
        left = what_is_left()
        suite.report("FAIL" if left else "ok", "nothing_is_left_on_the_machine", 0, left)
        passed, failed = passed + (not left), failed + bool(left)
    print(f"{passed} passed, {failed} failed, {skipped} skipped", flush=True)
    return 1 if failed else 0
