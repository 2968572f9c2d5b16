"""What a person does from outside: run a command over ssh, sit at a terminal, copy files."""

import dataclasses
import pathlib
import re
import socket
import subprocess
import threading

import pexpect

import suite

ALIASES = {"lab": "internal-sftp", "lab-external": "the sftp-server program"}


@dataclasses.dataclass
class Result:
    status: int
    out: str
    err: str

    @property
    def said(self):
        return self.out + self.err


class Terminal:
    """A person at a terminal: pexpect with a prompt that cannot be mistaken."""

    PROMPT = "[ready>] "

    def __init__(self, command, transcript, env, dimensions=(24, 80)):
        self.child = pexpect.spawn(command[0], command[1:], encoding="utf-8", timeout=60,
                                   codec_errors="replace", dimensions=dimensions, env=env)
        self.child.delaybeforesend = None
        self.seen = []
        transcript.add(f"$ {' '.join(command)}    (at a terminal)\n")
        self.transcript = transcript
        self.child.logfile_read = self

    def write(self, text):  # pexpect's log file: what the person sees goes to the transcript
        self.transcript.more(text)
        self.seen.append(text)

    def flush(self):
        pass

    def wait_for(self, *patterns):
        """Index of the pattern (regular expressions) that comes first."""
        try:
            return self.child.expect(list(patterns))
        except (pexpect.TIMEOUT, pexpect.EOF) as trouble:
            raise AssertionError(f"{patterns} did not come: {type(trouble).__name__}") from None

    def type(self, text):
        self.child.sendline(text)

    def key(self, letter):
        self.child.sendcontrol(letter)

    def shell(self):
        """Wait for the login shell and give it our prompt; what came before is in `greeting`."""
        self.wait_for(r"[$#] ")
        self.greeting = "".join(self.seen)
        self.type("PS1='[ready''>] '; PS2=; PROMPT_COMMAND=; stty -echo")
        self.wait_for(re.escape(self.PROMPT))
        return self

    def run(self, command):
        """Output of a command in the shell."""
        self.type(command)
        return self.answer()

    def answer(self):
        self.wait_for(re.escape(self.PROMPT))
        return self.child.before.replace("\r\n", "\n").strip()

    def end(self):
        """Wait for the end and return the exit status (128 + number for a signal)."""
        try:
            self.child.expect(pexpect.EOF)
        except pexpect.TIMEOUT:
            raise AssertionError("the terminal session does not end") from None
        self.child.close()
        status = self.child.exitstatus
        return 128 + self.child.signalstatus if status is None else status

    def leave(self):
        self.type("exit")
        return self.end()

    def close(self):
        self.child.close(force=True)


