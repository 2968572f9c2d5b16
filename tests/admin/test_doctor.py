"""carrel doctor: what is wrong with the machine, and what to do."""

import pathlib
import shutil
import subprocess

from host import CARREL_CONF, PAM
from suite import contains, equal, expect, matches, test

HELPER = pathlib.Path("/usr/libexec/carrel/carrel-helper")


def problem_about(host, topic):
    """The problems that doctor has with a topic; its status must fit."""
    it = host.json("doctor", "--json", status=1)
    texts = [finding["text"] for finding in it["findings"]
             if finding["topic"] == topic and finding["grade"] == "problem"]
    expect(texts, f"there is a problem with {topic}")
    return " ".join(texts)


@test
def a_sound_machine(host):
    """Nothing is wrong here; the numbers are those of the findings."""
    it = host.json("doctor", "--json")
    equal(it["problems"], 0, "the problems")
    grades = [finding["grade"] for finding in it["findings"]]
    equal(grades.count("warning"), it["warnings"], "the warnings")
    topics = {finding["topic"] for finding in it["findings"] if finding["grade"] == "ok"}
    expect({"kernel", "namespaces", "seccomp", "helper", "init", "module", "policy", "cgroups",
            "state_dir", "space", "layers", "ids"} <= topics, f"all topics are there: {topics}")
    matches(host.works("doctor").out, r"^[0-9]+ ok, [0-9]+ warnings?, 0 problems$", "the last line")


@test
def leaves_nothing_behind(host):
    """The trial of overlays removes what it made."""
    host.works("doctor")
    equal(list(pathlib.Path("/var/lib/carrel").glob(".doctor*")), [], "what is left")


@test
def ways_round(host):
    """A service without the line is a warning, with it well, and optional a problem."""
    def grade(service):
        return [(finding["grade"], finding["text"]) for finding in
                host.json("doctor", "--json", status=status)["findings"]
                if finding["topic"] == service][0]

    status = 0
    equal(grade("cron")[0], "warning", "cron without the line")
    contains(grade("cron")[1], "carrel pam enable cron", "what to do")
    host.works("pam", "enable", "cron")
    equal(grade("cron")[0], "ok", "cron with the line")
    (PAM / "cron").write_text(host.pam_before["cron"] + "session optional pam_carrel.so\n")
    status = 1
    equal(grade("cron")[0], "problem", "cron with an optional line")


@test
def ways_round_by_other_services(host):
    """Whatever else begins sessions is named, with its danger; what begins none is not."""
    def findings():
        return {finding["topic"]: (finding["grade"], finding["text"])
                for finding in host.json("doctor", "--json")["findings"]}

    files = {"vsftpd": "auth required pam_unix.so\n@include common-session\n",
             "webconsole": "session required pam_unix.so\n",
             "imapd": "auth required pam_unix.so\naccount required pam_unix.so\n",
             "common-mine": "session required pam_unix.so\n",
             "mine": "@include common-mine\n",
             "vsftpd.dpkg-old": "session required pam_unix.so\n"}
    for name, text in files.items():
        (PAM / name).write_text(text)
        host.cleanup.callback((PAM / name).unlink, missing_ok=True)
    found = findings()
    for name in ("vsftpd", "webconsole", "mine"):
        equal(found[name][0], "warning", f"{name} without the line")
        contains(found[name][1], "begins sessions that are not contained: whoever logs in by it is "
                                 f"on the host; carrel pam enable {name}", "the text")
    expect(not {"imapd", "common-mine", "vsftpd.dpkg-old", "chfn", "passwd", "sudo", "other"} &
           found.keys(), f"what is no way in is named: {found.keys()}")
    host.works("pam", "enable", "vsftpd")
    equal(findings()["vsftpd"][0], "ok", "vsftpd with the line")


