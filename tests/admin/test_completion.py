"""What the shell offers after carrel."""

import os
import pathlib
import re
import subprocess

from suite import contains, equal, expect, matches, test
from test_usage import COMMANDS

TOP = pathlib.Path(__file__).resolve().parents[2]
STAGE = pathlib.Path(os.environ.get("PRIVATE_HOST", "/")) / "stage/usr/share"  # as installed
MANUAL = STAGE / "man/man8/carrel.8"
ZSH = STAGE / "zsh/site-functions/_carrel"
SOURCE = TOP / "helper/admin/completions/carrel"


def offered(line):
    """The words that bash offers at the end of a line."""
    words = line.split(" ")
    script = (f"source {SOURCE}; COMP_WORDS=({' '.join(repr(word) for word in words)}); "
              f"COMP_CWORD={len(words) - 1}; _carrel; printf '%s\\n' \"${{COMPREPLY[@]}}\"")
    run = subprocess.run(["bash", "-c", script], capture_output=True, text=True)
    equal(run.stderr, "", f"stderr for {line!r}")
    return run.stdout.split()


# What zsh's own functions would put on the screen.
ZSH_STUBS = """
compadd() { while [[ $1 = -* && $1 != -- ]]; do [[ $1 = -S ]] && shift; shift; done
            [[ $1 = -- ]] && shift; print -l -- "$@" }
_describe() { local name=$2 word; for word in ${(P)name}; do print -- ${word%%:*}; done }
_users() { print A-USER }; _groups() { print A-GROUP }; _files() { print A-FILE }
_command_names() { print A-COMMAND }
"""


def offered_by_zsh(line):
    """The words that zsh offers at the end of a line, before it drops those that do not fit."""
    words = line.split(" ")
    script = (f"{ZSH_STUBS}; complete() {{ {ZSH.read_text()} }}; "
              f"words=({' '.join(repr(word) for word in words)}); CURRENT={len(words)}; complete")
    run = subprocess.run(["zsh", "-f", "-c", script], capture_output=True, text=True)
    equal(run.stderr, "", f"stderr of zsh for {line!r}")
    return run.stdout.split("\n")[:-1]


def told_by_help(host):
    """The commands that `carrel --help` tells of."""
    return re.findall(r"^  ([a-z ]*[a-z])  ", host.works("--help").out, re.MULTILINE)


@test
def nothing_is_forgotten(host):
    """Every command of the help has a section and an example in the manual, and is tested here."""
    commands = told_by_help(host)
    equal(sorted(commands), sorted(COMMANDS), "the commands of the help")
    manual = MANUAL.read_text().replace("\\-", "-")
    examples = manual[manual.index(".SH EXAMPLES"):]
    for command in commands:
        matches(manual, rf'(?m)^\.BR "carrel {command}[ "]', "the manual")
        matches(examples, rf"(?m)^(# |[a-z]+@).*carrel {command}\b", "the examples of the manual")


@test
def zsh_completes_every_command_and_option(host):
    """By the same table: commands, their options, what their operands are."""
    for command in told_by_help(host):
        words = command.split()
        before = " ".join(["carrel", *words[:-1], ""])
        contains(offered_by_zsh(before), words[-1], f"what zsh offers after {before!r}")
        equal(set(offered_by_zsh(f"carrel {command} --")), set(offered(f"carrel {command} --")),
              f"the options of {command}")
    host.log_in("alice")
    equal(offered_by_zsh("carrel show "), ["alice"], "the containers")
    equal(offered_by_zsh("carrel show alice "), [], "after the only operand")
    equal(offered_by_zsh("carrel stop --timeout 5 bob "), ["alice"], "more containers")
    equal(offered_by_zsh("carrel stop --timeout "), [], "the value of --timeout")
    equal(offered_by_zsh("carrel quota "), ["apply", "alice"], "a container or the other command")
    equal(offered_by_zsh("carrel quota apply "), ["alice"], "containers")
    equal(offered_by_zsh("carrel enter --user "), ["A-USER"], "users for --user")
    equal(offered_by_zsh("carrel exec alice "), ["A-COMMAND"], "commands")
    equal(offered_by_zsh("carrel cp "), ["alice", "A-FILE"], "a container to copy from, or a file")
    equal(offered_by_zsh("carrel image build new --format "), ["dir", "erofs"], "formats")
    equal(offered_by_zsh("carrel stop --policy "), ["barred", "nights", "students"], "policies")
    contains(offered_by_zsh("carrel top --sort "), "memory", "columns")
    host.works("remove", "--yes", "alice")


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
