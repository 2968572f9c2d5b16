"""carrel pam: the one line in the PAM stacks."""

import os
import pathlib

from host import CARREL_CONF, LINE, PAM, STATE
from suite import contains, equal, expect, lacks, matches, test

VENDOR = pathlib.Path("/usr/lib/pam.d")


def states(host):
    return {entry["service"]: entry for entry in host.json("pam", "status", "--json")}


@test
def enable_adds_one_last_line(host):
    """The file is the old one and our line; owner and mode stay; the old one is kept."""
    before = host.pam("sshd")
    os.chmod(PAM / "sshd", 0o640)
    os.chown(PAM / "sshd", 0, 42)
    result = host.works("pam", "enable", "sshd")
    equal(host.pam("sshd"), before + LINE, "/etc/pam.d/sshd")
    status = (PAM / "sshd").stat()
    equal((status.st_mode & 0o7777, status.st_uid, status.st_gid), (0o640, 0, 42), "mode and owner")
    equal((STATE / "pam-backup/sshd").read_text(), before, "the copy of the old file")
    contains(result.out, "carrel pam disable sshd", "how to undo it")
    equal(sorted(path.name for path in PAM.iterdir()), sorted(host.pam_before), "files in pam.d")
    equal(host.last_event()["reason"], "pam enable sshd", "the event")
    os.chmod(PAM / "sshd", 0o644)
    os.chown(PAM / "sshd", 0, 0)


@test
def enable_twice_changes_nothing(host):
    """Enabling again says so and leaves the file as it is."""
    host.works("pam", "enable", "sshd", "login")
    once = host.pam("sshd")
    inode = (PAM / "sshd").stat().st_ino
    result = host.works("pam", "enable", "sshd")
    contains(result.out, "already enabled", "the output")
    equal(host.pam("sshd"), once, "/etc/pam.d/sshd")
    equal((PAM / "sshd").stat().st_ino, inode, "the file")


@test
def disable_takes_back_what_enable_did(host):
    """Every service's file is byte for byte the old one afterwards."""
    services = [entry["service"] for entry in host.json("pam", "status", "--json")
                if entry["service"] in host.pam_before]
    expect("sshd" in services and "su-l" in services, "the services have sshd and su-l")
    lacks(services, "common-session", "the services")
    for service in services:
        host.works("pam", "enable", service)
        host.works("pam", "disable", service)
        equal(host.pam(service), host.pam_before[service], f"/etc/pam.d/{service}")
    result = host.works("pam", "disable", "sshd")
    contains(result.out, "not enabled", "the output")


@test
def disable_removes_nothing_else(host):
    """Only lines of our module go, however they are written; comments about it stay."""
    text = host.pam_before["sshd"]
    odd = (text + "# pam_carrel.so is great\n"
           "account required pam_carrel.so\n"
           "session \\\n   required \\\n  /lib/security/pam_carrel.so # ours\n"
           "session optional pam_carrel_other.so\n")
    (PAM / "sshd").write_text(odd)
    host.works("pam", "disable", "sshd")
    equal(host.pam("sshd"), text + "# pam_carrel.so is great\n"
          "session optional pam_carrel_other.so\n", "/etc/pam.d/sshd")


@test
def enable_moves_the_line_to_the_end(host):
    """A line that is not last, not required or there twice is put right."""
    text = host.pam_before["sshd"]
    for odd in (LINE + text, LINE + text + LINE, text + "session optional pam_carrel.so\n",
                text.replace("@include common-session\n", LINE + "@include common-session\n")):
        (PAM / "sshd").write_text(odd)
        host.works("pam", "enable", "sshd")
        equal(host.pam("sshd"), text + LINE, "/etc/pam.d/sshd")


@test
def a_file_without_a_last_newline(host):
    """Our line does not become a part of the last one."""
    (PAM / "sshd").write_text(host.pam_before["sshd"].rstrip("\n"))
    host.works("pam", "enable", "sshd")
    equal(host.pam("sshd"), host.pam_before["sshd"] + LINE, "/etc/pam.d/sshd")
    (PAM / "sshd").write_text(host.pam_before["sshd"] + "session optional pam_mail.so \\\n")
    contains(host.fails("pam", "enable", "sshd").err, "backslash", "stderr")


@test
def variants_share_the_line(host):
    """su-l includes su: one line serves both, whichever is enabled first."""
    host.works("pam", "enable", "su", "su-l")
    equal(host.pam("su-l"), host.pam_before["su-l"], "/etc/pam.d/su-l")
    equal(states(host)["su-l"]["state"], "enabled", "the state of su-l")
    contains(host.fails("pam", "disable", "su-l").err, "includes", "stderr")
    host.works("pam", "disable", "su")
    host.works("pam", "enable", "su-l", "su")
    equal(states(host)["su-l"]["state"], "enabled twice", "the state of su-l")
    host.works("pam", "enable", "su-l")
    equal(states(host)["su-l"]["state"], "enabled", "the state of su-l")
    equal(host.pam("su-l"), host.pam_before["su-l"], "/etc/pam.d/su-l")


