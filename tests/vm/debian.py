"""A bootable Debian 12, made from the packages of this machine's apt and kept in a cache."""

import contextlib
import fcntl
import hashlib
import lzma
import os
import pathlib
import shutil
import subprocess
import tempfile

from image import apt_sources  # that of tests/login

HERE = pathlib.Path(__file__).resolve().parent

# What a machine has on which people log in, and the programs that the tests run inside.
PACKAGES = (
    "systemd-sysv", "dbus", "libpam-systemd", "libnss-systemd", "udev", "kmod",
    "openssh-server", "openssh-client", "cron", "auditd", "apparmor", "login", "passwd", "sudo",
    "e2fsprogs", "xfsprogs", "quota", "iproute2", "procps", "util-linux", "mount", "busybox-static",
    "python3", "python3-pexpect", "tmux", "rsync", "xauth", "make", "strace",
)
# Of the kernel's modules only these: udev tries each one that it finds.
MODULES = (
    "arch/x86/crypto", "crypto", "lib", "fs", "net",
    "drivers/block/loop.ko", "drivers/block/virtio_blk.ko", "drivers/char/hw_random",
    "drivers/net/dummy.ko", "drivers/net/net_failover.ko", "drivers/net/tun.ko",
    "drivers/net/veth.ko", "drivers/net/virtio_net.ko", "drivers/virtio",
)
INITRD_MODULES = ("virtio_pci", "virtio_blk", "virtio_net", "virtio_rng", "crc32c_generic", "ext4")
# Each takes a second or more of an emulated processor, and none has a part in a login.
MASKED = (
    "apt-daily.timer", "apt-daily-upgrade.timer", "dpkg-db-backup.timer", "e2scrub_all.timer",
    "e2scrub_reap.service", "fstrim.timer", "getty@tty1.service",
)
PASSWORD = "correct horse battery"
# Everyone on the machine: user id, further group. tests/login, which runs here too, has others.
USERS = {
    "ada": (3001, "pupils"),
    "ben": (3002, "pupils"),
    "clio": (3003, "staff"),
    "dora": (3004, "pupils"),
    "emil": (3005, "pupils"),
    "gil": (3006, "pupils"),
}
FSTAB = """\
/dev/vda / ext4 defaults,errors=remount-ro 0 1
LABEL=quota-ext4 /srv/ext4 ext4 defaults,prjquota,nofail 0 2
LABEL=quota-xfs /srv/xfs xfs defaults,prjquota,nofail 0 0
"""
# Weak on purpose, in what takes an emulated processor long and is not what the tests are about.
SSHD = """\
KexAlgorithms curve25519-sha256
Ciphers aes128-gcm@openssh.com
MaxSessions 100
"""


class Unavailable(Exception):
    """This machine cannot make or boot one; the text says why."""


class Debian:
    """The files of one: kernel, initrd, root (a raw ext4 file system), and a key for all."""

    def __init__(self, folder):
        self.kernel, self.initrd = folder / "vmlinux", folder / "initrd"
        self.root, self.key = folder / "root.ext4", folder / "key"


def recipe():
    """Changes when what is made from it would."""
    text = pathlib.Path(__file__).read_bytes() + (HERE / "initrd-init").read_bytes()
    return hashlib.sha256(text).hexdigest()[:16]


def prepare(cache, say):
    """The Debian of this recipe, made if the cache folder has none; those of others are removed."""
    cache.mkdir(mode=0o700, parents=True, exist_ok=True)
    with open(cache / "lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        folder = cache / f"debian-{recipe()}"
        if not folder.exists():
            for old in cache.glob("debian-*"):
                shutil.rmtree(old)
            say(f"making a Debian to boot, kept in {cache}")
            with tempfile.TemporaryDirectory(prefix="debian-", dir=cache) as scratch:
                build(pathlib.Path(scratch))
                os.rename(scratch, folder)
                os.mkdir(scratch)  # for the context to remove
    return Debian(folder)


def build(work):
    """All files of a Debian, in the empty folder `work`."""
    made = Debian(work)
    tree = work / "tree"
    release = fetch_kernel(work)
    kernel = work / "kernel"
    made.kernel.write_bytes(uncompressed(kernel / f"boot/vmlinuz-{release}"))
    install_packages(tree)
    install_modules(kernel, tree, release)
    run("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", made.key)
    configure(tree, made.key.with_suffix(".pub").read_text())
    make_initrd(tree, release, made.initrd)
    with open(made.root, "wb") as file:
        file.truncate(2 << 30)
    run("mke2fs", "-q", "-F", "-t", "ext4", "-L", "root", "-E", "lazy_itable_init=0,root_owner=0:0",
        "-d", tree, made.root)
    shutil.rmtree(tree)
    shutil.rmtree(kernel)


def run(*command, **options):
    command = [str(word) for word in command]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=900, check=False,
                              env={"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL": "C.UTF-8"},
                              **options)
    except (OSError, subprocess.TimeoutExpired) as trouble:
        raise Unavailable(f"{command[0]}: {trouble}") from None
    if done.returncode != 0:
        said = (done.stderr or done.stdout).strip()[-600:]
        raise Unavailable(f"{command[0]} failed with {done.returncode}: {said}")
    return done.stdout


