"""Which containers a command means: names, user names, --group, --policy, --all."""

from suite import contains, equal, test

TEAM = """policy "team" {
  groups = {"staff"}
  action = contain
  name = "%g"
  time { idle = "30m" stop = "2s" }
}
"""


def forget(host, *names):
    host.end_all()
    for name in names:
        host.carrel("remove", "--yes", name)


def stopped(host, *selection):
    """The containers that a stop of this selection stops."""
    return [line.split(":")[0] for line in host.works("stop", *selection).out.splitlines()
            if line.endswith("stopped")]


@test
def stop_a_group_a_policy_and_all(host):
    """Each stops its own and no others."""
    host.policy(TEAM)
    host.cleanup.callback(forget, host, "alice", "bob", "staff")
    for user in ("alice", "bob", "carol"):
        host.log_in(user)
    equal(stopped(host, "--group", "staff"), ["staff"], "of the group")
    equal(stopped(host, "--policy", "students"), ["alice", "bob"], "of the policy")
    for user in ("alice", "bob", "carol"):
        host.log_in(user)
    equal(stopped(host, "--group", "students"), ["alice", "bob"], "of the other group")
    equal(stopped(host, "--all"), ["staff"], "of all")
    contains(host.works("stop", "--all").out, "no container is running", "when none runs")
    contains(host.works("stop", "--group", "staff").out, "no container of group staff is running",
             "when none of the group runs")


@test
def a_user_name_means_their_container(host):
    """Members of a team are found by their own name; the team's container is stopped once."""
    host.policy(TEAM)
    host.cleanup.callback(forget, host, "staff")
    host.log_in("carol")
    equal(stopped(host, "carol", "staff"), ["staff"], "what is stopped")


@test
def a_primary_group_counts(host):
    """Whose primary group it is belongs to the group, though no list of members says so."""
    host.cleanup.callback(forget, host, "alice")
    host.log_in("alice")
    equal(stopped(host, "--group", "alice"), ["alice"], "what is stopped")


@test
def wrong_selections(host):
    """Two ways at once, none, or what does not exist: said, and nothing is done."""
    host.cleanup.callback(forget, host, "alice")
    host.log_in("alice")
    for words in ([], ["alice", "--all"], ["--group", "students", "--all"],
                  ["--policy", "students", "--group", "students"]):
        contains(host.fails("stop", *words, status=2).err, "only one of them", f"stop {words}")
    contains(host.fails("stop", "--group", "nosuch").err, "there is no group 'nosuch'", "group")
    contains(host.fails("stop", "--policy", "nosuch").err, "there is no policy 'nosuch'", "policy")
    contains(host.fails("stop", "alice", "zoe").err, "zoe: there is no container", "name")
    equal(host.running(), ["alice"], "what runs")


@test
def by_records_when_policies_are_broken(host):
    """A group is stopped by what is known of the containers when no policy can be read."""
    host.cleanup.callback(forget, host, "alice")
    host.log_in("alice")
    host.policy("policy {")
    equal(stopped(host, "--group", "students"), ["alice"], "what is stopped")


@test
def message_to_many(host):
    """Names with commas, a group, all: every terminal of theirs shows it."""
    host.cleanup.callback(forget, host, "alice", "bob")
    terminals = []
    for user in ("alice", "bob"):
        host.log_in(user)
        terminals.append(host.at_terminal("enter", user))
        terminals[-1].shell()
    for number, selection in enumerate((["alice,bob"], ["--group", "students"], ["--all"],
                                        ["--policy", "students"])):
        host.works("message", *selection, f"notice {number}", "for you")
        for terminal in terminals:
            terminal.wait_for(f"notice {number} for you")
    for terminal in terminals:
        terminal.leave()
    contains(host.fails("message", "alice,zoe", "hello").err, "zoe: there is no", "an unknown name")
    contains(host.fails("message", "--all", status=2).err, "argument is missing", "no text")
