"""What a contained user sees and may do: looked at from inside."""

import re
import pathlib
import subprocess

from machine import FRANKS_GROUPS, HUGE_GID, NAMESPACES, PASSWORD, USERS
from suite import contains, equal, eventually, expect, lacks, matches, test

ID_BLOCKS_START = 0x80000000


# ---- who -------------------------------------------------------------------------------------

def check_same_ids(m, user):
    host = m.run("id", user).out.strip()
    equal(m.look(user, "id"), host, f"id of {user}")


@test(bare=True)
def same_ids(m):
    """id says the same names and numbers as on the host."""
    check_same_ids(m, "alice")


@test(bare=True)
def huge_gid(m):
    """A group with an id above 65535 is the user's inside too."""
    check_same_ids(m, "erin")
    equal(m.look("erin", "touch g; chgrp huge g; stat -c %g g"), str(HUGE_GID), "a file's group")


@test(bare=True)
def huge_uid(m):
    """So is a user id above 65535."""
    check_same_ids(m, "uma")
    equal(m.look("uma", "touch u; stat -c %u u"), str(USERS["uma"][0]), "a file's owner")


@test(bare=True)
def hundred_groups(m):
    """A user with a hundred groups has them all inside, by name."""
    check_same_ids(m, "frank")
    equal(len(set(m.look("frank", "id -Gn").split()) & set(FRANKS_GROUPS)), 100, "groups")


@test
def names_of_others(m):
    """Names of other users are not known inside; the system's and the user's own are."""
    equal(m.look("alice", "getent passwd alice | cut -d: -f1,3,6,7"),
          "alice:2001:/home/alice:/bin/bash", "alice's entry")
    equal(m.look("alice", "getent passwd root | cut -d: -f1,3"), "root:0", "root's entry")
    for user in ("bob", "carol", "admin"):
        equal(m.inside("alice", f"getent passwd {user}").status, 2, f"status for {user}")
        expect(m.inside("alice", f"grep -w ^{user} /etc/passwd").status == 1, f"{user} is listed")
        expect(m.inside("alice", f"grep '[:,]{user}' /etc/group").status == 1, f"{user} is listed")


@test
def id_map(m):
    """The id map: a block above 2^31 for the container, the user's own id as itself."""
    for file, own in (("uid_map", USERS["alice"][0]), ("gid_map", USERS["alice"][0])):
        lines = [tuple(map(int, line.split()))
                 for line in m.look("alice", f"cat /proc/self/{file}").splitlines()]
        expect((own, own, 1) in lines or any(
            inside == outside <= own < inside + count for inside, outside, count in lines),
            f"{file} does not map {own} to itself: {lines}")
        zero = next(outside for inside, outside, _ in lines if inside == 0)
        expect(zero >= ID_BLOCKS_START, f"{file} maps 0 to {zero}")
        for inside, outside, count in lines:
            expect(outside >= ID_BLOCKS_START or inside == outside, f"{file} has {inside}")
            expect(not 0 < outside < 1000, f"{file} maps the host's {outside}")


@test
def own_blocks(m):
    """Two users' containers do not share the ids of their system accounts."""
    starts = [m.look(user, "cat /proc/self/uid_map").split()[1] for user in ("alice", "bob")]
    expect(starts[0] != starts[1], f"both map 0 to {starts[0]}")


# ---- walls -----------------------------------------------------------------------------------

@test
def own_namespaces(m):
    """All seven namespaces are others than the host's, and than another user's."""
    host, alice, bob = m.namespaces(), m.namespaces_of("alice"), m.namespaces_of("bob")
    for name in NAMESPACES:
        expect(len({host[name], alice[name], bob[name]}) == 3,
               f"{name}: host {host[name]}, alice {alice[name]}, bob {bob[name]}")


@test
def first_process(m):
    """Process 1 is carrel-init."""
    equal(m.look("alice", "ps -p 1 -o comm="), "carrel-init", "its name")


@test
def only_own_processes(m):
    """ps shows the container's processes, no one else's."""
    marker = subprocess.Popen(["sleep", "86421"])
    m.cleanup.callback(marker.kill)
    m.ssh_start("bob", "exec sleep 86422")
    eventually(lambda: "86422" in m.run("ps", "-ef").out, "bob's process, seen from the host")
    listing = m.look("alice", "ps -eo user:20,args")
    lacks(listing, "8642", "ps")
    for line in listing.splitlines()[1:]:
        expect(line.split()[0] in ("alice", "root"), f"ps shows {line!r}")


