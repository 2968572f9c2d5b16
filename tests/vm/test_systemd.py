"""Carrel beside systemd and logind: the delegated unit, what restarts and reloads leave alone."""

from suite import contains, equal, eventually, expect, lacks, matches, test

PLACE = "/sys/fs/cgroup/system.slice/carrel.service"


def init_pid(m, container):
    return m.host(f"sed -n s/^pid=//p /run/carrel/containers/{container}/running")


def cgroup_of(m, pid):
    return m.host(f"cut -d: -f3 /proc/{pid}/cgroup")


def sleeper(m, user="ada"):
    """A session that lasts; returns it and, as the host sees it, its process id."""
    session = m.ssh_start(user, "echo started; exec sleep 1000", stdout=-1, text=True)
    equal(session.stdout.readline(), "started\n", "what the session says")
    return session, m.host(f"pgrep -n -x -u {user} sleep")


def check_goes_on(m, session, pid, cgroup, what):
    """The session, its process and its place are what they were."""
    expect(session.poll() is None, f"the session ended with {what}")
    equal(cgroup_of(m, pid), cgroup, f"the process' cgroup after {what}")


@test
def everything_is_below_the_unit(m):
    """Container, session and login service are in the delegated cgroup, and nothing is outside."""
    session, pid = sleeper(m)
    for process in (pid, init_pid(m, "ada")):
        matches(cgroup_of(m, process), "^/system.slice/carrel.service/", "the cgroup")
    contains(m.host("systemctl show -P Delegate carrel"), "yes", "Delegate")
    parent = m.host(f"ps -o ppid= -p {pid}").strip()
    matches(cgroup_of(m, parent), "^/system.slice/carrel.service/", "the login service's cgroup")
    session.terminate()


@test
def reloads_and_restarts_leave_sessions_alone(m):
    """daemon-reload, daemon-reexec, restarts of ssh, logind and others: sessions go on."""
    session, pid = sleeper(m)
    cgroup = cgroup_of(m, pid)
    controllers = m.host("cat " + PLACE + "/cgroup.subtree_control")
    for what in ("daemon-reload", "daemon-reexec", "restart ssh", "restart cron",
                 "restart systemd-logind", "restart systemd-journald"):
        equal(m.inside("root", f"systemctl {what}").status, 0, f"the status of systemctl {what}")
        check_goes_on(m, session, pid, cgroup, what)
    if m.AUDITD:  # refuses to be stopped by systemctl, as Debian ships it
        m.host("service auditd restart >/dev/null 2>&1 || pkill -HUP -x auditd")
        check_goes_on(m, session, pid, cgroup, "the restart of auditd")
    for user in ("ada", "ben"):  # one that joins, one that is the first
        equal(m.ssh(user, "hostname").out, "pupils\n", f"{user}'s login after all that")
    equal(m.host("cat " + PLACE + "/cgroup.subtree_control"), controllers,
          "the controllers afterwards")
    session.terminate()


@test
def stopping_the_unit_ends_all(m):
    """systemctl stop carrel: all containers end, logins are refused with a reason; start: back."""
    session, pid = sleeper(m)
    m.look("ada", "echo kept >kept")
    m.cleanup.callback(m.inside, "root", "systemctl start carrel.service")
    equal(m.inside("root", "systemctl stop carrel.service").status, 0, "the status of stop")
    eventually(lambda: session.poll() is not None, "the end of the session")
    equal(m.running(), [], "what still runs")
    expect(m.inside("root", f"test -e /proc/{pid}").status != 0, "the user's process is there")
    m.forget_master("ada")
    result = m.ssh("ada", "echo in")
    expect(result.status != 0 and "in\n" not in result.out, "a login gets in without the unit")
    contains(result.said.splitlines()[-1], "tell the administrator", "what the user reads")
    contains(m.log("denied user=ada"), "carrel.service", "the log")
    equal(m.ssh("clio", "hostname").out, "lab\n", "somebody who is not contained")
    m.host("systemctl start carrel.service")
    equal(m.ssh("ada", "cat kept").out, "kept\n", "a login after the start")


@test
def killed_anchor_is_restarted(m):
    """The unit's own process is killed: it is there again, and the next logins get in."""
    m.host("kill -9 $(systemctl show -P MainPID carrel.service)")

    def back():
        return m.ssh("ada", "hostname").out == "pupils\n"
    m.forget_master("ada")
    eventually(back, "a login after the kill", 30)
    equal(m.host("systemctl is-active carrel.service"), "active", "the unit")


@test
def user_manager_is_refused(m):
    """systemd --user of a contained user does not run: its units would be outside."""
    m.look("ada", "true")
    m.host("systemctl reset-failed")
    m.inside("root", "systemctl start user@3001.service")
    expect(m.inside("root", "systemctl is-active user@3001.service").status != 0, "it runs")
    lacks(m.host("ps -u ada -o args="), "systemd --user", "ada's processes")
    contains(m.log(), "systemd --user", "the log")
    m.host("systemctl reset-failed")
    equal(m.ssh("clio", "systemctl --user is-system-running --wait").out, "running\n",
          "that of a user on the host")


@test
def run_time_folder_is_the_containers(m):
    """XDG_RUNTIME_DIR is the container's own, and the host's bus is not in the environment."""
    said = m.look("ada", 'echo $XDG_RUNTIME_DIR; stat -c "%U %a" $XDG_RUNTIME_DIR; env')
    equal(said.split()[:3], ["/run/user/3001", "ada", "700"], "the folder")
    lacks(said, "DBUS_SESSION_BUS_ADDRESS", "the environment")


@test
def logout_with_kill_user_processes(m):
    """KillUserProcesses=yes or no: what a contained user leaves running stays."""
    m.forget_master("ada")
    for switch, seconds in (("yes", 2001), ("no", 2002)):
        m.host("mkdir -p /etc/systemd/logind.conf.d; printf '[Login]\\nKillUserProcesses=%s\\n' "
               f"{switch} >/etc/systemd/logind.conf.d/kill.conf; systemctl restart systemd-logind")
        m.ssh("ada", f"setsid sleep {seconds} >/dev/null 2>&1 </dev/null & true")
        m.host("sleep 2")
        equal(m.host(f"pgrep -c -u ada -f 'sleep {seconds}'"), "1",
              f"the process left behind, with KillUserProcesses={switch}")
        equal(m.ssh("ada", "hostname").out, "pupils\n", "the next login")
    m.host("rm /etc/systemd/logind.conf.d/kill.conf; systemctl restart systemd-logind;"
           "pkill -u ada sleep || true")


@test
def loginctl_and_who(m):
    """loginctl and who on the host know a contained login; loginctl ends it; nothing is left."""
    m.forget_master("ada")
    m.host("systemctl reset-failed")
    session, _ = sleeper(m)
    listing = m.host("loginctl list-sessions --no-legend").splitlines()
    numbers = [line.split()[0] for line in listing if line.split()[2] == "ada"]
    equal(len(numbers), 1, f"ada's sessions in {listing}")
    matches(m.host("who"), r"^ada +carrel:\d+ ", "who")
    m.cleanup.callback(m.inside, "root", "pkill -x -u ada sleep")  # had no terminal: may stay
    m.host(f"loginctl terminate-session {numbers[0]}")
    eventually(lambda: session.poll() is not None, "the end of the login")

    def none_left():
        return "ada" not in m.host("loginctl list-sessions --no-legend; who")
    eventually(none_left, "the end of ada's session in loginctl and who", 30)
    equal(m.host("systemctl --failed --no-legend | grep -v user@ || true"), "", "failed units")
