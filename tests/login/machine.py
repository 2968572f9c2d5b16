"""The private host as its admin sees it: users, services, policies, containers."""

import contextlib
import os
import pathlib
import pwd
import signal
import socket
import subprocess

import memcheck
import suite
import witness
from client import Client, end_process
from logbook import Syslog

PASSWORD = "correct horse battery"
STUDENTS = ("alice", "bob", "gina")
# Everyone on the machine: user id, further groups.
USERS = {
    "alice": (2001, ["students"]),
    "bob": (2002, ["students"]),
    "carol": (2003, ["staff"]),
    "dave": (2004, ["students"]),
    "erin": (2005, ["students", "huge"]),
    "frank": (2006, ["students"]),
    "gina": (2007, ["students"]),      # only her cron job logs in
    "uma": (300001, ["students"]),
    "henry": (2008, []),               # no policy matches
    "admin": (2009, ["sudo", "students"]),
}
HUGE_GID = 200001
FRANKS_GROUPS = [f"course{number:02}" for number in range(100)]

PAM_SERVICES = ("sshd", "login", "su", "runuser", "cron")  # su-l and runuser-l include theirs

CONFIG = """
state_dir = "/var/lib/carrel"
cgroup_parent = "{cgroup}"
exempt {{ users = {{"root"}} groups = {{"sudo"}} }}
unmatched = host
"""
POLICIES = """
policy "barred" {
  users = {"dave"}
  action = deny
  message = "Your account is closed until September."
}
policy "students" {
  groups = {"students"}
  action = contain
  hostname = "%p"
  network = none
  umask = "027"
  environment = {"EDITOR=nano", "COURSE=cs 101"}
  welcome = "Exercises are in /srv/exercises."
  limits {
    memory = "512M"
    swap = "0"
    pids = 256
    tmp = "64M"
    sessions = 20
    open_files = 1000
    processes = 200
    core = "0"
  }
  time { idle = "30m" }
}
policy "staff" {
  groups = {"staff"}
  action = host
}
"""
SSHD_CONFIG = """
ListenAddress 127.0.0.1
Port {port}
PidFile none
HostKey {hostkey}
UsePAM yes
PasswordAuthentication no
KbdInteractiveAuthentication yes
PermitRootLogin prohibit-password
AuthorizedKeysFile .ssh/authorized_keys
PrintMotd no
AcceptEnv LANG LC_*
X11Forwarding yes
AllowStreamLocalForwarding yes
MaxStartups 200
MaxSessions 50
LogLevel VERBOSE
UseDNS no
Subsystem sftp {sftp}
"""
SFTP = {"lab": "internal-sftp -l VERBOSE",
        "lab-external": "/usr/lib/openssh/sftp-server -l VERBOSE"}

CARREL_CONF = pathlib.Path("/etc/carrel/carrel.conf")
POLICY_DIR = pathlib.Path("/etc/carrel/policy.d")
RUN = pathlib.Path("/run/carrel")
STATE = pathlib.Path("/var/lib/carrel")
LIBEXEC = pathlib.Path("/usr/libexec/carrel")
NAMESPACES = ("user", "mnt", "pid", "uts", "ipc", "net", "cgroup")