@test
def programs_in_forward_files(host):
    """A mail server beside home = bind is a warning: ~/.forward names programs of the host's."""
    def about_mail():
        # The overlay below is a problem of its own: ids cannot be mapped in it.
        return [finding["text"] for finding in host.json("doctor", "--json", status=1)["findings"]
                if finding["topic"] == "mail"]

    server = pathlib.Path("/var/lib/mail-server/exim4")
    server.parent.mkdir()
    server.write_text("#!/bin/sh\n")
    server.chmod(0o755)
    host.cleanup.callback(shutil.rmtree, server.parent)
    # Only here: /usr is that of the machine itself.
    subprocess.run(["mount", "-t", "overlay", "-o", f"lowerdir={server.parent}:/usr/sbin", "overlay",
                    "/usr/sbin"], check=True)
    host.cleanup.callback(subprocess.run, ["umount", "-l", "/usr/sbin"], check=True)
    equal(about_mail(), [], "the warnings without home = bind")
    host.policy('policy "open" {\n groups = {"staff"}\n action = contain\n home = bind\n}\n')
    text = about_mail()
    equal(len(text), 1, f"the warnings {text}")
    contains(text[0], "exim4 runs the programs in ~/.forward on the host, and the policy 'open' has "
                      "home = bind", "the warning")


@test
def broken_policies(host):
    """A broken file is a problem, named with its line."""
    host.policy("policy {")
    contains(problem_about(host, "policy"), "40-test.conf", "the problem")
    CARREL_CONF.write_text("nonsense = 1\n")
    contains(problem_about(host, "policy"), "carrel.conf:1", "the problem")
    CARREL_CONF.unlink()
    CARREL_CONF.parent.rename("/etc/carrel.away")
    try:
        contains(problem_about(host, "policy"), "/etc/carrel", "the problem")
        contains(host.fails("list").err, "/etc/carrel", "stderr of list")
    finally:
        CARREL_CONF.parent.with_name("carrel.away").rename(CARREL_CONF.parent)


@test
def programs_that_others_can_write(host):
    """Whoever can write the helper is root."""
    HELPER.chmod(0o777)
    try:
        contains(problem_about(host, "helper"), "not writable", "the problem")
    finally:
        HELPER.chmod(0o755)
    HELPER.parent.chmod(0o777)
    try:
        contains(problem_about(host, "helper"), "replaced", "the problem")
    finally:
        HELPER.parent.chmod(0o755)


@test
def ids_of_others(host):
    """A user whose id a container could get is found, in passwd and in subuid."""
    subprocess.run(["useradd", "--uid", str(0x80000000 + 7), "--no-create-home", "--no-log-init",
                    "stray"], check=True, capture_output=True)
    try:
        contains(problem_about(host, "ids"), "stray", "the problem")
    finally:
        subprocess.run(["userdel", "stray"], check=True, capture_output=True)
    subuid = pathlib.Path("/etc/subuid")
    before = subuid.read_text() if subuid.exists() else ""
    subuid.write_text(before + "bob:2147483000:65536\n")
    try:
        contains(problem_about(host, "ids"), "bob:2147483000", "the problem")
    finally:
        subuid.write_text(before)


@test
def an_unsuitable_state_dir(host):
    """A file system that cannot hold layers, one without exec, one that others can write."""
    place = pathlib.Path("/srv/state")
    place.mkdir(exist_ok=True)
    CARREL_CONF.write_text(CARREL_CONF.read_text().replace("/var/lib/carrel", str(place)))
    subprocess.run(["mount", "-t", "ramfs", "-o", "noexec", "ramfs", place], check=True)
    try:
        contains(problem_about(host, "state_dir"), "noexec", "the problem")
        contains(problem_about(host, "state_dir"), "ramfs", "the problem")
    finally:
        subprocess.run(["umount", place], check=True)
    place.chmod(0o777)
    contains(problem_about(host, "state_dir"), "writable", "the problem")
    place.chmod(0o711)


@test
def no_namespaces(host):
    """A machine that allows no user namespaces."""
    sysctl = pathlib.Path("/proc/sys/user/max_user_namespaces")
    before = sysctl.read_text()
    fake = host.directory / "few"
    fake.write_text("0\n")
    subprocess.run(["mount", "--bind", fake, sysctl], check=True)
    try:
        contains(problem_about(host, "namespaces"), "max_user_namespaces", "the problem")
    finally:
        subprocess.run(["umount", sysctl], check=True)
    equal(sysctl.read_text(), before, "the machine's own number")


@test
def sshd_without_pam(host):
    """UsePAM no: no login by ssh meets Carrel."""
    config = pathlib.Path("/etc/ssh/sshd_config")
    before = config.read_text()
    config.write_text("UsePAM no\n" + before)
    try:
        contains(problem_about(host, "sshd"), "UsePAM", "the problem")
    finally:
        config.write_text(before)
