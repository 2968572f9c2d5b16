"""What Carrel adds to a login: the whole of su and login(1), with and without it.

bare: without Carrel in the PAM stack; host: Carrel decides "host", the price for those who are not
contained; warm: into a container that runs; cold: into one that is built first. su runs `true`, the
shell of who comes by login(1), at a terminal, is `true`.
"""

import os
import pathlib
import pty
import time

import figures
import floor
import scene

LOGIN_STACK = pathlib.Path("/etc/pam.d/login")


def console(user, module=True):
    """Milliseconds of `login -f USER` at a terminal of its own, to its end."""
    LOGIN_STACK.write_text(scene.BARE_STACK + (scene.MODULE if module else ""))
    start = time.perf_counter()
    pid, terminal = pty.fork()
    if pid == 0:
        os.execv("/bin/login", ["login", "-f", user])
    try:
        while os.read(terminal, 4096):
            pass
    except OSError:
        pass  # nobody has the other side open any more
    status = os.waitpid(pid, 0)[1]
    spent = (time.perf_counter() - start) * 1000
    os.close(terminal)
    if status:
        raise SystemExit(f"bench: login -f {user} failed")
    return spent


def in_turn():
    """What one round measures: name, how, with what."""
    return (("su bare", scene.login, "login-bare", "runuser"),
            *((f"su {user}", scene.login, f"login-{user}") for user in ("host", "warm", "cold")),
            ("login bare", console, "login-bare", False),
            *((f"login {user}", console, f"login-{user}") for user in ("host", "warm", "cold")))


def measure(options):
    for user in ("bare", "host", "warm", "cold"):
        scene.run("useradd", "-m", "-s", "/bin/sh", f"login-{user}")
    scene.policy("login", ["login-warm", "login-cold"])
    for user in ("bare", "host", "warm", "cold"):
        scene.login(f"login-{user}")
        scene.run("usermod", "-s", "/bin/true", f"login-{user}")
    times = {name: [] for name, *_ in in_turn()}
    for _ in range(options.rounds):
        for name, measured, *arguments in in_turn():
            scene.stop("login-cold")
            floor.settle()
            times[name].append(measured(*arguments))
    scene.run("carrel", "stop", "--all")
    (scene.POLICIES / "login.conf").unlink()
    rows = figures.table(times, [])
    return {name: figures.against(rows[name], rows[f"{name.split()[0]} bare"]) for name in rows}
