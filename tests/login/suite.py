"""The list of tests, the words they use to judge, and the loop that runs them."""

import collections
import contextlib
import re
import time
import traceback

import memcheck
import witness

PATIENCE = 60  # seconds for anything that should happen soon, on a slow and busy machine


class Skip(Exception):
    """Raised by a test that cannot run here; the text says why."""


class Test:
    def __init__(self, function, bare):
        self.function = function
        self.name = function.__name__
        self.bare = bare
        self.summary = (function.__doc__ or "").strip().splitlines()[0]


TESTS = []


def test(function=None, *, bare=False):
    """Register a test. `bare` ones hold without Carrel too and prove the harness itself."""
    def register(function):
        TESTS.append(Test(function, bare))
        return function
    return register(function) if function else register


# ---- judging --------------------------------------------------------------------------------

def expect(condition, what):
    if not condition:
        raise AssertionError(what)


def equal(actual, expected, what="it"):
    expect(actual == expected, f"{what} is {actual!r}, expected {expected!r}")


def contains(text, part, what="the text"):
    expect(part in text, f"{what} lacks {part!r}: {text!r}")


def lacks(text, part, what="the text"):
    expect(part not in text, f"{what} has {part!r}: {text!r}")


def matches(text, pattern, what="the text"):
    found = re.search(pattern, text, re.MULTILINE)
    expect(found, f"{what} does not match {pattern!r}: {text!r}")
    return found


def eventually(probe, what, patience=PATIENCE):
    """Call `probe` until it returns something true, and return that."""
    deadline = time.monotonic() + patience
    while True:
        value = probe()
        if value:
            return value
        expect(time.monotonic() < deadline, f"{what}: not within {patience} s")
        time.sleep(0.05)


class Transcript:
    """What the test did and saw, told when it fails: the last parts, without repetitions."""

    def __init__(self):
        self.parts = collections.deque(maxlen=40)

    def add(self, part):
        if not self.parts or self.parts[-1] != part:
            self.parts.append(part)

    def more(self, text):
        """Goes on in the same part."""
        before = self.parts.pop() if self.parts else ""
        self.parts.append((before + text)[-4000:])

    def lines(self):
        return "\n".join(self.parts).replace("\r", "").splitlines()


# ---- running --------------------------------------------------------------------------------

def selected(pattern, bare):
    return [t for t in TESTS if re.search(pattern, t.name) and (t.bare or not bare)]


def run_one(test, machine):
    """Returns "ok", "FAIL" or "SKIP", and the lines that explain it."""
    verdict, lines = judge(test, machine)
    said = witness.accusations() + memcheck.accusations()
    if said:
        return "FAIL", ["a sanitizer or memcheck says:", *said.splitlines(), *lines]
    return verdict, lines


def judge(test, machine):
    try:
        with contextlib.ExitStack() as cleanup:
            machine.begin(cleanup)
            test.function(machine)
    except Skip as skip:
        return "SKIP", [str(skip)]
    except AssertionError as failure:
        return "FAIL", [str(failure)] + machine.evidence()
    except Exception:
        return "FAIL", traceback.format_exc().splitlines() + machine.evidence()
    return "ok", []


def run_all(tests, machine):
    """Returns how many passed, failed and were skipped."""
    counts = {"ok": 0, "FAIL": 0, "SKIP": 0}
    for test in tests:
        start = time.monotonic()
        verdict, lines = run_one(test, machine)
        counts[verdict] += 1
        report(verdict, test.name, time.monotonic() - start, lines)
    return counts["ok"], counts["FAIL"], counts["SKIP"]


def report(verdict, name, seconds, lines):
    first = f": {lines[0]}" if lines else ""
    print(f"{verdict:4}  {name}  ({seconds:.2f} s){first}", flush=True)
    for line in lines[1:]:
        print("        " + line.replace("\n", "\n        "), flush=True)
