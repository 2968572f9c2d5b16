"""The kernel: calls, sockets, terminals, files of /proc and /sys."""

import socket

from attacker import all_refused, arm, attempt
from image import have_image
from machine import can_connect
from suite import equal, expect, test

CALLS = {"clone3": "ENOSYS", "capset": "EPERM", "ambient": "EPERM",
         "seccomp_off": ("EINVAL", "EFAULT", "EACCES")}
SOCKETS = {"raw": ("EPERM", "EPROTONOSUPPORT", "ESOCKTNOSUPPORT"), "route": "done"}
NO_FAMILY = ("EAFNOSUPPORT", "EPROTONOSUPPORT", "ESOCKTNOSUPPORT")
KERNEL_FILES = (
    "/proc/sys/kernel/core_pattern", "/proc/sys/kernel/modprobe", "/proc/sys/kernel/hotplug",
    "/proc/sys/kernel/hostname", "/proc/sys/kernel/ns_last_pid", "/proc/sys/kernel/pid_max",
    "/proc/sys/kernel/shmmax", "/proc/sys/fs/mqueue/queues_max", "/proc/sys/vm/drop_caches",
    "/proc/sys/vm/overcommit_memory", "/proc/sys/fs/binfmt_misc/register",
    "/proc/sys/user/max_user_namespaces", "/proc/sys/net/ipv4/ip_forward",
    "/proc/sysrq-trigger", "/proc/kcore", "/proc/kmsg", "/proc/bus/pci", "/proc/irq/0",
    "/proc/self/uid_map", "/proc/self/gid_map", "/proc/self/setgroups", "/proc/1/oom_score_adj",
    "/sys/kernel/uevent_helper", "/sys/kernel/kexec_crash_size", "/sys/power/state",
    "/sys/devices/system/cpu/cpu0/online", "/sys/kernel/debug/tracing/trace", "/sys/firmware/efi",
    "/sys/fs/cgroup/cgroup.procs", "/sys/fs/cgroup/release_agent", "/sys/fs/cgroup/memory/tasks",
    "/sys/fs/cgroup/pids/cgroup.procs", "/sys/fs/cgroup/unified/cgroup.procs",
    "/dev/mem", "/dev/kmsg", "/dev/sda", "/dev/vda", "/dev/loop-control", "/dev/kvm",
    "/dev/vhost-vsock", "/dev/vsock", "/dev/fuse", "/dev/net/tun")
# What a kernel says that knows no audit in a user namespace, or none at all.
AUDIT = ("EPERM", "ECONNREFUSED", "EPROTONOSUPPORT", "EINVAL")
NOT_THERE = ("EACCES", "EPERM", "EROFS", "ENOENT", "EISDIR", "ENOTDIR")


@test
def calls_of_a_user(m):
    """Namespaces, mounts, kernel code, keys, devices, limits: each is refused, with its error."""
    arm(m)
    all_refused(attempt(m, "calls"), **CALLS)


@test
def calls_of_root(m):
    """root = yes: the container's root is refused the same."""
    have_image(m)
    with m.policy("calls", 'image = "lab"\nroot = yes'):
        arm(m)
        all_refused(attempt(m, "calls", sudo=True), **CALLS)


@test
def socket_families(m):
    """Sockets past the network namespace, and those whose modules would be loaded, do not exist."""
    have_image(m)
    arm(m)
    all_refused(attempt(m, "sockets"), NO_FAMILY, **SOCKETS)
    with m.policy("families", 'image = "lab"\nroot = yes'):
        arm(m)
        all_refused(attempt(m, "sockets", sudo=True), NO_FAMILY, **SOCKETS | {"raw": "done"})


@test
def netlink_of_the_host(m):
    """Messages to the kernel: no audit, no device event, no sockets but the container's own."""
    have_image(m)
    refused = {"audit_off": AUDIT, "audit_daemon": AUDIT, "audit_get": AUDIT, "audit_line": AUDIT,
               "uevent_send": "EPERM", "listeners": "done"}
    for name, policy in (("nl-user", ""), ("nl-root", 'image = "lab"\nroot = yes')):
        with m.policy(name, policy):
            arm(m)
            all_refused(attempt(m, "netlink", sudo=bool(policy)), "EPROTONOSUPPORT", **refused)
    expect(can_connect(m.ports["lab"]), "the host has a listener that could be seen")


@test
def terminal_requests(m):
    """Nothing is typed into a terminal, also not with bits that the kernel does not look at."""
    arm(m)
    answers = attempt(m, "terminals")
    plain = [(what, answer) for what, answer in answers if what.startswith("TCGETS")]
    all_refused(plain, "ENOTTY")
    all_refused([pair for pair in answers if pair not in plain], "EPERM")


@test
def other_call_tables(m):
    """x32 and i386 calls kill; a call that a tracer puts in place of another is filtered."""
    arm(m)
    all_refused(attempt(m, "tables"), "SIGSYS", changed_to_unshare="EPERM")


@test
def kernel_files_of_a_user(m):
    """core_pattern, release_agent, sysrq, cgroup.procs, disks ... cannot be written."""
    arm(m)
    all_refused(attempt(m, f"write {' '.join(KERNEL_FILES)}"), NOT_THERE)


@test
def kernel_files_of_root(m):
    """root = yes: not by the container's root either."""
    have_image(m)
    with m.policy("files", 'image = "lab"\nroot = yes'):
        arm(m)
        all_refused(attempt(m, f"write {' '.join(KERNEL_FILES)}", sudo=True), NOT_THERE)


@test
def abstract_sockets(m):
    """network = none: the host's abstract sockets are not there; network = host shows them."""
    arm(m)
    m.serve(family=socket.AF_UNIX, address="\0carrel-escape")
    equal(dict(attempt(m, "abstract carrel-escape")), {"connect": "ECONNREFUSED"}, "the answer")
    with m.policy("open", "network = host"):
        arm(m)
        equal(dict(attempt(m, "abstract carrel-escape")), {"connect": "done"}, "with the host's")


@test
def nothing_inherited(m):
    """A command's descriptors: input, output and errors, none a directory (CVE-2024-21626)."""
    arm(m)
    answers = attempt(m, "inherited")
    numbers = [what for what, _ in answers if what.startswith("descriptor")]
    equal(numbers, ["descriptor-0", "descriptor-1", "descriptor-2"], "what is open")
    for what, answer in answers:
        expect(answer == "plain" if what.startswith("descriptor") else answer == "ENOTDIR"
               or answer == "ENOENT" or answer == "EACCES", f"{what}: {answer}")


@test
def session_keyring(m):
    """A login has an empty session keyring, counted neither for its user nor for its container."""
    with m.policy("keys", 'seccomp { allow = {"keyctl"} }'):
        said = m.ssh("bob", "python3 -", stdin=(
            "import ctypes, os\nlibc = ctypes.CDLL(None)\ntext = ctypes.create_string_buffer(200)\n"
            "libc.syscall(250, 6, -3, text, 200)\nprint(text.value.decode())\n"
            "print(libc.syscall(250, 11, -3, text, 200))\n")).out.splitlines()
        expect(said[0].startswith("keyring;65534;"), f"the session keyring: {said}")
        equal(said[1], "0", "bytes of keys in it")
