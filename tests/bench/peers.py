"""What others do for the same purpose, from Debian's packages. One that cannot run says why."""

import json
import os
import pathlib
import shutil
import subprocess

import scene

BUNDLE = pathlib.Path(os.environ.get("PRIVATE_HOST", "/nonexistent")) / "bench-bundle"
CRUN = ["crun", "--root", "/run/bench-crun", "--cgroup-manager=disabled"]
NAME = "bench-peer"


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


def crun_running():
    bundle()
    config = json.loads((BUNDLE / "config.json").read_text())
    config["process"]["args"] = ["/bin/sleep", "infinity"]
    (BUNDLE / "sleep.json").write_text(json.dumps(config))
    log = BUNDLE / "crun.log"
    with log.open("w") as said:  # not a pipe: what stays running would hold it open
        done = subprocess.run([*CRUN, "run", "--detach", "--bundle", BUNDLE, "--config",
                               "sleep.json", NAME], cwd=BUNDLE, stdin=subprocess.DEVNULL,
                              stdout=said, stderr=said, timeout=30)
    if done.returncode:
        raise scene.Skip(f"crun run fails here: {log.read_text().strip().splitlines()[-1]}")


def podman_running():
    bundle()
    done = subprocess.run(["podman", "run", "--detach", "--name", NAME, "--network", "none",
                           "--cgroups=disabled", "--rootfs", BUNDLE / "root", "sleep", "infinity"],
                          stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60)
    if done.returncode:
        raise scene.Skip(f"podman run fails here: {done.stderr.strip().splitlines()[-1]}")


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


def available(wanted):
    """Commands by name, and a row with the reason for each of the others."""
    commands, rows = {}, {}
    for name, (command, prepare) in wanted.items():
        try:
            if not shutil.which(command[0]):
                raise scene.Skip(f"{command[0]} is not installed")
            if prepare:
                prepare()
            done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True,
                                  timeout=30)
            if done.returncode:
                said = (done.stderr.strip() or f"exit status {done.returncode}").splitlines()[-1]
                raise scene.Skip(f"{name} fails here: {said}")
            commands[name] = command
        except scene.Skip as why:
            rows[name] = {"skipped": str(why)}
        except (OSError, subprocess.SubprocessError) as why:
            rows[name] = {"skipped": f"{name} fails here: {why}"}
    return commands, rows


def clean():
    """End what was left running for exec; the processes go with the private machine in any case."""
    for command in ([*CRUN, "delete", "--force", NAME],
                    ["podman", "rm", "--force", "--time", "0", NAME]):
        if shutil.which(command[0]):
            subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, timeout=60)
