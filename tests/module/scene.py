"""The scene of the module's tests: a private machine, the fake helper, the driver.

What it changes (/run, /dev, /etc/passwd, the folder of the helper) is changed by mounts in the
private namespace that tests/module/run has made.
"""
import os
import pathlib
import re
import signal
import socket
import subprocess
import sys
import time

FAKE = pathlib.Path("/run/carrel-test")
CONFDIR = FAKE / "pam.d"
PAM_PERM_DENIED, PAM_USER_UNKNOWN, PAM_SESSION_ERR = 6, 10, 14
REFUSED = "carrel: logins are refused because the container service does not answer; " \
          "please tell the administrator."
NOT_JOINED = "carrel: this login could not be put into its container; " \
             "please tell the administrator."
TESTS = []  # in the order in which they are defined
machine = None  # of class Machine, once it is set up


class Skip(Exception):
    pass


def test(function):
    TESTS.append(function)
    return function


def equal(seen, expected, what=""):
    if seen != expected:
        raise AssertionError(f"{what}: {seen!r}, not {expected!r}")


# ---- the private machine ------------------------------------------------------------------------

def sh(*command):
    subprocess.run(command, check=True)


def find(build, *names):
    for name in names:
        path = build / name
        if path.is_file():
            return path
    sys.exit(f"tests/module/run: no {names[0]} in {build}: build it first (make check)")


def nearest_directory(path):
    while not path.is_dir():
        path = path.parent
    return path


class Machine:
    """Own /run, /dev, passwd and folder of the helper; the rest is the host's."""

    def __init__(self, build):
        build = build.resolve()
        self.module = find(build, "pam_carrel.so", "pam_module/pam_carrel.so",
                           ".libs/pam_carrel.so", "pam_module/.libs/pam_carrel.so")
        self.driver = find(build, "tests/module/driver", "driver")
        self.fake = find(build, "tests/module/fake_helper", "fake_helper")
        places = re.findall(rb"/[\x21-\x7e]+/carrel-helper(?=\0)", self.module.read_bytes())
        self.helper = pathlib.Path(os.fsdecode(places[0]))
        # Nothing of what is built may disappear below the mounts.
        self.module_bytes, self.driver_bytes, self.fake_bytes = (
            path.read_bytes() for path in (self.module, self.driver, self.fake))
        self.set_up_run()
        self.set_up_dev()
        self.set_up_helper()
        self.log = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.log.bind("/dev/log")
        self.log.setblocking(False)

    def set_up_run(self):
        sh("mount", "-t", "tmpfs", "tmpfs", "/run")
        CONFDIR.mkdir(parents=True)
        (FAKE / "root").mkdir()
        self.so, self.program = FAKE / "pam_carrel.so", FAKE / "driver"
        self.so.write_bytes(self.module_bytes)
        self.program.write_bytes(self.driver_bytes)
        self.program.chmod(0o755)
        passwd = FAKE / "passwd"
        passwd.write_text("root:x:0:0:root:/root:/bin/sh\ntoor:x:0:0:second:/root:/bin/sh\n"
                          "alice:x:4242:4242::/:/bin/sh\n")
        sh("mount", "--bind", passwd, "/etc/passwd")
        group = FAKE / "group"
        group.write_text("root:x:0:\ntutors:x:4300:alice\nalice:x:4242:\n")
        sh("mount", "--bind", group, "/etc/group")

    def set_up_dev(self):
        dev = FAKE / "dev"
        dev.mkdir()
        for name in ("null", "zero", "full", "random", "urandom", "tty"):
            (dev / name).touch()
            sh("mount", "--bind", f"/dev/{name}", dev / name)
        sh("mount", "--rbind", dev, "/dev")

    def set_up_helper(self):
        top = nearest_directory(self.helper.parent.parent)
        if top in (pathlib.Path("/"), pathlib.Path("/usr")):
            raise Skip(f"cannot hide {top} to put a fake helper at {self.helper}")
        sh("mount", "-t", "tmpfs", "tmpfs", top)
        self.helper.parent.mkdir(parents=True)
        self.place_helper()

    def place_helper(self):
        self.remove_helper()
        self.helper.write_bytes(self.fake_bytes)
        self.helper.chmod(0o755)

    def remove_helper(self):
        if self.helper.is_dir():
            self.helper.rmdir()
        self.helper.unlink(missing_ok=True)

    def clear(self):
        """As before the first test; nothing of the one before may be left running."""
        self.place_helper()
        for name in ("seen", "init", "mode"):
            (FAKE / name).unlink(missing_ok=True)
        mark = pathlib.Path("/run/carrel/inside")
        if mark.is_symlink() or mark.exists():
            mark.rmdir() if mark.is_dir() and not mark.is_symlink() else mark.unlink()
        self.read_log()

    def end_containers(self):
        """Their PID 1 is a child of a fake helper and bears its name."""
        for pid in self.helpers_running():
            os.kill(pid, signal.SIGKILL)

    def read_log(self):
        lines = []
        while True:
            try:
                lines.append(self.log.recv(65536).decode(errors="replace"))
            except BlockingIOError:
                return lines

    def helpers_running(self):
        """PIDs of living helpers; the init of a fake container is one of them until killed."""
        found = []
        for path in pathlib.Path("/proc").glob("[0-9]*/stat"):
            try:
                name, state = re.match(r"\d+ \((.*)\) (\S)", path.read_text()).groups()
            except (FileNotFoundError, ProcessLookupError):
                continue
            if name == "carrel-helper" and state != "Z":
                found.append(int(path.parent.name))
        return found


