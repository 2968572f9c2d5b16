"""A cold start: the container is built and joined. The module to the floor, programs to bare su.

floor: namespaces, cgroups with limits, mounts as in a container of Carrel, capabilities, seccomp, exec
of a tiny PID 1, and joining it, with nothing around; module: pam_open_session into a stopped container,
from call to joined. Both with the machine's own programs as root (image = "host") and with an overlay on
a named image. su as a whole, and below it what others do from nothing to nothing with `true`: bwrap
without cgroups and seccomp, crun without cgroups.
"""

import figures
import floor
import image
import peers
import scene


def set_up():
    for user in ("bare", "host", "image", "held"):
        scene.add_user(f"cold-{user}")
    scene.policy("cold", ["cold-host", "cold-held"])
    scene.policy("cold-image", ["cold-image"], settings='image = "bench"')
    image.build(image.tree())
    for user in ("held", "host", "image"):
        floor.stopwatch(f"cold-{user}")


def in_turn(places):
    """What one round measures: name, how, with what."""
    return (("floor", floor.cold, places), ("module", floor.stopwatch, "cold-host"),
            ("floor image", floor.cold, places, "overlay"),
            ("module image", floor.stopwatch, "cold-image"),
            ("bare su", scene.login, "cold-bare", "runuser"), ("su", scene.login, "cold-host"))


def measure(options):
    set_up()
    rounds = in_turn(floor.cgroups())
    others = peers.Peers(peers.COLD)
    times = {name: [] for name in (*(row[0] for row in rounds), *others.commands)}
    for _ in range(options.rounds):
        for name, measured, *arguments in rounds:
            for user in ("host", "image"):
                scene.stop(f"cold-{user}")
            floor.settle()
            times[name].append(measured(*arguments))
        for name in others.commands:
            times[name].append(others.milliseconds(name))
    others.close()
    scene.run("carrel", "stop", "--all")
    for name in ("cold", "cold-image"):
        (scene.POLICIES / f"{name}.conf").unlink()
    return {**figures.table(times, ["floor", "floor image", "bare su"]), **others.skipped}
