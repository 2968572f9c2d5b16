"""Whoever has filled their disk gets in again to make room, whatever holds it."""

import subprocess

from machine import POLICY_DIR
from suite import equal, expect, test
from test_image import have_image
from test_storage_kinds import storage

# To the last byte, or file: what the large one leaves is taken by small ones.
FILL = """
mkdir -p ~/fill
{first}
n=0
while [ $n -lt 5000 ] && {make} >~/fill/$n; do n=$((n + 1)); done
echo $n
"""
# More than is kept back for a start, which must not be the user's.
MORE = ("head -c 1M /dev/zero >~/fill/more && for n in $(seq 70); do true >~/fill/more-$n || exit; "
        "done")
NAMED = 'image = "lab"\nroot = yes\n'


def fill(m, what):
    first, make = {"bytes": ("cat /dev/zero >~/fill/big", "echo x"),
                   "files": ("", "true")}[what]
    made = int(m.ssh("bob", "bash -s 2>/dev/null", stdin=FILL.format(first=first, make=make)).out)
    expect(made < 5000, f"{made} small files were made, and it is not full of {what}")


def check_gets_in(m, container, what):
    """Three times: what one start takes for itself must not be missing to the next."""
    for number in range(3):
        m.kill_container(container)
        result = m.ssh("bob", "id -un")
        equal(result.out, "bob\n", f"login {number}, full of {what} ({result.err})")
        expect(m.ssh("bob", MORE).status != 0, f"there is room when it is full of {what}")
    equal(m.ssh("bob", "rm -r ~/fill; echo x >~/again && cat ~/again").out, "x\n",
          "a file after making room")


def check_full(m, name, limits, whats, image=""):
    with m.policy(name, f"{image}home = private\nlimits {{ {limits} }}"):
        for what in whats:
            fill(m, what)
            check_gets_in(m, f"bob-{name}", what)


def check_full_before_the_image(m, name, limits, what):
    """Full with image = host, then a named image, which wants mount points and accounts."""
    with m.policy(name, f"home = private\nlimits {{ {limits} }}"):
        fill(m, what)
        file = POLICY_DIR / f"10-{name}.conf"
        file.write_text(file.read_text().replace("home = private", NAMED + "home = private", 1))
        check_gets_in(m, f"bob-{name}", what)


def share_images(state):
    (state / "images").mkdir(mode=0o700)
    subprocess.run(["mount", "--bind", "/var/lib/carrel/images", state / "images"], check=True)


@test
def full_image_of_the_host(m):
    """storage = image, image = host: full of bytes or files, its user gets in and makes room."""
    with storage(m, "image", "ext4"):
        check_full(m, "fullhost", 'disk = "32M" inodes = 1000', ("bytes", "files"))


@test
def full_image_of_root_inside(m):
    """storage = image, a named image with root = yes: the same."""
    have_image(m)
    with storage(m, "image", "ext4"):
        check_full(m, "fullroot", 'disk = "32M" inodes = 1000', ("bytes", "files"), NAMED)


@test
def full_image_before_the_image(m):
    """storage = image: full already when its policy gets a named image."""
    have_image(m)
    with storage(m, "image", "ext4"):
        check_full_before_the_image(m, "fulllater", 'disk = "32M" inodes = 1000', "bytes")
        check_full_before_the_image(m, "fullfiles", 'disk = "32M" inodes = 1000', "files")


@test
def full_btrfs(m):
    """storage = btrfs: full of bytes, with image = host and with a named image."""
    have_image(m)
    with storage(m, "btrfs", "btrfs") as state:
        share_images(state)
        check_full(m, "fullhost", 'disk = "48M"', ("bytes",))
        check_full(m, "fullroot", 'disk = "48M"', ("bytes",), NAMED)
        check_full_before_the_image(m, "fulllater", 'disk = "48M"', "bytes")
