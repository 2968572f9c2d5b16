"""What others do for the same purpose, from Debian's packages. One that cannot run says why.

They run in a process with a mount namespace of its own, without the cgroup2 that hybrid layouts have
at /sys/fs/cgroup/unified: crun, and so podman, refuse to start beside it. The clock runs there, too.
"""

import concurrent.futures
import ctypes
import json
import multiprocessing
import os
import pathlib
import shutil
import subprocess

import scene

BUNDLE = pathlib.Path(os.environ.get("PRIVATE_HOST", "/nonexistent")) / "bench-bundle"
CRUN = ["crun", "--root", "/run/bench-crun", "--cgroup-manager=disabled"]
# Podman asks for more open files and processes than may be had here, when not told.
PODMAN_RUN = ["podman", "run", "--network=none", "--cgroups=disabled", "--ulimit=nofile=1024:1024",
              "--ulimit=nproc=1000:1000"]
NAME = "bench-peer"
CLONE_NEWNS = 0x20000
UNIFIED = "/sys/fs/cgroup/unified"


def bundle():
    """The machine's own /usr as a root file system for OCI runtimes; `crun spec` writes the rest."""
    root = BUNDLE / "root"
    root.mkdir(parents=True, exist_ok=True)
    for name in ("usr", "proc", "sys", "dev", "tmp", "etc", "run"):
        (root / name).mkdir(exist_ok=True)
    for name in ("bin", "lib", "lib64", "sbin"):
        if not (root / name).is_symlink():
            (root / name).symlink_to(f"usr/{name}")
    if not (root / "usr/bin").exists():
        scene.run("mount", "--bind", "/usr", root / "usr")
    config = BUNDLE / "config.json"
    if not config.exists():
        scene.run("crun", "spec", cwd=BUNDLE)
        spec = json.loads(config.read_text())
        spec["process"].update(terminal=False, args=["/bin/true"])
        spec["root"] = {"path": "root", "readonly": True}
        spec["linux"].pop("resources", None)
        spec["mounts"] = [it for it in spec["mounts"] if it["type"] != "cgroup"]
        config.write_text(json.dumps(spec))


def start(command, log, **options):
    """What stays running would hold a pipe open, hence the file."""
    with log.open("w") as said:
        done = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=said, stderr=said, timeout=60,
                              **options)
    if done.returncode:
        raise scene.Skip(f"{' '.join(command[:2])} fails here: {log.read_text().strip()[-200:]}")


def crun_running():
    bundle()
    config = json.loads((BUNDLE / "config.json").read_text())
    config["process"]["args"] = ["/bin/sleep", "infinity"]
    (BUNDLE / "sleep.json").write_text(json.dumps(config))
    start([*CRUN, "run", "--detach", "--bundle", str(BUNDLE), "--config", "sleep.json", NAME],
          BUNDLE / "crun.log", cwd=BUNDLE)


def podman_running():
    bundle()
    start([*PODMAN_RUN, "--detach", "--name", NAME, "--rootfs", str(BUNDLE / "root"),
           "sleep", "infinity"], BUNDLE / "podman.log")


# Name: the command, and what it needs before.
COLD = {
    "unshare": (["unshare", "--mount", "--pid", "--uts", "--ipc", "--net", "--fork", "true"], None),
    "bwrap": (["bwrap", "--unshare-all", "--ro-bind", "/usr", "/usr", "--symlink", "usr/lib", "/lib",
               "--symlink", "usr/lib64", "/lib64", "--proc", "/proc", "--dev", "/dev",
               "/usr/bin/true"], None),
    "crun run": ([*CRUN, "run", "--bundle", str(BUNDLE), NAME], bundle),
}


def warm(pid):
    return {
        "nsenter": (["nsenter", "--all", "--target", pid, "/usr/bin/true"], None),
        "crun exec": ([*CRUN, "exec", NAME, "/bin/true"], crun_running),
        "podman exec": (["podman", "exec", NAME, "/bin/true"], podman_running),
    }


def leave_hybrid():
    if ctypes.CDLL(None).unshare(CLONE_NEWNS) == 0 and os.path.ismount(UNIFIED):
        subprocess.run(["umount", UNIFIED], check=True)


def prepare(name, command, before):
    if not shutil.which(command[0]):
        raise scene.Skip(f"{command[0]} is not installed")
    if before:
        before()
    done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True,
                          timeout=30)
    if done.returncode:
        said = (done.stderr.strip() or f"exit status {done.returncode}").splitlines()[-1]
        raise scene.Skip(f"{name} fails here: {said}")


def clean():
    """End what was left running for exec; the processes go with the private machine in any case."""
    for command in ([*CRUN, "delete", "--force", NAME],
                    ["podman", "rm", "--force", "--time", "0", NAME]):
        if shutil.which(command[0]):
            subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, timeout=60)


class Peers:
    """Those of `wanted` that can run, by name; `skipped` has a row with the reason for each other."""

    def __init__(self, wanted):
        self.place = concurrent.futures.ProcessPoolExecutor(
            1, mp_context=multiprocessing.get_context("fork"), initializer=leave_hybrid)
        self.commands, self.skipped = {}, {}
        for name, (command, before) in wanted.items():
            try:
                self.run(prepare, name, command, before)
                self.commands[name] = command
            except scene.Skip as why:
                self.skipped[name] = {"skipped": str(why)}
            except (OSError, subprocess.SubprocessError) as why:
                self.skipped[name] = {"skipped": f"{name} fails here: {why}"}

    def run(self, function, *arguments):
        return self.place.submit(function, *arguments).result()

    def milliseconds(self, name):
        return self.run(scene.milliseconds, *self.commands[name])

    def close(self):
        self.run(clean)
        self.place.shutdown()
