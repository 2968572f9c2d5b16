"""Libraries and settings that a container can change, met by a login service (CVE-2019-14271)."""

import contextlib
import pathlib

from attacker import SOURCES
from image import have_image
from suite import contains, equal, expect, lacks, test

NSSWITCH = pathlib.Path("/etc/nsswitch.conf")
# The first one has a library on most hosts, the second on none: a container may bring either.
MODULES = ("systemd", "carreltest")
DATABASES = ("passwd", "group", "shadow", "gshadow", "initgroups", "hosts", "services", "networks",
             "protocols", "netgroup")
# With these sshd looks up what is not in the files, so that it would ask the next module.
FORGET = "sed -i '/^tty:/d;/^bob:/d' /etc/group"


@contextlib.contextmanager
def host_asks(*modules):
    """The host looks up names in these modules too."""
    before = NSSWITCH.read_text()
    NSSWITCH.write_text("".join(f"{name}: files {' '.join(modules)}\n" for name in DATABASES))
    try:
        yield
    finally:
        NSSWITCH.write_text(before)


def hostile_library(m):
    """A library that tells in which program it was loaded."""
    made = m.directory / "hostile.so"
    equal(m.run("gcc", "-D_GNU_SOURCE", "-shared", "-fPIC", "-o", made,
                SOURCES.parent / "hostile.c").status, 0, "gcc")
    return made.read_bytes()


def spread(m, library):
    """In place of every library that a login service might load later than at its start."""
    names = [f"libnss_{name}.so.2" for name in (*MODULES, "files", "dns", "compat")]
    names += ["libgcc_s.so.1", "libkrb5.so.3", "libsss_sudo.so", "gconv/UTF-16.so",
              "security/pam_unix.so.host", "ossl-modules/legacy.so"]
    equal(m.ssh("bob", "cat >/var/tmp/hostile.so", stdin=library).status, 0, "bringing it in")
    done = m.ssh("bob", "sudo -n sh -e", stdin=(
        "cd /usr/lib/*-linux-gnu; mkdir -p gconv ossl-modules\n" +
        "".join(f"cp /var/tmp/hostile.so {name}\n" for name in names if ".host" not in name) +
        "touch /etc/tty; chmod 666 /etc/tty\n" + FORGET + "\n").encode())
    equal(done.status, 0, f"spreading it ({done.err})")
    loaded(m)


def loaded(m):
    """Programs in which it was loaded, one a line."""
    return m.ssh("bob", "cat /var/tmp/loaded 2>/dev/null; chmod 1777 /var/tmp; "
                        ": >/var/tmp/loaded").out


@test
def name_service_modules(m):
    """root = yes: no login service, whose memory may hold host keys, loads a module from inside."""
    have_image(m)
    library = hostile_library(m)
    with host_asks(*MODULES), m.policy("library", 'image = "lab"\nroot = yes'):
        spread(m, library)
        m.ssh_terminal("bob").shell().run("true")
        m.ssh("bob", "true")
        m.run("su", "bob", "-c", "true")
        m.run("su", "-l", "bob", "-c", "true")
        m.run("sftp", "-F", m.ssh_config, "-b", "/dev/null", "bob@lab")
        m.look("bob", "true")
        for words in (("exec", "bob-library", "true"), ("enter", "bob-library", "-c", "true")):
            m.run("carrel", *words)
        equal(loaded(m), "", "where the library was loaded")
        m.ssh("bob", f"sudo -n sh -c \"{FORGET}; rm -f /etc/nsswitch.conf; "
                     "echo 'passwd: carreltest' >/etc/nsswitch.conf\"")
        m.ssh("bob", "getent passwd somebody-else")
        contains(loaded(m), "getent", "where a program of the container loads it")
