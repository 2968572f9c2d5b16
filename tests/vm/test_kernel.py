"""What only a kernel of the machine's own has: audit, AppArmor, all controllers of cgroup v2."""

import re

from suite import contains, equal, eventually, lacks, matches, test


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
    """The audit log knows of a contained login: whose it is, from where, its begin and its end."""
    m.forget_master("ada")
    m.host("auditctl --reset-lost; auditctl -m before")
    equal(m.ssh("ada", "cat /proc/self/loginuid").out.strip(), "3001", "the login uid")

    def log():
        return m.host("sed -n '/before/,$p' /var/log/audit/audit.log")
    eventually(lambda: "type=USER_LOGOUT " in log(), "the record of the logout")
    for pattern in (r'type=USER_ACCT .*acct="ada".*res=success',
                    r'type=CRED_ACQ .*acct="ada".*res=success'):
        matches(log(), pattern, "the audit log")
    session = matches(log(), r"type=LOGIN .* auid=3001 .* ses=(\d+) res=1", "the audit log").group(1)
    for kind in ("USER_START", "USER_LOGIN", "USER_END", "USER_LOGOUT"):
        lines = [line for line in log().splitlines() if line.startswith(f"type={kind} ")
                 and 'acct="ada"' in line and "terminal=ssh" in line]
        equal(len(lines), 1, f"the number of records {kind}")
        matches(lines[0], rf" uid=0 auid=3001 ses={session} .*"
                "hostname=10.0.2.2 addr=10.0.2.2 terminal=ssh res=success", kind)
    lacks(log(), 'acct="ada" exe="/usr/sbin/sshd" hostname=10.0.2.2 addr=10.0.2.2 terminal=ssh '
          "res=failed", "the audit log")


@test
def audit_records_of_the_console(m):
    """The audit log has begin and end of a contained login at the console, with its terminal."""
    m.host("auditctl -m console-begins")
    person = m.console_login("ada").shell()
    person.type("exit")
    person.wait_for("lab login: ")

    def log():
        return m.host("sed -n '/console-begins/,$p' /var/log/audit/audit.log")
    for kind in ("USER_START", "USER_LOGIN", "USER_END", "USER_LOGOUT"):
        eventually(lambda: re.search(rf'^type={kind} .* auid=3001 .*acct="ada".*'
                                     r"terminal=\S*ttyS0 res=success", log(), re.MULTILINE),
                   f"the record {kind}")
