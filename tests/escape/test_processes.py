"""Processes: PID 1, the login service, other containers, signals."""

from attacker import all_refused, arm, attempt
from image import have_image
from suite import contains, equal, eventually, expect, lacks, matches, test

# What /proc shows to everyone, of every process: no secret.
PUBLIC = {"task": "done", "fdinfo": ("EACCES", "EPERM")}
CLOSED = ("EPERM", "EACCES")
# The kernel asks for the same id only, and lets limits be lowered: it harms the own session.
SAME_ID = PUBLIC | {"prlimit": "done"}


def service_pid(m, user):
    """The process of a login's sshd that runs as the user, as seen inside."""
    pid = m.look(user, f"pgrep -u {user} -x sshd | head -1")
    expect(pid, f"no sshd of {user} is there")
    return pid


@test
def first_process_closed(m):
    """A user gets nothing of PID 1: no memory, descriptor, environment, program, root or trace."""
    arm(m)
    all_refused(attempt(m, "look-into 1"), CLOSED, **PUBLIC)


@test
def login_service_closed(m):
    """Nor of the sshd that serves them, which runs under their own id."""
    arm(m)
    m.look("bob", "true")
    all_refused(attempt(m, f"look-into {service_pid(m, 'bob')}"), CLOSED, **SAME_ID)


@test
def sftp_server_closed(m):
    """internal-sftp never executes anything: it is sshd to the end, and closed all the same."""
    arm(m)
    m.start("sftp", "-F", m.ssh_config, "bob@lab", stdin=-1)
    pid = eventually(lambda: m.ssh("bob", "pgrep -u bob -fx 'sshd: bob@internal-sftp'").out.strip(),
                     "the sftp server")
    all_refused(attempt(m, f"look-into {pid.split()[0]}"), CLOSED, **SAME_ID)


@test
def closed_to_root(m):
    """root = yes: the container's root gets nothing of PID 1 and sshd either."""
    have_image(m)
    with m.policy("looks", 'image = "lab"\nroot = yes'):
        arm(m)
        all_refused(attempt(m, "look-into 1", sudo=True), CLOSED, **PUBLIC)
        login = m.ssh_start("bob", "exec sleep 300")
        pid = eventually(lambda: m.ssh("bob", "ps -o ppid= -p $(pgrep -x sleep)").out.strip(), "sshd")
        all_refused(attempt(m, f"look-into {pid}", sudo=True), CLOSED, **PUBLIC)
        login.terminate()


@test
def between_fork_and_exec(m):
    """root = yes: no program of the host is met in a login's processes (CVE-2019-5736)."""
    have_image(m)
    with m.policy("waits", 'image = "lab"\nroot = yes'):
        arm(m)
        watcher = m.ssh_start("bob", "sudo -n ./attempt lie-in-wait 4", stdout=-1)
        for _ in range(12):
            m.ssh("bob", "true")
        out = watcher.communicate(timeout=60)[0].decode()
        contains(out, "looked often", "the watcher")
        lacks(out, "/exe", "programs met")


@test
def other_users_processes(m):
    """Another user's processes do not exist, by number or otherwise."""
    arm(m)
    other = m.ssh_start("alice", "exec sleep 86423")
    seen = eventually(lambda: m.run("pgrep", "-fx", "sleep 86423").out.split(), "alice's process")
    answers = dict(attempt(m, f"look-into {seen[0]}"))
    for name in ("ptrace-attach", "process_vm_readv", "pidfd_getfd", "kcmp", "prlimit"):
        equal(answers[name], "ESRCH", name)
    equal(answers["mem"], "ENOENT", "/proc/PID/mem")
    other.terminate()


@test
def signals_to_the_first_process(m):
    """PID 1 takes no signal of its user, nor of the container's root, and goes on."""
    have_image(m)
    arm(m)
    pid = m.init_pid("bob")
    all_refused(attempt(m, "signals 1"), "EPERM")
    equal(m.init_pid("bob"), pid, "PID 1 after its user's signals")
    with m.policy("kills", 'image = "lab"\nroot = yes'):
        arm(m)
        pid = m.init_pid("bob-kills")
        attempt(m, "signals 1", sudo=True)
        equal(m.ssh("bob", "cat /proc/1/stat").out.split()[2], "S", "its state")
        equal(m.init_pid("bob-kills"), pid, "PID 1 after root's signals")


@test
def host_process_as_interpreter(m):
    """root = yes: a shell that is '#!/proc/self/exe' runs sshd's program, and cannot write it."""
    have_image(m)
    before = m.run("sha256sum", "/usr/sbin/sshd").out
    m.directory.joinpath("evil.c").write_text(
        '#include <errno.h>\n#include <fcntl.h>\n#include <stdio.h>\n#include <string.h>\n'
        '#include <unistd.h>\n'
        '__attribute__((constructor)) static void start(void)\n{\n'
        '\tchar exe[256] = "";\n\tif (readlink("/proc/self/exe", exe, 255) < 0) return;\n'
        '\tif (!strstr(exe, "sshd")) return;\n'
        '\tint fd = open("/proc/self/exe", O_WRONLY);\n'
        '\tprintf("met %s %s\\n", exe, fd < 0 ? strerrorname_np(errno) : "open");\n'
        '\tfflush(stdout);\n\t_exit(0);\n}\n')
    equal(m.run("gcc", "-D_GNU_SOURCE", "-shared", "-fPIC", "-o", m.directory / "evil.so",
                m.directory / "evil.c").status, 0, "gcc")
    with m.policy("shebang", 'image = "lab"\nroot = yes'):
        # What the host's sshd is linked with, so that it gets as far as the trap.
        libraries = [word for word in m.run("ldd", "/usr/sbin/sshd").out.split() if word[0] == "/"]
        m.run("tar", "-chPf", m.directory / "libraries.tar", *libraries)
        done = m.ssh("bob", "sudo -n tar -xPf - --skip-old-files",
                     stdin=(m.directory / "libraries.tar").read_bytes())
        equal(done.status, 0, f"bringing sshd's libraries in ({done.err})")
        m.ssh("bob", "cat >evil.so", stdin=(m.directory / "evil.so").read_bytes())
        done = m.ssh("bob", "sudo -n sh -c 'cp evil.so /usr/lib/ && printf \"#!/proc/self/exe\\n\" "
                            ">/usr/bin/evil && chmod 755 /usr/bin/evil && "
                            "echo /usr/lib/evil.so >/etc/ld.so.preload && "
                            "mv /usr/bin/evil /usr/bin/bash'")
        equal(done.status, 0, f"laying the trap ({done.err})")
        said = m.ssh("bob", "true").said
        matches(said, "^met .*sshd (EACCES|ETXTBSY|EROFS)$", "what the trap caught")
    equal(m.run("sha256sum", "/usr/sbin/sshd").out, before, "the host's sshd")