@test
def host_name(m):
    """The host name is the policy's, and resolves."""
    equal(m.look("alice", "hostname; uname -n").split(), ["students"] * 2, "the host name")
    contains(m.look("alice", "getent hosts students"), "127.", "its address")
    matches(m.look("alice", "getent hosts localhost"), "^(::1|127.0.0.1)", "localhost")


@test
def environment(m):
    """Programs can tell that they are inside, and the policy's variables are set."""
    lines = m.look("alice", "env").splitlines()
    for line in ("container=carrel", "CARREL=alice", "EDITOR=nano", "COURSE=cs 101"):
        expect(line in lines, f"env lacks {line}: {lines}")


@test
def environment_everywhere(m):
    """su and the console set the same variables."""
    contains(m.run("su", "-", "alice", "-c", "env").out, "CARREL=alice\n", "env of su -")
    contains(m.run("runuser", "-u", "alice", "env").out, "CARREL=alice\n", "env of runuser")


@test
def welcome(m):
    """The welcome greets a person at a terminal, and is not mixed into a program's output."""
    text = "Exercises are in /srv/exercises."
    contains(m.ssh_terminal("alice").shell().greeting, text, "the greeting over ssh")
    lacks(m.ssh("alice", "true").said, text, "a command's output")
    lacks(m.run("su", "-", "alice", "-c", "true").said, text, "the output of su -c")
    sftp = m.run("sftp", "-F", m.ssh_config, "-b", "-", "alice@lab", stdin="pwd\n")
    lacks(sftp.said, text, "the output of sftp")


@test
def umask_and_limits(m):
    """The policy's umask and resource limits hold, soft and hard."""
    equal(m.look("alice", "umask"), "0027", "umask")
    equal(m.look("alice", "ulimit -Sn; ulimit -Hn").split(), ["1000", "1000"], "open files")
    equal(m.look("alice", "ulimit -u"), "200", "processes")
    equal(m.look("alice", "ulimit -Hc"), "0", "core")
    expect(m.inside("alice", "ulimit -n 2000").status != 0, "the limit can be raised")


@test
def no_password_hashes(m):
    """No shadow file and no password hash in /etc or /run, and nothing of others' files."""
    for file in ("/etc/shadow", "/etc/gshadow", "/etc/shadow-", "/etc/gshadow-", "/etc/sudoers",
                 "/etc/ssh/ssh_host_ed25519_key", "/etc/host-secret"):
        expect(m.inside("alice", f"cat {file}").status != 0, f"{file} can be read")
    found = m.inside("alice", r"grep -rIlE '\$(1|2[aby]|5|6|y|7)\$[^ ]{8}' /etc /run 2>/dev/null")
    equal(found.out, "", "files with hashes")


@test
def host_files_hidden(m):
    """The host's /root, /run, /var, /tmp, /srv and the homes of others are not there."""
    listing = m.inside("alice", "find / -xdev -name host-secret 2>/dev/null; "
                       "ls /run /var/lib /var/log /srv /tmp /home").out
    for name in ("host-secret", "bob", "sshd", "crond.pid", "private-host"):
        lacks(listing, name, "what alice sees")
    equal(m.look("alice", "ls /home"), "alice", "/home")
    host_disk = m.look("alice", "cat /proc/self/mountinfo")
    lacks(host_disk, "places/home", "the mounts")


@test
def programs_cannot_be_changed(m):
    """/usr, /etc and /opt are the host's or root's: not even a container's root could write."""
    for path in ("/usr/bin/new", "/etc/new", "/usr/lib/new", "/bin/ls", "/etc/passwd"):
        result = m.inside("alice", f"echo x >>{path}")
        expect(result.status != 0, f"{path} was written")
    matches(m.look("alice", "awk '$2 == \"/usr\" {print $4}' /proc/mounts"), "^ro,", "its options")


@test
def setuid_has_no_effect(m):
    """su and sudo give nobody another id: no_new_privs is set."""
    equal(m.look("alice", "awk '/NoNewPrivs/ {print $2}' /proc/self/status"), "1", "NoNewPrivs")
    for command in (f"echo '{PASSWORD}' | su admin -c id", "su root -c id </dev/null",
                    "sudo -n id"):
        lacks(m.inside("alice", command).out, "uid=0", f"the output of {command}")
        expect(m.inside("alice", command).status != 0, f"{command} succeeds")


@test
def no_capabilities(m):
    """No capability is held, nor can one ever be."""
    status = m.look("alice", "cat /proc/self/status")
    for name in ("CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb"):
        equal(matches(status, rf"^{name}:\s*(\w+)").group(1), "0" * 16, name)


