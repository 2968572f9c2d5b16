"""What the helper is given, and every answer that it can give."""
import os
import re

import scene
from scene import (CLEAN, PAM_PERM_DENIED, PAM_SESSION_ERR, REFUSED, assert_clean, assert_refused,
                   drive, equal, seen, test)


# ---- what the helper is given --------------------------------------------------------------------

@test
def helper_gets_who_and_where():
    drive("host", "tty=pts/3", "rhost=2001:db8::7", "open")
    got = seen()
    equal([got[name] for name in ("verb", "user", "service", "tty", "rhost", "container")],
          ["1", "alice", "testd", "pts/3", "2001:db8::7", ""], "request")


@test
def request_tells_the_account():
    """What the name services said; nothing when they know nobody, and never about root."""
    drive("host", "open")
    equal(seen()["told"], "alice:4242:4242:/:/bin/sh alice tutors", "account")
    for user in ("nobody-of-that-name", "root"):
        scene.machine.clear()
        drive("host", "open", user=user)
        equal((seen()["user"], seen()["told"]), (user, ""), "account")


@test
def items_may_be_missing():
    drive("host", "open")
    got = seen()
    equal([got["tty"], got["rhost"]], ["", ""], "tty and rhost")


@test
def helper_inherits_nothing():
    os.environ["SECRET"] = "of the service"
    try:
        drive("host", "ignore-and-block", "directory=9", "path=10", "open")
    finally:
        del os.environ["SECRET"]
    got = seen()
    equal(got["arguments"], "carrel-helper session", "arguments")
    # What a build that counts coverage tells itself, it has not inherited.
    equal(re.sub(r"^__LLVM_PROFILE_RT_INIT_ONCE=\w+$", "", got["environment"]), "", "environment")
    equal(got["descriptors"].split(), ["0", "1", "2"], "descriptors")
    equal([got["output1"], got["output2"]], ["/dev/null"] * 2, "outputs")
    equal([got["blocked"], got["ignored"], got["leader"]], ["0", "0", "yes"], "signals, session")


@test
def helper_is_started_with_standard_descriptors_closed():
    for closed in (("closed=0",), ("closed=2",), ("closed=0", "closed=2")):
        scene.machine.clear()
        outcome = drive("host", *closed, *CLEAN)
        equal(outcome["open"], "0", f"open with {closed}")
        equal(seen()["descriptors"].split(), ["0", "1", "2"], f"descriptors with {closed}")
        assert_clean(outcome)


# ---- answers -------------------------------------------------------------------------------------

@test
def host_leaves_the_login_untouched():
    outcome = drive("host", "state", *CLEAN, "state", "env")
    equal(outcome["open"], "0", "open")
    equal(outcome.all("error") + outcome.all("info"), [], "texts")
    for name in ("uids", "permitted", "bounding", "no_new_privs", "filter", "umask", "keyring"):
        before, after = outcome.all(name)
        equal(after, before, name)
    assert_clean(outcome)


@test
def texts_are_cleaned():
    outcome = drive("host-with-texts", "open")
    equal(outcome["info"], "mind the\\nstep\t?[2J??x", "text for the user")
    outcome.logged("pam_carrel(testd:session): exempt forged: line")


@test
def silent_means_silent():
    outcome = drive("host-with-texts", "open=silent")
    equal((outcome["open"], outcome.all("info")), ("0", []), "open")
    outcome = drive("deny", "open=silent")
    equal((outcome["open"], outcome.all("error")), (str(PAM_SESSION_ERR), []), "open")
    outcome.logged("policy staff denies")


@test
def deny_refuses_with_its_text():
    outcome = drive("deny", *CLEAN)
    equal(outcome["open"], str(PAM_SESSION_ERR), "open")
    equal(outcome["error"], "You may not log in here.", "text")
    outcome.logged("user alice is refused: policy staff denies")
    assert_clean(outcome)


@test
def deny_without_text_still_says_something():
    outcome = drive("deny-without-text", "open")
    equal(outcome["open"], str(PAM_SESSION_ERR), "open")
    equal(outcome["error"], "carrel: this login is refused.", "text")


@test
def deny_holds_for_root_too():
    equal(drive("deny", "open", user="root")["open"], str(PAM_SESSION_ERR), "open")


@test
def account_check_asks_without_side_effects():
    outcome = drive("host", "account")
    equal((outcome["account"], seen()["verb"]), ("0", "2"), "account, verb")
    outcome = drive("deny", "account")
    equal((outcome["account"], outcome["error"]),
          (str(PAM_PERM_DENIED), "You may not log in here."), "account")
    outcome = drive("garbage", "account")
    equal((outcome["account"], outcome["error"]), (str(PAM_PERM_DENIED), REFUSED), "account")
    equal(drive("garbage", "account", user="root")["account"], "0", "account of root")


@test
def account_check_never_joins():
    outcome = drive("contain", "descriptors", "account", "descriptors", "state", "children")
    equal((outcome["account"], outcome["uids"], outcome["filter"]), ("0", "0,0,0", "off"), "state")
    before, after = outcome.all("descriptors")
    equal(after, before, "descriptors")


@test
def credentials_and_close_start_nothing():
    scene.machine.remove_helper()
    outcome = drive("host", "setcred", "close", "children")
    equal((outcome["setcred"], outcome["close"], outcome["children"]), ("0", "0", "none"), "codes")
    equal(seen(), None, "helper")


