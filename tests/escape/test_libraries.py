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


# Everything that the loader, the C library and PAM look up by a fixed path.
PLANT = """
cd /usr/lib/*-linux-gnu
mkdir -p gconv security /usr/lib/locale
for module in security/pam_*.so; do cp /var/tmp/hostile.so $module.new; mv $module.new $module; done
cp /var/tmp/hostile.so security/pam_carrel.so
for name in UTF-16 UTF-32 ISO8859-1 ISO8859-15; do cp /var/tmp/hostile.so gconv/$name.so; done
printf 'module %s// INTERNAL %s 1\\nmodule INTERNAL %s// %s 1\\n' \\
  ISO-8859-15 ISO8859-15 ISO-8859-15 ISO8859-15 >gconv/gconv-modules
rm -f gconv/gconv-modules.cache
head -c 100000 /dev/urandom >/usr/lib/locale/locale-archive
rm -rf /usr/lib/locale/C.utf8; mkdir /usr/lib/locale/C.utf8
head -c 1000 /dev/urandom >/usr/lib/locale/C.utf8/LC_CTYPE
mkdir -p /hostile; cp /var/tmp/hostile.so /hostile/libnss_files.so.2
echo /hostile >/etc/ld.so.conf; ldconfig 2>/dev/null
echo /var/tmp/hostile.so >/etc/ld.so.preload
"""
LOGIN_SERVICES = ("sshd", "sftp-server", "su", "login", "runuser", "cron", "carrel", "carrel-helper",
                  "carrel-init", "carrel-watch")


@test
def preloads_locales_converters(m):
    """root = yes: ld.so.preload, ld.so.conf, gconv, locale archive, PAM modules of a container."""
    have_image(m)
    library = hostile_library(m)
    german = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL": "de_DE.ISO-8859-15",
              "LANGUAGE": "de", "OUTPUT_CHARSET": "UTF-16"}
    with m.policy("planted", 'image = "lab"\nroot = yes'):
        equal(m.ssh("bob", "cat >/var/tmp/hostile.so; echo text >text", stdin=library).status, 0,
              "bringing it in")
        # The trap is laid last, by one shell: sudo itself would fall into it.
        equal(m.ssh("bob", "sudo -n sh", stdin=PLANT.encode()).status, 0, "laying the trap")
        m.ssh("bob", "true")
        m.ssh_terminal("bob", "true").end()
        m.run("sftp", "-F", m.ssh_config, "-b", "/dev/null", "bob@lab")
        m.run("su", "bob", "-c", "true", env=german)
        m.run("su", "-l", "bob", "-c", "true")
        out = m.directory / "planted"
        for words in (("exec", "bob-planted", "true"), ("enter", "bob-planted"),
                      ("cp", "bob-planted:text", out), ("cp", out, "bob-planted:text2"),
                      ("collect", "bob", "text", m.directory / "planted-all"),
                      ("show", "bob-planted"), ("status", "bob-planted")):
            m.run("carrel", *words, env=german)
        equal(out.read_text(), "text\n", "what cp brought")
        marks = m.ssh("bob", "cat /var/tmp/loaded; readlink /proc/self/ns/user").out.splitlines()
        inside = marks.pop()
        expect(any("sh loads" in line for line in marks), f"the trap does not work: {marks[:5]}")
        for line in marks:
            program = line.split(" ")[0].rsplit("/", 1)[-1]
            expect(program not in LOGIN_SERVICES, f"a program of the host: {line}")
            equal(line.rsplit(" ", 1)[1], inside, f"the user namespace of: {line}")
    expect(not pathlib.Path("/var/tmp/loaded").exists(), "it was loaded on the host")
