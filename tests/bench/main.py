#!/usr/bin/python3
"""The benchmark of Carrel: what it costs, each figure beside the floor or a peer of the same run.

Cases are the files case_NAME.py beside this one; the first line of each says what it measures. What
is compared is measured in turns, one of each per round, so that whatever the machine does at the
time hits all alike; a case begins when what was before has come to its end. Ratios of medians are
what to keep; p99 is the machine's as much as Carrel's. At the end stands which targets (targets.py)
the cases of this run meet.
"""

import argparse
import importlib
import json
import os
import pathlib
import platform
import sys

import figures
import plot
import scene
import targets

HERE = pathlib.Path(__file__).resolve().parent
CASES = sorted(file.stem.removeprefix("case_") for file in HERE.glob("case_*.py"))
SHOW = {"text": figures.show, "markdown": figures.show_markdown, "json": lambda *_: None}


def parse():
    parser = argparse.ArgumentParser(prog="scripts/bench", description=__doc__.splitlines()[0])
    parser.add_argument("--case", action="append", choices=CASES, metavar="NAME",
                        help=f"one of {', '.join(CASES)}; again for more; all by default")
    parser.add_argument("--rounds", type=int, default=30, help="of each comparison (30)")
    parser.add_argument("--users", type=int, default=300, help="of the storm (300)")
    parser.add_argument("--containers", type=int, default=2000,
                        help="of growth, density and teardown, at most (2000)")
    parser.add_argument("--plot", metavar="FILE.svg", help="draw growth, by gnuplot")
    parser.add_argument("--markdown", dest="form", action="store_const", const="markdown",
                        default="text", help="the tables of docs/performance.md")
    parser.add_argument("--json", dest="form", action="store_const", const="json", help="for programs")
    options = parser.parse_args()
    options.rounds = max(options.rounds, 2)
    return options


def machine():
    layout = "v2" if os.path.exists("/sys/fs/cgroup/cgroup.controllers") else "v1"
    return {"linux": platform.release(), "processors": os.cpu_count(), "cgroups": layout,
            "load": round(os.getloadavg()[0], 1)}


def run(name, options):
    case = importlib.import_module(f"case_{name}")
    scene.configure()
    scene.wait_for_quiet()
    before = machine()["load"]
    try:
        rows = case.measure(options)
    except scene.Skip as why:
        rows = {name: {"skipped": str(why)}}
    load = f"load {before} to {machine()['load']}"
    SHOW[options.form](f"{name}: {case.__doc__.splitlines()[0]} ({load})", rows)
    sys.stdout.flush()
    return rows


def main():
    options = parse()
    scene.pam_stacks()
    if options.form != "json":
        print(", ".join(f"{name} {value}" for name, value in machine().items()))
    results = {name: run(name, options) for name in options.case or CASES}
    if options.plot and "growth" in results:
        plot.draw(results["growth"], options.plot)
    met = targets.judge(results)
    SHOW[options.form]("targets: what is wanted of these cases", met)
    if options.form == "json":
        print(json.dumps({"machine": machine(), **results, "targets": met}))


main()
