"""carrel enter and carrel exec: inside, as whom, and with nothing of the admin's own."""

import os
import signal
import subprocess
import time

from suite import contains, equal, eventually, expect, lacks, matches, test


@test
def exec_as_the_user(host):
    """In the user's container as the user, with the groups, at home, with a clean environment."""
    host.log_in("alice")
    run = host.works("exec", "alice", "--", "sh", "-c",
                     "id -un; id -gn; pwd; hostname; cat /proc/1/comm; umask",
                     env={"ADMINS_SECRET": "x"})
    equal(run.out.splitlines(), ["alice", "alice", "/home/alice", "students", "carrel-init", "0027"],
          "what it prints")
    contains(host.works("exec", "alice", "--", "id", "-Gn").out, "students", "the groups")
    run = host.works("exec", "alice", "--", "env", env={"ADMINS_SECRET": "x", "LD_PRELOAD": "",
                                                         "SUDO_USER": "admin"})
    variables = dict(line.split("=", 1) for line in run.out.splitlines())
    equal((variables["HOME"], variables["USER"], variables["LOGNAME"], variables["SHELL"],
           variables["CARREL"], variables["container"], variables["COURSE"], variables["TERM"]),
          ("/home/alice", "alice", "alice", "/bin/bash", "alice", "carrel", "cs 101", "vt100"),
          "the environment")
    lacks(run.out, "ADMINS_SECRET", "the environment")
    lacks(run.out, "SUDO_USER", "the environment")


@test
def exec_passes_bytes_and_status(host):
    """Standard input, output and error, exit statuses and signals, like a local command."""
    host.log_in("alice")
    run = host.carrel("exec", "alice", "--", "sh", "-c", "tr a-z A-Z; echo problem >&2; exit 7",
                      stdin="hello\n")
    equal((run.status, run.out, run.err), (7, "HELLO\n", "problem\n"), "the result")
    equal(host.carrel("exec", "alice", "--", "sh", "-c", "kill -KILL $$").status, 137, "a signal")
    equal(host.carrel("exec", "alice", "--", "/nowhere").status, 127, "no such command")
    equal(host.carrel("exec", "alice", "--", "/etc").status, 126, "no command")
    data = os.urandom(3 << 20)
    run = subprocess.run(["carrel", "exec", "alice", "--", "cat"], input=data, capture_output=True)
    expect(run.stdout == data, "a large file comes back as it was")
    equal(host.works("exec", "alice", "--", "echo", "--user", "-n").out, "--user -n\n", "options")


@test
def exec_as_others(host):
    """root of the container only when asked for; users of the host who are not in it not at all."""
    host.log_in("alice")
    run = host.works("exec", "--user", "root", "alice", "--", "sh", "-c",
                     "id -u; cat /proc/self/uid_map | head -1; grep CapEff /proc/self/status")
    lines = run.out.splitlines()
    equal(lines[0], "0", "the user id inside")
    expect(int(lines[1].split()[1]) >= 0x80000000, "it is nobody on the host")
    equal(lines[2].split()[1], "0" * 16, "its capabilities")
    contains(host.fails("exec", "--user", "bob", "alice", "--", "id").err, "not one of its users",
             "stderr")
    host.fails("exec", "--user", "nobody-here", "alice", "--", "id")
    contains(host.fails("exec", "bob", "--", "id").err, "no container", "stderr")


@test
def exec_is_held_by_the_limits(host):
    """It runs in the container's cgroup, with its resource limits, no capability and seccomp."""
    host.log_in("alice")
    run = host.works("exec", "alice", "--", "sh", "-c",
                     "ulimit -n; grep -E 'NoNewPrivs|Seccomp:|CapBnd' /proc/self/status; "
                     "cat /proc/self/cgroup")
    lines = run.out.splitlines()
    equal(lines[0], "999", "open files")
    matches(run.out, r"NoNewPrivs:\t1", "its status")
    matches(run.out, r"Seccomp:\t2", "its status")
    matches(run.out, r"CapBnd:\t0{16}", "its status")
    process = subprocess.Popen(["carrel", "exec", "alice", "--", "sh", "-c", "echo $$; sleep 1000"],
                               stdout=subprocess.PIPE, text=True)
    host.cleanup.callback(process.kill)
    process.stdout.readline()
    inside = eventually(lambda: subprocess.run(
        ["pgrep", "-u", "alice", "-f", "^sleep 1000$"], capture_output=True,
        text=True).stdout.split(), "the program is there")
    for pid in inside:
        with open(f"/proc/{pid}/cgroup") as file:
            contains(file.read(), f"/{host.cgroup}/alice", "its cgroup")


@test
def nothing_of_the_host_is_inherited(host):
    """No descriptor, no terminal, no controlling terminal, no directory of the host gets inside."""
    host.log_in("alice")
    secret = os.open("/etc/shadow", os.O_RDONLY)
    run = subprocess.run(["carrel", "exec", "alice", "--", "sh", "-c", "ls -l /proc/self/fd"],
                         stdin=subprocess.DEVNULL, capture_output=True, text=True,
                         pass_fds=[secret], cwd="/root")
    os.close(secret)
    numbers = [line.split()[8] for line in run.stdout.splitlines() if "->" in line]
    equal(numbers, ["0", "1", "2", "3"], "the descriptors")  # 3 is ls's own
    lacks(run.stdout, "shadow", "the descriptors")
    terminal = host.at_terminal("exec", "alice", "--", "sh", "-c",
                                "tty; ls -l /proc/self/fd; echo; readlink /proc/self/cwd; sleep 0.2")
    terminal.end()
    text = "".join(terminal.seen)
    matches(text, r"^/dev/pts/[0-9]+\r$", "its terminal")
    lacks(text, "/root", "its directories")


