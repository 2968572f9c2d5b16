"""A mistake in each program is seen, wherever it is made: else no report would mean nothing."""

import contextlib
import pathlib
import shutil
import subprocess
import time

import suite
import witness
from machine import PASSWORD
from suite import contains, equal, expect, test

LIBEXEC = witness.LIBEXEC


def module():
    return next(pathlib.Path("/usr/lib").glob("**/security/pam_carrel.so"))


@contextlib.contextmanager
def planted(program):
    """The program with a mistake in the place of the one without."""
    subprocess.run(["mount", "--bind", LIBEXEC / "planted" / program.name, program], check=True)
    try:
        yield
    finally:
        subprocess.run(["umount", "--lazy", program], check=True)


def said(*parts):
    """Somebody says all of these, and with that it is no accusation any more."""
    heard, more = "", "?"
    deadline = time.monotonic() + 10
    while more or not all(part in heard for part in parts):
        expect(time.monotonic() < deadline, f"no report with {parts}, but {heard!r}")
        time.sleep(0.5)  # until a report is at its end
        more = witness.accusations()
        heard += more


@test
def everything_is_instrumented(m):
    """What is installed asks both run times, and the witness comes before them."""
    for program in (module(), shutil.which("carrel"), *[LIBEXEC / name for name in witness.OWN]):
        symbols = subprocess.run(["nm", "-D", program], capture_output=True, text=True).stdout
        for call in ("__asan_report_load", "__ubsan_handle"):
            contains(symbols, call, f"what {program} calls")
    for program in (*witness.SERVICES, "carrel", *[LIBEXEC / name for name in witness.OWN]):
        libraries = witness.needed(shutil.which(program))
        equal(libraries[0], str(witness.LIBRARY), f"the first library of {program}")
        for run_time in ("libasan", "libubsan"):
            expect(any(name.startswith(run_time) for name in libraries),
                   f"{program} lacks {run_time}")


@test
def mistake_of_the_module_in_sshd(m):
    """In sshd, when it has joined the container: its root, ids and filter hide no report."""
    with m.policy("planted"), planted(module()):
        result = m.ssh("bob", "true")
        expect(result.status != 0, "sshd went on")
        said("[sshd, process", "heap-use-after-free", "join_confine")
    with m.policy("planted"):
        equal(m.ssh("bob", "true").status, 0, "status of a login without the mistake")


@test
def mistake_of_the_module_in_su(m):
    """In su, which has set-user-id and is started by a user."""
    with m.policy("planted"), planted(module()):
        command = ["setpriv", "--reuid=carol", "--regid=carol", "--init-groups",
                   "su", "bob", "-c", "true"]
        terminal = m.terminal(*command)
        terminal.wait_for("Password: ")
        terminal.type(PASSWORD)
        expect(terminal.end() != 0, "su went on")
        said("[su, process", "heap-use-after-free", "join_confine")


@test
def mistake_of_the_helper(m):
    """In carrel-helper, confined, its standard error /dev/null; the login is refused."""
    with m.policy("planted"), planted(LIBEXEC / "carrel-helper"):
        result = m.ssh("bob", "true")
        expect(result.status != 0, "the login went on")
        contains(result.said, "logins are refused", "what the user reads")
    said("[carrel-helper, process", "heap-use-after-free", "session_admit")


@test
def mistake_of_the_first_process(m):
    """Undefined behaviour in carrel-init, when it serves: another run time, inside."""
    with m.policy("planted"), planted(LIBEXEC / "carrel-init"):
        m.ssh("bob", "true")
    said("[carrel-init, process 1 of", "misaligned address", "room_serve")


@test
def mistake_of_the_watch(m):
    """In carrel-watch, which nobody waits for."""
    with m.policy("planted"), planted(LIBEXEC / "carrel-watch"):
        equal(m.ssh("bob", "true").status, 0, "status of a login that nobody watches")
    said("[carrel-watch, process", "heap-use-after-free", "record_login")


@test
def reports_are_failures(m):
    """A test during which somebody says something does not pass, whatever it asserts."""
    with m.policy("planted"), planted(LIBEXEC / "carrel-watch"):
        def careless(machine):
            """Looks at nothing that goes wrong."""
            equal(machine.ssh("bob", "sleep 1").status, 0, "status")
        verdict, lines = suite.run_one(suite.Test(careless, False), m)
    equal(verdict, "FAIL", "the verdict")
    contains("\n".join(lines), "heap-use-after-free", "its reason")
