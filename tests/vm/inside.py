"""Programs in a container of ben's: as the user, or as the root of one that may become so."""

from suite import equal

# An image of a few megabytes: bash to log in with, and busybox.
MAKE_SMALL_IMAGE = """
set -e
cd "$(mktemp -d)"
mkdir -p bin etc home root usr/bin var/tmp proc sys dev run tmp
for file in /bin/bash $(ldd /bin/bash | grep -o '/[^ ]*'); do cp --parents -L "$file" .; done
cp /bin/busybox bin
bin/busybox --install bin 2>/dev/null || true  # all but those that are there
echo root:x:0:0:root:/root:/bin/sh >etc/passwd
echo root:x:0: >etc/group
carrel image import small "$PWD" >/dev/null
rm -r "$PWD"
"""
SMALL_IMAGE = 'image = "small"\nroot = yes\n'


def quote(text):
    return "'" + text.replace("'", "'\\''") + "'"


def have_small_image(m):
    if "small " not in m.host("carrel image list"):
        m.host("bash -s", MAKE_SMALL_IMAGE)


class Person:
    def __init__(self, m, container, root=False):
        self.m, self.container, self.root = m, container, root
        if root:
            m.look("ben", "true")  # starts it
            m.cleanup.callback(m.forget_master, "ben")
            equal(self.run("id -u").out.strip(), "0", "root's id inside")

    def run(self, program):
        """In a shell of its own, in the home: a folder that counts as the container's data."""
        if not self.root:
            return self.m.ssh("ben", f"exec sh -c {quote(program)}", timeout=120)
        return self.m.run(*self.m.ssh_command(
            "root", f"carrel exec --user root {self.container} -- "
                    f"/bin/sh -c {quote('cd /home/ben; ' + program)}"), timeout=120)
