"""What a user is told of their own quota: at login, and when they ask."""

from suite import contains, equal, lacks, matches, test

QUOTA = 'limits { disk = "64M" inodes = 1000 memory = "300M" sessions = 9 } welcome = "Hello there."'


@test
def a_full_disk_is_told_at_login(m):
    """From 80 % on the greeting at a terminal says what is left, of space and of files."""
    with m.policy("full", QUOTA):
        greeting = m.ssh_terminal("bob").shell().greeting
        contains(greeting, "Hello there.", "the greeting")
        lacks(greeting, "Your disk", "the greeting of an empty disk")
        equal(m.ssh("bob", "head -c 53M /dev/zero >big").status, 0, "writing")
        matches(m.ssh_terminal("bob").shell().greeting,
                r"Hello there\.\r?\nYour disk is 9[0-9] % full: [0-9]+ MB of 5[0-9] MB left\.",
                "the greeting")
        said = m.ssh("bob", "seq 900 | xargs touch").said
        lacks(said, "Your disk", "a command's output")
        matches(m.ssh_terminal("bob").shell().greeting,
                r"Your disk has 9[0-9] % of the files it can hold: [0-9]+ of 100[0-9] left\.",
                "the greeting")
        m.ssh("bob", "rm -f big [0-9]*")
        lacks(m.ssh_terminal("bob").shell().greeting, "Your disk", "the greeting after clearing up")


@test
def a_user_asks_for_their_quota(m):
    """carrel quota and carrel status are in the PATH of a login and need nothing."""
    with m.policy("ask", QUOTA):
        quota = m.ssh("bob", "carrel quota")
        equal((quota.status, quota.err), (0, ""), "carrel quota")
        matches(quota.out, r"^bob-ask \(policy ask\)$", "the title")
        matches(quota.out, r"^  memory .* of 300M$", "the text")
        matches(quota.out, r"^  disk .* of 5[0-9]M$", "the text")
        status = m.ssh("bob", "carrel status")
        matches(status.out, r"^sessions    1 of 9$", "the sessions")
        matches(status.out, r"^bob +sshd +", "the own session")
