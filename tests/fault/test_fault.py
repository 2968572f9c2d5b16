"""The way in, with one thing failing on it."""

import contextlib
import platform

from client import end_process
from fault import Login, Place, Sweep, USER, run
from image import have_image
from machine import LIBEXEC
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
        place = Place(m, program, real)
        try:
            yield f"{USER}-{name}", place
        finally:
            place.put_back()


def only_first(process, calls):
    return range(len(calls)) if process == 0 else []


def start(container):
    """The container runs, and nobody is in it."""
    expect(Login(container).is_inside, "the login that starts the container")


@test
def helper_builds_a_container(m):
    """Starting a container: each system call of the helper fails, it is killed before each."""
    with scene(m, "cold", HELPER) as (container, place):
        Sweep(m, place, container).run(choose=only_first)


@test
def helper_joins_a_container(m):
    """Joining one that runs: each system call of the helper fails, it is killed before each."""
    with scene(m, "warm", HELPER) as (container, place):
        Sweep(m, place, container, lambda: start(container)).run(choose=only_first)


@test
def helper_opens_a_disk_image(m):
    """The container's data are in an image with its own size: the helper as before."""
    with scene(m, "disk", HELPER, 'limits { disk = "32M" }') as (container, place):
        Sweep(m, place, container).run(choose=only_first)


@test
def helper_builds_from_a_named_image(m):
    """A container of a named image whose user may become root: the helper as before."""
    have_image(m)
    with scene(m, "named", HELPER, 'image = "lab"\nroot = yes') as (container, place):
        Sweep(m, place, container).run(choose=only_first)


@test
def init_becomes_the_first_process(m):
    """carrel-init and its children until the end of the container, each as the helper before."""
    def of_init(process, calls):
        return range(len(calls)) if process > 0 else []

    with scene(m, "init", HELPER) as (container, place):
        Sweep(m, place, container).run(choose=of_init)


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

    with scene(m, "module", m.directory / "su", real="/usr/bin/su") as (container, place):
        Sweep(m, place, container, program=place.program).run(choose=of_the_module)


@test
def helper_without_memory(m):
    """Each of the helper's requests for memory is refused, starting and joining."""
    with scene(m, "memory", HELPER) as (container, place):
        Sweep(m, place, container).run_allocations()
        Sweep(m, place, container, lambda: start(container)).run_allocations()
