"""The named image of the tests: a small Debian with sudo."""

import hashlib
import os
import pathlib
import shutil
import subprocess
import time

from suite import Skip, equal, expect


def apt_sources():
    """The files that tell apt, and so mmdebstrap, where this machine's packages come from."""
    apt = pathlib.Path("/etc/apt")
    return [str(path) for path in (*apt.glob("sources.list.d/*.sources"),
                                   *apt.glob("sources.list.d/*.list"), apt / "sources.list")
            if path.is_file() and path.stat().st_size]


OPTIONS = ("--quiet", "--variant=minbase", "--include=sudo,procps",
           "--aptopt=Acquire::Languages \"none\"", "--dpkgopt=path-exclude=/usr/share/doc/*",
           "--dpkgopt=path-exclude=/usr/share/locale/*", "bookworm")


def kept_name():
    """Of the image in the cache: another one for other options, packages or a later month."""
    recipe = hashlib.sha256(repr(OPTIONS).encode() + time.strftime("%Y-%m").encode())
    for path in apt_sources():
        recipe.update(pathlib.Path(path).read_bytes())
    return f"lab-{recipe.hexdigest()[:16]}.tar"


def keep(tar, kept):
    """Into the cache, whole or not at all; those of other recipes go."""
    part = kept.with_name(f".{kept.name}.{os.getpid()}.{time.time_ns()}")
    shutil.copyfile(tar, part)
    for old in kept.parent.glob("lab-*.tar"):
        old.unlink(missing_ok=True)
    part.rename(kept)


def build_root(m):
    """A small Debian with sudo, made once for all suites; returns it as a tar file."""
    tar = m.directory / "lab.tar"
    if tar.exists():
        return tar
    kept = m.cache / kept_name()
    if kept.exists():
        shutil.copyfile(kept, tar)
        return tar
    if not shutil.which("mmdebstrap"):
        raise Skip("mmdebstrap is not installed")
    made = subprocess.run(["mmdebstrap", *OPTIONS, str(tar), *apt_sources()],
                          capture_output=True, text=True, check=False)
    expect(made.returncode == 0, f"mmdebstrap failed: {made.stderr[-500:]}")
    keep(tar, kept)
    return tar


def have_image(m):
    if "lab " not in m.run("carrel", "image", "list").out:
        result = m.run("carrel", "image", "import", "lab", build_root(m))
        equal(result.status, 0, f"import of the image ({result.err})")