class Client:
    """Runs programs as root of the private host, which is also where the ssh client is."""

    def __init__(self, directory):
        self.directory = pathlib.Path(directory)
        self.transcript = suite.Transcript()
        self.cleanup = None
        self.masters = {}
        self.key = self.directory / "key"
        self.ssh_config = self.directory / "ssh_config"

    def set_up_client(self, ports):
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", self.key], check=True)
        self.write_ssh_config(ports)

    def write_ssh_config(self, ports):
        text = "".join(f"Host {alias}\n  Port {port}\n" for alias, port in ports.items())
        text += f"""Host *
  HostName 127.0.0.1
  IdentityFile {self.key}
  IdentitiesOnly yes
  UserKnownHostsFile /dev/null
  StrictHostKeyChecking no
  LogLevel ERROR
  GSSAPIAuthentication no
"""
        self.ssh_config.write_text(text)

    # ---- programs --------------------------------------------------------------------------

    def run(self, *command, stdin=None, timeout=60, env=None):
        """Run a program to its end."""
        command = [str(word) for word in command]
        text = isinstance(stdin, str)
        try:
            done = subprocess.run(command, input=stdin.encode() if text else stdin or b"",
                                  capture_output=True, timeout=timeout, env=env)
        except subprocess.TimeoutExpired as late:
            raise AssertionError(f"{' '.join(command)}: not done in {timeout} s; "
                                 f"{late.stdout!r} {late.stderr!r}") from None
        result = Result(done.returncode, done.stdout.decode(errors="replace"),
                        done.stderr.decode(errors="replace"))
        self.note(command, result)
        return result

    def note(self, command, result):
        said = "".join(f"\n{text[:2000].rstrip()}" for text in (result.out, result.err) if text)
        self.transcript.add(f"$ {' '.join(command)[:600]}    -> {result.status}{said}")

    def start(self, *command, **options):
        """Start a program that is ended with the test."""
        command = [str(word) for word in command]
        self.transcript.add(f"$ {' '.join(command)[:600]} &")
        options = {"stdin": subprocess.DEVNULL, "stdout": subprocess.DEVNULL,
                   "stderr": subprocess.DEVNULL} | options
        process = subprocess.Popen(command, **options)
        self.cleanup.callback(end_process, process)
        return process

    def terminal(self, *command, env=None, dimensions=(24, 80)):
        environment = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "TERM": "dumb", "LANG": "C.UTF-8"}
        terminal = Terminal([str(word) for word in command], self.transcript,
                            environment | (env or {}), dimensions)
        self.cleanup.callback(terminal.close)
        return terminal

    def serve(self, text=b"hello from the host", family=socket.AF_INET, address=None):
        """A server on the host that says `text` to everyone; returns its address."""
        server = socket.socket(family)
        server.bind(address or ("127.0.0.1", 0))
        server.listen()
        self.cleanup.callback(server.close)
        threading.Thread(target=answer_all, args=(server, text), daemon=True).start()
        return server.getsockname()

    # ---- ssh -------------------------------------------------------------------------------

    def ssh_command(self, user, *words, options=(), host="lab"):
        return ["ssh", "-F", self.ssh_config, *options, f"{user}@{host}", *words]

    def ssh(self, user, *words, options=(), host="lab", **rest):
        """A login of its own that runs a command."""
        return self.run(*self.ssh_command(user, *words, options=options, host=host), **rest)

    def ssh_start(self, user, *words, options=(), **rest):
        return self.start(*self.ssh_command(user, *words, options=options), **rest)

    def ssh_forward(self, user, *flags, **rest):
        """A connection that only forwards."""
        return self.ssh_start(user, options=("-N", "-o", "ExitOnForwardFailure=yes", *flags),
                              **rest)

    def ssh_terminal(self, user, *words, options=(), **rest):
        return self.terminal(*self.ssh_command(user, *words, options=("-tt", *options)), **rest)

    def ssh_with_password(self, user, password, *words):
        ask = self.directory / "askpass"
        ask.write_text('#!/bin/sh\nprintf "%s\\n" "$SSH_TEST_PASSWORD"\n')
        ask.chmod(0o755)
        env = {"PATH": "/usr/bin:/bin", "SSH_ASKPASS": str(ask), "SSH_ASKPASS_REQUIRE": "force",
               "SSH_TEST_PASSWORD": password}
        options = ["-o", "PubkeyAuthentication=no", "-o", "NumberOfPasswordPrompts=1",
                   "-o", "PreferredAuthentications=keyboard-interactive,password"]
        return self.ssh(user, *words, options=options, env=env)

    def inside(self, user, command, stdin=None):
        """A command of a user over one lasting connection: quick, for tests that only look."""
        socket = self.directory / f"master-{user}"
        options = ["-o", f"ControlPath={socket}"]
        master = self.masters.get(user)
        if master is None or master.poll() is not None or not socket.exists():
            socket.unlink(missing_ok=True)
            self.masters[user] = master = subprocess.Popen(
                [str(word) for word in self.ssh_command(user, options=["-MN", *options])],
                stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
            suite.eventually(lambda: socket.exists() or master.poll() is not None,
                             f"a connection for {user}")
            suite.expect(socket.exists(), f"{user} cannot connect")
        result = self.run(*self.ssh_command(user, command, options=options), stdin=stdin)
        if result.status in (254, 255):  # the connection, not the command: have a new one next time
            self.forget_master(user)
        return result

    def forget_master(self, user):
        """End the lasting connection, so that the user has no session left."""
        if user in self.masters:
            end_process(self.masters.pop(user))

    def look(self, user, command, stdin=None):
        """Output of a command that must succeed."""
        result = self.inside(user, command, stdin)
        suite.equal(result.status, 0, f"status of {command!r} ({result.said!r})")
        return result.out.strip()

    def python(self, user, code):
        """Output of Python code run by the user."""
        return self.look(user, "/usr/bin/python3 -", code)


def answer_all(server, text):
    while True:
        try:
            peer, _ = server.accept()
        except OSError:
            return
        with peer:
            peer.sendall(text)


def end_process(process):
    if process.poll() is None:
        process.terminate()
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
    process.wait()
    for pipe in (process.stdin, process.stdout, process.stderr):
        if pipe:
            pipe.close()