@test
def refusals(host):
    """No such service, no service at all, a link, a path."""
    contains(host.fails("pam", "enable", "nowhere").err, "nowhere", "stderr")
    contains(host.fails("pam", "disable", "nowhere").err, "nowhere", "stderr")
    contains(host.fails("pam", "enable", "common-session").err, "no service", "stderr")
    host.fails("pam", "enable", "../passwd")
    (PAM / "linked").symlink_to("sshd")
    contains(host.fails("pam", "enable", "linked").err, "link", "stderr")
    contains(host.fails("pam", "enable", "sshd", "nowhere").err, "nowhere", "stderr")
    equal(host.pam("sshd"), host.pam_before["sshd"], "/etc/pam.d/sshd")


@test
def not_with_broken_policies(host):
    """While the policies are broken nothing is enabled, but disabling works."""
    host.works("pam", "enable", "sshd")
    host.policy("policy {")
    contains(host.fails("pam", "enable", "login").err, "40-test.conf", "stderr")
    equal(host.pam("login"), host.pam_before["login"], "/etc/pam.d/login")
    CARREL_CONF.write_text("nonsense\n")
    host.works("pam", "disable", "sshd")
    equal(host.pam("sshd"), host.pam_before["sshd"], "/etc/pam.d/sshd")


@test
def not_without_the_helper(host):
    """Without the helper every login would be refused: nothing is enabled."""
    for name in ("carrel-helper", "carrel-helper-full"):
        helper = pathlib.Path("/usr/libexec/carrel", name)
        helper.rename(helper.with_suffix(".away"))
        try:
            contains(host.fails("pam", "enable", "sshd").err, f"{helper}", "stderr")
        finally:
            helper.with_suffix(".away").rename(helper)
    equal(host.pam("sshd"), host.pam_before["sshd"], "/etc/pam.d/sshd")


@test
def not_without_the_module(host):
    """A stack that names a module which is not there refuses everybody."""
    module = next(pathlib.Path("/lib").glob("**/security/pam_carrel.so"))
    module.rename(module.with_suffix(".away"))
    try:
        contains(host.fails("pam", "enable", "sshd").err, "module", "stderr")
    finally:
        module.with_suffix(".away").rename(module)
    equal(host.pam("sshd"), host.pam_before["sshd"], "/etc/pam.d/sshd")


@test
def warns_when_only_root_is_exempt(host):
    """Nobody but root is exempt: that is said, and done."""
    CARREL_CONF.write_text(CARREL_CONF.read_text().replace('{"sudo"}', '{"nobody-is-in-this"}'))
    contains(host.works("pam", "enable", "sshd").err, "only root is exempt", "stderr")


@test
def the_admin_must_not_lock_themselves_out(host):
    """An admin who would be contained is asked first, and refused without a terminal."""
    who = {"SUDO_USER": "alice"}
    contains(host.fails("pam", "enable", "sshd", env=who).err, "your own next login", "stderr")
    equal(host.pam("sshd"), host.pam_before["sshd"], "/etc/pam.d/sshd")
    terminal = host.at_terminal("pam", "enable", "sshd", env=who)
    terminal.wait_for(r"\[y/N\]")
    terminal.type("n")
    equal(terminal.end(), 1, "the status")
    equal(host.pam("sshd"), host.pam_before["sshd"], "/etc/pam.d/sshd")
    host.works("pam", "enable", "--yes", "sshd", env=who)
    equal(host.pam("sshd"), host.pam_before["sshd"] + LINE, "/etc/pam.d/sshd")
    equal(host.last_event()["admin"], "alice", "the admin in the event")
    host.works("pam", "enable", "login", env={"SUDO_USER": "admin"})


@test
def status_tells(host):
    """Enabled, not enabled, not last, can be skipped."""
    host.works("pam", "enable", "sshd")
    (PAM / "login").write_text(LINE + host.pam_before["login"])
    (PAM / "cron").write_text("session sufficient pam_permit.so\n" + host.pam_before["cron"] + LINE)
    state = states(host)
    equal(state["sshd"]["state"], "enabled", "sshd")
    equal((state["sshd"]["enabled"], state["sshd"]["last"]), (True, True), "sshd")
    equal(state["login"]["state"], "not last", "login")
    equal(state["cron"]["state"], "can be skipped", "cron")
    equal(state["su"]["state"], "not enabled", "su")
    table = host.works("pam", "status", "sshd", "su").out
    matches(table, r"^sshd +enabled$", "the table")
    matches(table, r"^su +not enabled$", "the table")
    lacks(host.works("pam", "status", "--no-header").out, "SERVICE", "the table")
    host.fails("pam", "status", "nowhere")


@test
def a_service_of_the_vendor(host):
    """systemd-user is in /usr/lib: a copy with our line in /etc, which goes when disabled."""
    import suite
    if not (VENDOR / "systemd-user").exists() or (PAM / "systemd-user").exists():
        raise suite.Skip("there is no /usr/lib/pam.d/systemd-user")
    host.works("pam", "enable", "systemd-user")
    equal(host.pam("systemd-user"), (VENDOR / "systemd-user").read_text() + LINE, "the copy")
    host.works("pam", "disable", "systemd-user")
    expect(not (PAM / "systemd-user").exists(), "the copy is gone")