@test
def a_terminal_of_the_container(host):
    """enter is a login shell on a pty inside; its size follows; job control and ^C work."""
    host.log_in("alice")
    terminal = host.at_terminal("enter", "alice", dimensions=(33, 101)).shell()
    equal(terminal.run("tty").startswith("/dev/pts/"), True, "whether it has a terminal")
    equal(terminal.run("stty size </dev/tty"), "33 101", "its size")
    equal(terminal.run("echo $0"), "-bash", "the shell")
    equal(terminal.run("stat -c %U:%G:%a $(tty)"), "alice:tty:620", "the terminal's owner")
    terminal.child.setwinsize(40, 120)
    eventually(lambda: terminal.run("stty size") == "40 120", "the new size")
    terminal.type("sleep 1000")
    time.sleep(0.5)
    terminal.key("c")
    terminal.answer()
    equal(terminal.run("echo $?"), "130", "the status of what was interrupted")
    terminal.type("sleep 1000")
    time.sleep(0.5)
    terminal.key("z")
    terminal.answer()
    contains(terminal.run("jobs"), "Stopped", "the jobs")
    terminal.run("kill -KILL %1; wait %1 2>/dev/null")
    terminal.type("exit 5")
    equal(terminal.end(), 5, "the status")


@test
def the_admins_terminal_is_given_back(host):
    """Raw while inside, as before afterwards, also when the container is killed."""
    host.log_in("alice")
    admin = host.admin_shell()
    before = admin.run("stty -g")
    admin.type("carrel enter alice")
    admin.wait_for(r"alice@")
    admin.type("exit 3")
    admin.answer()
    equal(admin.run("stty -g"), before, "the terminal's settings after exit")
    admin.type("carrel enter alice")
    admin.wait_for(r"alice@")
    os.kill(host.init_pid("alice"), signal.SIGKILL)
    admin.answer()
    equal(admin.run("stty -g"), before, "the terminal's settings after the container's end")
    equal(admin.run("carrel enter alice; echo =$?").splitlines()[-1], "=1", "the status")


@test
def a_program_that_stays_sees_no_typing(host):
    """What was started in the background inside cannot read what the admin types later."""
    host.log_in("alice")
    admin = host.admin_shell()
    for command in ("carrel exec alice -- sh -c "
                    "'(trap \"\" HUP; cat <&2 >stolen 2>/dev/null) >/dev/null & sleep 0.2'",
                    "carrel exec alice -- sh -c "
                    "'(trap \"\" HUP; cat <&2 >stolen2) >/dev/null & sleep 0.2' | cat"):
        admin.run(command)
        equal(admin.run("echo secret; read -r line <<<x"), "secret", "what the admin sees")
        admin.type("true # a secret that is typed")
        admin.answer()
    lacks(host.works("exec", "alice", "--", "sh", "-c", "cat stolen stolen2").out, "secret",
          "what was stolen")


@test
def pipes_beside_a_terminal(host):
    """In a pipeline on a terminal, output goes down the pipe and the terminal stays as it is."""
    host.log_in("alice")
    admin = host.admin_shell()
    equal(admin.run("carrel exec alice -- sh -c 'test -t 1 || echo piped' | tr a-z A-Z"), "PIPED",
          "the output")
    contains(admin.run("carrel exec alice -- sh -c 'echo to the terminal >&2' >/dev/null"),
             "to the terminal", "what goes to stderr")
    equal(admin.run("echo from a file | carrel exec alice -- cat"), "from a file", "the input")
    admin.type("carrel exec alice -- sleep 1000 | cat")
    time.sleep(1)
    admin.key("c")
    admin.answer()
    eventually(lambda: not subprocess.run(["pgrep", "-f", "^sleep 1000$", "-u", "alice"],
                                          capture_output=True).stdout.split()[1:],
               "the end of what was interrupted")


@test
def signals_are_passed_on(host):
    """SIGTERM to carrel exec ends the program; killing carrel ends it too."""
    host.log_in("alice")

    def sleepers():
        return subprocess.run(["pgrep", "-f", "^sleep 4321$"], capture_output=True).stdout.split()

    for number, status in ((signal.SIGTERM, 143), (signal.SIGKILL, -9)):
        process = subprocess.Popen(["carrel", "exec", "alice", "--", "sleep", "4321"])
        host.cleanup.callback(process.kill)
        eventually(sleepers, "the program runs")
        process.send_signal(number)
        equal(process.wait(20), status, "the status")
        eventually(lambda: not sleepers(), "the end of the program")


@test
def stopping_while_somebody_is_inside(host):
    """carrel stop ends what was entered, and leaves no cgroup."""
    host.log_in("alice")
    terminal = host.at_terminal("enter", "alice").shell()
    host.works("stop", "alice")
    equal(terminal.end() != 0, True, "whether it ended with a failure")
    equal(host.cgroups(), [], "the cgroups")


@test
def it_is_recorded(host):
    """Who went into which container as whom, and what was run."""
    host.log_in("alice")
    host.works("exec", "alice", "--", "true", env={"SUDO_USER": "admin"})
    mine = [entry for entry in host.events() if entry["event"] == "admin"][-1]
    equal((mine["admin"], mine["container"], mine["user"], mine["reason"]),
          ("admin", "alice", "alice", "exec true"), "the event")
    equal(host.last_event()["event"], "enter", "the helper's own event")


@test
def a_stopped_container_is_not_entered(host):
    """It says so and starts nothing."""
    host.log_in("alice")
    host.works("stop", "alice")
    contains(host.fails("enter", "alice").err, "not running", "stderr")
    equal(host.running(), [], "what runs")
    host.works("remove", "--yes", "alice")
