"""What the tests of data share: a container with something in it, of each kind of storage."""

import subprocess

from host import STATE
from suite import equal

# Home, the layer's own folders; hard links, holes, owners, attributes: what a copy can get wrong.
FILL = """set -e
cd ~
echo one > first
ln first second
truncate -s 64M hole
printf x >> hole
mkdir -p work/deep/er
echo deep > work/deep/er/file
ln -s /etc/shadow link
mkfifo pipe
echo tmp > /var/tmp/mine
chmod 600 first
touch -- "-rf" "new
line" "sp ace"
python3 -c 'import os; os.setxattr("first", "user.note", b"kept\\\\0\\\\1")'
"""
KINDS = {
    "plain": "",
    "image": 'limits { disk = "64M" }',
}


def policy(host, kind):
    host.policy(f"""policy "{kind}" {{
  groups = {{"students"}}
  action = contain
  {KINDS[kind]}
  time {{ idle = "30m" stop = "2s" }}
}}
""")


def layer(user):
    return STATE / "containers" / user / "layer"


def snapshots(user):
    return STATE / "snapshots" / user


def shell(host, user, script, **more):
    """In the running container, as its user."""
    return host.works("exec", user, "--", "bash", "-c", script, **more).out


def filled(host, kind="plain", user="alice"):
    """A stopped container with data; it goes with the test."""
    policy(host, kind)
    host.cleanup.callback(forget, host, user)
    log_in(host, user)
    shell(host, user, FILL)
    host.works("stop", user)


def log_in(host, user="alice"):
    host.log_in(user)


def forget(host, user):
    host.end_all()
    subprocess.run(["carrel", "remove", "--yes", user], capture_output=True)


def inside(host, user, script):
    """The output of a script in a container that does not run now, nor after."""
    log_in(host, user)
    out = shell(host, user, script)
    host.works("stop", user)
    return out


def facts(host, user="alice"):
    """Everything below home and /var/tmp, as seen inside."""
    return inside(host, user, r"""cd ~
find . /var/tmp -name work.* -prune -o -printf '%y %m %u %n %p %l\n' | sort
cat first work/deep/er/file /var/tmp/mine; md5sum hole
python3 -c 'import os; print(os.getxattr("first", "user.note"), os.stat("hole").st_blocks < 9999)'
""")


def state_is_clean(user="alice"):
    """Nothing that was begun is left: no mark, no part with a dot in front."""
    left = [str(path) for top in (STATE / "containers", STATE / "snapshots") if top.exists()
            for path in list(top.glob(".*")) + list((top / user).glob(".*"))]
    left += [str(path) for path in (STATE / "containers" / user).glob("*")
             if path.name in ("pending", "staged")]
    left += [str(path) for path in layer(user).glob(".*")]
    equal(left, [], "what is left over")
