"""The attacker: the program of attempts, brought into a container and run there."""

import atexit
import os
import pathlib
import subprocess

import suite
from machine import can_connect, free_port

SOURCES = pathlib.Path(__file__).resolve().parent / "attempts"


ANSWERS = []  # of all attempts, each of which a test judges


@atexit.register
def tell_count():
    if ANSWERS and ANSWERS[0] == os.getpid():
        print(f"      {len(ANSWERS) - 1} attempts of the attackers' program were answered", flush=True)


def program(m):
    """The attempts, compiled once; static, so that they run on every image."""
    path = m.directory / "attempt"
    if not path.exists():
        subprocess.run(["gcc", "-std=gnu17", "-O1", "-static", "-o", path,
                        *sorted(SOURCES.glob("*.c"))], check=True)
    return path.read_bytes()


def arm(m, user="bob"):
    """Put the attempts into a container; the name to call them by there."""
    done = m.ssh(user, "cat >attempt.new && chmod 755 attempt.new && mv attempt.new attempt",
                 stdin=program(m))
    suite.equal(done.status, 0, f"bringing the attempts in ({done.err})")


def attempt(m, words, user="bob", sudo=False):
    """Pairs of what was tried and the answer, in order."""
    done = m.ssh(user, f"{'sudo -n ' if sudo else ''}./attempt {words}", timeout=120)
    suite.expect(done.status == 0, f"attempt {words} ended with {done.status}: {done.said}")
    answers = [tuple(line.rsplit(" ", 1)) for line in done.out.splitlines()]
    ANSWERS.extend(answers if ANSWERS else [os.getpid(), *answers])
    return answers


def all_refused(answers, errors=("EPERM",), **others):
    """Each answer is one of `errors`, or the one named for it ('-' in names is '_')."""
    suite.expect(answers, "nothing was tried")
    odd = []
    for what, answer in answers:
        allowed = others.get(what.replace("-", "_"), errors)
        if answer not in ((allowed,) if isinstance(allowed, str) else allowed):
            odd.append(f"{what}: {answer}, expected {allowed}")
    suite.expect(not odd, "; ".join(odd))


def listen_with(m, *lines):
    """One more sshd with settings of its own; returns its port."""
    port = free_port()
    config = m.directory / "sshd_config-more"
    text = (m.directory / "sshd_config-lab").read_text()
    text = text.replace(f"Port {m.ports['lab']}", f"Port {port}")
    config.write_text("".join(f"{line}\n" for line in lines) + text)
    m.start("/usr/sbin/sshd", "-D", "-f", config)
    suite.eventually(lambda: can_connect(port), "one more sshd")
    return port
