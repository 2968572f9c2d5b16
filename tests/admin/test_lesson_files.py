"""carrel push and collect: exercises to a class, homework from it."""

import json
import os
import pathlib
import shutil
import signal
import stat
import subprocess
import time

from host import STATE
from suite import contains, equal, eventually, expect, lacks, test
from test_lesson_select import TEAM, forget

MATERIAL = pathlib.Path("/root/material")


def material(host):
    shutil.rmtree(MATERIAL, ignore_errors=True)
    (MATERIAL / "sheet/data").mkdir(parents=True)
    (MATERIAL / "hello.c").write_text("int main;\n")
    (MATERIAL / "sheet/one").write_text("one\n")
    (MATERIAL / "sheet/data/two").write_text("two\n")
    (MATERIAL / "sheet/run").write_text("#!/bin/sh\necho ran\n")
    (MATERIAL / "sheet/run").chmod(0o700)
    host.cleanup.callback(shutil.rmtree, MATERIAL)
    host.cleanup.callback(shutil.rmtree, STATE / "class", ignore_errors=True)


def shell(host, container, script, *options):
    return host.works("exec", *options, container, "--", "sh", "-c", script).out


@test
def push_is_seen_at_once(host):
    """In a container that runs and in one that starts later; replaced as a whole; gone when removed."""
    material(host)
    host.cleanup.callback(forget, host, "alice", "bob")
    host.log_in("alice")
    equal(host.works("push", "--group", "students", MATERIAL / "hello.c", MATERIAL / "sheet").out, "",
          "the output")
    equal(host.last_event()["reason"], "push to students", "the event")
    script = "cd /class/students; cat hello.c sheet/one sheet/data/two; sheet/run"
    seen = "int main;\none\ntwo\nran\n"
    equal(shell(host, "alice", script), seen, "in the one that runs")
    host.works("start", "bob")
    equal(shell(host, "bob", script), seen, "in one that starts later")
    (MATERIAL / "hello.c").write_text("int main(void);\n")
    host.works("push", "--group", "students", MATERIAL / "hello.c")
    equal(shell(host, "alice", "cat /class/students/hello.c"), "int main(void);\n", "the new one")
    host.works("push", "--group", "students", "--to", "week 2/extra", MATERIAL / "hello.c")
    equal(shell(host, "alice", "cat '/class/students/week 2/extra/hello.c'"), "int main(void);\n",
          "in a folder")
    host.works("push", "--group", "students", "--remove", "hello.c", "sheet")
    equal(shell(host, "alice", "ls /class/students"), "week 2\n", "after the removal")


@test
def push_is_for_the_group(host):
    """Others cannot look, nobody inside can write, nothing is set-user-id; a team sees its own."""
    host.policy(TEAM)
    material(host)
    host.cleanup.callback(forget, host, "alice", "staff")
    for user in ("alice", "carol"):
        host.works("start", user)
    host.works("push", "--group", "staff", MATERIAL / "hello.c")
    equal(shell(host, "staff", "cat /class/staff/hello.c", "--user", "carol"), "int main;\n",
          "a member in the team's container")
    contains(host.carrel("exec", "alice", "--", "cat", "/class/staff/hello.c").err,
             "Permission denied", "somebody else")
    contains(host.carrel("exec", "--user", "root", "alice", "--", "ls", "/class/staff").err,
             "Permission denied", "the container's root")
    for command in ("touch /class/staff/mine", "rm /class/staff/hello.c", "touch /class/mine"):
        result = host.carrel("exec", "--user", "carol", "staff", "--", "sh", "-c", command)
        contains(result.err, "Read-only file system", command)


@test
def push_list(host):
    """What is there, for people and programs."""
    material(host)
    contains(host.fails("push", "--list", "--group", "students").err, "nothing was pushed", "before")
    host.works("push", "--group", "students", MATERIAL / "sheet")
    lines = host.works("push", "--list", "--group", "students").out.splitlines()
    equal([line.split()[:2] for line in lines[1:]],
          [["sheet/data/two", "4"], ["sheet/one", "4"], ["sheet/run", "19"]], "the files")
    found = json.loads(host.works("push", "--list", "--json", "--group", "students").out)
    equal([item["path"] for item in found], ["sheet/data/two", "sheet/one", "sheet/run"], "in JSON")


