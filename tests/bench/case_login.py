"""What Carrel adds to a login: the whole of `su USER -c true`, with and without it.

bare: a service that has no Carrel in its PAM stack; host: Carrel decides "host", the price for those
who are not contained; warm: into a container that runs; cold: into one that is built first.
"""

import figures
import scene


def measure(options):
    for user in ("bare", "host", "warm", "cold"):
        scene.add_user(f"login-{user}")
    scene.policy("login", ["login-warm", "login-cold"])
    times = {"bare": [], "host": [], "warm": [], "cold": []}
    for user in ("host", "warm", "cold"):
        scene.login(f"login-{user}")
    for _ in range(options.rounds):
        scene.stop("login-cold")
        times["bare"].append(scene.login("login-bare", "runuser"))
        for case in ("host", "warm", "cold"):
            times[case].append(scene.login(f"login-{case}"))
    scene.run("carrel", "stop", "--all")
    (scene.POLICIES / "login.conf").unlink()
    return figures.table(times, ["bare"])
