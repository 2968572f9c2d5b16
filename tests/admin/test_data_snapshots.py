"""carrel snapshot, snapshots, rollback, reset: what an admin does with the state of a container."""

import subprocess
import time

from data import KINDS, facts, filled, inside, log_in, policy, shell, snapshots, state_is_clean
from host import RUN, STATE
from suite import contains, equal, eventually, expect, lacks, matches, test


def each_kind(function):
    """One test for each kind of storage."""
    for kind in KINDS:
        def run(host, kind=kind):
            function(host, kind)
        run.__name__ = f"{function.__name__}_{kind}"
        run.__doc__ = f"{function.__doc__} ({kind})"
        test(run)


@each_kind
def rollback_brings_everything_back(host, kind):
    """After a rollback all is as it was: owners, modes, links, holes, attributes; and forth."""
    filled(host, kind)
    before = facts(host)
    expect("kept" in before, "the attributes are there at all")
    equal(host.works("snapshot", "alice", "monday").out, "alice: snapshot monday taken\n", "out")
    inside(host, "alice", "cd ~; rm -rf first work hole; echo two > other; rm /var/tmp/mine")
    after = inside(host, "alice", "cd ~; ls -A")
    out = host.works("rollback", "--yes", "alice", "monday").out
    kept = matches(out, r"^alice: is as it was in snapshot monday; the state before is snapshot "
                        r"(before-rollback-\S+)$", "out")[1]
    equal(facts(host), before, "what is inside")
    state_is_clean()
    host.works("rollback", "--yes", "--discard", "alice", kept)
    equal(inside(host, "alice", "cd ~; ls -A"), after, "what is inside after going forth again")
    equal(sorted(it["label"] for it in host.json("snapshots", "--json", "alice")),
          [kept, "monday"], "the snapshots")
    state_is_clean()


@each_kind
def snapshot_of_a_running_container(host, kind):
    """It is consistent: processes are held for the moment, and go on."""
    filled(host, kind)
    log_in(host)
    writer = subprocess.Popen(
        ["carrel", "exec", "alice", "--", "python3", "-c", """
import os
a, b = open("a", "w", 1), open("b", "w", 1)
for number in range(10**9):
    a.write(f"{number}\\n"); b.write(f"{number}\\n")
    if number == 1000: print("going", flush=True)
    if number % 100000 == 0: a.truncate(0), b.truncate(0), a.seek(0), b.seek(0)
"""], stdout=subprocess.PIPE, text=True)
    host.cleanup.callback(writer.kill)
    equal(writer.stdout.readline(), "going\n", "the writer")
    host.works("snapshot", "alice", "live")
    size = int(shell(host, "alice", "stat -c %s a"))
    eventually(lambda: int(shell(host, "alice", "stat -c %s a")) != size, "the writer goes on")
    expect(not (RUN / "containers/alice/frozen").exists(), "it is still marked as held")
    writer.kill()
    writer.wait()
    host.works("rollback", "--stop", "--yes", "alice", "live")
    last = inside(host, "alice", "cd ~; tail -n1 a; tail -n1 b").split()
    expect(len(last) == 2 and int(last[0]) - int(last[1]) in (0, 1),
           f"two files written in turn end in {last}")


@each_kind
def reset_keeps_home(host, kind):
    """A fresh layer with the home in it; --all takes the home as well."""
    filled(host, kind)
    host.works("snapshot", "alice", "kept")
    equal(host.works("reset", "--yes", "alice").out, "alice: reset; home is kept\n", "out")
    state_is_clean()
    equal(inside(host, "alice", "cat ~/first; ls -A /var/tmp; stat -c %a /var/tmp"), "one\n1777\n",
          "inside")
    equal(host.works("reset", "--yes", "--all", "alice").out, "alice: reset\n", "out")
    state_is_clean()
    matches(host.works("list").out, "^alice +alice", "the list")
    expect(not (STATE / "containers/alice/layer").exists() and
           not (STATE / "containers/alice/layer.ext4").exists(), "there is still a layer")
    lacks(inside(host, "alice", "ls -A ~ /var/tmp"), "first", "inside")
    host.works("rollback", "--yes", "alice", "kept")
    contains(facts(host), "deep", "what is inside after a rollback")
    equal([(e["reason"], e.get("container"), e.get("user")) for e in host.events()
           if e["event"] == "admin" and e["reason"].startswith("reset")][-2:],
          [("reset", "alice", "alice"), ("reset --all", "alice", "alice")], "the events")


