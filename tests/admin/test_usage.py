"""The command line: help, usage errors, who may do what."""

from suite import contains, equal, expect, lacks, matches, test

COMMANDS = ["list", "top", "status", "quota", "quota apply", "metrics",
            "show", "enter", "exec", "cp", "message", "stop", "remove", "reset",
            "push", "collect", "start", "freeze", "thaw",
            "snapshot", "snapshots", "rollback", "export", "import", "gc", "image build", "image import",
            "image list", "image use", "image remove", "policy check", "policy explain", "pam enable",
            "pam disable", "pam status", "events", "doctor"]


@test
def help_names_every_command(host):
    """carrel --help goes to stdout and has one line for each command."""
    result = host.works("--help")
    equal(result.err, "", "stderr")
    for command in COMMANDS:
        matches(result.out, rf"^  {command} +\S", "the help")


@test
def help_of_a_command(host):
    """Every command has --help, which asks for no privilege."""
    for command in COMMANDS:
        for user in (None, "bob"):
            result = host.works(*command.split(), "--help", user=user)
            contains(result.out, f"usage: carrel {command}", "the help")


@test
def version(host):
    """carrel --version is one line with a number."""
    matches(host.works("--version").out, r"\Acarrel [0-9]+\.[0-9]+\.[0-9]+\n\Z", "the version")


@test
def usage_errors(host):
    """What cannot be understood gives status 2 and the usage on stderr, nothing on stdout."""
    mistakes = [(), ("bogus",), ("policy",), ("policy", "bogus"), ("list", "--bogus"),
                ("list", "-x"), ("show",), ("show", "a", "b"), ("exec", "alice"), ("message", "a"),
                ("stop",), ("stop", "--all", "alice"), ("stop", "--timeout"),
                ("stop", "--timeout", "soon", "alice"), ("remove",), ("image", "import", "a"),
                ("image", "remove"), ("image", "build", "a"), ("image", "use", "a"),
                ("image", "remove", "--version", "x", "a"), ("policy", "explain"), ("pam", "enable"), ("pam", "disable"),
                ("events", "--since", "yesteryear"), ("events", "--user"), ("doctor", "now"),
                ("gc", "everything")]
    for arguments in mistakes:
        result = host.carrel(*arguments)
        equal(result.status, 2, f"the status of {arguments}")
        contains(result.err, "usage: carrel", f"stderr of {arguments}")
        equal(result.out, "", f"stdout of {arguments}")


@test
def only_root(host):
    """Somebody else gets one clear line and status 1."""
    for command in COMMANDS:
        arguments = {"show": ["x"], "enter": ["x"], "exec": ["x", "--", "id"], "cp": ["x:", "y"], "message": ["x", "y"],
                     "stop": ["x"], "start": ["x"], "push": ["--group", "g", "x"], "collect": ["x", "y", "z"], "freeze": ["x"], "thaw": ["x"], "remove": ["x"], "reset": ["x"],
                     "snapshot": ["x"], "snapshots": ["x"], "rollback": ["x", "y"],
                     "export": ["x"], "import": ["x"],
                     "image import": ["x", "/srv"], "image use": ["x", "1"],
                     "image build": ["x", "--from", "/srv"],
                     "image remove": ["x"], "policy explain": ["bob"], "pam enable": ["sshd"],
                     "pam disable": ["sshd"], "quota apply": ["x"]}.get(command, [])
        result = host.fails(*command.split(), *arguments, user="bob")
        equal(len(result.err.splitlines()), 1, "lines on stderr")
        contains(result.err, "only root", "stderr")


@test
def output_that_cannot_be_written(host):
    """A full disk must not look like success."""
    import subprocess
    for arguments in (["list"], ["doctor", "--json"], ["policy", "explain", "bob"], ["--help"]):
        with open("/dev/full", "w") as full:
            run = subprocess.run(["carrel", *arguments], stdout=full, stderr=subprocess.PIPE)
        expect(run.returncode == 1, f"{arguments} fails")
        contains(run.stderr.decode(), "standard output", "stderr")


@test
def no_colour_without_a_terminal(host):
    """Colour is for terminals, and not with NO_COLOR."""
    lacks(host.carrel("doctor").out, "\033[", "the output")
    terminal = host.at_terminal("list", env={"TERM": "vt100"})
    terminal.end()
    contains("".join(terminal.seen), "\033[1m", "the output")
    terminal = host.at_terminal("list", env={"TERM": "vt100", "NO_COLOR": "1"})
    terminal.end()
    lacks("".join(terminal.seen), "\033[", "the output")
    terminal = host.at_terminal("list", env={"TERM": "dumb"})
    terminal.end()
    lacks("".join(terminal.seen), "\033[", "the output")
