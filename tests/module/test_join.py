"""Real joins into a container, judged from outside through /proc."""
import os
import pathlib
import re

import scene
from scene import CLEAN, FAKE, NOT_JOINED, Joined, assert_refused, drive, equal, test


# ---- the join ------------------------------------------------------------------------------------

# CHOWN, DAC_OVERRIDE, FOWNER, KILL, SETGID, SETUID, SYS_CHROOT: linux/capability.h
SERVICE_CAPABILITIES = sum(1 << bit for bit in (0, 1, 3, 5, 6, 7, 18))


def namespaces(pid):
    return {name: os.readlink(f"/proc/{pid}/ns/{name}")
            for name in ("user", "mnt", "pid_for_children", "uts", "ipc", "net", "cgroup")}


@test
def joined_service_is_inside():
    with Joined("contain", "putenv=HOSTBUS=unix", "keyring", "state", "open", "env",
                f"read={FAKE}/passwd", "leave-child=4242") as joined:
        equal(joined["open"], "0", "open")
        equal(joined["read"], "ENOENT", "reading a file of the host")
        equal(joined["info"], "Welcome to the box", "text")
        env = [line[4:] for line in joined.lines if line.startswith("env:")]
        equal(env, ["container=carrel"], "environment")
        init = (FAKE / "init").read_text().strip()
        inside, host = namespaces(joined.pid), namespaces(1)
        child = namespaces(joined["child"])
        equal(child["pid_for_children"], os.readlink(f"/proc/{init}/ns/pid"), "PID namespace")
        for name, link in inside.items():
            equal(link, namespaces(init)[name], name)
            equal(child[name], link, f"{name} of a child")
            if link == host[name]:
                raise AssertionError(f"{name} is the host's")
        equal(len(joined.status(joined["child"])["NSpid"]), 2, "PID namespaces of a child")


@test
def joined_service_is_confined():
    with Joined("contain", "keyring", "state", "open", "leave-child=4242") as joined:
        status = joined.status(joined.pid)
        equal(status["Uid"], ["100000"] * 4, "uids as the host sees them")
        equal(status["Gid"], ["100000"] * 4, "gids")
        for name in ("CapPrm", "CapEff"):
            equal(int(status[name][0], 16), SERVICE_CAPABILITIES, name)
        for name in ("CapInh", "CapBnd", "CapAmb"):
            equal(int(status[name][0], 16), 0, name)
        equal((status["NoNewPrivs"], status["Seccomp"]), (["1"], ["2"]), "confinement")
        equal(status["Umask"], ["0027"], "umask")
        equal(os.readlink(f"/proc/{joined.pid}/cwd"), "/", "directory")
        # Not dumpable: the kernel gives its /proc entries to the host's root.
        equal(os.stat(f"/proc/{joined.pid}/maps").st_uid, 0, "owner of /proc/PID")
        child = joined.status(joined["child"])
        equal(child["Uid"], ["4242"] * 4, "uids of a child that became the user")
        for name in ("CapPrm", "CapEff", "CapBnd", "CapInh", "CapAmb"):
            equal(int(child[name][0], 16), 0, f"{name} of the child")
        equal((child["NoNewPrivs"], child["Seccomp"]), (["1"], ["2"]), "confinement of the child")


@test
def joined_service_sees_itself_as_root():
    outcome = drive("contain", "keyring", "state", "open", "state", "thread", "mount=/run/carrel")
    equal([outcome.all(name)[1] for name in ("uids", "gids", "dumpable", "no_new_privs", "filter")],
          ["0,0,0", "0,0,0", "0", "1", "on"], "state")
    equal(outcome["mount"], "EPERM", "mounting")
    equal(outcome["thread"], "EINVAL", "a thread after the join")
    before, after = outcome.all("keyring")
    if before == after:
        raise AssertionError("the session keyring is the host's")
    outcome.logged("user alice enters container box")
    outcome.logged("policy students")


@test
def policy_with_root_keeps_its_bounding_set():
    with Joined("contain-with-root", "open", "state") as joined:
        status = joined.status(joined.pid)
        equal(int(status["CapBnd"][0], 16), 0x4e3, "bounding set")
        for name in ("CapPrm", "CapEff"):
            equal(int(status[name][0], 16), SERVICE_CAPABILITIES, name)
        equal((status["NoNewPrivs"], status["Seccomp"]), (["0"], ["2"]), "confinement")
        equal((joined["dumpable"], joined["filter"]), ("0", "on"), "state")


@test
def host_network_is_left_when_the_policy_says_so():
    with Joined("contain-host-network", "open") as joined:
        equal(joined["open"], "0", "open")
        equal(namespaces(joined.pid)["net"], namespaces(1)["net"], "network namespace")
        if namespaces(joined.pid)["user"] == namespaces(1)["user"]:
            raise AssertionError("the user namespace is the host's")


