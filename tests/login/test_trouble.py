"""Bad days: broken files, missing parts, full disks, crashes. Nobody gets out, root gets in."""

import contextlib
import os
import pathlib
import random
import re
import shutil
import signal
import subprocess
import time

from machine import CARREL_CONF, LIBEXEC, POLICY_DIR, RUN, STATE, process_name
from suite import equal, eventually, expect, test
from test_disk import loops_of

HELPER = LIBEXEC / "carrel-helper"


def check_refused(m, user="bob"):
    """Not let in, and told so in one line, over ssh and with su."""
    for result in (m.ssh(user, "echo in"), m.run("su", user, "-c", "echo in")):
        expect(result.status != 0 and "in\n" not in result.out, f"{user} gets in")
        lines = [line for line in result.said.splitlines()
                 if line.strip() and not line.startswith("su: ")]
        equal(len(lines), 1, f"the lines of {result.said!r}")
        expect(len(lines[0]) < 200, f"a long line: {lines[0]!r}")


def check_way_in(m, *users):
    """Admins are not locked out."""
    for user in users:
        equal(m.ssh(user, "echo in").out, "in\n", f"the login of {user}")
    equal(m.run("su", "root", "-c", "echo in").out, "in\n", "su to root")


def check_works(m, user="bob"):
    equal(m.ssh(user, "hostname").out, "students\n", f"the login of {user} afterwards")


# ---- policy files ---------------------------------------------------------------------------

LETS_HENRY_IN = 'policy "x" {\n  users = {"henry"}\n  action = host\n}\n'
UNKNOWN_KEY = 'policy "x" {\n  users = {"bob"}\n  action = contain\n  hostnam = "x"\n}\n'


def broken_policy(m, name, text):
    file = POLICY_DIR / name
    file.write_text(text)
    m.cleanup.callback(file.unlink, missing_ok=True)
    return file


def check_broken_policy(m, file, named):
    since = m.log.mark()
    check_refused(m)
    check_way_in(m, "root", "admin")
    m.log.wait(named, since)
    file.unlink()
    check_works(m)


@test
def policy_with_a_syntax_error(m):
    """A syntax error: students are refused, root and the admin get in, the log says where."""
    file = broken_policy(m, "20-broken.conf", 'policy "x" {\n  users = {"bob"\n')
    check_broken_policy(m, file, r"20-broken\.conf:\d")


@test
def policy_with_an_unknown_key(m):
    """An unknown key: the log names file, line and the nearest key."""
    file = broken_policy(m, "20-broken.conf", UNKNOWN_KEY)
    check_broken_policy(m, file, r"20-broken\.conf:4.*hostname")