@test
def seccomp_filter(m):
    """A seccomp filter is in force."""
    equal(m.look("alice", "awk '/^Seccomp:/ {print $2}' /proc/self/status"), "2", "Seccomp")


SYSCALLS = """
import ctypes, errno, os
libc = ctypes.CDLL(None, use_errno=True)
def call(name, number, *arguments):
    result = libc.syscall(number, *arguments)
    print(name, "allowed" if result >= 0 else errno.errorcode[ctypes.get_errno()])
call("mount", 165, b"none", b"/mnt", b"tmpfs", 0, b"")
call("unshare-user", 272, 0x10000000)
call("unshare-mount", 272, 0x20000)
call("setns", 308, os.open("/proc/self/ns/uts", os.O_RDONLY), 0)
call("chroot", 161, b"/tmp")
call("kexec_load", 246, 0, 0, 0, 0)
call("init_module", 175, 0, 0, b"")
call("bpf", 321, 0, 0, 0)
call("perf_event_open", 298, 0, 0, 0, 0, 0)
call("keyctl", 250, 0, -3, 1)
call("swapon", 167, b"/tmp", 0)
call("reboot", 169, 0, 0, 0, 0)
call("sethostname", 170, b"mine", 4)
call("settimeofday", 164, 0, 0)
call("open_tree", 428, -100, b"/", 1)
call("fsopen", 430, b"tmpfs", 0)
"""


@test
def dangerous_calls(m):
    """mount, unshare, chroot, bpf, keyctl, module and kernel calls are refused."""
    for line in m.python("alice", SYSCALLS).splitlines():
        name, verdict = line.split()
        expect(verdict in ("EPERM", "ENOSYS", "EACCES"), f"{name}: {verdict}")


@test
def no_user_namespace(m):
    """unshare -U and mount from util-linux are refused as well."""
    for command in ("unshare -U true", "unshare -r true", "mount -t tmpfs none /mnt"):
        expect(m.inside("alice", command).status != 0, f"{command} succeeds")
    equal(m.look("alice", "cat /proc/sys/user/max_user_namespaces"), "0", "the most of them")


# ---- devices, /proc, file systems -----------------------------------------------------------

@test(bare=True)
def device_nodes(m):
    """The usual device nodes are there and do what they should."""
    m.look("alice", "echo x >/dev/null; test -c /dev/null -a -c /dev/tty -a -e /dev/ptmx")
    equal(m.look("alice", "head -c 5 /dev/zero | od -An -tx1"), "00 00 00 00 00", "zeros")
    equal(m.look("alice", "head -c 5 /dev/urandom | wc -c"), "5", "random bytes")
    expect(m.inside("alice", "echo x >/dev/full").status != 0, "/dev/full takes a byte")
    equal(m.look("alice", "echo through >/dev/stdout; echo fd >/dev/fd/1").split(),
          ["through", "fd"], "output")


@test
def no_other_devices(m):
    """No disk, memory, loop or kernel device can be reached."""
    listing = m.look("alice", "find /dev -type b -o -type c | sort")
    for node in listing.split():
        expect(re.fullmatch(r"/dev/(null|zero|full|random|urandom|tty|console|ptmx"
                            r"|net/tun|fuse|pts/(ptmx|\d+)|pts-\d+|tty\d*)", node),
               f"{node} is there")
    expect(m.inside("alice", "mknod /tmp/disk b 8 0").status != 0, "mknod works")


@test(bare=True)
def pseudo_terminals(m):
    """script(1) and openpty(3) get a terminal of their own."""
    contains(m.look("alice", "script -qec tty /dev/null"), "/dev/pts/", "tty under script")
    contains(m.python("alice", "import os, pty\n"
                               "print(os.ttyname(pty.openpty()[1]))"), "/dev/pts/", "ttyname")


@test(bare=True)
def shared_memory(m):
    """POSIX shared memory, semaphores and message queues work."""
    code = ("import multiprocessing as mp, multiprocessing.shared_memory as s\n"
            "x = s.SharedMemory(create=True, size=4096); x.buf[0] = 7; print(x.buf[0])\n"
            "x.close(); x.unlink(); l = mp.Lock(); l.acquire(); l.release()\n")
    equal(m.python("alice", code), "7", "the byte")


