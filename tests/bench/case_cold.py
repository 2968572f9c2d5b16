"""A cold start: the container is built. The module alone to the floor, whole programs to bare su.

floor: clone, mounts, cgroup, capabilities, seccomp and exec of a tiny PID 1, with nothing around;
module: pam_open_session into a stopped container, from call to joined; su, and below it what others
do from nothing to nothing with `true`: bwrap without cgroups and seccomp, crun without cgroups.
"""

import figures
import floor
import peers
import scene


def measure(options):
    for user in ("bare", "cold", "held"):
        scene.add_user(f"cold-{user}")
    scene.policy("cold", ["cold-cold", "cold-held"])
    scene.login("cold-held")
    scene.login("cold-cold")
    places = floor.cgroups()
    others, rows = peers.available(peers.COLD)
    times = {"floor": [], "module": [], "bare su": [], "su": [], **{name: [] for name in others}}
    for _ in range(options.rounds):
        times["floor"].append(floor.cold(places))
        for name, measured in (("module", floor.stopwatch), ("su", scene.login)):
            scene.stop("cold-cold")
            times[name].append(measured("cold-cold"))
        times["bare su"].append(scene.login("cold-bare", "runuser"))
        for name, command in others.items():
            times[name].append(scene.milliseconds(*command))
    peers.clean()
    scene.run("carrel", "stop", "--all")
    (scene.POLICIES / "cold.conf").unlink()
    return {**figures.table(times, ["floor", "bare su"]), **rows}
