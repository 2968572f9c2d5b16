"""The end of many containers, and looking at as many that are stored.

stop: `carrel stop --all` of 1,000, all together and for each; gc, list: with as many stored containers
as --containers says, none of which runs (case_growth has them with as many running).
"""

import statistics

import crowd
import floor
import scene

RUNNING = 1000
SAMPLES = 10


def median_row(*command):
    times = [scene.milliseconds(*command) for _ in range(SAMPLES)]
    return {"median_ms": round(statistics.median(times), 1)}


def measure(options):
    running = min(RUNNING, options.containers)
    crowd.add_users(options.containers)
    scene.policy("teardown", ["crowd"], kind="groups")
    rows = {}
    for number in range(options.containers):
        floor.stopwatch(f"c{number}")
        if number + 1 == running:
            spent = scene.milliseconds("carrel", "stop", "--all", "--timeout", "0")
            rows[f"stop --all of {running}"] = {"median_ms": round(spent, 1),
                                                "each_ms": round(spent / running, 2)}
        elif number >= running and number % 100 == 0:
            scene.run("carrel", "stop", "--all", "--timeout", "0")
    scene.run("carrel", "stop", "--all", "--timeout", "0")
    stored = options.containers
    rows[f"gc of {stored} stored"] = median_row("carrel", "gc")
    rows[f"list of {stored} stored"] = median_row("carrel", "list")
    (scene.POLICIES / "teardown.conf").unlink()
    return rows
