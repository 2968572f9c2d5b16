"""ssh as people use it: commands, terminals, files, forwarding."""

import os
import pathlib
import random
import re
import signal
import socket
import subprocess

from machine import PASSWORD, can_connect, free_port
from suite import contains, equal, eventually, expect, lacks, matches, test

TEN_MEGABYTES = 10 << 20


@test(bare=True)
def command_status(m):
    """A command's exit status comes back."""
    equal(m.ssh("alice", "true").status, 0, "status of true")
    equal(m.ssh("alice", "exit 7").status, 7, "status of exit 7")


@test(bare=True)
def command_output(m):
    """stdout and stderr of a command stay apart and nothing is added."""
    result = m.ssh("alice", "echo out; echo err >&2")
    equal((result.out, result.err), ("out\n", "err\n"), "the output")


@test(bare=True)
def command_signal(m):
    """A command that is killed is told as such, and the session ends."""
    equal(m.ssh("alice", "kill -9 $$").status, 255, "status")


@test(bare=True)
def big_streams(m):
    """Ten megabytes go in and come out unchanged, also with new keys all the time."""
    data = random.Random(1).randbytes(TEN_MEGABYTES)
    for options in ((), ("-o", "RekeyLimit=1M")):
        done = subprocess.run([str(w) for w in m.ssh_command("alice", "cat", options=options)],
                              input=data, capture_output=True, timeout=60)
        expect(done.returncode == 0 and done.stdout == data,
               f"{len(done.stdout)} bytes came back with {options}, {done.stderr!r}")


@test(bare=True)
def who_and_where(m):
    """The user, home, shell and working directory are the user's own."""
    result = m.ssh("alice", 'echo "$USER $LOGNAME $HOME $SHELL $PWD $(id -un) $(whoami)"')
    equal(result.out.strip(), "alice alice /home/alice /bin/bash /home/alice alice alice", "it")


@test(bare=True)
def accepted_environment(m):
    """Variables that sshd accepts from the client arrive."""
    result = m.ssh("alice", "echo $LC_TEST", options=("-o", "SetEnv=LC_TEST=hello"))
    equal(result.out, "hello\n", "LC_TEST")


@test(bare=True)
def interactive_login(m):
    """A login shell on a terminal that has a name, is the user's and can be opened by name."""
    person = m.ssh_terminal("alice").shell()
    matches(person.run("tty"), r"^/dev/pts/\d+$", "tty")
    equal(person.run("stat -c %U $(tty)"), "alice", "the terminal's owner")
    equal(person.run("echo by-name >$(tty)"), "by-name", "what was written to the terminal")
    equal(person.run("echo by-tty >/dev/tty"), "by-tty", "what was written to /dev/tty")
    equal(person.run("shopt -q login_shell && echo yes"), "yes", "login shell")
    equal(person.leave(), 0, "status")


@test(bare=True)
def exit_status_of_a_shell(m):
    """The status of the login shell is the client's."""
    person = m.ssh_terminal("alice").shell()
    person.type("exit 9")
    equal(person.end(), 9, "status")


@test(bare=True)
def job_control(m):
    """^Z stops, fg goes on, ^C interrupts, background jobs are listed."""
    person = m.ssh_terminal("alice").shell()
    person.type("sleep 1000")
    eventually(lambda: "sleep" in m.look("alice", "ps -C sleep -o comm= || true"), "sleep")
    person.key("z")
    person.wait_for("Stopped")
    person.answer()
    contains(person.run("jobs"), "sleep 1000", "jobs")
    person.type("fg")
    person.wait_for("sleep 1000")
    person.key("c")
    person.answer()
    equal(person.run("echo $?"), "130", "status after ^C")
    person.leave()


@test(bare=True)
def window_size(m):
    """The size of the terminal is known inside and follows the client's window."""
    person = m.ssh_terminal("alice", dimensions=(31, 97)).shell()
    equal(person.run("stty size"), "31 97", "stty size")
    person.child.setwinsize(44, 123)
    eventually(lambda: person.run("stty size") == "44 123", "the new size")


