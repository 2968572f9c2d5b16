"""Into a running container. The module alone to the floor, whole programs to bare su.

join: pidfd_open, setns and the ids, with nothing around; spawn+join: the same after starting and
awaiting a program without libc, which whoever has a helper pays; module: pam_open_session from call
to joined, helper included; su, and below it what others do to run `true` in one that runs. Each
comes after the same pause, and in every round after another one: what ran before has left its own in
the processor's caches, podman most of all.
"""

import functools

import figures
import floor
import peers
import scene


def turned(names, by):
    by %= len(names)
    return names[by:] + names[:by]


def measure(options):
    for user in ("bare", "warm"):
        scene.add_user(f"warm-{user}")
    scene.policy("warm", ["warm-warm"])
    scene.login("warm-warm")
    others = peers.Peers(peers.warm(floor.running_pid("warm-warm")))
    actions = {"join": lambda: floor.join("warm-warm"),
               "spawn+join": lambda: floor.spawn_join("warm-warm"),
               "module": lambda: floor.stopwatch("warm-warm"),
               "bare su": lambda: scene.login("warm-bare", "runuser"),
               "su": lambda: scene.login("warm-warm"),
               **{name: functools.partial(others.milliseconds, name) for name in others.commands}}
    times = {name: [] for name in actions}
    for round_number in range(options.rounds):
        for name in turned(list(actions), round_number):
            floor.settle()
            times[name].append(actions[name]())
    others.close()
    scene.run("carrel", "stop", "--all")
    (scene.POLICIES / "warm.conf").unlink()
    return {**figures.table(times, ["spawn+join", "bare su"]), **others.skipped}
