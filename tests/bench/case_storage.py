"""A cold start from each storage: `su USER -c true`, container stopped, its data there.

bare: no Carrel in the stack; plain and image: on the machine's own file system; btrfs and
plain-on-btrfs: on a btrfs in a loop device; project: on an ext4 in a loop device, with prjquota.
"""

import dataclasses
import os
import pathlib
import shutil
import subprocess
import time

import figures
import scene

SIZE = 1 << 30


@dataclasses.dataclass
class Kind:
    name: str
    storage: str
    host: str = ""  # the file system to make for it; none: the machine's own

    @property
    def state(self):
        return pathlib.Path(f"/srv/{self.host or 'own'}/carrel")

    def configure(self):
        """With a policy for this user only, because a limit that plain cannot hold is refused."""
        scene.configure(storage=self.storage, state_dir=f'"{self.state}"')
        scene.policy("storage", [self.name],
                     limits="" if self.storage == "plain" else 'disk = "256M"')


KINDS = [Kind("plain", "plain"), Kind("image", "image"),
         Kind("plain-on-btrfs", "plain", "btrfs"), Kind("btrfs", "btrfs", "btrfs"),
         Kind("project", "project", "ext4")]
MAKE = {"btrfs": ["mkfs.btrfs", "-q"], "ext4": ["mkfs.ext4", "-q", "-O", "project,quota",
                                                "-E", "quotatype=prjquota"]}
MOUNT = {"btrfs": "loop", "ext4": "loop,prjquota"}


def mount_host(name):
    """Raises Skip where the kernel or the machine has not got it."""
    place = pathlib.Path(f"/srv/{name}")
    if place.is_mount():
        return
    if not shutil.which(MAKE[name][0]):
        raise scene.Skip(f"{MAKE[name][0]} is not installed")
    file = pathlib.Path(os.environ["PRIVATE_HOST"]) / f"bench-{name}.img"
    with file.open("wb") as image:
        image.truncate(SIZE)
    scene.run(*MAKE[name], file)
    place.mkdir(exist_ok=True)
    done = subprocess.run(["mount", "-o", MOUNT[name], file, place], capture_output=True, text=True)
    if done.returncode:
        raise scene.Skip(f"this kernel does not mount {name} with {MOUNT[name]}: "
                         f"{done.stderr.strip().splitlines()[0]}")
    if name == "btrfs":
        scene.run("btrfs", "quota", "enable", place)


def prepare(kind):
    """A container of that kind with some data in it, stopped."""
    if kind.host:
        mount_host(kind.host)
    kind.state.mkdir(mode=0o711, parents=True, exist_ok=True)
    scene.add_user(kind.name)
    kind.configure()
    done = subprocess.run(["carrel", "policy", "check"], capture_output=True, text=True)
    if done.returncode:
        raise scene.Skip((done.stdout + done.stderr).strip().splitlines()[0])
    scene.run("su", kind.name, "-c", "head -c 10M /dev/urandom >~/data; seq 1000 | split -l 1 - ~/f")
    stop(kind)


def stop(kind):
    """The kernel lets go of file systems and loop devices a moment after the last process."""
    scene.stop(kind.name)
    for _ in range(500):
        if not any(str(kind.state) in held for held in loop_files()):
            return
        time.sleep(0.01)
    raise SystemExit(f"bench: a loop device still holds a file below {kind.state}")


def loop_files():
    for file in pathlib.Path("/sys/block").glob("loop*/loop/backing_file"):
        try:
            yield file.read_text()
        except OSError:
            continue  # gone between the two


def measure(options):
    scene.add_user("storage-bare")
    rows, kinds = {}, []
    for kind in KINDS:
        try:
            prepare(kind)
            kinds.append(kind)
        except scene.Skip as why:
            rows[kind.name] = {"skipped": str(why)}
    times = {"bare": [], **{kind.name: [] for kind in kinds}}
    for _ in range(options.rounds):
        times["bare"].append(scene.login("storage-bare", "runuser"))
        for kind in kinds:
            kind.configure()
            times[kind.name].append(scene.login(kind.name))
            stop(kind)
    (scene.POLICIES / "storage.conf").unlink()
    return {**figures.table(times, ["bare", "plain"]), **rows}
