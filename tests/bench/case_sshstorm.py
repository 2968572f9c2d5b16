"""A class that logs in within seconds through a real sshd, each by a connection of their own.

bare: no Carrel in sshd's stack; cold: every container is built; warm: every container runs. Most of
it is cryptography, of sshd and of as many clients on the same processors.
"""

import pathlib

import case_sshd
import crowd
import scene

STACK = pathlib.Path("/etc/pam.d/sshd")


def measure(options):
    daemon = case_sshd.start()
    crowd.add_users(options.users)
    scene.policy("sshstorm", ["crowd"], kind="groups")
    rows = {}
    for case in ("bare", "cold", "warm"):
        STACK.write_text(scene.BARE_STACK + ("" if case == "bare" else scene.MODULE))
        storm = crowd.Storm(options.users, words=lambda user: case_sshd.ssh(user, command="id -un"))
        rows[case] = {"in": len(storm.got_in()), "of": options.users,
                      "seconds": round(storm.seconds, 2)}
    for row in rows.values():
        row["to_bare"] = round(row["seconds"] / rows["bare"]["seconds"], 2)
    daemon.terminate()
    daemon.wait()
    scene.run("carrel", "stop", "--all", "--timeout", "0")
    (scene.POLICIES / "sshstorm.conf").unlink()
    return rows