@test
def push_refuses(host):
    """Wrong arguments, links, pipes, paths that lead away."""
    material(host)
    os.mkfifo(MATERIAL / "sheet/pipe")
    os.symlink("/etc/shadow", MATERIAL / "sheet/link")
    result = host.fails("push", "--group", "students", MATERIAL / "sheet")
    contains(result.err, "left out: pipe: is neither a file nor a folder", "a pipe")
    contains(result.err, "left out: link: is a symbolic link", "a link")
    equal(sorted(path.name for path in (STATE / "class/students/sheet").iterdir()),
          ["data", "one", "run"], "what came")
    contains(host.fails("push", "--group", "nosuch", MATERIAL / "hello.c").err,
             "there is no group 'nosuch'", "a group")
    contains(host.fails("push", "--group", "students", "/nonexistent").err, "No such file", "a file")
    contains(host.fails("push", "--group", "students", "--remove", "../x").err, "is no path", "..")
    contains(host.fails("push", "--group", "students", "--remove", "x").err, "No such file", "gone")
    for words in (["x"], ["--group", "students"], ["--group", "students", "--to", "../x", "y"],
                  ["--group", "students", "--to", "/x", "y"], ["--group", "students", "--list", "x"]):
        host.fails("push", *words, status=2)


@test
def push_killed_is_whole(host):
    """A reader sees the old file or the new one, at whatever moment a push is killed."""
    material(host)
    host.works("push", "--group", "students", MATERIAL / "hello.c")
    target = STATE / "class/students/hello.c"
    contents = {"int main;\n", "x" * (8 << 20)}
    (MATERIAL / "hello.c").write_text("x" * (8 << 20))
    for delay in (0.001, 0.003, 0.005, 0.008, 0.012):
        process = subprocess.Popen(["carrel", "push", "--group", "students", MATERIAL / "hello.c"])
        time.sleep(delay)
        process.kill()
        process.wait()
        expect(target.read_text() in contents, f"whole after a kill at {delay}")
    host.works("push", "--group", "students", MATERIAL / "hello.c")
    equal([path.name for path in target.parent.iterdir()], ["hello.c"], "what is left")


# ---- collect --------------------------------------------------------------------------------------


class Folder:
    """Where the teacher collects."""

    def __init__(self, host):
        self.path = pathlib.Path("/root/collected")
        shutil.rmtree(self.path, ignore_errors=True)
        host.cleanup.callback(shutil.rmtree, self.path, ignore_errors=True)

    def files(self):
        return sorted(str(path.relative_to(self.path)) for path in self.path.rglob("*")
                      if not path.is_dir())


@test
def collect_from_a_class(host):
    """From who is in, from who is not, from a home on the host; who has none is named."""
    host.policy('policy "bound" { users = {"bob"}\n home = bind\n time { idle = "30m" stop = "2s" } }')
    host.cleanup.callback(forget, host, "alice", "bob")
    folder = Folder(host)
    host.works("start", "alice")
    shell(host, "alice", "mkdir -p hw/src; echo a > hw/src/main.c; echo r > hw/README; chmod 4777 hw/README")
    subprocess.run(["su", "bob", "-s", "/bin/sh", "-c", "mkdir ~/hw; echo b > ~/hw/README"], check=True)
    host.works("stop", "alice")
    result = host.works("collect", "--group", "students", "hw", folder.path)
    contains(result.out, "alice: collected\nbob: collected\n", "the lines")
    contains(result.out, "dave: failed: has no container: policy \"barred\"", "who has none")
    contains(result.out, "2 collected, 0 incomplete, 0 failed, 1 without a container", "the summary")
    equal(folder.files(), ["alice/hw/README", "alice/hw/src/main.c", "bob/hw/README"], "the files")
    status = (folder.path / "alice/hw/README").stat()
    equal((status.st_uid, stat.S_IMODE(status.st_mode) & 0o7077), (0, 0), "owner and mode")
    equal((folder.path / "bob/hw/README").read_text(), "b\n", "bob's file")


@test
def collect_says_who_has_it_not(host):
    """Status 1, the reason, and no folder; programs get it in JSON."""
    host.cleanup.callback(forget, host, "alice", "bob")
    folder = Folder(host)
    host.works("start", "alice", "bob")
    shell(host, "alice", "echo a > essay")
    result = host.carrel("collect", "alice,bob", "essay", folder.path)
    equal(result.status, 1, "the status")
    contains(result.out, "bob: failed: essay: No such file or directory", "bob's line")
    equal(folder.files(), ["alice/essay"], "the files")
    equal(sorted(os.listdir(folder.path)), ["alice"], "the folders")
    found = json.loads(host.carrel("collect", "--json", "alice,bob", "essay", folder.path).out)
    equal([(item["user"], item["result"]) for item in found],
          [("alice", "failed"), ("bob", "failed")], "a second time")
    contains(found[0]["reason"], "there is a folder for them already", "why")


