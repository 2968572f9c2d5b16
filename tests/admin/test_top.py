"""carrel top: the containers that run, on a terminal and for scripts."""

import re
import shutil
import subprocess

from suite import contains, equal, eventually, expect, lacks, matches, test


class Pane:
    """A terminal in which an admin has a shell: tmux keeps what is on the screen."""

    def __init__(self, host, command, columns=80, lines=24, env=None):
        expect(shutil.which("tmux"), "tmux is installed")
        self.socket = host.directory / "tmux"
        self.host = host
        words = [f"{name}={value}" for name, value in (env or {}).items()]
        self.tmux("-f", "/dev/null", "new-session", "-d", "-x", columns, "-y", lines,
                  " ".join(["env", "LANG=C.UTF-8", *words, "bash --norc"]))
        host.cleanup.callback(self.tmux, "kill-server", check=False)
        self.keys("stty -a > /tmp/before; PS1='$ '", "Enter")
        self.keys(command, "Enter")

    def tmux(self, *arguments, check=True):
        run = subprocess.run(["tmux", "-u", "-S", str(self.socket), *map(str, arguments)],
                             capture_output=True, text=True)
        if check:
            equal(run.returncode, 0, f"the status of tmux {arguments}: {run.stderr}")
        return run.stdout

    def keys(self, *keys):
        self.tmux("send-keys", *keys)

    def text(self, *options):
        return self.tmux("capture-pane", "-p", *options)

    def shows(self, pattern, what):
        def found():
            return re.search(pattern, self.text(), re.MULTILINE)
        try:
            return eventually(found, what, 15)
        except AssertionError as trouble:
            raise AssertionError(f"{trouble}; the screen is\n{self.text()}") from None

    def names(self):
        """Of the rows, from above."""
        return re.findall(r"^(alice|bob|carol)\b", self.text(), re.MULTILINE)


def start_some(host):
    """Three containers, which are gone after the test."""
    for name in ("alice", "bob", "carol"):
        host.cleanup.callback(host.carrel, "remove", "--yes", name)
    host.policy('policy "staff" { groups = {"staff"} action = contain limits { memory = "64M" } '
                'time { idle = "1h" } }')
    host.log_in("alice")
    host.log_in("bob", "echo ready; while :; do :; done")
    host.log_in("carol", "x=$(head -c 20000000 /dev/zero | tr '\\0' x); echo ready; sleep 1000; : $x")


@test
def for_scripts(host):
    """--batch prints a table so many times; one can sort and filter it."""
    start_some(host)
    result = host.works("top", "-b", "-n", "2", "-d", "1")
    tables = [table.splitlines() for table in result.out.split("\n\n")]
    equal(len(tables), 2, "the tables")
    for table in tables:
        equal(table[0].split(), ["NAME", "USER", "POLICY", "SESS", "PROC", "CPU%", "MEMORY", "DISK",
                                 "IO/S", "IDLE"], "the titles")
        equal(len(table), 4, "its lines")
        row = table[1].split()
        equal(row[:4], ["bob", "bob", "students", "1"], "who uses most of the processors")
        expect(float(row[5]) > 5, "what bob uses of a processor")
        matches(row[6], "^[0-9.]+[KM]/512M$", "memory of its limit")
        equal(row[9], "-", "bob is not idle")

    def names(*arguments):
        lines = host.works("top", "-b", "-n", "1", *arguments).out.splitlines()
        return [line.split()[0] for line in lines[1:]]

    equal(names("--sort", "memory")[0], "carol", "who uses most memory")
    equal(names("--sort", "name"), ["alice", "bob", "carol"], "by name")
    equal(names("--sort", "NAME", "--reverse"), ["carol", "bob", "alice"], "backwards")
    equal(names("--filter", "STAF"), ["carol"], "those of a policy")
    equal(names("--filter", "nobody"), [], "of nobody")


@test
def none_run(host):
    """No container is no error."""
    equal(len(host.works("top", "-b", "-n", "1").out.splitlines()), 1, "lines")


@test
def mistakes(host):
    """What cannot be done is said, with what to do."""
    contains(host.fails("top").err, "carrel top --batch", "stderr without a terminal")
    for arguments, part in ((("--sort", "x"), "say one of name, user"), (("-d", "0"), "--delay"),
                            (("-n", "3"), "--batch"), (("-b", "-n", "many"), "--count")):
        contains(host.fails("top", *arguments, status=2).err, part, f"stderr of {arguments}")
    terminal = host.at_terminal("top", env={"TERM": "dumb"})
    equal(terminal.end(), 1, "the status on a teletype")
    contains("".join(terminal.seen), "cannot be drawn on", "what it says")
    terminal = host.at_terminal("top", env={"TERM": "no-such-terminal"})
    equal(terminal.end(), 1, "the status on an unknown terminal")
    contains("".join(terminal.seen), "set TERM", "what it says")