@test
def only_the_users_own_groups_come_along():
    outcome = drive("contain", "groups=0,27,4242,70000", "open", "state")
    equal((outcome["open"], outcome["groups"]), ("0", "4242"), "groups")
    outcome = drive("contain", "groups=0,27", "open", "state")
    equal((outcome["open"], outcome["groups"]), ("0", ""), "groups")


@test
def set_user_id_service_joins_too():
    outcome = drive("contain", "groups=4242", "ids=4242,0,0", "open", "state")
    equal((outcome["open"], outcome["uids"], outcome["groups"]), ("0", "0,0,0", "4242"), "su")


@test
def descriptors_close_at_exec():
    with Joined("contain", "directory=9", "path=10", "open") as joined:
        equal(joined["open"], "0", "open")
        found = 0
        for path in pathlib.Path(f"/proc/{joined.pid}/fdinfo").iterdir():
            flags = int(re.search(r"flags:\s+(\d+)", path.read_text()).group(1), 8)
            if int(path.name) > 2:
                found += 1
                if not flags & os.O_CLOEXEC:
                    raise AssertionError(f"descriptor {path.name} survives an exec")
        if found < 2:
            raise AssertionError("descriptors 9 and 10 are not there")


@test
def join_leaks_nothing():
    outcome = drive("contain", *CLEAN)
    equal(outcome["open"], "0", "open")
    before, after = outcome.all("descriptors")
    equal((after, outcome["children"]), (before, "none"), "descriptors and children")


@test
def second_session_finds_itself_inside():
    outcome = drive("contain", "open", "open", "account", "setcred", "close")
    equal(outcome.all("open"), ["0", "0"], "open twice")
    equal((outcome["account"], outcome["setcred"], outcome["close"]), ("0",) * 3, "codes")


# ---- joins that are refused ----------------------------------------------------------------------

def assert_join_refused(reason, mode, *before):
    outcome = drive(mode, *before, "state", *CLEAN, "state")
    assert_refused(outcome, reason, NOT_JOINED)
    for name in ("uids", "gids", "groups", "permitted", "effective", "bounding", "no_new_privs",
                 "filter", "umask", "keyring", "dumpable"):
        first, second = outcome.all(name)
        equal(second, first, name)
    first, second = outcome.all("descriptors")
    equal((second, outcome["children"]), (first, "none"), "descriptors and children")


@test
def threaded_service_is_refused():
    assert_join_refused("caller has threads: the kernel does not let a threaded process join",
                        "contain", "thread")


@test
def directory_as_standard_descriptor_is_refused():
    for fd in (0, 2):
        assert_join_refused(f"descriptor {fd} is a directory of the host", "contain",
                            f"directory={fd}")
        scene.machine.end_containers()


@test
def path_as_standard_descriptor_is_refused():
    assert_join_refused("descriptor 0 is a path of the host", "contain", "path=0")


@test
def closed_standard_descriptors_do_no_harm():
    outcome = drive("contain", "closed=0", "closed=2", "open", "state")
    equal((outcome["open"], outcome["uids"]), ("0", "0,0,0"), "open")


def refuses_join(mode, reason):
    def bad_join():
        assert_join_refused(reason, mode)
    bad_join.__name__ = "refuses_" + mode.replace("-", "_")
    return bad_join


for join_mode, join_reason in {
        "contain-dead": "it ended meanwhile",
        "contain-no-pidfd": "cannot join the container",
        "contain-network-only": "user, mount and PID must be among them",
        "contain-time": "not known",
        "contain-writable-program": "the seccomp program is not sealed",
        "contain-odd-program": "not 1 to 4096 instructions",
        "contain-empty-program": "not 1 to 4096 instructions",
        "contain-huge-program": "not 1 to 4096 instructions",
        "contain-no-program": "the seccomp program is not a memfd",
}.items():
    test(refuses_join(join_mode, join_reason))


def assert_disarmed(mode, reason):
    outcome = drive(mode, *CLEAN, "state", "setuid=4242")
    assert_refused(outcome, reason, NOT_JOINED)
    for name in ("permitted", "effective", "inheritable", "bounding"):
        equal(outcome[name], "0" * 16, name)
    equal((outcome["no_new_privs"], outcome["dumpable"]), ("1", "0"), "state")
    equal(outcome["setuid"], "EPERM", "becoming the user all the same")


@test
def join_that_fails_half_way_disarms_the_service():
    assert_disarmed("contain-invalid-program", "cannot load the seccomp program")
    scene.machine.end_containers()
    assert_disarmed("contain-no-root", "cannot become the container's root")


@test
def container_whose_root_is_the_hosts_is_refused():
    assert_disarmed("contain-host-root", "the container's root is the host's root")
    scene.machine.end_containers()
    assert_disarmed("contain-host-group", "the container's root is the host's root")