@test
def reset_of_a_group_or_policy(host):
    """The containers of a group or a policy are reset together; --all alone chooses nothing."""
    for user in ("alice", "bob"):
        host.log_in(user)
        host.works("stop", user)
    contains(host.works("reset", "--yes", "--group", "students").out,
             "alice: reset; home is kept\nbob: reset; home is kept\n", "of the group")
    contains(host.works("reset", "--yes", "--all", "--policy", "students").out,
             "alice: reset\nbob: reset\n", "of the policy")
    contains(host.works("reset", "--yes", "--group", "staff").out, "no container of group staff",
             "of a group without one")
    for words in ([], ["--all"], ["alice", "--group", "students"],
                  ["--group", "students", "--policy", "students"]):
        contains(host.fails("reset", "--yes", *words, status=2).err, "--all says that home goes, too", "why")


@test
def reset_all_chooses_the_storage_anew(host):
    """A container without a quota gets one with reset --all, once its policy has one."""
    filled(host, "plain")
    policy(host, "image")
    host.works("reset", "--yes", "--all", "alice")
    inside(host, "alice", "true")
    expect((STATE / "containers/alice/layer.ext4").exists(), "it is no image")


@test
def reset_of_several(host):
    """Several names; a wrong one is told before anything is done, one that runs is left out."""
    filled(host, user="alice")
    filled(host, user="bob")
    run = host.fails("reset", "--yes", "alice", "nobody", "bob")
    equal(run.out, "", "out")
    equal(run.err, "carrel: nobody: there is no container of that name\n", "err")
    log_in(host)
    run = host.fails("reset", "--yes", "alice", "bob")
    equal(run.out, "bob: reset; home is kept\n", "out")
    contains(run.err, "carrel: alice: is running", "err")


@test
def running_containers_are_not_replaced(host):
    """reset and rollback of a running one say what to do; --stop does it."""
    filled(host)
    host.works("snapshot", "alice", "one")
    log_in(host)
    for command in (["reset", "--yes", "alice"], ["reset", "--all", "--yes", "alice"],
                    ["rollback", "--yes", "alice", "one"]):
        matches(host.fails(*command).err, r"^carrel: alice: is running, and nobody may use data that "
                r"is being \w+: stop it first \('carrel stop alice'\)$", "err")
    contains(shell(host, "alice", "cat ~/first"), "one", "inside")
    host.works("reset", "--yes", "--stop", "alice")
    equal(host.running(), [], "what runs")
    log_in(host)
    host.works("rollback", "--yes", "--stop", "alice", "one")
    equal(host.running(), [], "what runs")


@test
def questions_are_asked(host):
    """What takes something away asks; without a terminal the answer is no."""
    filled(host)
    host.works("snapshot", "alice", "one")
    for command in (["reset", "alice"], ["reset", "--all", "alice"], ["rollback", "alice", "one"],
                    ["snapshots", "alice", "--remove", "one"]):
        contains(host.fails(*command).err, "--yes", f"err of {command}")
    terminal = host.at_terminal("reset", "alice")
    terminal.wait_for(r"Remove all data but home of container alice\? Snapshots are kept\.")
    terminal.type("n")
    equal(terminal.end(), 1, "the status")
    contains(inside(host, "alice", "cat /var/tmp/mine"), "tmp", "inside")
    terminal = host.at_terminal("remove", "alice")
    terminal.wait_for(r"Remove container alice of alice and all its data, with 1 snapshot\?")
    terminal.type("y")
    equal(terminal.end(), 0, "the status")
    expect(not snapshots("alice").exists(), "there are still snapshots")
    state_is_clean()


