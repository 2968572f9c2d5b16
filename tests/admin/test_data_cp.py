"""carrel cp: files and folders into and out of a running container, whatever is in there."""

import os
import subprocess
import time

from data import forget, log_in, policy, shell
from suite import contains, equal, expect, matches, test


def running(host):
    policy(host, "plain")
    host.cleanup.callback(forget, host, "alice")
    log_in(host)
    place = host.directory / "cp"
    subprocess.run(["rm", "-rf", place], check=True)
    place.mkdir()
    return place


def silent(host, *arguments, **more):
    run = host.works("cp", *arguments, **more)
    equal((run.out, run.err), ("", ""), f"what cp {arguments} prints")


@test
def files_into_a_container(host):
    """A file or folder arrives with the user's ids, its mode and time; over an old one as well."""
    place = running(host)
    (place / "file").write_text("one\n")
    (place / "file").chmod(0o4750)
    os.utime(place / "file", (1000000000, 1000000000))
    silent(host, place / "file", "alice:")
    equal(shell(host, "alice", "stat -c '%U:%G %a %Y %n' file; cat file"),
          "alice:alice 750 1000000000 file\none\n", "the file")
    silent(host, place / "file", "alice:renamed")
    silent(host, place / "file", "alice:/var/tmp")
    equal(shell(host, "alice", "cat renamed /var/tmp/file"), "one\none\n", "the others")
    (place / "dir/deep").mkdir(parents=True)
    (place / "dir/deep/-rf").write_text("x")
    (place / "dir/new\nline").write_text("y")
    (place / "dir/link").symlink_to("/etc/passwd")
    os.truncate(os.open(place / "dir/hole", os.O_CREAT | os.O_WRONLY), 1 << 40)
    silent(host, "-r", place / "dir", "alice:")
    silent(host, f"{place}/dir/", "alice:other")
    silent(host, f"{place}/dir/.", "alice:other")
    equal(shell(host, "alice", "cat dir/deep/-rf other/new*; readlink dir/link; stat -c '%s %b' dir/hole"),
          f"xy/etc/passwd\n{1 << 40} 0\n", "the folder")
    (place / "file").write_text("two\n")
    shell(host, "alice", "ln -sf /var/tmp/victim file; ln renamed hard; echo safe > /var/tmp/victim")
    silent(host, place / "file", "alice:file")
    silent(host, place / "file", "alice:renamed")
    equal(shell(host, "alice", "cat file renamed hard /var/tmp/victim"), "two\ntwo\none\nsafe\n",
          "links are replaced, not followed")
    equal([(e["reason"], e.get("user")) for e in host.events() if e["event"] == "admin"][-2],
          ("cp into renamed", "alice"), "the event")


@test
def files_out_of_a_container(host):
    """They come with the admin's ids, without special bits; contents, names and holes as they are."""
    place = running(host)
    shell(host, "alice", """mkdir -p d/sub; echo one > d/file; chmod 6755 d/file; ln d/file d/hard
        printf x > "d/new
line"; touch -- d/-rf "d/$(printf '\\033[2J')"; truncate -s 1T d/hole; ln -s /etc/shadow d/link
        ln -s d/file top; echo secret > d/mine; chmod 600 d/mine; touch -d @1000000000 d/sub/old""")
    silent(host, "alice:d", place)
    status = (place / "d/file").stat()
    equal((status.st_uid, status.st_mode & 0o7777, (place / "d/file").read_text()), (0, 0o755, "one\n"),
          "a file")
    equal((place / "d/new\nline").read_text(), "x", "an odd name")
    equal(((place / "d/hole").stat().st_size, (place / "d/hole").stat().st_blocks), (1 << 40, 0), "a hole")
    equal((place / "d/hole").stat().st_size, 1 << 40, "a huge file")
    equal(os.readlink(place / "d/link"), "/etc/shadow", "a link")
    equal((place / "d/sub/old").stat().st_mtime, 1000000000, "a time")
    equal((place / "d/mine").stat().st_mode & 0o777, 0o600, "a mode")
    silent(host, "alice:d/file", "here", cwd=place)
    silent(host, "alice:top", place / "followed")
    equal(((place / "here").read_text(), (place / "followed").read_text()), ("one\n", "one\n"), "files")
    silent(host, "alice:", place / "home")
    equal((place / "home/d/file").read_text(), "one\n", "the whole home")
    data = os.urandom(5 << 20)
    (place / "big").write_bytes(data)
    silent(host, place / "big", "alice:")
    silent(host, "alice:big", place / "back")
    expect((place / "back").read_bytes() == data, "a large file comes back as it was")