@test(bare=True)
def tmux_survives_logout(m):
    """tmux: a session started in one login is attached in the next."""
    person = m.ssh_terminal("alice", env={"TERM": "xterm"}).shell()
    person.run("tmux new -d -s work 'echo in-tmux; exec cat'")
    person.leave()
    person = m.ssh_terminal("alice", env={"TERM": "xterm"}).shell()
    person.type("tmux attach -t work")
    person.wait_for("in-tmux")
    m.look("alice", "tmux detach-client -s work")
    person.wait_for("detached")
    m.look("alice", "tmux kill-server")


@test(bare=True)
def terminal_closed(m):
    """When the client goes away, what ran in the foreground is hung up."""
    person = m.ssh_terminal("alice").shell()
    person.type("sleep 31415")
    eventually(lambda: m.look("alice", "pgrep -f '[s]leep 31415' || true"), "sleep")
    person.close()
    eventually(lambda: not m.look("alice", "pgrep -f '[s]leep 31415' || true"), "its end")


@test(bare=True)
def scp_both_ways(m):
    """scp up and down, with the sftp and with the old protocol, contents and modes kept."""
    source, back = m.directory / "scp-source", m.directory / "scp-back"
    source.write_bytes(random.Random(2).randbytes(1 << 20))
    source.chmod(0o640)
    for flags in (("-p",), ("-p", "-O")):
        scp = ["scp", "-F", m.ssh_config, *flags]
        equal(m.run(*scp, source, "alice@lab:copy").said, "", "what scp says")
        equal(m.look("alice", "stat -c %a copy"), "640", "mode")
        equal(m.run(*scp, "alice@lab:copy", back).status, 0, "status")
        expect(back.read_bytes() == source.read_bytes(), "the file came back changed")
    equal(m.look("alice", "stat -c %U:%s copy"), f"alice:{1 << 20}", "owner and size")


def check_sftp(m, host):
    back = m.directory / f"back-{host}"
    source = m.directory / f"sftp-{host}"
    source.write_text("sftp was here\n")
    batch = f"put {source} from-{host}\nmkdir d-{host}\nls -1\nget from-{host} {back}\npwd\n"
    result = m.run("sftp", "-F", m.ssh_config, "-b", "-", f"alice@{host}", stdin=batch)
    equal(result.status, 0, "status of sftp")
    contains(result.out, "/home/alice", "pwd")
    contains(result.out, f"d-{host}", "ls")
    equal(back.read_text(), "sftp was here\n", "the file")
    equal(m.look("alice", f"cat from-{host}"), "sftp was here", "the file inside")


@test(bare=True)
def sftp_internal(m):
    """sftp through sshd's own server."""
    check_sftp(m, "lab")


@test(bare=True)
def sftp_external(m):
    """sftp through the sftp-server program."""
    check_sftp(m, "lab-external")


@test(bare=True)
def rsync_both_ways(m):
    """rsync up, and down again."""
    source, back = m.directory / "rsync-source", m.directory / "rsync-back"
    (source / "deep" / "er").mkdir(parents=True)
    for number in range(50):
        (source / "deep" / f"file{number}").write_text(f"number {number}\n")
    rsync = ["rsync", "-a", "-e", f"ssh -F {m.ssh_config}"]
    equal(m.run(*rsync, f"{source}/", "alice@lab:synced/").status, 0, "status up")
    equal(m.look("alice", "ls synced/deep | wc -l"), "51", "entries")
    equal(m.run(*rsync, "alice@lab:synced/", back).status, 0, "status down")
    equal(m.run("diff", "-r", source, back).said, "", "the difference")


# ---- forwarding -------------------------------------------------------------------------------

SERVER = """
import socket
server = socket.socket(socket.{family})
server.bind({address!r})
server.listen()
print("listening", flush=True)
while True:
    peer, _ = server.accept()
    peer.sendall(b"hello from " + socket.gethostname().encode())
    peer.close()
"""
CALLER = """
import socket
peer = socket.socket(socket.{family})
peer.connect({address!r})
peer.settimeout(30)
print(peer.recv(100).decode())
"""


