"""What the shell offers after carrel."""

import pathlib
import re
import subprocess

from suite import contains, equal, expect, test
from test_usage import COMMANDS

SOURCE = pathlib.Path(__file__).resolve().parents[2] / "helper/admin/completions/carrel"


def offered(line):
    """The words that bash offers at the end of a line."""
    words = line.split(" ")
    script = (f"source {SOURCE}; COMP_WORDS=({' '.join(repr(word) for word in words)}); "
              f"COMP_CWORD={len(words) - 1}; _carrel; printf '%s\\n' \"${{COMPREPLY[@]}}\"")
    run = subprocess.run(["bash", "-c", script], capture_output=True, text=True)
    equal(run.stderr, "", f"stderr for {line!r}")
    return run.stdout.split()


@test
def completes_every_command_and_option(host):
    """Everything in the usage lines is offered, and nothing else."""
    for command in COMMANDS:
        words = command.split()
        before = " ".join(["carrel", *words[:-1], ""])
        contains(offered(before), words[-1], f"what is offered after {before!r}")
        usage = host.works(*words, "--help").out.splitlines()[0]
        options = set(re.findall(r"--[a-z-]+", usage)) | {"--help"}
        equal(set(offered(f"carrel {command} --")), options, f"the options of {command}")


@test
def completes_names(host):
    """Containers, users, services; files where a file belongs."""
    host.log_in("alice")
    host.log_in("bob")
    equal(offered("carrel show "), ["alice", "bob"], "the containers")
    equal(offered("carrel show alice "), [], "after the only operand")
    equal(offered("carrel stop alice "), ["alice", "bob"], "more containers")
    equal(offered("carrel stop --timeout 5 b"), ["bob"], "after an option with a value")
    equal(offered("carrel stop --timeout "), [], "the value of --timeout")
    equal(offered("carrel policy explain car"), ["carol"], "users")
    equal(offered("carrel enter --user dav"), ["dave"], "users for --user")
    equal(offered("carrel pam enable ssh"), ["sshd"], "services")
    equal(offered("carrel image import new /etc/pam.d/ssh"), ["/etc/pam.d/sshd"], "files")
    equal(offered("carrel image build new --from /etc/pam.d/ssh"), ["/etc/pam.d/sshd"], "files")
    equal(offered("carrel image build new --format e"), ["erofs"], "formats")
    expect("sleep" in offered("carrel exec alice slee"), "commands")
    equal(offered("carrel cp ali"), ["alice:"], "a container to copy from")
    equal(offered("carrel cp alice:x /etc/pam.d/ssh"), ["/etc/pam.d/sshd"], "files to copy to")
    host.works("snapshot", "alice", "one")
    equal(offered("carrel rollback al"), ["alice"], "a container for rollback")
    equal(offered("carrel rollback --stop alice o"), ["one"], "its snapshots")
    for name in ("alice", "bob"):
        host.works("remove", "--yes", name)