@test
def what_is_left_out(host):
    """Pipes, sockets and devices are not copied; that is said and is no success."""
    place = running(host)
    shell(host, "alice", """mkdir d; mkfifo "d/$(printf 'p\\033]0;x\\007')"; echo kept > d/file
        python3 -c 'import socket; socket.socket(socket.AF_UNIX).bind("d/socket")'""")
    err = host.fails("cp", "alice:d", place).err
    contains(err, r"p\x1b]0;x\x07: left out: a pipe", "err")
    contains(err, "./socket: left out: a socket", "err")
    equal((place / "d/file").read_text(), "kept\n", "the rest")
    for path in ("d/socket", "/dev/null"):
        matches(host.fails("cp", f"alice:{path}", place / "x").err,
                r"alice:\S+: (is neither a file nor a folder|No such device or address)", "err")
    shell(host, "alice", "mkfifo pipe")
    contains(host.fails("cp", "alice:pipe", place).err, "is neither a file nor a folder", "err")


@test
def nothing_is_followed_on_the_host(host):
    """What came in one copy leads the next one nowhere."""
    place = running(host)
    secret = host.directory / "victim"
    subprocess.run(["rm", "-rf", secret], check=True)
    secret.mkdir()
    (secret / "file").write_text("safe")
    shell(host, "alice", f"mkdir d; ln -s {secret} d/sub; ln -s {secret}/file d/file")
    silent(host, "alice:d", place)
    shell(host, "alice", "rm d/sub d/file; mkdir d/sub; echo evil > d/sub/file; echo evil > d/file")
    contains(host.fails("cp", "alice:d", place).err, "cannot make the folder d/sub: something else is in "
             "its place", "err")
    shell(host, "alice", "rm -r d/sub")
    silent(host, "alice:d", place)
    equal((place / "d/file").read_text(), "evil\n", "the link is replaced")
    equal(((secret / "file").read_text(), os.listdir(secret)), ("safe", ["file"]), "what it led to")


@test
def only_what_the_user_may(host):
    """Inside it is the user who reads and writes; root of the container when asked for."""
    place = running(host)
    (place / "file").write_text("x")
    contains(host.fails("cp", place / "file", "alice:/usr/").err, "Read-only file system", "err")
    contains(host.fails("cp", "alice:/etc/gshadow-none", place).err, "No such file or directory", "err")
    shell(host, "alice", "mkdir closed; chmod 0 closed")
    contains(host.fails("cp", "alice:closed", place).err, "Permission denied", "err")
    contains(host.fails("cp", place / "file", "alice:closed/x").err, "Permission denied", "err")
    silent(host, "--user", "root", place / "file", "alice:/tmp/roots")
    equal(shell(host, "alice", "stat -c %U /tmp/roots"), "root\n", "the owner")
    contains(host.fails("cp", "--user", "bob", place / "file", "alice:").err, "not one of its users", "err")


