"""The way in, with one thing failing on it."""

import contextlib
import pathlib
import platform
import shutil
import subprocess
import time

from client import end_process
from fault import Login, Place, SETTLED, Sweep, USER, run, stop
from image import have_image
from machine import LIBEXEC, RUN
from suite import Skip, equal, expect, test

HELPER = LIBEXEC / "carrel-helper"
# Numbers of socketpair, setns and clone (asm/unistd.h).
CALLS = {"x86_64": (53, 308, 56), "aarch64": (199, 268, 220)}


def keep_treasure(container):
    """Something of the user's to be kept, and to be shown by every login."""
    done = run("su", "-", USER, "-c", "echo kept since the first login >treasure")
    equal(done.returncode, 0, f"the first login ({done.stderr})")
    equal(run("carrel", "stop", container).returncode, 0, "carrel stop")


def be_alone(m):
    """Nobody else comes and goes: the harness has a cron job each minute."""
    for service in m.services:
        if service.args[0] == "/usr/sbin/cron":
            end_process(service)
    run("carrel", "gc")  # what it makes for itself is there from now on
    for name in m.running():
        equal(run("carrel", "stop", name).returncode, 0, f"carrel stop {name}")


@contextlib.contextmanager
def scene(m, name, program, policy="", real=None):
    be_alone(m)
    with m.policy(name, policy):
        keep_treasure(f"{USER}-{name}")
        time.sleep(SETTLED)  # from then on logins keep what they have read
        place = Place(m, program, real)
        try:
            yield f"{USER}-{name}", place
        finally:
            place.put_back()


@contextlib.contextmanager
def dynamic_helper():
    """In the place of carrel-helper the one with libraries, whose calls of them can be made to fail."""
    away = HELPER.with_name("helper.away")
    HELPER.rename(away)
    HELPER.hardlink_to(LIBEXEC / "carrel-helper-full")
    try:
        yield
    finally:
        away.replace(HELPER)


def only_first(process, calls):
    return range(len(calls)) if process == 0 else []


def of_others(process, calls):
    return range(len(calls)) if process > 0 else []


def remove(container):
    """As before anybody's first login."""
    stop(container)
    done = run("carrel", "remove", "--yes", container)
    expect(done.returncode == 0 or "no container" in done.stderr, f"carrel remove: {done.stderr}")


def lose_run_folder():
    """As at boot."""
    for line in reversed(pathlib.Path("/proc/self/mountinfo").read_text().splitlines()):
        if line.split()[4].startswith(f"{RUN}/"):
            equal(run("umount", line.split()[4]).returncode, 0, "umount")
    shutil.rmtree(RUN)


@contextlib.contextmanager
def somebody_inside():
    """Unless the point came so early that it kept them out, which other sweeps look at."""
    holder = subprocess.Popen(["su", "-", USER, "-c", "echo in; exec sleep 60"], text=True,
                              stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=subprocess.DEVNULL)
    holder.stdout.readline()
    try:
        yield
    finally:
        holder.terminate()
        holder.wait(30)
        holder.stdout.close()


def first_of_two(container, place):
    """Somebody is inside; what comes after that is not counted."""
    with somebody_inside():
        place.plan.unlink(missing_ok=True)
        return Login(container)


def second_of_two(container):
    with somebody_inside():
        return Login(container)


def start(container):
    """The container runs, and nobody is in it."""
    expect(Login(container).is_inside, "the login that starts the container")


@test
def helper_builds_a_container(m):
    """Starting a container: each system call of the helper fails, it is killed before each."""
    with scene(m, "cold", HELPER) as (container, place):
        Sweep(m, place, container).run(choose=only_first)


@test
def helper_makes_a_first_container(m):
    """The very first login of a user: there are no data yet, and no run-time files as after a boot."""
    with scene(m, "first", HELPER, "home = bind") as (container, place):
        Sweep(m, place, container, lose_run_folder, end=remove).run(choose=only_first)