# ---- running the driver --------------------------------------------------------------------------

class Outcome:
    def __init__(self, text, log, seconds, status):
        self.lines, self.log, self.seconds, self.status = text.splitlines(), log, seconds, status

    def all(self, name):
        return [line.partition("=")[2] for line in self.lines if line.startswith(name + "=")]

    def __getitem__(self, name):
        values = self.all(name)
        if len(values) != 1:
            raise AssertionError(f"{name} is there {len(values)} times in {self.lines}")
        return values[0]

    def logged(self, *parts):
        for line in self.log:
            if all(part in line for part in parts):
                return
        raise AssertionError(f"no line with {parts} in the log {self.log}")


def start(mode, *actions, user="alice", options="", service="testd"):
    (FAKE / "mode").write_text(mode + "\n")
    (CONFDIR / "testd").write_text("".join(
        f"{kind} required {machine.so} {options}\n"
        for kind in ("auth", "account", "session")))
    # A leak checker attaches to its process, which is not to be traced after these.
    leaks = not mode.startswith("contain") and not any(act.startswith("ids=") for act in actions)
    return subprocess.Popen([machine.program, CONFDIR, service, user, *actions],
                            env={**os.environ, "ASAN_OPTIONS": f"detect_leaks={leaks:d}"},
                            stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                            stderr=subprocess.PIPE, text=True, errors="replace")


def communicate(process, text=None):
    try:
        return process.communicate(text, timeout=30)
    except subprocess.TimeoutExpired:
        process.kill()
        process.communicate()
        raise AssertionError("the driver hangs") from None


def finish(process, started):
    out, err = communicate(process)
    seconds = time.monotonic() - started
    if err or process.returncode == 99:
        raise AssertionError(f"driver: {err.strip()}")
    return Outcome(out, machine.read_log(), seconds, process.returncode)


def drive(mode, *actions, **more):
    started = time.monotonic()
    return finish(start(mode, *actions, **more), started)


def seen():
    path = FAKE / "seen"
    if not path.exists():
        return None
    return dict(line.partition("=")[::2] for line in path.read_text().splitlines())


class Joined:
    """A driver that has joined and waits; its processes are looked at from outside."""

    def __init__(self, mode, *actions, **more):
        self.process = start(mode, *actions, "wait", **more)
        self.lines = []
        for line in self.process.stdout:
            self.lines.append(line.rstrip("\n"))
            if line.startswith("waiting="):
                break
        else:
            raise AssertionError(f"{self.lines} {self.process.stderr.read()}")
        self.pid = int(self["waiting"])

    def __getitem__(self, name):
        return Outcome("\n".join(self.lines), [], 0, 0)[name]

    def status(self, pid):
        text = pathlib.Path(f"/proc/{pid}/status").read_text()
        return {name: value.split() for name, _, value in
                (line.partition(":") for line in text.splitlines())}

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if "child" in " ".join(self.lines):
            os.kill(int(self["child"]), signal.SIGKILL)
        communicate(self.process, "\n")


def assert_refused(outcome, reason, sentence=REFUSED):
    equal(outcome["open"], str(PAM_SESSION_ERR), "open")
    equal(outcome.all("error"), [sentence], "what the user reads")
    outcome.logged("pam_carrel(testd:session): refused:", reason)


def assert_clean(outcome):
    """Two counts of descriptors, before and after, and one look at children."""
    before, after = outcome.all("descriptors")
    equal(after, before, "open descriptors")
    equal(outcome["children"], "none", "children")
    # A helper killed at its end may leave a leak checker behind, which notices at once.
    patience = time.monotonic() + 1
    while machine.helpers_running() and time.monotonic() < patience:
        time.sleep(0.01)
    equal(machine.helpers_running(), [], "helpers that still run")


CLEAN = ("descriptors", "open", "descriptors", "children")
