"""carrel policy check and carrel policy explain."""

from host import CARREL_CONF, POLICY_DIR
from suite import contains, equal, expect, lacks, matches, test


@test
def check_of_sound_files(host):
    """Sound files are listed with what is in them, status 0."""
    result = host.works("policy", "check")
    matches(result.out, r"^ok +carrel.conf +sound", "the output")
    matches(result.out, r"^ok +policy.d/50-students.conf +3 policies, 0 pools", "the output")


@test
def check_of_broken_syntax(host):
    """A syntax error is a problem with file and line."""
    host.policy('policy "x" {\n  groups = {"students"\n  colour = red\n}\n')
    result = host.carrel("policy", "check")
    equal(result.status, 1, "the status")
    matches(result.out, r"^problem .*40-test\.conf:[0-9]", "the output")


@test
def check_of_a_misspelt_key(host):
    """An unknown key is named, with the one that was meant."""
    host.policy('policy "x" {\n  groups = {"students"}\n  netwrok = none\n}\n')
    result = host.carrel("policy", "check")
    equal(result.status, 1, "the status")
    contains(result.out, "netwrok", "the output")
    contains(result.out, "network", "the output")


@test
def check_against_the_machine(host):
    """What the files ask for and the machine does not have is a problem at its line."""
    problems = {
        'image = "nowhere"': "cannot open image 'nowhere'",
        'bind "/srv/nowhere" { readonly = yes }': "/srv/nowhere",
        "network = nat": "network = nat",
        'limits { network_rate = "10Mbit" }': "network_rate",
        'seccomp { deny = {"nosuchcall"} }': "nosuchcall",
    }
    for line, text in problems.items():
        host.policy(f'policy "asks" {{\n  users = {{"bob"}}\n  {line}\n}}\n')
        result = host.carrel("policy", "check")
        equal(result.status, 1, f"the status with {line}")
        problem = matches(result.out, r"^problem .*$", f"the output with {line}").group()
        contains(problem, text, "the problem")
        contains(problem, "40-test.conf", "the problem")
        matches(result.out, r"^ok +policy.d/50-students.conf", "the other file")


@test
def check_warns(host):
    """Unknown users and groups and policies that never match are warnings, not problems."""
    host.policy('policy "late" { groups = {"students", "nogroup-here"} users = {"nobody-here"} }\n'
                'policy "never" { users = {"nobody-here"} }\n')
    result = host.works("policy", "check")
    contains(result.out, 'no group "nogroup-here"', "the output")
    contains(result.out, 'no user "nobody-here"', "the output")
    contains(result.out, '"never" can never match', "the output")


@test
def check_of_another_directory(host):
    """--dir checks files before they are put in place."""
    directory = host.directory / "draft"
    (directory / "policy.d").mkdir(parents=True, exist_ok=True)
    (directory / "carrel.conf").write_text(CARREL_CONF.read_text())
    (directory / "policy.d/10-new.conf").write_text('policy "new" { nonsense = 1 }\n')
    result = host.carrel("policy", "check", "--dir", directory)
    equal(result.status, 1, "the status")
    contains(result.out, "10-new.conf", "the output")
    host.works("policy", "check")
    host.carrel("policy", "check", "--dir", "/nowhere")


@test
def explain_contained(host):
    """Which policy, by what, why not the ones before, and every value with its line."""
    text = host.works("policy", "explain", "alice").out
    matches(text, r"^decision +contain: .*students", "the output")
    matches(text, r'no match "barred" .*50-students.conf:1', "the output")
    matches(text, r'no match "nights" .*"cron"', "the output")
    matches(text, r"^container +alice$", "the output")
    matches(text, r"^hostname +students$", "the output")
    matches(text, r"^memory +512M +\S*50-students.conf:18$", "the output")
    matches(text, r"^network +none +default$", "the output")
    matches(text, r"^idle +30m ", "the output")
    matches(text, r"^environment +COURSE=cs 101 ", "the output")


@test
def explain_as_json(host):
    """The same for programs."""
    it = host.json("policy", "explain", "alice", "--json")
    equal(it["decision"], "contain", "the decision")
    equal(it["policy"], "students", "the policy")
    equal(it["container"], "alice", "the container")
    expect("students" in it["groups"], "the groups have students")
    equal([entry["matches"] for entry in it["considered"]], [False, False, True], "the matches")
    values = {entry["key"]: entry for entry in it["values"]}
    equal(values["pids"]["value"], "128", "pids")
    contains(values["pids"]["from"], "50-students.conf:19", "where pids was set")
    equal(values["image"], {"key": "image", "value": "host", "from": "default"}, "the image")


@test
def explain_others(host):
    """Exempt, denied, unmatched, by service, and the user manager of systemd."""
    def decision(*arguments):
        return host.json("policy", "explain", "--json", *arguments)["decision"]

    equal(decision("root"), "host", "the decision for root")
    equal(decision("admin"), "host", "the decision for an admin")
    contains(host.works("policy", "explain", "admin").out, '"sudo" is exempt', "why")
    equal(decision("dave"), "deny", "the decision for dave")
    equal(decision("carol"), "host", "the decision for carol")
    equal(decision("alice", "--service", "cron"), "host", "the decision for alice's cron jobs")
    equal(decision("alice", "--service", "systemd-user"), "deny", "for alice's user manager")
    equal(decision("alice", "--service", "su"), "contain", "the decision for su")
    host.fails("policy", "explain", "nobody-here")


@test
def explain_agrees_with_the_helper(host):
    """What explain says is what su then does."""
    import subprocess
    host.log_in("alice")
    equal(host.running(), ["alice"], "the containers")
    for user, status in (("carol", 0), ("dave", 1)):
        run = subprocess.run(["su", user, "-c", "true"], capture_output=True, text=True)
        equal(run.returncode != 0, status != 0, f"whether su refuses {user}")
    equal(host.running(), ["alice"], "the containers")


@test
def explain_with_broken_files(host):
    """Broken files are said to be broken."""
    host.policy("policy {")
    contains(host.fails("policy", "explain", "alice").err, "40-test.conf", "stderr")
    (POLICY_DIR / "40-test.conf").unlink()
    lacks(host.works("policy", "explain", "alice").err, "40-test", "stderr")