# ---- kernel ---------------------------------------------------------------------------------

def fetch_kernel(work):
    """Unpack Debian's kernel below `work`/kernel, without installing it; returns its release."""
    listing = run("apt-cache", "depends", "--important", "linux-image-amd64")
    packages = [line.split()[-1] for line in listing.splitlines() if "Depends: linux-image" in line]
    if not packages:
        raise Unavailable("apt knows no linux-image-amd64")
    run("apt-get", "-qq", "-o", "APT::Sandbox::User=root", "download", packages[0], cwd=work)
    package, = work.glob("linux-image-*.deb")
    run("dpkg-deb", "--extract", package, work / "kernel")
    package.unlink()
    return packages[0].removeprefix("linux-image-")


def uncompressed(kernel):
    """The ELF file in a compressed kernel: an emulated processor takes seconds to unpack it."""
    data = kernel.read_bytes()
    start = data.find(b"\xfd7zXZ\x00")
    while start >= 0:
        with contextlib.suppress(lzma.LZMAError):
            inner = lzma.LZMADecompressor().decompress(data[start:])
            if inner.startswith(b"\x7fELF"):
                return inner
        start = data.find(b"\xfd7zXZ\x00", start + 1)
    raise Unavailable(f"{kernel.name} has no kernel compressed by xz")


def install_modules(kernel, tree, release):
    source, target = kernel / "lib/modules" / release, tree / "lib/modules" / release
    for name in MODULES:
        place = source / "kernel" / name
        if place.is_dir():
            shutil.copytree(place, target / "kernel" / name)
        else:
            (target / "kernel" / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(place, target / "kernel" / name)
    for file in source.glob("modules.[ob]*"):
        shutil.copy2(file, target)
    run("chroot", tree, "depmod", release)


def make_initrd(tree, release, target):
    """busybox and the modules that the root disk and the network card need."""
    with tempfile.TemporaryDirectory(prefix="initrd-", dir=target.parent) as name:
        place = pathlib.Path(name)
        for folder in ("bin", "dev", "proc", "sys", "root", "modules"):
            (place / folder).mkdir()
        shutil.copy2("/bin/busybox", place / "bin")
        shutil.copyfile(HERE / "initrd-init", place / "init")
        (place / "init").chmod(0o755)
        order = []
        for module in INITRD_MODULES:
            needed = run("chroot", tree, "modprobe", "--set-version", release,
                         "--show-depends", module)
            for line in needed.splitlines():
                kind, file = line.split()[:2]
                if kind == "insmod" and os.path.basename(file) not in order:
                    order.append(os.path.basename(file))
                    shutil.copy2(tree / file.lstrip("/"), place / "modules")
        (place / "modules/order").write_text("".join(f"{name}\n" for name in order))
        names = "".join(f"{path.relative_to(place)}\n" for path in sorted(place.rglob("*")))
        run("cpio", "--create", "--quiet", "--format=newc", f"--file={target}", input=names,
            cwd=place)


# ---- root file system -----------------------------------------------------------------------

def install_packages(tree):
    run("mmdebstrap", "--quiet", "--mode=root", "--variant=minbase", "--format=directory",
        f"--include={','.join(PACKAGES)}", '--aptopt=Acquire::Languages "none"',
        '--aptopt=APT::Install-Recommends "false"', "--dpkgopt=force-unsafe-io",
        "--dpkgopt=path-exclude=/usr/share/doc/*", "--dpkgopt=path-exclude=/usr/share/man/*",
        "--dpkgopt=path-exclude=/usr/share/locale/*", "bookworm", tree, *apt_sources())


def configure(tree, public_key):
    (tree / "etc/hostname").write_text("lab\n")
    (tree / "etc/hosts").write_text("127.0.0.1 localhost\n127.0.1.1 lab\n")
    (tree / "etc/fstab").write_text(FSTAB)
    for folder in ("srv/ext4", "srv/xfs"):
        (tree / folder).mkdir()
    (tree / "etc/ssh/sshd_config.d/quick.conf").write_text(SSHD)
    for unit in MASKED:
        (tree / "etc/systemd/system" / unit).symlink_to("/dev/null")
    (tree / "etc/systemd/system/getty.target.wants/getty@tty1.service").unlink(missing_ok=True)
    run("chroot", tree, "systemd-machine-id-setup")
    run("chroot", tree, "groupadd", "--gid", "3000", "pupils")
    authorize(tree / "root", 0, public_key)
    for user, (uid, group) in USERS.items():
        run("chroot", tree, "useradd", "--uid", uid, "--create-home", "--shell", "/bin/bash",
            "--groups", group, user)
        authorize(tree / "home" / user, uid, public_key)
    passwords = "".join(f"{user}:{PASSWORD}\n" for user in ("root", *USERS))
    run("chroot", tree, "chpasswd", "-c", "SHA512", "-s", "1000", input=passwords)


def authorize(home, uid, public_key):
    """Let the tests' key in."""
    folder = home / ".ssh"
    folder.mkdir(mode=0o700, exist_ok=True)
    keys = folder / "authorized_keys"
    keys.write_text(public_key)
    keys.chmod(0o600)
    for path in (folder, keys):
        os.chown(path, uid, uid)
