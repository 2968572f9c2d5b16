"""Work inside a container beside the same work outside, on the same file system, root = no.

read: what comes from the image (stat of a tree, reading it, starting programs), with the machine's own
programs as image and with a named one, whose files outside are seen through a chroot; neither: memory;
written: in the home, compiling this project's own sources, git status on 1,500 files, small files,
transactions of sqlite with fsync. Samples are of a tenth of a second or more, where the work is shorter
of several in turn. ratio: of medians; ratio_p10: of the tenth percentiles, in which others on the machine
show less. limited: outside, but in cgroups with the container's limits, as a host with systemd has every
login in some; the targets are for the ratio to plain outside.
"""

import pathlib
import pwd
import shlex
import shutil
import statistics

import floor
import image
import scene

MOST_ROUNDS = 20
STATUS_CALLS = 20
TREE = "/usr/include/linux"
GIT_TREES = "/usr/include/linux /usr/include/c++"
TOP = pathlib.Path(__file__).resolve().parent.parent.parent
IMAGE_ROOT = "/var/lib/carrel/images/bench/current/rootfs"
LIMITS = 'limits { memory = "2G"  swap = "0"  cpu = "200%"  pids = 1000  tmp = "16M" '
LIMITS_OF_CGROUPS = {"memory.limit_in_bytes": "2G", "memory.memsw.limit_in_bytes": "2G", "cpu.cfs_quota_us": "200000",
                     "memory.max": "2G", "memory.swap.max": "0", "cpu.max": "200000 100000", "pids.max": "1000"}
USER, IMAGE_USER = "inside-host", "inside-image"
COMPILE = ('for file in base/*.c wire/*.c account/*.c join/*.c; do '
           'cc -O2 -I. -D_GNU_SOURCE -DCARREL_LIBEXECDIR=\'"/"\' -c "$file" -o out.o || exit 1; done')
SQLITE = ("rm -f db; (echo 'pragma synchronous=full; create table t(a);'; "
          "seq 50 | sed 's/.*/insert into t values(&);/') | sqlite3 db >/dev/null")
# Name: the words of inside.c, at home.
OF_IMAGE = {"stat": ["stat", TREE], "read": ["read", TREE], "exec": ["exec", "200", "/bin/true"]}
AT_HOME = {"memory": ["memory"], "write": ["write", "2000"],
           "compile": ["exec", "1", "sh", "-c", f"cd source && {COMPILE}"],
           "git status": ["exec", str(STATUS_CALLS), "git", "-C", "tree", "status", "--short"],
           "sqlite": ["exec", "1", "sh", "-c", SQLITE]}
FURNISH = (f"cd; mkdir source && tar -xf - -C source && mkdir tree && cp -r {GIT_TREES} tree && cd tree && git init -q && "
           "git add . && git -c user.name=a -c user.email=a@b commit -q -m a")


def furnish(begin):
    """What is worked on, in the home that `begin` gives a shell in."""
    archive = pathlib.Path("/tmp/source.tar")
    if not archive.exists():
        scene.run("tar", "-cf", archive, "-C", TOP, "base", "wire", "account", "join")
        archive.chmod(0o644)
    with archive.open() as source:
        scene.run(*begin, FURNISH, stdin=source)
    with floor.program("inside").open() as program:
        scene.run(*begin, "cd; cat >inside && chmod +x inside", stdin=program)


def set_up():
    for user in (USER, IMAGE_USER):
        scene.add_user(user)
    scene.policy("inside", [USER], base=LIMITS)
    scene.policy("inside-image", [IMAGE_USER], settings='image = "bench"', base=LIMITS)
    root = image.tree()
    shutil.copytree(TREE, root / TREE[1:], symlinks=True)
    shutil.copy(floor.program("inside"), root / "usr/bin/inside")
    image.build(root)
    for program in ("runuser", "su"):
        furnish([program, USER, "-c"])


def limited():
    """Words that put a command into cgroups like those of the container, once there was one."""
    places = [place / "bench-limited" for place in floor.cgroups()]
    for place in places:
        place.mkdir(exist_ok=True)
        for name, value in LIMITS_OF_CGROUPS.items():
            if (place / name).exists():
                (place / name).write_text(value)
    files = " ".join(shlex.quote(str(place / "cgroup.procs")) for place in places)
    return ["sh", "-c", f'for file in {files}; do echo $$ >"$file"; done; exec "$@"', "sh"]


def ways():
    """Name of what is done: how outside, how limited, how inside."""
    account = pwd.getpwnam(IMAGE_USER)
    chroot = ["chroot", f"--userspec={account.pw_uid}:{account.pw_gid}", IMAGE_ROOT, "/usr/bin/inside"]
    found, limits = {}, limited()
    for name, words in {**OF_IMAGE, **AT_HOME}.items():
        line = shlex.join(["./inside", *words])
        outside = ["runuser", USER, "-c", f"cd; {line}"]
        found[name] = (outside, [*limits, *outside], ["su", USER, "-c", f"cd; {line}"])
    for name, words in OF_IMAGE.items():
        found[f"{name} image"] = ([*chroot, *words], [*limits, *chroot, *words],
                                  ["su", IMAGE_USER, "-c", shlex.join(["/usr/bin/inside", *words])])
    return found


def row(*times):
    tenth = [statistics.quantiles(each, n=10, method="inclusive")[0] for each in times]
    outside, bounded, inside = (statistics.median(each) for each in times)
    return {"outside_ms": round(outside, 2), "limited_ms": round(bounded, 2), "inside_ms": round(inside, 2),
            "ratio": round(inside / outside, 3), "ratio_p10": round(tenth[2] / tenth[0], 3),
            "to_limited": round(inside / bounded, 3), "to_limited_p10": round(tenth[2] / tenth[1], 3)}


def measure(options):
    set_up()
    commands_of = ways()
    times = {name: ([], [], []) for name in commands_of}
    for _ in range(min(options.rounds, MOST_ROUNDS)):
        for name, commands in commands_of.items():
            for found, command in zip(times[name], commands):
                found.append(floor.printed(*command))
    scene.run("carrel", "stop", "--all")
    for name in ("inside", "inside-image"):
        (scene.POLICIES / f"{name}.conf").unlink()
    return {name: row(*found) for name, found in times.items()}
