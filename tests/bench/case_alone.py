"""One login with none just before it, which is how people log in: each after a pause of 0.3 s.

floor: the bare work of a cold one, also after a pause; attach: moving a process into the cgroups that a
container has, and nothing else. The first such move after a pause waits for every processor to pass a
quiet state (cgroup_threadgroup_rwsem is fast for its readers, fork and exit, at this price); those right
after it do not, so that a loop hides it.
"""

import subprocess
import time

import figures
import floor
import scene

PAUSE_SECONDS = 0.3
MOST_ROUNDS = 30


def attach(places):
    sleeper = subprocess.Popen(["sleep", "60"], stdin=subprocess.DEVNULL)
    time.sleep(PAUSE_SECONDS)
    start = time.perf_counter()
    for place in places:
        (place / "cgroup.procs").write_text(str(sleeper.pid))
    spent = (time.perf_counter() - start) * 1000
    sleeper.kill()
    sleeper.wait()
    return spent


def after_pause(measured, argument):
    time.sleep(PAUSE_SECONDS)
    return measured(argument)


def measure(options):
    for user in ("warm", "cold"):
        scene.add_user(f"alone-{user}")
    scene.policy("alone", ["alone-warm", "alone-cold"])
    for user in ("warm", "cold"):
        scene.login(f"alone-{user}")
    places = [place / "alone" for place in floor.cgroups()]
    for place in places:
        place.mkdir()
    times = {"attach": [], "warm": [], "warm again": [], "floor": [], "cold": []}
    for _ in range(min(options.rounds, MOST_ROUNDS)):
        times["attach"].append(attach(places))
        times["warm"].append(after_pause(floor.stopwatch, "alone-warm"))
        times["warm again"].append(floor.stopwatch("alone-warm"))
        times["floor"].append(after_pause(floor.cold, floor.cgroups()))
        scene.stop("alone-cold")
        times["cold"].append(after_pause(floor.stopwatch, "alone-cold"))
    for place in places:
        place.rmdir()
    scene.run("carrel", "stop", "--all")
    (scene.POLICIES / "alone.conf").unlink()
    return figures.table(times, ["attach", "warm again", "floor"])