@test
def on_a_terminal(host):
    """Rows, sorting, a filter, other sizes, a question before something is done, a sane end."""
    start_some(host)
    pane = Pane(host, "carrel top -d 1; echo status $?")
    pane.shows(r"^NAME +USER +SESS PROC +CPU% +MEMORY +DISK +IO/S IDLE *$", "the titles at 80 columns")
    pane.shows(r"3 running, 0 frozen, 3 sessions", "the sums")
    pane.shows(r"^bob +bob +1 ", "the row of bob")
    for line in pane.text().splitlines():
        expect(len(line) <= 80, f"{line!r} fits")
    eventually(lambda: pane.names()[:1] == ["bob"], "bob, who computes, stands first", 15)
    pane.keys("M")
    eventually(lambda: pane.names()[:1] == ["carol"], "carol, who has memory, stands first", 15)
    pane.keys("N")
    eventually(lambda: pane.names() == ["alice", "bob", "carol"], "by name", 15)
    pane.keys("r")
    eventually(lambda: pane.names() == ["carol", "bob", "alice"], "the other way round", 15)

    pane.keys("/")
    pane.keys("-l", "AL")
    eventually(lambda: pane.names() == ["alice"], "the filter holds while it is typed", 15)
    pane.keys("Enter")
    pane.shows("only 'AL'", "the filter is told")

    pane.tmux("resize-window", "-x", 40, "-y", 10)
    pane.shows(r"^NAME +CPU% +MEMORY *$", "fewer columns in a narrow terminal")
    pane.tmux("resize-window", "-x", 160, "-y", 40)
    pane.shows(r"^NAME +USER +POLICY .*MEMORY USED .*IDLE *$", "all columns in a wide one")
    contains(pane.text(), "░", "a bar of blocks")

    pane.keys("s")
    pane.shows(r"^Stop alice, and all that runs in it\? \[y/N\]", "the question")
    pane.keys("Enter")
    pane.keys("f")
    pane.shows(r"^Freeze alice: ", "the next question")
    equal(host.running(), ["alice", "bob", "carol"], "no answer is no")
    pane.keys("y")
    pane.shows("^alice: frozen", "what the command says")
    pane.shows("^alice .* frozen$", "its state")
    pane.keys("t")
    pane.shows(r"^Let alice go on\? \[y/N\]", "the question")
    pane.keys("y")
    pane.shows("^alice: goes on", "what the command says")
    pane.keys("m")
    pane.keys("-l", "five minutes")
    pane.shows("^Message to alice .*: five minutes_", "the line that is typed")
    pane.keys("Enter")
    eventually(lambda: host.last_event().get("reason") == "message: five minutes", "it is sent", 15)
    pane.keys("s")
    pane.keys("y")
    pane.shows("^alice: stopped", "what the command says")
    eventually(lambda: host.running() == ["bob", "carol"], "alice is stopped", 15)
    equal(host.last_event()["reason"], "stop", "the event")
    pane.keys("?")
    pane.shows("choose a container", "the help")
    pane.keys("x")
    pane.keys("q")
    pane.shows("^status 0", "the end")
    pane.keys("clear; stty -a > /tmp/after; cmp /tmp/before /tmp/after && echo sa''ne", "Enter")
    # The size is another one.
    pane.keys("diff <(tail -n +2 /tmp/before) <(tail -n +2 /tmp/after) && echo sa''ne", "Enter")
    pane.shows("^sane", "the terminal as it was")


@test
def plain(host):
    """Without UTF-8 bars are of plain signs; with NO_COLOR there is no colour; Ctrl-C ends it."""
    start_some(host)
    pane = Pane(host, "LC_ALL=C NO_COLOR=1 carrel top -d 1 --sort memory; echo ended", 160, 24)
    pane.shows(r"^carol .*#+\.+", "a bar")
    equal(re.findall("\033\\[[0-9;]*[34][0-7]m", pane.text("-e")), [], "colours")
    lacks(pane.text(), "░", "the screen")
    pane.keys("C-c")
    pane.shows("^ended", "the end")