def serve_inside(m, user, address, family="AF_INET"):
    """A server run by the user, who says hello and its host name to everyone who connects."""
    m.ssh(user, "cat >server.py", stdin=SERVER.format(family=family, address=address))
    server = m.ssh_start(user, "exec /usr/bin/python3 server.py", stdout=subprocess.PIPE)
    equal(server.stdout.readline(), b"listening\n", "the server's line")
    return server


def received(port):
    """What a server says over a forwarded port; empty when it is not reached."""
    with socket.create_connection(("127.0.0.1", port), timeout=30) as peer:
        try:
            return peer.recv(100)
        except ConnectionResetError:
            return b""


@test(bare=True)
def local_forward(m):
    """-L reaches a server that the user runs."""
    inside, here = free_port(), free_port()
    serve_inside(m, "alice", ("127.0.0.1", inside))
    m.ssh_forward("alice", "-L", f"{here}:127.0.0.1:{inside}")
    eventually(lambda: can_connect(here), "the forwarded port")
    equal(received(here).decode(), f"hello from {m.look('alice', 'hostname')}", "the greeting")


@test
def local_forward_stays_inside(m):
    """-L does not reach the host's loopback, and the user's server is not on the host's."""
    _, port = m.serve()
    inside, here = free_port(), free_port()
    serve_inside(m, "alice", ("127.0.0.1", inside))
    expect(not can_connect(inside), "the container's server listens on the host's loopback")
    m.ssh_forward("alice", "-L", f"{here}:127.0.0.1:{port}")
    eventually(lambda: can_connect(here), "the forwarded port")
    equal(received(here), b"", "what came from the host's server")


@test(bare=True)
def remote_forward(m):
    """-R: a port where the user is leads to the client's side."""
    _, server = m.serve()
    port = free_port()
    m.ssh_forward("alice", "-R", f"{port}:127.0.0.1:{server}")
    caller = CALLER.format(family="AF_INET", address=("127.0.0.1", port))
    said = eventually(lambda: m.inside("alice", "/usr/bin/python3 -", caller).out.strip(),
                      "an answer through the port")
    equal(said, "hello from the host", "the greeting")
    if m.contained:
        expect(not can_connect(port), "the port listens on the host")


@test(bare=True)
def unix_socket_forward(m):
    """-L with socket files reaches the user's socket."""
    inside, here = "/tmp/inside.sock", m.directory / "here.sock"
    m.inside("alice", f"rm -f {inside}")
    serve_inside(m, "alice", inside, "AF_UNIX")
    m.ssh_forward("alice", "-L", f"{here}:{inside}")
    eventually(here.exists, "the socket")
    with socket.socket(socket.AF_UNIX) as peer:
        peer.connect(str(here))
        equal(peer.recv(100).decode(), f"hello from {m.look('alice', 'hostname')}", "it says")


@test
def unix_socket_forward_stays_inside(m):
    """-L does not reach a socket file of the host."""
    path = "/tmp/host.sock"
    m.serve(family=socket.AF_UNIX, address=path)
    os.chmod(path, 0o666)
    here = m.directory / "here2.sock"
    m.ssh_forward("alice", "-L", f"{here}:{path}")
    eventually(here.exists, "the socket")
    with socket.socket(socket.AF_UNIX) as peer:
        peer.connect(str(here))
        equal(peer.recv(100), b"", "what came from the host")


X_CLIENT = """
import os, socket, struct, subprocess
display = os.environ["DISPLAY"]
cookie = subprocess.run(["xauth", "list", display], capture_output=True, text=True).stdout.split()
host, _, number = display.partition(":")
peer = socket.create_connection((host, 6000 + int(number.split(".")[0])), timeout=30)
name, data = b"MIT-MAGIC-COOKIE-1", bytes.fromhex(cookie[-1])
peer.sendall(struct.pack("<BxHHHHxx", ord("l"), 11, 0, len(name), len(data))
             + name + b"\\0\\0" + data)
print(peer.recv(100).decode())
"""


