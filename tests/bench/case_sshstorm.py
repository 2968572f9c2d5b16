"""A class that logs in within seconds through a real sshd, each by a connection of their own.

bare: no Carrel in sshd's stack; cold: every container is built; warm: every container runs. Most of
it is cryptography, of sshd and of as many clients on the same processors. Bare is measured before and
after, and the mean of both is what the others are held to: who comes first finds a machine at rest.
"""

import case_sshd
import crowd
import scene


def measure(options):
    sshd = case_sshd.Sshd("sshd", module=False)
    crowd.add_users(options.users)
    scene.policy("sshstorm", ["crowd"], kind="groups")
    rows = {}
    for case in ("bare", "cold", "warm", "bare after"):
        sshd.stack(module="bare" not in case)
        storm = crowd.Storm(options.users, words=lambda user: sshd.ssh(user, command="id -un"))
        rows[case] = {"in": len(storm.got_in()), "of": options.users,
                      "seconds": round(storm.seconds, 2)}
    sshd.end()
    scene.run("carrel", "stop", "--all", "--timeout", "0")
    (scene.POLICIES / "sshstorm.conf").unlink()
    return crowd.to_bare(rows)
