"""Root file systems and images for the tests."""

import os
import pathlib
import socket
import subprocess

from host import STATE

IMAGES = STATE / "images"


def make_root(host, name):
    """A small root file system with everything that a copy can get wrong."""
    root = host.directory / name
    subprocess.run(["rm", "-rf", root], check=True)
    for directory in ("etc", "usr/bin", "var/tmp", "home/user", "dev", "empty"):
        (root / directory).mkdir(parents=True)
    root.chmod(0o755)
    (root / "etc/passwd").write_text("root:x:0:0::/root:/bin/sh\n")
    (root / "usr/bin/su").write_text("set-user-ID\n")
    (root / "usr/bin/su").chmod(0o4755)
    (root / "usr/bin/ping").write_text("capable\n")
    # cap_net_raw=ep, version 2 (linux/capability.h)
    os.setxattr(root / "usr/bin/ping", "security.capability",
                bytes.fromhex("0100000200200000000000000000000000000000"))
    os.setxattr(root / "etc/passwd", "user.note", b"kept")
    os.setxattr(root / "empty", "user.overlay.opaque", b"y")
    (root / "home/user/file").write_text("mine\n")
    os.chown(root / "home/user/file", 1234, 5678)
    os.chown(root / "home/user", 1234, 5678)
    (root / "var/tmp").chmod(0o1777)
    (root / "etc/link").symlink_to("/etc/shadow")
    os.lchown(root / "etc/link", 1, 2)
    os.link(root / "usr/bin/su", root / "usr/bin/sudo")
    os.mkfifo(root / "dev/pipe", 0o622)
    os.chmod(root / "dev/pipe", 0o622)
    os.mknod(root / "dev/null", 0o20666, os.makedev(1, 3))
    with socket.socket(socket.AF_UNIX) as server:
        before = os.getcwd()
        os.chdir(root / "dev")  # the path would be too long for an address
        server.bind("log")
        os.chdir(before)
    with open(root / "home/user/sparse", "wb") as sparse:
        sparse.truncate(100 << 20)
        sparse.seek(50 << 20)
        sparse.write(b"in the middle")
    for path in (root / "etc/passwd", root / "home/user", root / "usr"):
        os.utime(path, ns=(10**18 + 5, 10**18 + 7))
    return root


def describe(root):
    """What must be the same in a copy: everything but devices, sockets and overlayfs's marks."""
    described = {}
    for path in [root, *root.rglob("*")]:
        status = path.lstat()
        kind = status.st_mode & 0o170000
        if kind in (0o020000, 0o060000, 0o140000):
            continue
        attributes = {name: os.getxattr(path, name, follow_symlinks=False)
                      for name in os.listxattr(path, follow_symlinks=False)
                      if not name.startswith("user.overlay.")}
        entry = [oct(status.st_mode), status.st_uid, status.st_gid, attributes]
        if kind == 0o100000:
            entry += [status.st_size, status.st_nlink, path.read_bytes()[:4096], status.st_mtime_ns]
        if kind == 0o120000:
            entry += [os.readlink(path)]
        described[str(path.relative_to(root))] = entry
    described["usr"].append((root / "usr").stat().st_mtime_ns)
    described["home/user"].append((root / "home/user").stat().st_mtime_ns)
    return described


def remove_all(host):
    for name in {entry["name"] for entry in host.json("image", "list", "--json")}:
        host.works("image", "remove", "--yes", name)


def make_whole_root(host, name="whole", mark="in the image"):
    """A root file system with a few programs of this machine, to log in to."""
    root = host.directory / name
    for directory in ("etc", "usr/bin", "usr/lib", "proc", "sys", "dev", "run", "tmp", "var/tmp",
                      "home", "root"):
        (root / directory).mkdir(parents=True, exist_ok=True)
    for link in ("bin", "lib", "lib64", "sbin"):
        if pathlib.Path("/", link).is_symlink() and not (root / link).is_symlink():
            (root / link).symlink_to(os.readlink(f"/{link}"))
            (root / link).resolve().mkdir(parents=True, exist_ok=True)
    programs = ["bash", "sh", "sleep", "cat", "echo", "id", "true", "touch", "rm", "ls", "grep"]
    libraries = set()
    for program in programs:
        subprocess.run(["cp", "-a", f"/usr/bin/{program}", root / "usr/bin"], check=True)
        listing = subprocess.run(["ldd", f"/usr/bin/{program}"], capture_output=True, text=True)
        libraries |= {word for word in listing.stdout.split() if word.startswith("/")}
    if (pathlib.Path("/usr/bin/sh").is_symlink()
            and os.readlink("/usr/bin/sh") not in programs):
        subprocess.run(["cp", "-aL", "/usr/bin/sh", root / "usr/bin" / os.readlink("/usr/bin/sh")],
                       check=True)
    for library in libraries:
        target = root / library.lstrip("/")
        target.parent.mkdir(parents=True, exist_ok=True)
        subprocess.run(["cp", "-aL", library, target], check=True)
    (root / "etc/passwd").write_text("root:x:0:0::/root:/bin/sh\n")
    (root / "etc/group").write_text("root:x:0:\n")
    (root / "etc/mark").write_text(mark + "\n")
    return root