@test(bare=True)
def x11_forward(m):
    """-X: DISPLAY is set and a program's connection arrives at the client's X server."""
    authority = m.directory / "Xauthority"
    env = {"PATH": "/usr/bin:/bin", "DISPLAY": ":77", "XAUTHORITY": str(authority)}
    m.run("xauth", "add", ":77", "MIT-MAGIC-COOKIE-1", "ab" * 16, env=env)
    pathlib.Path("/tmp/.X11-unix").mkdir(mode=0o1777, exist_ok=True)
    m.serve(b"an X server", socket.AF_UNIX, "/tmp/.X11-unix/X77")
    result = m.ssh("alice", "/usr/bin/python3 -", options=("-Y",), env=env, stdin=X_CLIENT)
    equal(result.out, "an X server\n", "what the X server said")


@test(bare=True)
def agent_forward(m):
    """-A: the client's keys can be used inside."""
    agent = m.start("ssh-agent", "-D", "-a", m.directory / "agent.sock")
    env = {"PATH": "/usr/bin:/bin", "SSH_AUTH_SOCK": str(m.directory / "agent.sock")}
    eventually((m.directory / "agent.sock").exists, "the agent")
    m.run("ssh-add", m.key, env=env)
    listed = m.ssh("alice", "ssh-add -l", options=("-A",), env=env)
    contains(listed.out, "ED25519", "ssh-add -l inside")
    equal(agent.poll(), None, "the agent's end")


@test(bare=True)
def one_connection_many_sessions(m):
    """ControlMaster: many sessions at once over one connection."""
    control = ("-o", f"ControlPath={m.directory}/many", "-o", "ControlMaster=auto")
    m.ssh_start("alice", options=("-N", *control))
    eventually((m.directory / "many").exists, "the control socket")
    sessions = [subprocess.Popen([str(word) for word in m.ssh_command(
        "alice", f"sleep 0.2; echo {number}", options=control)], stdout=subprocess.PIPE, text=True)
        for number in range(8)]
    equal([session.communicate(timeout=60)[0] for session in sessions],
          [f"{number}\n" for number in range(8)], "what the sessions say")


@test(bare=True)
def two_logins_one_place(m):
    """Two logins of a user at once share the container and see each other's processes."""
    where = "hostname; readlink /proc/self/ns/pid"
    m.ssh_start("alice", "exec sleep 27182")
    eventually(lambda: "27182" in m.ssh("alice", "ps -ef").out, "the other login's process")
    person = m.ssh_terminal("alice").shell()
    equal(person.run(where), m.ssh("alice", where).out.strip(), "the second login's place")


@test(bare=True)
def password_login(m):
    """A password works as a key does, and a wrong one does not."""
    equal(m.ssh_with_password("alice", PASSWORD, "echo in").out, "in\n", "output")
    wrong = m.ssh_with_password("alice", "wrong", "echo in")
    expect(wrong.status != 0 and "in\n" not in wrong.out, "a wrong password is let in")


@test(bare=True)
def forced_command(m):
    """A key with command= runs that command, and only that."""
    m.authorize("bob", prefix='command="echo forced; hostname" ')
    m.cleanup.callback(m.authorize, "bob")
    where = m.look("alice", "hostname")
    equal(m.ssh("bob", "echo free").out, f"forced\n{where}\n", "output")


@test(bare=True)
def background_process_does_not_hold_the_session(m):
    """A session ends when its command does, whatever was left in the background."""
    result = m.ssh("alice", "sleep 16180 >/dev/null 2>&1 </dev/null & echo started")
    equal(result.out, "started\n", "output")
    m.look("alice", "pkill -f '[s]leep 16180'")


@test(bare=True)
def login_shell_killed(m):
    """A client whose shell is killed from another login sees the session end."""
    person = m.ssh_terminal("alice").shell()
    shell = re.sub(r"\D", "", person.run("echo $$"))
    m.look("alice", f"kill -{signal.SIGKILL.value} {shell}")
    expect(person.end() != 0, "the status is 0")


@test
def no_trace_on_the_host(m):
    """What a contained login runs and writes is not found among the host's files."""
    m.look("alice", "echo x >/tmp/alice-was-here; echo x >/var/tmp/alice-was-here")
    for place in ("/tmp", "/var/tmp"):
        lacks("\n".join(os.listdir(place)), "alice-was-here", place)