@test
def authenticate_decides_nothing():
    # Alone in the stack, "no opinion" means no: the module lets nobody in by itself.
    equal(drive("host", "authenticate")["authenticate"], str(PAM_PERM_DENIED), "authenticate")
    equal(seen(), None, "helper")


# ---- bad answers ---------------------------------------------------------------------------------

BAD = {
    "crash": "ended without an answer (killed by signal 6",
    "crash-before-reading": "ended without an answer (killed by signal 6",
    "quiet": "ended without an answer (exit status 0)",
    "exit-3": "ended without an answer (exit status 3)",
    "half-and-crash": "answer is malformed",
    "short": "answer is malformed",
    "empty": "ended without an answer",
    "trailing": "answer is malformed",
    "long": "answer is too long",
    "garbage": "answer is malformed",
    "wrong-magic": "answer is malformed",
    "wrong-version": "answer is malformed",
    "fds-none": "declared 2 descriptors and sent 0",
    "fds-one": "declared 2 descriptors and sent 1",
    "fds-three": "declared 2 descriptors and sent 3",
    "fds-six": "more descriptors than allowed",
    "fds-host": "declared 0 descriptors and sent 1",
    "fds-garbage": "answer is malformed",
}


def refuses(mode, reason):
    def bad_answer():
        outcome = drive(mode, *CLEAN)
        assert_refused(outcome, reason)
        assert_clean(outcome)
    bad_answer.__name__ = "refuses_" + mode.replace("-", "_")
    return bad_answer


for bad_mode, bad_reason in BAD.items():
    test(refuses(bad_mode, bad_reason))


@test
def root_gets_in_whatever_the_helper_does():
    for mode in [*BAD, "close-and-hang"]:
        scene.machine.clear()
        outcome = drive(mode, *CLEAN, user="root", options="timeout=1")
        equal(outcome["open"], "0", f"open with {mode}")
        outcome.logged("root is let in without Carrel because")
        equal(re.match(r"<(\d+)>", outcome.log[-1]).group(1), str(10 * 8 + 2), "authpriv.crit")
        assert_clean(outcome)


@test
def root_is_known_by_uid():
    equal(drive("garbage", "open", user="toor")["open"], "0", "open for a second root")
    equal(drive("garbage", "open", user="nobody-of-that-name")["open"], str(PAM_SESSION_ERR),
          "open for an unknown user")


@test
def hanging_helper_is_killed_at_the_deadline():
    for mode in ("hang", "orphan"):
        scene.machine.clear()
        outcome = drive(mode, *CLEAN, options="timeout=1")
        assert_refused(outcome, "timed out waiting for the helper")
        if not 0.9 <= outcome.seconds < 3:
            raise AssertionError(f"{mode} took {outcome.seconds:.1f} s")
        if mode == "hang":
            assert_clean(outcome)


@test
def helper_that_closes_and_hangs_is_killed():
    outcome = drive("close-and-hang", *CLEAN, options="timeout=1")
    assert_refused(outcome, "ended without an answer")
    assert_clean(outcome)


@test
def slow_helper_is_waited_for():
    outcome = drive("slow", *CLEAN, options="timeout=5")
    equal(outcome["open"], "0", "open")
    assert_clean(outcome)


@test
def answer_counts_however_the_helper_ends():
    for mode in ("host-and-crash", "host-and-linger", "twice"):
        scene.machine.clear()
        outcome = drive(mode, *CLEAN)
        equal((outcome["open"], outcome.all("error")), ("0", []), f"open with {mode}")
        assert_clean(outcome)
        if outcome.seconds > 5:
            raise AssertionError(f"{mode} took {outcome.seconds:.1f} s")


# ---- no helper -----------------------------------------------------------------------------------

def assert_no_helper(reason):
    outcome = drive("host", *CLEAN)
    assert_refused(outcome, reason)
    outcome.logged("cannot start", str(scene.machine.helper))
    assert_clean(outcome)
    outcome = drive("host", *CLEAN, user="root")
    equal(outcome["open"], "0", "open for root")
    outcome.logged("root is let in without Carrel because", reason)


@test
def missing_helper():
    scene.machine.remove_helper()
    assert_no_helper("No such file or directory")


@test
def helper_that_is_not_executable():
    scene.machine.helper.chmod(0o644)
    assert_no_helper("Permission denied")


@test
def helper_that_is_a_directory():
    scene.machine.remove_helper()
    scene.machine.helper.mkdir()
    assert_no_helper("Permission denied")


@test
def helper_that_is_no_program():
    scene.machine.helper.write_text("no program\n")
    assert_no_helper("Exec format error")


# ---- waiting for the turn ------------------------------------------------------------------------

@test
def waiting_is_no_hang():
    """Signs of life give the helper its time anew, and their text is shown, without control bytes."""
    outcome = drive("wait", *CLEAN, options="timeout=1")
    equal(outcome["open"], "0", "open")
    texts = outcome.all("error") + outcome.all("info")
    equal(len(texts), 1, "the number of texts")
    equal("12 before you" in texts[0] and "\x1b" not in texts[0], True, f"the text {texts}")
    assert_clean(outcome)


@test
def silence_after_waiting_is_one():
    outcome = drive("wait-and-hang", *CLEAN, options="timeout=1")
    assert_refused(outcome, "timed out waiting for the helper")
    outcome = drive("wait-and-crash", *CLEAN)
    assert_refused(outcome, "ended without an answer")
