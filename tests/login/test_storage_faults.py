"""What goes wrong with stored data: each is told with what to do, and stops nobody else."""

import os
import pathlib
import shutil
import signal
import subprocess
import time

from machine import POLICY_DIR
from suite import contains, equal, eventually, expect, test
from test_disk import LIMIT, add_limit, check_refused, image_of, loops_of
from test_storage_kinds import mount_host

ROUNDS = 12


def check_others(m):
    equal(m.ssh("alice", "echo fine").out, "fine\n", "another user's login")


@test
def storage_host_is_full(m):
    """No room on the host for a new image: told so; there is one as soon as there is room."""
    place = mount_host(m, "tmpfs")
    state = place / "carrel"
    state.mkdir(mode=0o711)
    filler = place / "filler"
    with m.config(state_dir=f'"{state}"'), m.policy("full", LIMIT.format("64M")):
        with filler.open("wb") as file:
            try:
                while True:
                    file.write(bytes(1 << 20))
                    file.flush()
            except OSError:
                pass
        contains(check_refused(m, "bob", "is full"), "make room", "the log")
        filler.unlink()
        equal(m.ssh("bob", "echo in").out, "in\n", "the login with room")
        m.kill_container("bob-full")


@test
def storage_host_becomes_full(m):
    """The host runs full under an image: its user gets errors; others and the machine go on."""
    place = mount_host(m, "tmpfs")
    state = place / "carrel"
    state.mkdir(mode=0o711)
    with m.config(state_dir=f'"{state}"'), m.policy("filling", LIMIT.format("64M")):
        m.ssh("bob", "echo kept >note; sync")
        with (place / "filler").open("wb") as file:
            try:
                while True:
                    file.write(bytes(1 << 20))
                    file.flush()
            except OSError:
                pass
        result = m.ssh("bob", "head -c 20M /dev/zero >big; sync big; echo went on")
        contains(result.out, "went on", "the session")
        (place / "filler").unlink()
        m.kill_container("bob-filling")
        equal(m.ssh("bob", "cat note; echo more >>note; tail -1 note").out, "kept\nmore\n",
              "the files when there is room again")
        m.kill_container("bob-filling")
    check_others(m)


@test
def storage_no_loop_device_left(m):
    """Without a free loop device the login is refused with where they are."""
    with m.policy("loops", LIMIT.format("64M")):
        m.ssh("bob", "echo kept >note")
        m.kill_container("bob-loops")
        eventually(lambda: not loops_of(image_of("bob-loops")), "the end of its device")
        # /dev is the private machine's own: the kernel has devices, and this machine no nodes.
        nodes = {path: path.stat().st_rdev for path in pathlib.Path("/dev").glob("loop[0-9]*")}
        for path in nodes:
            path.unlink()
        try:
            contains(check_refused(m, "bob", "loop device"), "/dev/loop", "the log")
            with m.policy("folder", who='users = {"alice"}'):
                check_others(m)
        finally:
            for path, device in nodes.items():
                os.mknod(path, 0o60600, device)
        equal(m.ssh("bob", "cat note").out, "kept\n", "the file when there are some")


@test
def storage_state_dir_is_missing(m):
    """A state_dir that is not mounted is told, and nothing is made in its place."""
    with m.config(state_dir='"/srv/not-mounted/carrel"'), m.policy("gone", LIMIT.format("64M")):
        check_refused(m, "bob", "not-mounted")
        contains(m.run("carrel", "doctor").said, "not mounted", "carrel doctor")
    expect(not pathlib.Path("/srv/not-mounted").exists(), "it was made")


@test
def storage_belongs_to_somebody_else(m):
    """A container's folder that is not root's is not used; the others get in."""
    with m.policy("owned"):
        m.ssh("bob", "echo kept >note")
        m.kill_container("bob-owned")
        folder = image_of("bob-owned").parent
        os.chown(folder, 2002, 2002)
        contains(check_refused(m, "bob", "belongs to uid 2002"), "chown", "the log")
        check_others(m)
        os.chown(folder, 0, 0)
        equal(m.ssh("bob", "cat note").out, "kept\n", "the file")


@test
def storage_of_a_newer_version(m):
    """A layer of a newer Carrel, or of a kind that is not known, is left alone."""
    with m.policy("newer"):
        m.ssh("bob", "echo kept >note")
        m.kill_container("bob-newer")
        record = image_of("bob-newer").parent / "stored"
        before = record.read_text()
        record.write_text(before.replace("version=1", "version=2"))
        contains(check_refused(m, "bob", "newer Carrel"), "layout 2", "the log")
        record.write_text(before.replace("storage=plain", "storage=cloud"))
        check_refused(m, "bob", "stored as 'cloud'")
        check_others(m)
        record.write_text(before)
        equal(m.ssh("bob", "cat note").out, "kept\n", "the file")


@test
def storage_data_are_missing(m):
    """Where the data are gone, no new ones are made as if all were well."""
    with m.policy("lost"):
        m.ssh("bob", "echo kept >note")
        m.kill_container("bob-lost")
        layer = image_of("bob-lost").parent / "layer"
        layer.rename(layer.with_name("aside"))
        contains(check_refused(m, "bob", "is missing"), "carrel remove bob-lost", "the log")
        # Whatever put them aside: by a name that is else removed they are all that there is.
        layer.with_name("aside").rename(layer.with_name(".old-layer"))
        check_refused(m, "bob", "is missing")
        layer.with_name(".old-layer").rename(layer)
        equal(m.ssh("bob", "cat note").out, "kept\n", "the file")


