"""What only a kernel of the machine's own has: audit, AppArmor, all controllers of cgroup v2."""

from suite import contains, equal, lacks, matches, test


@test
def audit_and_apparmor_are_on(m):
    """The machine runs with audit and AppArmor, and Carrel has the controllers of cgroup v2."""
    equal(m.host("systemctl is-active auditd apparmor").split(), ["active"] * 2, "the units")
    equal(m.host("aa-enabled"), "Yes", "AppArmor")
    contains(m.host("auditctl -s"), "enabled 1", "audit")
    m.look("ada", "true")
    equal(m.host("cat /sys/fs/cgroup/system.slice/carrel.service/cgroup.subtree_control"),
          "cpu io memory pids", "the controllers of containers")


@test
def audit_records(m):
    """The audit log knows of a contained login: whose it is, and that it was let in."""
    m.forget_master("ada")
    m.host("auditctl --reset-lost; auditctl -m before")
    equal(m.ssh("ada", "cat /proc/self/loginuid").out.strip(), "3001", "the login uid")
    log = m.host("sed -n '/before/,$p' /var/log/audit/audit.log")
    for pattern in (r"type=LOGIN .* auid=3001 .*res=1",
                    r'type=USER_ACCT .*acct="ada".*res=success',
                    r'type=CRED_ACQ .*acct="ada".*res=success'):
        matches(log, pattern, "the audit log")
    lacks(log, 'acct="ada" exe="/usr/sbin/sshd" hostname=10.0.2.2 addr=10.0.2.2 terminal=ssh '
          "res=failed", "the audit log")
