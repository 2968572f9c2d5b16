"""Services of every kind, and what they find unchanged afterwards."""
import os
import pathlib
import re
import subprocess

import scene
from scene import (NOT_JOINED, PAM_PERM_DENIED, PAM_SESSION_ERR, PAM_USER_UNKNOWN, assert_refused,
                   drive, equal, seen, test)


# ---- who calls -----------------------------------------------------------------------------------

@test
def inside_a_container_nothing_happens():
    mark = pathlib.Path("/run/carrel/inside")
    mark.parent.mkdir(exist_ok=True)
    mark.touch()
    scene.machine.remove_helper()
    outcome = drive("host", "open", "account", options="debug")
    equal((outcome["open"], outcome["account"]), ("0", "0"), "codes")
    equal(outcome.all("error"), [], "texts")
    outcome.logged("inside a container already")


@test
def false_marks_are_not_believed():
    mark = pathlib.Path("/run/carrel/inside")
    mark.parent.mkdir(exist_ok=True)
    scene.machine.remove_helper()
    mark.symlink_to("/etc/passwd")
    equal(drive("host", "open")["open"], str(PAM_SESSION_ERR), "open with a link")
    mark.unlink()
    mark.mkdir()
    equal(drive("host", "open")["open"], str(PAM_SESSION_ERR), "open with a directory")
    mark.rmdir()
    mark.touch()
    os.chown(mark, 4242, 4242)
    equal(drive("host", "open")["open"], str(PAM_SESSION_ERR), "open with a user's file")


@test
def service_of_a_user_is_left_alone():
    outcome = drive("deny", "ids=4242,4242,4242", "open", "account")
    # PAM_IGNORE; a stack that has nothing else refuses by itself.
    equal((outcome["open"], outcome["account"]), (str(PAM_PERM_DENIED),) * 2, "codes")
    outcome.logged("runs as a user and can become nobody else")
    equal(seen(), None, "helper")


@test
def privileges_put_aside_are_refused():
    for ids in (("ids=0,4242,0",), ("ids=0,4242,4242", "drop"), ("ids=4242,4242,0", "drop"),
                ("ids=keep4242,4242,4242",)):
        outcome = drive("host", *ids, "open")
        assert_refused(outcome, "privileges put aside", NOT_JOINED)
        equal(drive("host", *ids, "open", user="root")["open"], "0", f"open for root with {ids}")
    equal(seen(), None, "helper")


@test
def set_user_id_service_is_served():
    equal(drive("host", "ids=4242,0,0", "open")["open"], "0", "open as su does")


@test
def user_name_is_needed():
    for outcome in (drive("host", "open", "account", user="-"),
                    drive("host", "user=", "open", "account")):
        equal((outcome["open"], outcome["account"]),
              (str(PAM_SESSION_ERR), str(PAM_USER_UNKNOWN)), "codes")
        outcome.logged("the service gave no user name")
    equal(seen(), None, "helper")


@test
def items_that_are_too_long_are_refused():
    outcome = drive("host", "user=" + "u" * 257, "open")
    equal(outcome["open"], str(PAM_SESSION_ERR), "open")
    outcome.logged("user name longer than 256 bytes")
    for item, reason in (("tty", "terminal name"), ("rhost", "name of the remote host")):
        outcome = drive("host", f"{item}=" + "x" * 257, "open")
        equal(outcome["open"], str(PAM_SESSION_ERR), f"open with a long {item}")
        outcome.logged(f"{reason} longer than 256 bytes")
    equal(seen(), None, "helper")
    equal(drive("host", "rhost=" + "x" * 257, "open", user="root")["open"], "0", "root's open")


@test
def longest_items_are_passed_on():
    equal(drive("host", "user=" + "u" * 256, "tty=" + "t" * 256, "rhost=" + "r" * 256,
                "open")["open"], "0", "open")
    got = seen()
    equal([len(got[name]) for name in ("user", "tty", "rhost")], [256] * 3, "lengths")


@test
def options_are_read():
    outcome = drive("host", "open", options="debug timeout=600 helper=/bin/false")
    equal(outcome["open"], "0", "open")
    outcome.logged("unknown option 'helper=/bin/false' is ignored")
    outcome.logged("user alice stays on the host")
    for bad in ("0", "601", "", "1s", "-1", "99999999999999999999"):
        outcome = drive("host", "open", options=f"timeout={bad}")
        equal(outcome["open"], "0", f"open with timeout={bad}")
        outcome.logged(f"'timeout={bad}' is ignored: not 1 to 600 seconds")


@test
def user_name_in_the_log_is_cleaned():
    drive("deny", "user=alice\nforged", "open").logged("user alice forged is refused")


# ---- the service's own children ------------------------------------------------------------------

@test
def signal_handler_is_given_back():
    for handler in ("reap", "ignore"):
        for mode in ("host", "crash"):
            outcome = drive(mode, f"handler={handler}", "open", "sigchld", "children")
            equal((outcome["sigchld"], outcome["children"]), (handler, "none"), "after open")


@test
def ended_child_of_the_service_is_left_to_it():
    outcome = drive("slow", "child=100", "open", "children")
    equal((outcome["open"], outcome["children"]), ("0", "ended"), "open, children")


@test
def handler_learns_of_a_child_that_ended_meanwhile():
    outcome = drive("slow", "handler=reap", "child=100", "open", "sigchld", "children")
    equal((outcome["reaped"], outcome["children"]), ("1", "none"), "reaped, children")


# ---- the object itself ---------------------------------------------------------------------------

@test
def module_exports_its_entry_points_only():
    text = subprocess.run(["nm", "-D", "--defined-only", scene.machine.module], check=True,
                          capture_output=True, text=True).stdout
    names = sorted(line.split()[2] for line in text.splitlines())
    instrumented = [name for name in names if name.startswith(("__asan", "__gcov", "__odr_asan"))]
    equal([name for name in names if name not in instrumented],
          ["pam_sm_acct_mgmt", "pam_sm_authenticate", "pam_sm_close_session",
           "pam_sm_open_session", "pam_sm_setcred"], "symbols")


@test
def module_links_pam_and_libc_only():
    text = subprocess.run(["readelf", "-d", scene.machine.module], check=True, capture_output=True,
                          text=True).stdout
    needed = set(re.findall(r"\(NEEDED\).*\[(.*?)\]", text))
    needed -= {name for name in needed if name.startswith(("libasan", "libubsan"))}
    equal(needed - {"libpam.so.0", "libc.so.6"}, set(), "libraries")