def helpers():
    for process in pathlib.Path("/proc").glob("[0-9]*"):
        try:
            if (process / "comm").read_text() == "carrel-helper\n":
                yield int(process.name)
        except OSError:
            continue


@test
def storage_move_is_killed(m):
    """A helper killed at any instant of a move: the next login has all files, in one place."""
    with m.policy("cutmove"):
        m.ssh("bob", "mkdir files; for i in $(seq 600); do echo $i >files/$i; done;"
                     "head -c 20M /dev/urandom >data; sha256sum data files/* >sum")
        m.kill_container("bob-cutmove")
        folder = image_of("bob-cutmove").parent
        saved = folder.with_name("saved")
        subprocess.run(["cp", "-a", "--no-target-directory", folder, saved], check=True)
        add_limit("cutmove", "64M")
        interrupted, lasts = 0, None
        for attempt in range(ROUNDS):
            shutil.rmtree(folder)
            subprocess.run(["cp", "-a", saved, folder], check=True)
            login = m.ssh_start("bob", "true")
            eventually(lambda: list(helpers()) or login.poll() is not None, "a helper")
            if lasts is None:  # the first one is left alone, to see how long a move takes here
                began = time.monotonic()
                eventually(lambda: not list(helpers()), "the end of the helper")
                lasts = time.monotonic() - began
            else:
                time.sleep(lasts * 0.8 * attempt / ROUNDS)
            before = interrupted
            for pid in helpers():
                os.kill(pid, signal.SIGKILL)
                interrupted += 1
            if attempt > 0 and interrupted == before:
                lasts *= 0.7  # it was there for shorter than the first one
            login.wait(30)
            equal(m.ssh("bob", "sha256sum -c --quiet sum && wc -l <sum").out, "601\n",
                  f"the files after attempt {attempt}")
            equal(sorted(path.name for path in folder.glob("*layer*")), ["layer.ext4"],
                  "what is kept")
            m.kill_container("bob-cutmove")
            eventually(lambda: not loops_of(folder / "layer.ext4"), "the end of the loop device")
        expect(interrupted > ROUNDS // 2, f"only {interrupted} helpers were killed in {lasts} s")


@test
def storage_move_instants(m):
    """The states in which a move can be cut short, one by one."""
    with m.policy("instants"):
        m.ssh("bob", "echo kept >note")
        m.kill_container("bob-instants")
        folder = image_of("bob-instants").parent
        add_limit("instants", "64M")
        (folder / ".new-layer.ext4").write_bytes(b"half")
        (folder / ".moved-layer.ext4").write_bytes(b"of what the record does not say")
        equal(m.ssh("bob", "cat note").out, "kept\n", "the file: not committed")
        m.kill_container("bob-instants")
        eventually(lambda: not loops_of(folder / "layer.ext4"), "the end of the loop device")
        (folder / "layer.ext4").rename(folder / ".moved-layer.ext4")
        (folder / "layer").mkdir()
        equal(m.ssh("bob", "cat note").out, "kept\n", "the file: committed, not in place")
        m.kill_container("bob-instants")
        (folder / ".old-layer").mkdir()
        equal(m.ssh("bob", "cat note").out, "kept\n", "the file: in place, old one left")
        equal(sorted(path.name for path in folder.glob("*layer*")), ["layer.ext4"], "what is kept")


@test
def storage_mkfs_takes_too_long(m):
    """A mkfs that hangs is ended before the login gives up, and the next makes a new start."""
    real = pathlib.Path("/sbin/mkfs.ext4").resolve()
    slow = m.directory / "slow-mkfs"
    slow.write_text("#!/bin/sh\nexec sleep 1000\n")
    slow.chmod(0o755)
    subprocess.run(["mount", "--bind", slow, real], check=True)
    try:
        with m.policy("slow", LIMIT.format("64M")):
            contains(check_refused(m, "bob", "takes more than"), "try again", "the log")
    finally:
        subprocess.run(["umount", real], check=True)
    with m.policy("slow", LIMIT.format("64M")):
        equal(m.ssh("bob", "echo in").out, "in\n", "the login after it")


@test
def storage_promises_are_told(m):
    """carrel doctor tells when the limits together are more than the host has."""
    place = mount_host(m, "tmpfs")
    state = place / "carrel"
    state.mkdir(mode=0o711)
    with m.config(state_dir=f'"{state}"'), m.policy("promise", LIMIT.format("64M")):
        m.ssh("bob", "true")
        contains(m.run("carrel", "doctor").said, "64M of disk are promised", "doctor")
        m.kill_container("bob-promise")
        file = POLICY_DIR / "10-promise.conf"
        file.write_text(file.read_text().replace("64M", "5G"))
        m.ssh("bob", "true")
        contains(m.run("carrel", "doctor").said, "5G of disk are promised to containers, and", "doctor")
    with m.config(storage="btrfs"):
        contains(m.run("carrel", "doctor").said, "needs state_dir on btrfs", "doctor")
    with m.config(storage="project"):
        contains(m.run("carrel", "doctor").said, "project quotas are off", "doctor")