@test
def kept_policies_are_damaged(m):
    """What is kept of the policies is damaged: the files are read, and kept again."""
    kept = RUN / "policies"
    kept.unlink(missing_ok=True)
    eventually(lambda: check_works(m) or kept.exists(), "nothing is kept", patience=20)
    good = kept.read_bytes()
    for change in (lambda text: text[:len(text) // 2], lambda text: b"",
                   lambda text: text.replace(b"students", b"sTudents"),
                   lambda text: bytes(255 - byte for byte in text)):
        kept.write_bytes(change(good))
        check_works(m)
        equal(kept.read_bytes(), good, "what is kept afterwards")


@test
def policy_writable_by_others(m):
    """A policy file that others may write is not believed."""
    file = broken_policy(m, "20-open.conf", LETS_HENRY_IN)
    file.chmod(0o666)
    check_broken_policy(m, file, r"20-open\.conf")


@test
def policy_of_another_owner(m):
    """Nor one that does not belong to root."""
    file = broken_policy(m, "20-owned.conf", LETS_HENRY_IN)
    os.chown(file, 2001, 0)
    check_broken_policy(m, file, r"20-owned\.conf")


@test
def policy_is_a_link(m):
    """Nor a symbolic link."""
    target = pathlib.Path("/tmp/policy-of-somebody")
    target.write_text(LETS_HENRY_IN)
    file = broken_policy(m, "20-link.conf", "")
    file.unlink()
    file.symlink_to(target)
    check_broken_policy(m, file, r"20-link\.conf")


@test
def policy_is_huge(m):
    """Nor two megabytes of it."""
    file = broken_policy(m, "20-huge.conf", "# " + "x" * (2 << 20) + "\n")
    check_broken_policy(m, file, r"20-huge\.conf")


@test
def main_file_broken(m):
    """A broken carrel.conf: root still gets in, students do not get past it."""
    with m.config(unmatched="perhaps"):
        check_refused(m)
        check_way_in(m, "root")
    check_works(m)


@test
def config_folder_missing(m):
    """/etc/carrel gone: nobody but root gets in, and the log says what to do."""
    etc, away = CARREL_CONF.parent, pathlib.Path("/etc/carrel.away")
    etc.rename(away)
    m.cleanup.callback(lambda: away.exists() and away.rename(etc))
    since = m.log.mark()
    check_refused(m)
    check_way_in(m, "root")
    m.log.wait("/etc/carrel", since)
    away.rename(etc)
    check_works(m)


@test
def unknown_image(m):
    """An image that does not exist: refused, and the log names it."""
    since = m.log.mark()
    with m.policy("no-image", 'image = "no-such-image"'):
        check_refused(m)
    m.log.wait("no-such-image", since)
    check_works(m)


# ---- the helper ----------------------------------------------------------------------------

@contextlib.contextmanager
def helper_replaced(script):
    """Another program, or none, in the helper's place."""
    away = HELPER.with_name("helper.away")
    HELPER.rename(away)
    try:
        if script is not None:
            HELPER.write_text("#!/bin/sh\n" + script)
            HELPER.chmod(0o755)
        yield
    finally:
        HELPER.unlink(missing_ok=True)
        away.rename(HELPER)


@test
def helper_missing(m):
    """No helper: students are refused in one line, root gets in."""
    with helper_replaced(None):
        check_refused(m)
        check_way_in(m, "root")
    check_works(m)


@test
def full_helper_missing(m):
    """Policies have changed, and what would read them is not there: refused, the log says why, root gets in."""
    full = LIBEXEC / "carrel-helper-full"
    away = full.rename(full.with_name("full.away"))
    m.cleanup.callback(lambda: away.exists() and away.rename(full))
    since = m.log.mark()
    with m.policy("changed"):
        check_refused(m)
        m.log.wait(f"cannot execute {full}: reinstall Carrel: No such file", since)
        check_way_in(m, "root")
        away.rename(full)
    check_works(m)


@test
def helper_not_executable(m):
    """A helper that may not be executed is as none."""
    HELPER.chmod(0o644)
    m.cleanup.callback(HELPER.chmod, 0o755)
    check_refused(m)
    check_way_in(m, "root")
    HELPER.chmod(0o755)
    check_works(m)


@test
def helper_crashes(m):
    """A helper that dies of a signal, or ends without an answer."""
    for script in ("kill -SEGV $$", "exit 0", "exit 1"):
        with helper_replaced(script):
            check_refused(m)
            check_way_in(m, "root")
    check_works(m)


@test
def helper_talks_nonsense(m):
    """A helper that answers something else."""
    with helper_replaced("head -c 64 /dev/urandom >&0"):
        check_refused(m)
        check_way_in(m, "root")
    check_works(m)


# ---- the state -----------------------------------------------------------------------------

@test
def state_dir_is_made(m):
    """A state_dir that is not there yet is made, closed to others."""
    place = pathlib.Path("/var/lib/carrel-new")
    with m.config(state_dir=f'"{place}"'), m.policy("new-state"):
        equal(m.ssh("bob", "echo in").out, "in\n", "the login")
    equal(place.stat().st_mode & 0o7066, 0, "the mode of state_dir")
    expect(m.run("su", "henry", "-c", f"ls {place}").status != 0, "henry lists it")


@contextlib.contextmanager
def file_system(place, *options):
    place = pathlib.Path(place)
    place.mkdir(exist_ok=True)
    subprocess.run(["mount", *options, str(place)], check=True)
    try:
        yield place
    finally:
        subprocess.run(["umount", "--lazy", str(place)], check=True)


@test
def state_dir_read_only(m):
    """A read-only state_dir: refused in one line, and the log names it."""
    since = m.log.mark()
    with file_system("/var/lib/carrel-ro", "-t", "tmpfs", "-o", "ro,mode=755", "tmpfs") as place, \
            m.config(state_dir=f'"{place}"'), m.policy("read-only"):
        check_refused(m)
        check_way_in(m, "root")
    m.log.wait("/var/lib/carrel-ro|state_dir", since)
    check_works(m)


@test
def state_dir_full(m):
    """A full state_dir: refused in one line or let in, but nothing half-made stays."""
    image = m.directory / "full.img"
    with open(image, "wb") as file:
        file.truncate(64 << 20)
    m.run("mkfs.ext4", "-q", "-N", "8192", image)
    with file_system("/var/lib/carrel-full", "-o", "loop", image) as place:
        filler = open(place / "filler", "wb", buffering=0)
        with contextlib.suppress(OSError), filler:
            while True:
                filler.write(bytes(1 << 16))
        with m.config(state_dir=f'"{place}"'), m.policy("full"):
            result = m.ssh("bob", "echo in")
            if result.status != 0:
                equal(len(result.said.strip().splitlines()), 1, f"the lines of {result.said!r}")
            check_way_in(m, "root")
            (place / "filler").unlink()
            equal(m.ssh("bob", "echo x >note && cat note").out, "x\n", "the login with room")
    check_works(m)


@test
def state_dir_on_tmpfs(m):
    """A state_dir on tmpfs works, or the refusal is one line and the log says why."""
    since = m.log.mark()
    with file_system("/var/lib/carrel-tmpfs", "-t", "tmpfs", "tmpfs") as place, \
            m.config(state_dir=f'"{place}"'), m.policy("on-tmpfs"):
        result = m.ssh("bob", "echo x >note && cat note")
        if result.status != 0:
            check_refused(m)
            m.log.wait("tmpfs|state_dir", since)
        else:
            equal(result.out, "x\n", "the file")


@test
def state_dir_of_another(m):
    """A state_dir that somebody else may write to is refused."""
    place = pathlib.Path("/var/lib/carrel-open")
    place.mkdir()
    place.chmod(0o777)
    with m.config(state_dir=f'"{place}"'), m.policy("open-state"):
        check_refused(m)
    place.chmod(0o755)
    os.chown(place, 2001, 2001)
    with m.config(state_dir=f'"{place}"'), m.policy("open-state"):
        check_refused(m)


@test
def events_cannot_be_written(m):
    """No place for events.jsonl: logins go on."""
    folder = pathlib.Path("/var/log/carrel")
    shutil.rmtree(folder, ignore_errors=True)
    folder.write_text("a file in the way\n")
    m.cleanup.callback(folder.unlink)
    check_works(m)


@test
def no_syslog(m):
    """No syslog daemon: logins go on, and log again when it is back."""
    m.log.stop()
    try:
        check_works(m)
        equal(m.ssh("carol", "echo in").out, "in\n", "the login of carol")
    finally:
        m.log.start()
    since = m.log.mark()
    check_works(m)
    m.log.wait("user=bob", since)


# ---- crashes and races ----------------------------------------------------------------------

@test
def init_killed(m):
    """carrel-init killed: sessions end, the next login has a new container with the same files."""
    m.ssh("bob", "echo kept >note")
    session = m.ssh_start("bob", "exec sleep 1000")
    person = m.ssh_terminal("bob").shell()
    eventually(lambda: m.run("pgrep", "-cxu", "bob", "sleep").out == "1\n", "the session")
    old = m.init_pid("bob")
    os.kill(old, signal.SIGKILL)
    equal(m.ssh("bob", "cat note").out, "kept\n", "the file")
    eventually(lambda: session.poll() is not None, "the end of the session", 15)
    expect(person.end() != 0, "the status of the terminal session is 0")
    expect(m.init_pid("bob") not in (None, old), "no new container")


@test
def ten_first_logins(m):
    """Ten first logins in the same instant build one container."""
    with m.policy("race"):
        logins = [subprocess.Popen([str(w) for w in m.ssh_command(
            "bob", "readlink /proc/self/ns/pid /proc/self/ns/mnt")], stdout=subprocess.PIPE,
            text=True) for _ in range(10)]
        places = {login.communicate(timeout=60)[0] for login in logins}
        equal([login.returncode for login in logins], [0] * 10, "statuses")
        equal(len(places), 1, f"the number of places: {places}")
        equal(count_inits(), len(m.running()), "first processes on the machine")


@test
def ten_first_users(m):
    """First logins of many users at once: each has a container of their own."""
    users = ("alice", "bob", "erin", "frank", "gina", "uma")
    with m.policy("crowd", who='groups = {"students"}'):
        logins = {user: subprocess.Popen(["runuser", "-u", user, "--", "sh", "-c",
                                          "readlink /proc/self/ns/pid; id -un"],
                                         stdout=subprocess.PIPE, text=True) for user in users}
        said = {user: login.communicate(timeout=60)[0].split() for user, login in logins.items()}
        equal([said[user][1:] for user in users], [[user] for user in users], "names")
        equal(len({place for place, _ in said.values()}), len(users), "places")


def inits():
    return [int(path.name) for path in pathlib.Path("/proc").glob("[0-9]*")
            if process_name(int(path.name)) == "carrel-init"]


def count_inits():
    return len(inits())


def describe_inits():
    """What keeps them: state, parent, and who else is in their namespaces."""
    told = []
    for pid in inits():
        with contextlib.suppress(OSError):
            lines = pathlib.Path(f"/proc/{pid}/status").read_text().splitlines()
            facts = dict(line.split(":", 1) for line in lines if ":" in line)
            parent = int(facts["PPid"])
            told.append(f"{pid} state {facts['State'].strip()} child of {parent} "
                        f"{process_name(parent)}, in {os.readlink(f'/proc/{pid}/ns/pid')}")
    return "; ".join(told)


def helper_child(pid):
    """The helper that a login service has started, when it runs."""
    with contextlib.suppress(OSError):
        for child in pathlib.Path(f"/proc/{pid}/task/{pid}/children").read_text().split():
            if process_name(int(child)) == "carrel-helper":
                return int(child)
    return None


def kill_helper_during_login(m, delay):
    """Start a login and kill its helper after `delay` seconds. True when it was there to kill."""
    login = subprocess.Popen(["runuser", "-u", "bob", "--", "true"], stdout=subprocess.DEVNULL,
                             stderr=subprocess.DEVNULL)
    helper = None
    while helper is None and login.poll() is None:
        helper = helper_child(login.pid)
    killed = False
    if helper:
        time.sleep(delay)
        with contextlib.suppress(ProcessLookupError):
            os.kill(helper, signal.SIGKILL)
            killed = True
    login.wait(60)
    return killed


@test
def helper_killed_at_any_moment(m):
    """40 helpers killed while they build or admit: logins work, nothing half-made is left."""
    chance = random.Random(3)
    m.ssh("bob", "echo kept >/var/tmp/note")
    with m.policy("killed"):
        killed = 0
        for number in range(40):
            if number % 2:
                m.kill_container("bob-killed")
            killed += kill_helper_during_login(m, chance.uniform(0, 0.012))
        expect(killed >= 10, f"only {killed} helpers were met")
        equal(m.run("runuser", "-u", "bob", "--", "echo", "in").out, "in\n", "a login afterwards")
        eventually(lambda: count_inits() == len(m.running()),
                   f"the end of unregistered containers ({count_inits()} run)", 20)
    check_nothing_half_made(m)


def check_nothing_half_made(m):
    left = [str(path) for path in RUN.rglob(".new-*")]
    left += [str(path) for path in pathlib.Path("/var/lib/carrel").glob("containers/*/.new-*")]
    equal(left, [], "half-made files")
    own = pathlib.Path("/proc/self/mountinfo").read_text()
    for line in own.splitlines():
        place = line.split()[4]
        expect(not place.startswith(("/run/carrel/containers", "/var/lib/carrel/containers")),
               f"a mount of a container on the host: {line}")


@test
def pid_of_a_record_reused(m):
    """A record whose process id is another process's now is not believed."""
    check_works(m)
    m.kill_container("bob")
    record = RUN / "containers" / "bob" / "running"
    stranger = subprocess.Popen(["sleep", "1000"])
    m.cleanup.callback(stranger.kill)
    lines = record.read_text().splitlines() if record.exists() else []
    expect(lines, "the record is gone when carrel-init is killed")
    record.write_text("\n".join(f"pid={stranger.pid}" if line.startswith("pid=") else line
                                for line in lines) + "\n")
    check_works(m)
    equal(stranger.poll(), None, "the end of the stranger")
    expect(m.init_pid("bob"), "no container runs")


@test
def stuck_login_service(m):
    """A login service that hangs and does not reap cannot keep its container from ending."""
    stuck = subprocess.Popen(["su", "-", "bob", "-c", "sleep 14143"], stdin=subprocess.DEVNULL)
    m.cleanup.callback(stuck.kill)
    eventually(lambda: m.run("pgrep", "-f", "^sleep 14143").out, "bob's program")
    stuck.send_signal(signal.SIGSTOP)
    equal(m.run("carrel", "stop", "--timeout", "1", "bob").status, 0, "the status of carrel stop")
    check_works(m)


def move_times(path, seconds):
    """As if the file had been written while the clock was wrong: its times, and those in it."""
    lines = [re.sub(r"^((?:started|created|last_used)_at)=.*", rf"\1={seconds}", line)
             for line in path.read_text().splitlines()]
    path.write_text("\n".join(lines) + "\n")
    os.utime(path, (seconds, seconds))


@test
def clock_jumps(m):
    """Records and stamps from a clock that was decades ahead or behind: logins go on."""
    for seconds in (4102444800, 86400):
        check_works(m)
        place = m.look("bob", "readlink /proc/self/ns/pid")
        move_times(RUN / "containers" / "bob" / "running", seconds)
        for path in STATE.glob("containers/bob/stored"):
            move_times(path, seconds)
        for path in STATE.glob("host/*.stamp"):
            os.utime(path, (seconds, seconds))
        equal(m.ssh("bob", "readlink /proc/self/ns/pid").out.strip(), place.strip(), "the place")
        equal(m.run("carrel", "list").status, 0, "carrel list")
        m.kill_container("bob")
        check_works(m)


@test
def record_is_garbage(m):
    """A record that is not ours: one clear refusal or a fresh start, never a join."""
    check_works(m)
    m.kill_container("bob")
    record = RUN / "containers" / "bob" / "running"
    since = m.log.mark()
    record.write_text("pid=1\nnonsense\n\0\xff")
    result = m.ssh("bob", "hostname")
    if result.status != 0:
        equal(len(result.said.strip().splitlines()), 1, f"the lines of {result.said!r}")
        m.log.wait("running|record", since)
        record.unlink()
    check_works(m)


@test
def run_folder_lost(m):
    """/run/carrel emptied while nothing runs, as at boot: the next login makes it anew."""
    for name in m.running():
        m.kill_container(name)
    mounts = [line.split()[4] for line in
              pathlib.Path("/proc/self/mountinfo").read_text().splitlines()]
    for mount in reversed([path for path in mounts if path.startswith(f"{RUN}/")]):
        m.run("umount", mount)
    shutil.rmtree(RUN)
    check_works(m)
    equal(RUN.stat().st_mode & 0o777, 0o711, "the mode of /run/carrel")


@test
def stops_and_logins_race(m):
    """Logins while the container is being killed again and again: each works or is refused."""
    with m.policy("storm"):
        for _ in range(8):
            logins = [subprocess.Popen(["runuser", "-u", "bob", "--", "echo", "in"],
                                       stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
                      for _ in range(4)]
            m.kill_container("bob-storm")
            for login in logins:
                said, _ = login.communicate(timeout=60)
                expect(said in ("in\n", ""), f"a login says {said!r}")
        equal(m.run("runuser", "-u", "bob", "--", "echo", "in").out, "in\n", "a login afterwards")


@test
def nothing_is_left_after_stops(m):
    """When all containers have ended, no process, mount or loop device of theirs is left."""
    for user in list(m.masters):
        m.forget_master(user)
    for name in m.running():
        m.kill_container(name)
    try:
        # A kernel that has thousands of others' namespaces to bury takes its time for ours.
        eventually(lambda: count_inits() == 0, "the end of the containers", patience=240)
    except AssertionError as late:
        raise AssertionError(f"{late}: {describe_inits()}") from None
    check_nothing_half_made(m)
    for image in STATE.rglob("layer.ext4"):
        eventually(lambda: not loops_of(image), f"the end of the loop device of {image}")
    check_works(m, "alice")