@test
def helper_joins_a_container(m):
    """Joining one that runs: each system call of the helper fails, it is killed before each."""
    with scene(m, "warm", HELPER) as (container, place):
        Sweep(m, place, container, lambda: start(container)).run()


@test
def helper_opens_a_disk_image(m):
    """The container's data are in an image with its own size: the helper as before."""
    with scene(m, "disk", HELPER, 'limits { disk = "32M" }') as (container, place):
        Sweep(m, place, container).run(choose=only_first)


@test
def helper_makes_a_disk_image(m):
    """The first login of such a user: also each call of mkfs, and it is killed before each."""
    with scene(m, "mkfs", HELPER, 'home = bind\nlimits { disk = "32M" }') as (container, place):
        Sweep(m, place, container, end=remove).run()


@test
def helper_builds_from_a_named_image(m):
    """A container of a named image whose user may become root: the helper as before."""
    have_image(m)
    with scene(m, "named", HELPER, 'image = "lab"\nroot = yes') as (container, place):
        Sweep(m, place, container).run(choose=only_first)


def of_init(process, calls):
    return range(len(calls)) if process > 0 else []


@test
def init_makes_the_root_of_a_named_image(m):
    """carrel-init with a named image whose user may not become root: each call as the helper before."""
    have_image(m)
    with scene(m, "plain", HELPER, 'image = "lab"') as (container, place):
        Sweep(m, place, container).run(choose=of_init)


@test
def init_becomes_the_first_process(m):
    """carrel-init and its children until the end of the container, each as the helper before."""
    with scene(m, "init", HELPER) as (container, place):
        Sweep(m, place, container).run(choose=of_init)


@test
def init_serves_a_second_login(m):
    """The same for what it does when one more login comes while somebody is inside."""
    with scene(m, "second", HELPER) as (container, place):
        alone = Sweep(m, place, container, attempt=lambda: first_of_two(container, place)).calls()

        init = max((process for process in alone if process > 0), key=lambda it: len(alone[it]))

        def of_the_second(process, calls):
            # What comes after all that the first login has brought about.
            return range(len(alone[init]), len(calls)) if process == init else []

        Sweep(m, place, container, attempt=lambda: second_of_two(container)).run(choose=of_the_second)


@contextlib.contextmanager
def through_su(m, name):
    with scene(m, name, m.directory / "su", real="/usr/bin/su") as (container, place):
        yield container, place, lambda: Login(container, place.program)


@test
def module_joins(m):
    """su, from the module's first call to the user's shell: failing, and killed."""
    numbers = CALLS.get(platform.machine())
    if not numbers:
        raise Skip(f"the numbers of system calls on {platform.machine()} are not known here")
    socketpair, setns, clone = numbers

    def of_the_module(process, calls):
        if process > 0:
            return []
        begin = calls.index(socketpair)
        return range(begin, calls.index(clone, calls.index(setns)))

    with through_su(m, "module") as (container, place, attempt):
        Sweep(m, place, container, attempt=attempt).run(choose=of_the_module)


@test
def helper_without_memory(m):
    """Each of the helper's requests for memory is refused, starting and joining."""
    with dynamic_helper(), scene(m, "memory", HELPER) as (container, place):
        Sweep(m, place, container).run_allocations()
        Sweep(m, place, container, lambda: start(container)).run_allocations()


@test
def helper_without_its_library(m):
    """Each call that the helper makes of the C library fails, starting and joining."""
    need_stubs()
    with dynamic_helper(), scene(m, "library", HELPER) as (container, place):
        Sweep(m, place, container).run_library()
        Sweep(m, place, container, lambda: start(container)).run_library()


@test
def module_without_its_libraries(m):
    """Each call that the module makes of the C library and of PAM fails, until the login's end."""
    need_stubs()
    module = next(pathlib.Path("/usr/lib").glob("*/security/pam_carrel.so"))
    with through_su(m, "calls") as (container, place, attempt):
        Sweep(m, place, container, lambda: start(container), attempt).run_library(module)


def need_stubs():
    if platform.machine() != "x86_64":
        raise Skip("the stubs of library.c are for x86_64")