@test
def copies_that_fail(host):
    """A full disk on either side, a container that ends, a process that is killed: told, once."""
    place = running(host)
    shell(host, "alice", "head -c 20M /dev/zero | tr '\\0' x > big")
    small = place / "small"
    small.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1M", "none", small], check=True)
    host.cleanup.callback(subprocess.run, ["umount", small], check=True)
    err = host.fails("cp", "alice:big", small).err
    matches(err, rf"\Acarrel: {small}: cannot write \.: No space left on device\n\Z", "err")
    equal(os.listdir(small), [], "what is left of it")
    (place / "big").write_bytes(b"x" * (70 << 20))
    host.works("stop", "alice")
    host.works("remove", "--yes", "alice")
    policy(host, "image")
    log_in(host)
    err = host.fails("cp", place / "big", "alice:").err
    matches(err, r"\Acarrel: alice:.: cannot write .: No space left on device\n\Z", "err")
    equal(shell(host, "alice", "ls"), "", "what is left of it inside")
    shell(host, "alice", "truncate -s 100G slow; seq 1 1000 > slow-too")
    process = subprocess.Popen(["carrel", "cp", "/dev/stdin", "alice:x"], stdin=subprocess.PIPE,
                               stderr=subprocess.PIPE, text=True)
    contains(process.communicate(timeout=60)[1], "is neither a file nor a folder", "err of a pipe")
    os.mkfifo(place / "fifo")
    contains(host.fails("cp", place / "fifo", "alice:x").err, "is neither a file nor a folder", "err")


@test
def killed_in_the_middle(host):
    """The process inside that is killed by the user, or with its container: an error, not a hang."""
    place = running(host)
    shell(host, "alice", "head -c 400M /dev/urandom > big")
    for end in (lambda: subprocess.run(["carrel", "exec", "--user", "alice", "alice", "--", "sh", "-c",
                                        "kill -9 -1"], timeout=60),
                lambda: host.works("stop", "alice")):
        process = subprocess.Popen(["carrel", "cp", "alice:big", place / "big"], stderr=subprocess.PIPE,
                                   text=True)
        time.sleep(0.05)
        end()
        err = process.communicate(timeout=60)[1]
        if process.returncode == 0:
            equal((place / "big").stat().st_size, 400 << 20, "the size of the whole")
            (place / "big").unlink()
            continue  # it was faster
        contains(err, "alice: ", "err")
        equal(len(err.splitlines()), 1, f"lines of {err!r}")
        expect(not (place / "big").exists(), "a part of it is left")


@test
def mistakes_with_cp(host):
    """No container, two of them, a stopped one, no such files."""
    place = running(host)
    (place / "file").write_text("x")
    for arguments in ([place / "file", place], ["alice:x", "alice:y"], ["alice:x"],
                      ["./a:b", place], [":x", place], ["a", "b", "c"]):
        host.fails("cp", *arguments, status=2)
    contains(host.fails("cp", "nobody:x", place).err, "nobody: there is no container of that name", "err")
    contains(host.fails("cp", "../x:y", place, status=2).err, "as NAME:PATH", "err")
    contains(host.fails("cp", "alice:nope", place).err, "carrel: alice:nope: No such file or directory",
             "err")
    equal(len(host.fails("cp", "alice:nope", place).err.splitlines()), 1, "lines")
    contains(host.fails("cp", place / "nope", "alice:").err, f"{place}/nope: No such file", "err")
    contains(host.fails("cp", place / "file", "alice:no/such").err, "No such file or directory", "err")
    contains(host.fails("cp", place / "file", "alice:no/").err, "No such file or directory", "err")
    shell(host, "alice", "mkdir -p d/file; touch f")
    contains(host.fails("cp", place / "file", "alice:d").err, "there is a folder in its place", "err")
    contains(host.fails("cp", place, "alice:f").err, "something else is in its place", "err")
    host.works("stop", "alice")
    contains(host.fails("cp", "alice:f", place).err, "alice: is not running, and only what runs has all of "
             "its files in place", "err")
    contains(host.fails("cp", "alice:f", place, user=2001).err, "root", "err for a user")
