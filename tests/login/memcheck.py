"""What valgrind's memcheck says of the helper, carrel-init and carrel-watch while people log in.

Only where Carrel was built with --enable-memcheck and so brings bridge.so (tests/memcheck) with it. In the
place of each of the programs is a script then, that has memcheck run the real one.
"""

import pathlib
import shutil

LIBEXEC = pathlib.Path("/usr/libexec/carrel")
LIBRARY = LIBEXEC / "bridge.so"
SUPPRESSIONS = LIBEXEC / "suppressions"  # a copy: also when it is looked for from elsewhere
LOGS = pathlib.Path("/run/carrel-memcheck")
PROGRAMS = ("carrel-helper", "carrel-helper-full", "carrel-init", "carrel-watch")
# Quiet: a log stays empty but for errors. Who runs the script has an empty environment. The log is open
# before the program loses the host's files; a name would be looked up again after each fork.
SCRIPT = """#!/bin/sh
exec 9>>{logs}/{name}.$$
LD_PRELOAD={library} exec /usr/bin/valgrind --quiet --leak-check=full --show-leak-kinds=definite \\
	--num-callers=30 --sim-hints=lax-ioctls --vgdb=no --suppressions={suppressions} --log-fd=9 \\
	{program} "$@"
"""

read = {}  # what of each log somebody was told


def set_up():
    """On the private host: from now on the programs are watched."""
    if not LIBRARY.exists():
        return
    LOGS.mkdir(mode=0o700)
    shutil.copy(pathlib.Path(__file__).parent.parent / "memcheck" / "suppressions", SUPPRESSIONS)
    (LIBEXEC / "watched").mkdir()
    for name in PROGRAMS:
        (LIBEXEC / name).rename(LIBEXEC / "watched" / name)
        watch(name, LIBEXEC / "watched" / name)


def watch(name, program):
    """Started as `name`, memcheck runs the program."""
    script = LIBEXEC / f"{name}.new"
    script.write_text(SCRIPT.format(library=LIBRARY, logs=LOGS, suppressions=SUPPRESSIONS, name=name, program=program))
    script.chmod(0o755)
    script.rename(LIBEXEC / name)


def accusations():
    """What was said since this was asked last."""
    text = ""
    for log in sorted(LOGS.glob("*")):
        said = log.read_text(errors="replace")[read.get(log, 0):]
        read[log] = read.get(log, 0) + len(said)
        if said:
            text += f"[{log.name}]\n{said}"
    return text
