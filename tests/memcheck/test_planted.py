"""Mistakes in the helper and in PID 1 are seen: else no report would mean nothing."""

import contextlib
import time

import memcheck
from suite import equal, expect, test


@contextlib.contextmanager
def planted(name):
    """The program with a mistake in the place of the one without."""
    memcheck.watch(name, memcheck.LIBEXEC / "planted" / name)
    try:
        yield
    finally:
        memcheck.watch(name, memcheck.LIBEXEC / "watched" / name)


def said(name, *parts):
    """Memcheck says all of these of the program, and with that it is no accusation any more."""
    heard, more = "", "?"
    deadline = time.monotonic() + 20
    while more or not all(part in heard for part in (f"[{name}.", *parts)):
        expect(time.monotonic() < deadline, f"no report with {parts}, but {heard!r}")
        time.sleep(1)  # until a report is at its end
        more = memcheck.accusations()
        heard += more


@test
def mistakes_of_the_helper(m):
    """What nobody has set and what is lost, in a helper that builds a container and lets in."""
    with m.policy("planted"), planted("carrel-helper"):
        equal(m.ssh("bob", "true").status, 0, "status")
    said("carrel-helper", "depends on uninitialised value", "session_admit", "77 bytes",
         "definitely lost")


@test
def mistake_of_the_first_process(m):
    """What nobody has set, in carrel-init when it serves inside the container."""
    with m.policy("planted"), planted("carrel-init"):
        equal(m.ssh("bob", "true").status, 0, "status")
    said("carrel-init", "depends on uninitialised value", "room_serve")


@test
def no_mistake_is_seen_where_none_is(m):
    """The same login, first and second, without a mistake."""
    with m.policy("planted"):
        for _ in range(2):
            equal(m.ssh("bob", "true").status, 0, "status")
    time.sleep(1)
    equal(memcheck.accusations(), "", "what memcheck says")
    names = {log.name.rpartition(".")[0] for log in memcheck.LOGS.iterdir()}
    equal(names, set(memcheck.PROGRAMS), "the programs that were watched")
