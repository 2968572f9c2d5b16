"""What Carrel wants to be held to, and whether a run shows it."""

import dataclasses
import typing


@dataclasses.dataclass
class Target:
    case: str
    what: str
    value: typing.Callable  # of the rows of the case
    at_most: float | None = None
    at_least: float | None = None

    def row(self, rows):
        """Missing rows are peers or kinds that could not run here."""
        wanted = self.at_most if self.at_least is None else self.at_least
        shown = f"{'at most' if self.at_least is None else 'at least'} {wanted:g}"
        try:
            value = self.value(rows)
        except KeyError as missing:
            return {"wanted": shown, "measured": None, "met": f"not measured: {missing.args[0]}"}
        met = value <= wanted if self.at_least is None else value >= wanted
        return {"wanted": shown, "measured": round(value, 3), "met": "yes" if met else "no"}


def median(name):
    return lambda rows: rows[name]["median_ms"]


def ratio(name, base, column="median_ms"):
    return lambda rows: rows[name][column] / rows[base][column]


def column(name, wanted):
    return lambda rows: rows[name][wanted]


def highest(wanted):
    return lambda rows: max(row[wanted] for row in rows.values())


def last(wanted):
    """Of the most containers, which come before the slope."""
    return lambda rows: [row for name, row in rows.items() if name.isdigit()][-1][wanted]


def all_in(rows):
    return min(row["in"] / row["of"] for row in rows.values())


def listing(rows):
    return list(rows.values())[-1]["list_ms"]


MANY_MOUNTS = "2000 mounts"
MANY_POLICIES = "1000 files, 500 groups"

TARGETS = [
    Target("cold", "cold to the floor", ratio("module", "floor"), at_most=1.5),
    Target("cold", "cold to the floor, named image", ratio("module image", "floor image"), at_most=1.5),
    Target("cold", "cold to bwrap", ratio("module", "bwrap"), at_most=1),
    Target("cold", "cold to crun run", ratio("module", "crun run"), at_most=1),
    Target("warm", "warm, ms", median("module"), at_most=1.5),
    Target("warm", "warm to nsenter", ratio("module", "nsenter"), at_most=0.5),
    Target("warm", "warm to crun exec", ratio("module", "crun exec"), at_most=0.1),
    Target("warm", "warm to podman exec", ratio("module", "podman exec"), at_most=0.01),
    Target("sshd", "multiplexed to bare", column("warm multiplexed", "to_bare"), at_most=1.02),
    Target("growth", "cold to the first, at any number", highest("cold_to_first"), at_most=1.2),
    Target("growth", "warm to the first, at any number", highest("warm_to_first"), at_most=1.2),
    Target("growth", "list of all running, ms", listing, at_most=100),
    Target("mounts", "cold, 2,000 mounts to none", column(f"cold {MANY_MOUNTS}", "to_bare"), at_most=1.2),
    Target("mounts", "warm, 2,000 mounts to none", column(f"warm {MANY_MOUNTS}", "to_bare"), at_most=1.2),
    Target("policies", "warm, 1,000 policies and 500 groups, ms", median(f"warm {MANY_POLICIES}"),
           at_most=2),
    Target("density", "kB of a container", last("all_kb"), at_most=400),
    Target("density", "kB of PID 1", last("init_kb"), at_most=100),
    Target("density", "GB of 10,000", column("slope", "gb_of_10000"), at_most=24),
    Target("storm", "all in by su, part", all_in, at_least=1),
    Target("sshstorm", "all in by ssh, part", all_in, at_least=1),
    Target("sshstorm", "throughput to bare, first logins", column("cold", "throughput_to_bare"),
           at_least=0.9),
    *(Target("inside", f"{name} to outside", column(name, "ratio"), at_most=1.03)
      for name in ("stat", "read", "exec", "stat image", "read image", "exec image")),
    *(Target("inside", f"{name} to outside", column(name, "ratio"), at_most=1.1)
      for name in ("write", "compile", "git status", "sqlite")),
]


def judge(results):
    """Rows by what is wanted, of the cases that were measured."""
    return {f"{target.case}: {target.what}": target.row(results[target.case])
            for target in TARGETS if target.case in results}