@test
def small_file_systems(m):
    """/tmp, /run and /dev/shm are no larger than the policy says."""
    sizes = m.look("alice", "df --output=size -B1M /tmp /run /dev/shm | tail -n +2").split()
    equal(sizes, ["64"] * 3, "sizes")
    result = m.inside("alice", "head -c 80M /dev/zero >/tmp/big")
    m.look("alice", "rm /tmp/big")
    contains(result.err, "No space left", "writing more")


@test
def kernel_settings(m):
    """/proc/sys is read-only and the host's kernel tells nothing."""
    for path in ("/proc/sys/kernel/hostname", "/proc/sys/vm/swappiness", "/proc/sysrq-trigger",
                 "/proc/sys/net/ipv4/ip_forward", "/proc/self/uid_map", "/proc/kcore"):
        expect(m.inside("alice", f"echo 1 >{path}").status != 0, f"{path} was written")
    expect(m.inside("alice", "dmesg").status != 0, "dmesg works")
    equal(m.inside("alice", "cat /proc/kcore /proc/keys /proc/timer_list").out, "", "their text")


@test
def network_none(m):
    """network = none: only lo, which is up."""
    equal(m.python("alice", "import socket\nprint([n for _, n in socket.if_nameindex()])"),
          "['lo']", "interfaces")
    equal(m.python("alice", "import socket\ns = socket.socket(); s.bind(('127.0.0.1', 0))\n"
                            "s.listen(); socket.create_connection(s.getsockname())\n"
                            "print('connected')"), "connected", "over lo")


@test
def sockets_of_pid1(m):
    """What carrel-init listens on is of the container's network, which is made beside it."""
    listing = m.look("alice", "cat /proc/net/unix")
    for path in ("/dev/log", "/run/carrel/status"):
        contains(listing, f" {path}", "the sockets of the own network")


@test
def network_host(m):
    """network = host: the host's network, and still no capability over it."""
    with m.policy("hostnet", "network = host"):
        listing = m.ssh("bob", "readlink /proc/self/ns/net /proc/self/ns/pid").out.split()
        host = m.namespaces()
        equal(listing[0], host["net"], "the network")
        expect(listing[1] != host["pid"], "the processes are the host's")


@test
def unix_sockets_of_the_host(m):
    """network = host: sockets in the host's files and its syslog stay out of reach."""
    with m.policy("hostnet2", "network = host"):
        for path in ("/run/host-secret", "/run/carrel/containers"):
            expect(m.ssh("bob", f"test -e {path}").status != 0, f"{path} is there")


@test(bare=True)
def locale_and_time(m):
    """The host's time zone and locale are the user's."""
    equal(m.look("alice", "date +%Z"), m.run("date", "+%Z").out.strip(), "the zone")


@test
def home_has_skeleton(m):
    """A private home starts with the files of /etc/skel, the user's own, closed to others."""
    listing = set(m.look("alice", "ls -A").split())
    for file in pathlib.Path("/etc/skel").iterdir():
        expect(file.name in listing, f"the home lacks {file.name}: {listing}")
    equal(m.look("alice", "stat -c %U:%G ~ ~/.profile").split(), ["alice:alice"] * 2, "owners")
    expect(".ssh" not in listing, "the host's home is visible")


@test
def run_user(m):
    """XDG_RUNTIME_DIR's folder is there and the user's own; the host's bus is not named."""
    equal(m.look("alice", "stat -c %U:%a /run/user/$(id -u)"), "alice:700", "/run/user/UID")
    lacks(m.look("alice", "env"), "DBUS_SESSION_BUS_ADDRESS", "env")


@test
def no_descriptor_of_the_host(m):
    """A login's processes have no descriptor that leads out."""
    listing = m.look("alice", "ls -l /proc/[0-9]*/fd 2>/dev/null || true")
    lacks(listing, "/run/carrel", "descriptors")
    targets = re.findall(r"-> (\S+)", listing)
    expect(targets, "no descriptor is there")
    for target in targets:
        expect(target.startswith(("pipe:", "socket:", "anon_inode:", "/dev/", "/proc/",
                                  "/home/alice", "/usr/", "/tmp")), f"a descriptor of {target}")


@test
def login_service_cannot_be_traced(m):
    """The sshd that serves the user cannot be looked into from inside."""
    mine = m.look("alice", "pgrep -u alice -x sshd | head -1")
    expect(mine, "no sshd of alice's is there")
    expect(m.inside("alice", f"cat /proc/{mine}/environ").status != 0, "environ can be read")
    expect(m.inside("alice", f"ls /proc/{mine}/fd").status != 0, "descriptors can be listed")
