"""The named image of the tests: a small Debian with sudo."""

import pathlib
import shutil
import subprocess

from suite import Skip, equal, expect


def apt_sources():
    """The files that tell apt, and so mmdebstrap, where this machine's packages come from."""
    apt = pathlib.Path("/etc/apt")
    return [str(path) for path in (*apt.glob("sources.list.d/*.sources"),
                                   *apt.glob("sources.list.d/*.list"), apt / "sources.list")
            if path.is_file() and path.stat().st_size]


def build_root(m):
    """A small Debian with sudo, made once for all tests; returns it as a tar file."""
    tar = m.directory / "lab.tar"
    if tar.exists():
        return tar
    if not shutil.which("mmdebstrap"):
        raise Skip("mmdebstrap is not installed")
    made = subprocess.run(["mmdebstrap", "--quiet", "--variant=minbase", "--include=sudo,procps",
                           "--aptopt=Acquire::Languages \"none\"",
                           "--dpkgopt=path-exclude=/usr/share/doc/*",
                           "--dpkgopt=path-exclude=/usr/share/locale/*",
                           "bookworm", str(tar), *apt_sources()],
                          capture_output=True, text=True, check=False)
    expect(made.returncode == 0, f"mmdebstrap failed: {made.stderr[-500:]}")
    return tar


def have_image(m):
    if "lab " not in m.run("carrel", "image", "list").out:
        result = m.run("carrel", "image", "import", "lab", build_root(m))
        equal(result.status, 0, f"import of the image ({result.err})")