@test
def collect_from_a_team(host):
    """Each member's own home in the container that they share, and from a home in memory."""
    host.policy(TEAM.replace('name = "%g"', 'name = "%g"\n  home = tmpfs'))
    subprocess.run(["usermod", "-aG", "staff", "bob"], check=True)
    host.cleanup.callback(subprocess.run, ["gpasswd", "-d", "bob", "staff"], capture_output=True)
    host.cleanup.callback(forget, host, "staff")
    folder = Folder(host)
    host.works("start", "--group", "staff")
    for user in ("bob", "carol"):
        shell(host, "staff", f"echo {user} > work", "--user", user)
    host.works("collect", "--group", "staff", "work", folder.path)
    equal([(folder.path / user / "work").read_text() for user in ("bob", "carol")],
          ["bob\n", "carol\n"], "the files")


@test
def collect_from_the_hostile(host):
    """Links, pipes, devices, holes, what is unreadable, what is too much: nothing is followed."""
    host.cleanup.callback(forget, host, "alice", "bob")
    folder = Folder(host)
    host.works("start", "alice", "bob")
    shell(host, "bob", "mkdir hw; echo fine > hw/ok")
    shell(host, "alice", "mkdir hw; cd hw; ln -s /etc/shadow shadow; ln -s / root; mkfifo pipe; "
                         "echo fine > ok; echo no > closed; chmod 0 closed")
    result = host.carrel("collect", "alice,bob", "hw", folder.path)
    equal(result.status, 1, "the status")
    contains(result.out, "alice: incomplete: ", "alice's line")
    equal(folder.files(), ["alice/hw/ok", "bob/hw/ok"], "what came: no links")
    for number, (script, path, reason) in enumerate((
            ("mkfifo pipe", "pipe", "is neither a file nor a folder"),
            ("truncate -s 1T hole", "hole", "--max-size"),
            ("mkdir many; cd many; for i in $(seq 300); do : > $i; done", "many", "--max-size"),
            ("ln -s /dev/zero zero", "zero", "is neither a file nor a folder"),
            ("ln -s /root/secret away", "away", "Permission denied"))):
        shell(host, "alice", script)
        target = folder.path / str(number)
        result = host.carrel("collect", "--max-size", "1M", "alice", path, target)
        equal(result.status, 1, f"the status for {path}")
        contains(result.out, reason, f"the reason for {path}")
        equal(os.listdir(target), [], f"what is left of {path}")


@test
def collect_from_one_who_stops_it(host):
    """A student who holds the process that reads keeps the teacher for no longer than --timeout."""
    host.cleanup.callback(forget, host, "alice")
    folder = Folder(host)
    host.log_in("alice", "echo ready; head -c 50M /dev/zero > ~/big; "
                         "while :; do pkill -STOP -x carrel; done")
    begun = time.monotonic()
    result = host.carrel("collect", "--timeout", "2", "alice", "big", folder.path)
    expect(time.monotonic() - begun < 20, "that it came to an end")
    if result.status:
        contains(result.out, "alice: failed: ", "the line")
        equal(os.listdir(folder.path), [], "what is left")


@test
def collect_killed_leaves_no_half(host):
    """What was not complete has no folder, and does not hinder the next time."""
    host.cleanup.callback(forget, host, "alice")
    folder = Folder(host)
    host.works("start", "alice")
    shell(host, "alice", "head -c 30M /dev/zero > big")
    for delay in (0.01, 0.03, 0.06):
        process = subprocess.Popen(["carrel", "collect", "alice", "big", folder.path],
                                   stdout=subprocess.DEVNULL)
        time.sleep(delay)
        process.kill()
        process.wait()
        expect(not (folder.path / "alice").exists() or
               (folder.path / "alice/big").stat().st_size == 30 << 20, "all or nothing")
        shutil.rmtree(folder.path / "alice", ignore_errors=True)
    host.works("collect", "alice", "big", folder.path)
    equal(folder.files(), ["alice/big"], "the files")
