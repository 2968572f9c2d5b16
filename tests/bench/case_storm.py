"""A class that logs in within seconds, all `su USER -c id` at once, and again the day after.

bare: no Carrel in the stack, before and after the others, which are held to the mean; cold: every
container is built; warm: every container runs. Told are the time until the last one is in, how many
got in, and how late somebody else on the machine woke at worst.
"""

import crowd
import scene


def measure(options):
    crowd.add_users(options.users)
    scene.policy("storm", ["crowd"], kind="groups")
    rows = {}
    for case in ("bare", "cold", "warm", "bare after"):
        probe = crowd.Probe()
        storm = crowd.Storm(options.users, "runuser" if "bare" in case else "su", "id -un")
        late = probe.end()
        rows[case] = {"in": len(storm.got_in()), "of": options.users,
                      "seconds": round(storm.seconds, 2), "late_ms": round(late * 1000)}
    scene.run("carrel", "stop", "--all", "--timeout", "0")
    (scene.POLICIES / "storm.conf").unlink()
    return crowd.to_bare(rows)
