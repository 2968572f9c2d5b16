"""A whole machine with a kernel of its own, emulated."""

import socket
import subprocess

from emulator import Emulator
from lab import Lab


class Guest(Lab):
    LIMITS = 'memory = "256M" swap = "0" pids = 128 tmp = "64M" sessions = 20'
    CONSOLE = "/dev/ttyS0"
    AUDITD = True

    def __init__(self, debian, directory, port, processor, memory_mb=1536, kernel_options=""):
        super().__init__(debian, directory, port)
        self.disks = [self.root_disk, self.quota_disk("ext4"), self.quota_disk("xfs")]
        self.emulator = Emulator(debian, self.directory, self.disks, port, processor,
                                 memory_mb, kernel_options)

    def quota_disk(self, kind):
        """An empty file system with project quota, which the guest mounts at /srv/KIND."""
        disk = self.directory / f"{kind}.disk"
        with open(disk, "wb") as file:
            file.truncate(512 << 20)
        make = {"ext4": ["mkfs.ext4", "-q", "-O", "quota,project", "-E", "quotatype=prjquota"],
                "xfs": ["mkfs.xfs", "-q"]}[kind]
        subprocess.run([*make, "-L", f"quota-{kind}", disk], check=True,
                       env={"PATH": "/usr/sbin:/usr/bin:/sbin:/bin"})
        return disk

    def switch_on(self, volatile=False):
        self.emulator.start(volatile)

    def runs(self):
        return self.emulator.runs()

    def last_words(self):
        files = (self.emulator.trouble, self.emulator.log)
        return [line for file in files if file.exists()
                for line in file.read_text(errors="replace").splitlines()[-10:]]

    def went_off(self, patience):
        return self.emulator.wait_for_power_off(patience)

    def line(self):
        line = socket.socket(socket.AF_UNIX)
        line.connect(str(self.emulator.serial))
        return line

    def cut_power(self):
        self.emulator.cut()
        self.forget_masters()

    def stop(self):
        self.cut_power()
