"""The private host as its admin sees it: users, policies, PAM files and the command carrel."""

import contextlib
import json
import os
import pathlib
import signal
import subprocess

import suite
import witness
from client import Result, Terminal

CARREL_CONF = pathlib.Path("/etc/carrel/carrel.conf")
POLICY_DIR = pathlib.Path("/etc/carrel/policy.d")
PAM = pathlib.Path("/etc/pam.d")
STATE = pathlib.Path("/var/lib/carrel")
RUN = pathlib.Path("/run/carrel")
EVENTS = pathlib.Path("/var/log/carrel/events.jsonl")
LINE = "session    required     pam_carrel.so\n"

# User id, groups.
USERS = {
    "alice": (2001, "students"),
    "bob": (2002, "students"),
    "carol": (2003, "staff"),
    "dave": (2004, "students"),
    "admin": (2009, "sudo"),
}
CONFIG = """state_dir = "/var/lib/carrel"
cgroup_parent = "{cgroup}"
exempt {{ users = {{"root"}} groups = {{"sudo"}} }}
unmatched = host
"""
POLICIES = """policy "barred" {
  users = {"dave"}
  action = deny
}
policy "nights" {
  groups = {"students"}
  services = {"cron"}
  action = host
}
policy "students" {
  groups = {"students"}
  action = contain
  hostname = "%p"
  umask = "027"
  environment = {"COURSE=cs 101"}
  welcome = "Exercises are in /srv/exercises."
  limits {
    memory = "512M"
    pids = 128
    open_files = 999
  }
  time { idle = "30m" stop = "2s" }
}
"""


class Host:
    def __init__(self):
        self.directory = pathlib.Path(os.environ["PRIVATE_HOST"])
        self.cgroup = os.environ["PRIVATE_HOST_CGROUP"]
        self.transcript = suite.Transcript()
        self.cleanup = None
        self.logins = []

    # ---- set-up ----------------------------------------------------------------------------

    def set_up(self):
        for group in ("students", "staff"):
            subprocess.run(["groupadd", "-f", group], check=True)
        for user, (uid, group) in USERS.items():
            subprocess.run(["useradd", "--uid", str(uid), "--create-home", "--shell", "/bin/bash",
                            "--groups", group, user], check=True)
        POLICY_DIR.mkdir(parents=True, exist_ok=True)
        witness.set_up(self.directory)
        self.pam_before = {path.name: path.read_text() for path in PAM.iterdir()}

    def begin(self, cleanup):
        """Before each test: the files as they were, no container, nothing enabled."""
        self.transcript = suite.Transcript()
        self.cleanup = cleanup
        for path in POLICY_DIR.iterdir():
            path.unlink()
        CARREL_CONF.write_text(CONFIG.format(cgroup=self.cgroup))
        (POLICY_DIR / "50-students.conf").write_text(POLICIES)
        for path in PAM.iterdir():
            if path.name not in self.pam_before:
                path.unlink()
        for name, text in self.pam_before.items():
            (PAM / name).write_text(text)
        cleanup.callback(self.end_all)

    def end_all(self):
        for process in self.logins:
            if process.poll() is None:
                process.kill()
            process.wait()
        self.logins.clear()
        for name in self.running():
            os.kill(self.init_pid(name), signal.SIGKILL)
            suite.eventually(lambda: self.init_pid(name) is None, f"the end of {name}")
        subprocess.run(["carrel", "gc"], capture_output=True)

    def stop(self):
        self.end_all()

    def evidence(self):
        return self.transcript.lines()

    # ---- carrel ----------------------------------------------------------------------------

    def carrel(self, *arguments, stdin="", user=None, env=None, cwd="/", timeout=120):
        """Run carrel, as root or as another user, without a terminal."""
        command = ["carrel", *map(str, arguments)]
        if user:
            command = ["setpriv", f"--reuid={user}", f"--regid={user}", "--clear-groups", *command]
        environment = {"PATH": os.environ["PATH"], "LANG": "C.UTF-8", "TERM": "vt100"} | (env or {})
        run = subprocess.run(command, input=stdin, capture_output=True, text=True, cwd=cwd,
                             env=environment, timeout=timeout)
        self.transcript.add(f"$ {' '.join(command)}\n{run.stdout}{run.stderr}= {run.returncode}")
        return Result(run.returncode, run.stdout, run.stderr)

    def works(self, *arguments, **more):
        result = self.carrel(*arguments, **more)
        suite.equal(result.status, 0, f"the status of {arguments}")
        return result

    def fails(self, *arguments, status=1, **more):
        result = self.carrel(*arguments, **more)
        suite.equal(result.status, status, f"the status of {arguments}")
        suite.matches(result.err, "^carrel: ", "stderr")
        return result

    def json(self, *arguments, status=0):
        result = self.carrel(*arguments)
        suite.equal(result.status, status, f"the status of {arguments}")
        return json.loads(result.out)

    def at_terminal(self, *arguments, env=None, dimensions=(24, 80)):
        """Run carrel on a terminal."""
        return self.terminal(["carrel", *arguments], env or {}, dimensions)

    def admin_shell(self):
        """A shell of root on a terminal of the host."""
        return self.terminal(["/bin/bash", "--norc"], {"PS1": "$ "}, (24, 80)).shell()

    def terminal(self, command, env, dimensions):
        # Of other kinds of terminals bash wants to know when something is pasted.
        environment = {"PATH": os.environ["PATH"], "LANG": "C.UTF-8", "TERM": "dumb"} | env
        terminal = Terminal(command, self.transcript, environment, dimensions)
        self.cleanup.callback(terminal.close)
        return terminal

    def events(self):
        if not EVENTS.exists():
            return []
        return [json.loads(line) for line in EVENTS.read_text().splitlines()]

    def last_event(self):
        return self.events()[-1]

    # ---- files -----------------------------------------------------------------------------

    def policy(self, text, name="40-test.conf"):
        (POLICY_DIR / name).write_text(text)

    def pam(self, service):
        return (PAM / service).read_text()

    # ---- containers ------------------------------------------------------------------------

    def log_in(self, user, command="echo ready; sleep 1000"):
        """A session of the user that lasts; su is a way in."""
        if LINE not in self.pam("su"):
            (PAM / "su").write_text(self.pam_before["su"] + LINE)
        process = subprocess.Popen(["su", user, "-c", command], stdin=subprocess.DEVNULL,
                                   stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        self.logins.append(process)
        first = process.stdout.readline()
        suite.equal(first, "ready\n", f"the first line of {user}'s session")
        return process

    def init_pid(self, container):
        """Process id of the container's PID 1, None when it does not run."""
        with contextlib.suppress(OSError):
            record = (RUN / "containers" / container / "running").read_text()
            pid = int(dict(line.split("=", 1) for line in record.splitlines())["pid"])
            stat = pathlib.Path(f"/proc/{pid}/stat").read_text()
            if "(carrel-init)" in stat and stat.rpartition(")")[2].split()[0] != "Z":
                return pid
        return None

    def running(self):
        return [path.name for path in sorted(RUN.glob("containers/*")) if self.init_pid(path.name)]

    def cgroups(self):
        """Cgroups of containers that are left."""
        return [str(path) for path in pathlib.Path("/sys/fs/cgroup").glob(f"*/{self.cgroup}/*")
                if path.is_dir()]
