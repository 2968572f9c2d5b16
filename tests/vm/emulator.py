"""qemu: a machine that runs a Debian, with its power switch and its serial line."""

import os
import pathlib
import signal
import socket
import subprocess
import time

from debian import Unavailable

QEMU = "qemu-system-x86_64"
# What an emulated processor should look like: as few traps and checks as Debian's kernel accepts.
EMULATED = ["-accel", "tcg,thread=multi,tb-size=512", "-cpu",
            "Haswell-noTSX,smap=off,smep=off,pcid=off,x2apic=off,tsc-deadline=off,invpcid=off"]
REAL = ["-accel", "kvm", "-cpu", "host"]
# All but the first three are about speed alone.
KERNEL_LINE = ("console=ttyS0 root=/dev/vda rw net.ifnames=0 quiet systemd.show_status=0 "
               "mitigations=off nokaslr tsc=reliable no_timer_check cryptomgr.notests "
               "random.trust_cpu=1 raid=noautodetect 8250.nr_uarts=1")
BARE = ["-M", "q35,usb=off,vmport=off", "-nodefaults", "-no-user-config", "-display", "none",
        "-no-reboot", "-rtc", "base=utc"]


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def dies_with_us(command):
    """The kernel ends the program should this process be killed."""
    return ["setpriv", "--pdeathsig", "KILL", *map(str, command)]


def accelerator(debian, folder):
    """How to run a processor here: a /dev/kvm that is there may still not work, so it is tried."""
    if not os.access("/dev/kvm", os.R_OK | os.W_OK):
        return EMULATED
    said = pathlib.Path(folder, "probe.log")
    with open(said, "wb") as log:
        machine = subprocess.Popen(
            dies_with_us([QEMU, *REAL, *BARE, "-m", "512", "-kernel", debian.kernel, "-initrd",
                          debian.initrd, "-append", f"{KERNEL_LINE} carrel.probe",
                          "-serial", "stdio"]),
            stdin=subprocess.DEVNULL, stdout=log, stderr=log)
    deadline = time.monotonic() + 20
    while machine.poll() is None and time.monotonic() < deadline:
        if b"KVM internal error" in said.read_bytes():
            break
        time.sleep(0.1)
    end(machine)
    return REAL if b"the machine works" in said.read_bytes() else EMULATED


def end(process):
    """Power off at once, as by the plug."""
    if process and process.poll() is None:
        process.send_signal(signal.SIGKILL)
    if process:
        process.wait()


class Emulator:
    """
    One machine: its disks are the files `disks`, the first of which is the root; its ssh is at
    `port` of 127.0.0.1. With `volatile` the root disk has a write cache that loses its content in a
    power cut: only what the machine has flushed is in the file.
    """

    def __init__(self, debian, folder, disks, port, processor, memory_mb, kernel_options):
        self.debian, self.disks, self.port, self.processor = debian, disks, port, processor
        self.memory_mb, self.kernel_options = memory_mb, kernel_options
        self.serial, self.log = folder / "serial", folder / "serial.log"
        self.trouble = folder / "qemu.log"
        self.disk_socket = folder / "disk"
        self.process = self.disk_process = None

    def start(self, volatile=False):
        for file in (self.serial, self.log, self.disk_socket):
            file.unlink(missing_ok=True)
        root = f"file={self.disks[0]},cache=unsafe,format=raw"
        if volatile:
            self.serve_root_disk()
            root = f"file=nbd+unix:///?socket={self.disk_socket},format=raw"
        drives = [root] + [f"file={disk},cache=unsafe,format=raw" for disk in self.disks[1:]]
        command = [QEMU, *self.processor, *BARE, "-smp", "2",
                   "-m", str(self.memory_mb),
                   "-kernel", self.debian.kernel, "-initrd", self.debian.initrd,
                   "-append", f"{KERNEL_LINE} {self.kernel_options}"]
        for number, drive in enumerate(drives):
            command += ["-drive", f"{drive},if=none,id=disk{number}",
                        "-device", f"virtio-blk-pci,drive=disk{number},serial=disk{number}"]
        command += ["-netdev", f"user,id=net,hostfwd=tcp:127.0.0.1:{self.port}-:22",
                    "-device", "virtio-net-pci,netdev=net,romfile=", "-device", "virtio-rng-pci",
                    "-chardev", f"socket,id=line,path={self.serial},server=on,wait=off,"
                                f"logfile={self.log}", "-serial", "chardev:line"]
        with open(self.trouble, "wb") as log:
            self.process = subprocess.Popen(dies_with_us(command), stdin=subprocess.DEVNULL,
                                            stdout=log, stderr=log)

    def serve_root_disk(self):
        """nbdkit's cache keeps what was not flushed in memory of its own."""
        with open(self.disk_socket.with_suffix(".log"), "wb") as log:
            self.disk_process = subprocess.Popen(
                dies_with_us(["nbdkit", "--foreground", "--exit-with-parent",
                              "--unix", self.disk_socket, "--filter=cache", "file", self.disks[0],
                              "cache=writeback"]),
                stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        deadline = time.monotonic() + 20
        while not self.disk_socket.exists():
            if self.disk_process.poll() is not None or time.monotonic() > deadline:
                raise Unavailable("nbdkit does not serve the disk")
            time.sleep(0.05)

    def runs(self):
        return self.process is not None and self.process.poll() is None

    def wait_for_power_off(self, patience):
        try:
            self.process.wait(patience)
        except subprocess.TimeoutExpired:
            return False
        finally:
            self.cut()
        return True

    def cut(self):
        """The power is gone: first the disk's, so that nothing more gets there."""
        end(self.disk_process)
        end(self.process)
        self.process = self.disk_process = None
