"""Into a running container. The module alone to the floor, whole programs to bare su.

join: pidfd_open, setns and the ids, with nothing around; spawn+join: the same after starting and
awaiting a program without libc, which whoever has a helper pays; module: pam_open_session from call
to joined, helper included; su, and below it what others do to run `true` in one that runs.
"""

import figures
import floor
import peers
import scene


def measure(options):
    for user in ("bare", "warm"):
        scene.add_user(f"warm-{user}")
    scene.policy("warm", ["warm-warm"])
    scene.login("warm-warm")
    others = peers.Peers(peers.warm(floor.running_pid("warm-warm")))
    times = {"join": [], "spawn+join": [], "module": [], "bare su": [], "su": [],
             **{name: [] for name in others.commands}}
    for _ in range(options.rounds):
        times["join"].append(floor.join("warm-warm"))
        times["spawn+join"].append(floor.spawn_join("warm-warm"))
        floor.settle()
        times["module"].append(floor.stopwatch("warm-warm"))
        times["bare su"].append(scene.login("warm-bare", "runuser"))
        floor.settle()
        times["su"].append(scene.login("warm-warm"))
        for name in others.commands:
            times[name].append(others.milliseconds(name))
    others.close()
    scene.run("carrel", "stop", "--all")
    (scene.POLICIES / "warm.conf").unlink()
    return {**figures.table(times, ["spawn+join", "bare su"]), **others.skipped}
