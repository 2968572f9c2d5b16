"""Commands on data, killed at every instant: the old state or the new one is there, whole."""

import pathlib
import signal
import subprocess

from data import KINDS, forget, inside, log_in, policy, shell, state_is_clean
from host import RUN
from suite import contains, equal, expect, test

# Before each Nth of these the command is killed; the step between two N.
CALLS = {"renameat2": 1, "renameat": 1, "rename": 1, "fsync": 1, "syncfs": 1, "mkdirat": 1,
         "unlinkat": 3, "openat": 23, "linkat": 1, "ioctl": 5, "fchmod": 2, "write": 7, "close": 41,
         "clone": 1, "flock": 1}
LOOK = "cd ~; cat which; cat which | cmp - /var/tmp/which; ls -A /var/tmp"


def killed_at_each(*command, stdin=None):
    """Run it again and again, each time killed a little later; yields after each."""
    for call, step in CALLS.items():
        for number in range(1, 10000, step):
            run = subprocess.run(
                ["strace", "-qq", "-o", "/dev/null", "-e", f"trace={call}",
                 "-e", f"inject={call}:signal=KILL:when={number}", "carrel", *command],
                stdin=open(stdin) if stdin else subprocess.DEVNULL, capture_output=True, text=True,
                timeout=120)
            if run.returncode not in (-signal.SIGKILL, 137):
                equal(run.returncode, 0, f"the status of {command}: {run.stderr}")
                yield f"{call} not met {number} times", False
                break
            yield f"{call} number {number}", True


def write(host, word):
    return inside(host, "alice", f"echo {word} > ~/which; echo {word} > /var/tmp/which; {LOOK}")


def each_kind(function):
    for kind in KINDS:
        def run(host, kind=kind):
            function(host, kind)
        run.__name__ = f"{function.__name__}_{kind}"
        run.__doc__ = f"{function.__doc__} ({kind})"
        test(run)


def labels(host):
    return {it["label"] for it in host.json("snapshots", "--json", "alice")}


@each_kind
def rollback_killed(host, kind):
    """The state of the snapshot or the one before; and that one is never lost."""
    policy(host, kind)
    host.cleanup.callback(forget, host, "alice")
    states = {write(host, "old")}
    host.works("snapshot", "alice", "old")
    states.add(write(host, "new"))
    host.works("snapshot", "alice", "new")
    met = set()
    for when, _ in killed_at_each("rollback", "--yes", "alice", "old"):
        found = inside(host, "alice", LOOK)
        expect(found in states, f"killed at {when}: {found}")
        met.add(found)
        host.works("gc")
        state_is_clean()
        kept = labels(host) - {"old", "new"}
        expect(len(kept) == ("old" in found), f"killed at {when}: {found!r} is there, kept {kept}")
        if kept:
            host.works("rollback", "--yes", "--discard", "alice", kept.pop())
            contains(inside(host, "alice", LOOK), "new", f"killed at {when}: what was kept")
        for label in labels(host) - {"old", "new"}:
            host.works("snapshots", "alice", "--yes", "--remove", label)
        host.works("rollback", "--yes", "--discard", "alice", "new")
    equal(met, states, "the states that were met")


@each_kind
def reset_killed(host, kind):
    """Everything is there, or only home; what is left over is cleared."""
    policy(host, kind)
    host.cleanup.callback(forget, host, "alice")
    before = write(host, "old")
    host.works("snapshot", "alice", "old")
    met = set()
    for when, killed in killed_at_each("reset", "--yes", "alice"):
        found = inside(host, "alice", "cat ~/which; ls -A /var/tmp")
        expect(found in ("old\nwhich\n", "old\n"), f"killed at {when}: {found}")
        met.add(found)
        host.works("gc")
        state_is_clean()
        # A start in between must not be undone by what the killed one had begun.
        inside(host, "alice", "echo kept > /var/tmp/later")
        host.works("gc")
        contains(inside(host, "alice", "cat /var/tmp/later"), "kept", f"killed at {when}: later")
        if not killed:
            host.works("rollback", "--yes", "--discard", "alice", "old")
        elif found == "old\n":
            host.works("rollback", "--yes", "--discard", "alice", "old")
        equal(inside(host, "alice", "rm -f /var/tmp/later; " + LOOK), before, "the next one's start")
    equal(met, {"old\nwhich\n", "old\n"}, "the states that were met")


@test
def held_for_ever(host):
    """A container that is still held, its holder and the guard both killed: the next to come lets it go."""
    policy(host, "plain")
    host.cleanup.callback(forget, host, "alice")
    for attempt in (lambda: log_in(host), lambda: shell(host, "alice", "true", timeout=20),
                    lambda: host.works("gc"), lambda: host.works("stop", "alice")):
        log_in(host)
        (RUN / "containers/alice/frozen").write_text("")
        for name, word in (("freezer.state", "FROZEN"), ("cgroup.freeze", "1")):
            for path in pathlib.Path("/sys/fs/cgroup").glob(f"*/{host.cgroup}/alice/{name}"):
                path.write_text(word)
        attempt()
        if host.running():
            shell(host, "alice", "true", timeout=20)
            expect(not (RUN / "containers/alice/frozen").exists(), "the mark is still there")


@each_kind
def snapshot_killed(host, kind):
    """There is a whole snapshot or none, and a running container goes on."""
    policy(host, kind)
    host.cleanup.callback(forget, host, "alice")
    before = write(host, "old")
    log_in(host)
    for when, killed in killed_at_each("snapshot", "alice", "one"):
        equal(shell(host, "alice", LOOK, timeout=20), before, f"killed at {when}: it goes on")
        host.works("gc")
        state_is_clean()
        expect(not (RUN / "containers/alice/frozen").exists(), "the mark of being held")
        if labels(host):
            log_in(host, "bob")
            host.works("stop", "alice", "bob")
            host.works("rollback", "--yes", "--discard", "alice", "one")
            equal(inside(host, "alice", LOOK), before, f"killed at {when}: the snapshot")
            host.works("snapshots", "alice", "--yes", "--remove", "one")
            log_in(host)
    forget(host, "bob")


@each_kind
def import_killed(host, kind):
    """The old data or those of the archive, whole, of the container or of its home."""
    policy(host, kind)
    host.cleanup.callback(forget, host, "alice")
    path = host.directory / "killed.tar"
    old = write(host, "old")
    with open(path, "wb") as file:
        subprocess.run(["carrel", "export", "alice"], stdout=file, check=True)
    new = write(host, "new")
    host.works("snapshot", "alice", "new")
    for options, good in ((["--yes"], {old, new}),
                          (["--yes", "--home-only", "--discard"], {"old\nwhich\nnew\n", "new\nwhich\nnew\n"})):
        met = set()
        for when, _ in killed_at_each("import", *options, "alice", stdin=path):
            found = inside(host, "alice", LOOK if len(options) == 1 else
                           "cat ~/which; ls -A /var/tmp; cat /var/tmp/which")
            expect(found in good, f"killed at {when}: {found}")
            met.add(found)
            host.works("gc")
            state_is_clean()
            for label in labels(host) - {"new"}:
                host.works("snapshots", "alice", "--yes", "--remove", label)
            host.works("rollback", "--yes", "--discard", "alice", "new")
        equal(met, good, "the states that were met")
