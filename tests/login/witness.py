"""What sanitizers say, of Carrel's programs and of the login services that load its module.

Only where Carrel was built with --enable-sanitizers and so brings witness.so (tests/sanitizers) with it.
Programs get that library by an entry in their file and not by an environment, which most of them
are started without.
"""

import os
import pathlib
import re
import shutil
import struct
import subprocess

PLACE = pathlib.Path("/run/carrel-witness")  # named by witness.c, too
SIZE = 1 << 20
LIBEXEC = pathlib.Path("/usr/libexec/carrel")
LIBRARY = LIBEXEC / "witness.so"
OWN = ("carrel-helper", "carrel-helper-full", "carrel-init", "carrel-watch")
SERVICES = ("sshd", "login", "su", "runuser", "cron", "pamtester")

heard = 0  # bytes of what was said that somebody was told


def set_up(directory):
    """On the private host: from now on everything is heard. `directory` is for changed programs."""
    if not LIBRARY.exists():
        return
    with PLACE.open("wb") as file:
        file.truncate(SIZE)
    PLACE.chmod(0o666)  # some of the programs are started by users
    directory = pathlib.Path(directory, "with-sanitizers")
    directory.mkdir()
    run_times = [name for name in needed(LIBEXEC / "carrel-helper") if re.match("lib.*san", name)]
    for program in (*[LIBEXEC / name for name in OWN], *LIBEXEC.glob("planted/carrel-*"),
                    pathlib.Path(shutil.which("carrel"))):
        os.replace(loaded_with([], program, program.parent), program)
    # AddressSanitizer calls crypt(3) by the address that it found when it was loaded itself, and
    # PAM would load the library of it later.
    for service in filter(shutil.which, SERVICES):
        program = pathlib.Path(shutil.which(service)).resolve()
        copy = loaded_with([*run_times, "libcrypt.so.1"], program, directory)
        subprocess.run(["mount", "--bind", copy, program], check=True)


def needed(program):
    return subprocess.run(["patchelf", "--print-needed", program], check=True,
                          capture_output=True, text=True).stdout.split()


def loaded_with(run_times, program, directory):
    """A copy of the program that needs the run times and the witness before all else."""
    copy = directory / f"{program.parent.name}-{program.name}"
    owner = program.stat()
    shutil.copyfile(program, copy)
    wanted = [word for name in (str(LIBRARY), *run_times) for word in ("--add-needed", name)]
    subprocess.run(["patchelf", *wanted, copy], check=True)
    os.chown(copy, owner.st_uid, owner.st_gid)
    copy.chmod(owner.st_mode & 0o7777)
    return copy


def accusations():
    """What was said since this was asked last."""
    global heard
    if not PLACE.exists():
        return ""
    said = PLACE.read_bytes()
    length = struct.unpack_from("=I", said)[0]
    text = said[4 + heard:4 + min(length, SIZE - 4)].decode(errors="replace")
    if length > SIZE - 4:
        text += "\n(and more than there is room for)"
    heard = length
    return re.sub(r"\((/\S+carrel\S*)\+(0x[0-9a-f]+)\)", with_its_name, text)


def with_its_name(frame):
    """A login service that has joined has no /proc/self, by which it would find its own symbols."""
    found = subprocess.run(["addr2line", "-f", "-e", frame[1], frame[2]], capture_output=True,
                           text=True).stdout.split("\n")
    return f"in {found[0]} {found[1]}" if len(found) > 1 else frame[0]
