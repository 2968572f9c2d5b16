#!/usr/bin/python3
"""The benchmark of Carrel: what it costs, each figure beside the floor or a peer of the same run.

Cases are the files case_NAME.py beside this one; the first line of each says what it measures. What
is compared is measured in turns, one of each per round, so that whatever the machine does at the
time hits all alike. Ratios of medians are what to keep; p99 is the machine's as much as Carrel's.
"""

import argparse
import importlib
import json
import pathlib
import sys

import figures
import plot
import scene

HERE = pathlib.Path(__file__).resolve().parent
CASES = sorted(file.stem.removeprefix("case_") for file in HERE.glob("case_*.py"))


def parse():
    parser = argparse.ArgumentParser(prog="scripts/bench", description=__doc__.splitlines()[0])
    parser.add_argument("--case", action="append", choices=CASES, metavar="NAME",
                        help=f"one of {', '.join(CASES)}; again for more; all by default")
    parser.add_argument("--rounds", type=int, default=100, help="of each comparison (100)")
    parser.add_argument("--users", type=int, default=300, help="of the storm (300)")
    parser.add_argument("--containers", type=int, default=2000, help="of growth and density, at most (2000)")
    parser.add_argument("--plot", metavar="FILE.svg", help="draw growth, by gnuplot")
    parser.add_argument("--json", action="store_true", help="for programs")
    options = parser.parse_args()
    options.rounds = max(options.rounds, 2)
    return options


def main():
    options = parse()
    scene.pam_stacks()
    results = {}
    for name in options.case or CASES:
        case = importlib.import_module(f"case_{name}")
        title = f"{name}: {case.__doc__.splitlines()[0]}"
        scene.configure()
        try:
            results[name] = case.measure(options)
        except scene.Skip as why:
            results[name] = {name: {"skipped": str(why)}}
        if not options.json:
            figures.show(title, results[name])
            sys.stdout.flush()
    if options.plot and "growth" in results:
        plot.draw(results["growth"], options.plot)
    if options.json:
        print(json.dumps(results))


main()