class Machine(Client):
    def __init__(self, contained, cache):
        super().__init__(os.environ["PRIVATE_HOST"])
        self.cache = cache  # a folder of the machine itself
        self.contained = contained
        self.cgroup = os.environ["PRIVATE_HOST_CGROUP"]
        self.log = Syslog()
        self.services = []

    # ---- for the runner --------------------------------------------------------------------

    def begin(self, cleanup):
        """A test begins; `cleanup` is an ExitStack that is unwound at its end."""
        self.cleanup = cleanup
        self.transcript.parts.clear()
        self.test_began = self.log.mark()

    def evidence(self):
        """What the test did and saw, and what Carrel logged meanwhile."""
        logged = [line for line in self.log.lines[self.test_began:] if "carrel" in line]
        return self.transcript.lines() + ["log: " + line for line in logged[-20:]]

    # ---- set-up ----------------------------------------------------------------------------

    def set_up(self):
        self.log.start()
        self._silence_motd()
        self.ports = {alias: free_port() for alias in SFTP}
        self.set_up_client(self.ports)
        self._add_users()
        self._add_secrets()
        if self.contained:
            witness.set_up(self.directory)
            memcheck.set_up()
            self._enable_carrel()
        self._start_cron()
        for alias, port in self.ports.items():
            self._start_sshd(alias, port)

    @staticmethod
    def _silence_motd():
        """sshd shows it together with what a refused user is told."""
        pathlib.Path("/etc/motd").write_text("")
        for script in pathlib.Path("/etc/update-motd.d").glob("*"):
            script.unlink()

    def _add_users(self):
        with open("/etc/group", "a") as groups:
            groups.write(f"students:x:2000:\nhuge:x:{HUGE_GID}:\n")
            for number, name in enumerate(FRANKS_GROUPS):
                groups.write(f"{name}:x:{4000 + number}:frank\n")
        for user, (uid, groups) in USERS.items():
            subprocess.run(["useradd", "-K", "UID_MAX=400000", "--uid", str(uid),
                            "--create-home", "--shell", "/bin/bash", "--groups", ",".join(groups), user], check=True)
            self.authorize(user)
        self.authorize("root")
        passwords = "".join(f"{user}:{PASSWORD}\n" for user in USERS)
        subprocess.run(["chpasswd", "-c", "SHA512", "-s", "1000"], input=passwords, text=True,
                       check=True)

    def authorize(self, user, prefix=""):
        """Let our key in, with the options in `prefix`."""
        account = pwd.getpwnam(user)
        directory = pathlib.Path(account.pw_dir, ".ssh")
        directory.mkdir(mode=0o700, exist_ok=True)
        keys = directory / "authorized_keys"
        keys.write_text(prefix + self.key.with_suffix(".pub").read_text())
        for path in (directory, keys):
            os.chown(path, account.pw_uid, account.pw_gid)

    def _add_secrets(self):
        """Files that nobody may see from inside, in the places where hosts keep such files."""
        for place in ("/root", "/home/bob", "/var/lib", "/var/spool", "/var/mail", "/run", "/srv",
                      "/etc", "/tmp", "/var/log"):
            secret = pathlib.Path(place, "host-secret")
            secret.write_text("a secret of the host\n")
            if place == "/etc":
                secret.chmod(0o640)

    def _enable_carrel(self):
        POLICY_DIR.mkdir(parents=True, exist_ok=True)
        for file in POLICY_DIR.glob("*"):
            file.unlink()
        CARREL_CONF.write_text(CONFIG.format(cgroup=self.cgroup))
        (POLICY_DIR / "50-groups.conf").write_text(POLICIES)
        subprocess.run(["carrel", "pam", "enable", *PAM_SERVICES], check=True,
                       stdout=subprocess.DEVNULL)

    def _start_sshd(self, alias, port):
        hostkey = self.directory / f"hostkey-{alias}"
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", hostkey], check=True)
        config = self.directory / f"sshd_config-{alias}"
        config.write_text(SSHD_CONFIG.format(port=port, hostkey=hostkey, sftp=SFTP[alias]))
        self.services.append(subprocess.Popen(["/usr/sbin/sshd", "-D", "-f", config]))
        suite.eventually(lambda: can_connect(port), f"sshd for {alias}")

    def _start_cron(self):
        for file in pathlib.Path("/etc/cron.d").glob("*"):
            file.unlink()
        pathlib.Path("/etc/crontab").write_text("")
        spool = pathlib.Path("/var/spool/cron/crontabs")
        spool.mkdir(parents=True, exist_ok=True)
        crontab = spool / "gina"
        crontab.write_text("* * * * * (hostname; readlink /proc/self/ns/pid; id) >new"
                           " && mv new from-cron\n")
        os.chown(crontab, USERS["gina"][0], 0)
        crontab.chmod(0o600)
        self.services.append(subprocess.Popen(["/usr/sbin/cron", "-f"]))

    def stop(self):
        for process in [*self.masters.values(), *self.services]:
            end_process(process)
        for name in self.running():
            self.kill_container(name)

    # ---- policies --------------------------------------------------------------------------

    @contextlib.contextmanager
    def policy(self, name, body="", who='users = {"bob"}', action="contain", container="%u-%p"):
        """A policy before all others for a while. Its containers are ended with it."""
        text = f'policy "{name}" {{\n  {who}\n  action = {action}\n{body}\n'
        if action == "contain":
            text += f'  name = "{container}"\n'
        file = POLICY_DIR / f"10-{name}.conf"
        file.write_text(text + "}\n")
        try:
            yield
        finally:
            file.unlink()
            for running in self.running():
                if running == container or running.endswith(f"-{name}"):
                    self.kill_container(running)

    @contextlib.contextmanager
    def config(self, **changes):
        """carrel.conf with some lines changed for a while."""
        before = CARREL_CONF.read_text()
        lines = [line for line in before.splitlines() if line.split(" = ")[0] not in changes]
        lines += [f"{key} = {value}" for key, value in changes.items()]
        CARREL_CONF.write_text("\n".join(lines) + "\n")
        try:
            yield
        finally:
            CARREL_CONF.write_text(before)

    # ---- containers ------------------------------------------------------------------------

    def init_pid(self, container):
        """Process id of the container's first process, or None."""
        try:
            record = (RUN / "containers" / container / "running").read_text()
        except OSError:
            return None
        fields = dict(line.split("=", 1) for line in record.splitlines())
        pid = int(fields["pid"])
        return pid if process_name(pid) == "carrel-init" else None

    def running(self):
        """Names of the containers that run."""
        return [path.name for path in sorted(RUN.glob("containers/*")) if self.init_pid(path.name)]

    def processes(self, container):
        """How many processes are in a container that runs, its first one aside."""
        place = self.namespaces(self.init_pid(container))["pid"]
        return sum(namespace_of(path) == place for path in pathlib.Path("/proc").glob("[0-9]*")) - 1

    def kill_container(self, container):
        """As if the kernel had killed its first process."""
        pid = self.init_pid(container)
        if pid:
            os.kill(pid, signal.SIGKILL)
            suite.eventually(lambda: process_name(pid) != "carrel-init", f"the end of {container}")

    def namespaces(self, pid="self"):
        return {name: os.readlink(f"/proc/{pid}/ns/{name}") for name in NAMESPACES}

    def namespaces_of(self, user):
        """Those that a login of this user gets."""
        listing = self.look(user, "cd /proc/self/ns; readlink " + " ".join(NAMESPACES))
        return dict(zip(NAMESPACES, listing.split()))


def process_name(pid):
    """Name of a process that lives, else None."""
    try:
        stat = pathlib.Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return None
    name, _, rest = stat.partition("(")[2].rpartition(")")
    return None if rest.split()[0] == "Z" else name


def namespace_of(process):
    """The PID namespace of the process with this folder in /proc."""
    try:
        return os.readlink(process / "ns" / "pid")
    except OSError:
        return None  # it has ended


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def can_connect(port):
    with contextlib.suppress(OSError):
        socket.create_connection(("127.0.0.1", port), timeout=5).close()
        return True
    return False