@test
def snapshots_are_listed(host):
    """Label, when, size, policy, image, storage and by whom; for programs too."""
    filled(host)
    equal(host.works("snapshots", "alice", "--no-header").out, "", "without any")
    out = host.works("snapshot", "alice", env={"SUDO_USER": "admin"}).out
    label = matches(out, r"^alice: snapshot (\d{4}-\d\d-\d\dt\d\d-\d\d-\d\dz) taken$", "out")[1]
    expect(time.strftime("%Y-%m-%dt%H-", time.gmtime()) == label[:14] or label[14:16] in ("59", "00"),
           "the label is the time")
    time.sleep(1.1)  # they are listed by time, in seconds
    host.works("snapshot", "alice", "2.b_c-d")
    table = host.works("snapshots", "alice").out.splitlines()
    matches(table[0], "^LABEL +TAKEN +SIZE +POLICY +IMAGE +STORAGE +BY$", "the header")
    matches(table[1], rf"^{label} +20\d\d-\S+ \d\d:\d\d +[0-9.]+[KM] +plain +host +plain +admin$",
            "the first")
    matches(table[2], r"^2\.b_c-d +.* root$", "the second")
    it = host.json("snapshots", "alice", "--json")[0]
    expect(0 < it.pop("bytes") < 16 << 20 and abs(it.pop("taken_at") - time.time()) < 600, "numbers")
    equal(it, {"label": label, "policy": "plain", "image": "host", "storage": "plain",
               "admin": "admin"}, "the rest")
    equal(host.works("snapshots", "alice", "--remove", "2.b_c-d", "--yes").out,
          "alice: snapshot 2.b_c-d removed\n", "out")
    equal(len(host.json("snapshots", "alice", "--json")), 1, "how many")
    state_is_clean()


@test
def labels_are_checked(host):
    """Labels and names that are none, taken ones and ones that do not exist."""
    filled(host)
    host.works("snapshot", "alice", "one")
    for label in ("../x", "", ".x", "-x", "a/b", "A", "x" * 65, "a\nb", "ä"):
        for command in (["snapshot", "--", "alice", label], ["rollback", "--yes", "--", "alice", label]):
            contains(host.fails(*command, status=2).err, "cannot be a label", f"err of {label!r}")
        contains(host.fails("snapshots", "alice", "--yes", f"--remove={label}").err,
                 "cannot be a label", "err")
    equal(host.fails("snapshot", "alice", "one").err,
          "carrel: alice: there is a snapshot 'one' already: choose another label, or remove that "
          "one ('carrel snapshots alice --remove one')\n", "err")
    for command in (["rollback", "--yes", "alice", "two"],
                    ["snapshots", "alice", "--yes", "--remove", "two"]):
        equal(host.fails(*command).err, "carrel: alice: there is no snapshot 'two'; 'carrel "
              "snapshots alice' lists them\n", "err")
    for name in ("nobody", "../alice", ""):
        for command in (["snapshot", name], ["snapshots", name], ["reset", "--yes", name],
                        ["rollback", "--yes", name, "one"]):
            contains(host.fails(*command).err, "there is no container of that name", "err")
    for command in (["snapshot"], ["snapshot", "a", "b", "c"], ["snapshots"], ["rollback", "a"],
                    ["reset"], ["snapshots", "--yes", "a"], ["snapshots", "a", "--json", "--remove=x"]):
        host.fails(*command, status=2)
    for command in (["snapshot", "alice"], ["snapshots", "alice"], ["rollback", "alice", "one"],
                    ["reset", "alice"]):
        contains(host.fails(*command, user=2001).err, "root", "err for a user")


@test
def rollback_tells_what_has_changed(host):
    """Another policy, another kind of storage than when the snapshot was taken."""
    filled(host, "plain")
    host.works("snapshot", "alice", "one")
    host.works("reset", "--yes", "--all", "alice")
    policy(host, "image")
    inside(host, "alice", "true")
    err = host.works("rollback", "--yes", "alice", "one").err
    contains(err, "was taken under policy 'plain', and the container was last used under 'image'",
             "err")
    contains(err, "is stored as 'plain', and the container as 'image'; the next login is refused",
             "err")
    policy(host, "plain")
    contains(facts(host), "deep", "what is inside under a policy that can do with that")
