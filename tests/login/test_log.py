"""What the admin reads: syslog and events.jsonl."""

import datetime
import json
import pathlib

from suite import equal, eventually, expect, lacks, matches, test

EVENTS = pathlib.Path("/var/log/carrel/events.jsonl")


def events_since(mark):
    text = EVENTS.read_text() if EVENTS.exists() else ""
    return [json.loads(line) for line in text[mark:].splitlines()]


def mark():
    return len(EVENTS.read_text()) if EVENTS.exists() else 0


@test
def decisions_in_syslog(m):
    """Every decision is a line: contained, denied; with user, service and container."""
    since = m.log.mark()
    m.ssh("alice", "true")
    line = m.log.wait(r"carrel.*login.*user=alice", since)
    for word in ("service=sshd", "container=alice", "policy=students", "rhost=127.0.0.1"):
        expect(word in line, f"the log line lacks {word}: {line}")
    m.ssh("dave", "true")
    line = m.log.wait(r"carrel.*denied.*user=dave", since)
    expect("barred" in line, f"the log line does not name the policy: {line}")


@test
def host_logins_in_syslog(m):
    """Who is let in on the host is told as well."""
    since = m.log.mark()
    m.ssh("carol", "true")
    m.log.wait(r"carrel.*host.*user=carol", since)


@test
def events_of_a_login(m):
    """events.jsonl: one JSON line at the login, one with the duration at its end."""
    since = mark()
    m.ssh("alice", "sleep 1")
    end = eventually(lambda: [e for e in events_since(since) if e["event"] == "session_end" and
                              e["container"] == "alice"],
                     "the event of the end")[0]
    login = next(e for e in events_since(since) if e["event"] == "login" and
                 e["container"] == "alice")
    for event in (login, end):
        equal([event[key] for key in ("user", "service", "container", "policy")],
              ["alice", "sshd", "alice", "students"], f"the fields of {event}")
        written = datetime.datetime.fromisoformat(event["time"].replace("Z", "+00:00"))
        age = datetime.datetime.now(datetime.timezone.utc) - written
        expect(abs(age.total_seconds()) < 120, f"the time {event['time']}")
    expect(1 <= end["duration_seconds"] < 60, f"the duration {end}")
    expect("rhost" in login, f"the login lacks rhost: {login}")


@test
def usage_of_a_session(m):
    """The end of a session tells processor time, highest memory and bytes written."""
    since = mark()
    with m.policy("used"):
        m.ssh("bob", "dd if=/dev/zero of=data bs=1M count=6 oflag=direct; /usr/bin/python3 -c "
                     "'import time; b = bytearray(60 << 20)\nwhile time.process_time() < 1: pass'")
        end = eventually(lambda: [e for e in events_since(since) if e["event"] == "session_end" and
                                  e["container"] == "bob-used"], "the event of the end")[0]
        expect(1000000 <= end["cpu_microseconds"] < 30000000, f"the processor time {end}")
        expect(60 << 20 <= end["memory_peak_bytes"] < 500 << 20, f"the memory {end}")
        expect(6 << 20 <= end["written_bytes"] < 100 << 20, f"the bytes written {end}")
        m.ssh("bob", "true")
        later = eventually(lambda: [e for e in events_since(since) if e["event"] == "session_end"
                                    and e["container"] == "bob-used"][1:], "the next end")[0]
        expect(later["cpu_microseconds"] < 1000000 and later["written_bytes"] < 6 << 20,
               f"a session is told what an earlier one used: {later}")


@test
def events_of_a_refusal(m):
    """events.jsonl: a refused login has its reason."""
    since = mark()
    m.ssh("dave", "true")
    denied = next(e for e in events_since(since) if e["event"] == "denied")
    equal((denied["user"], denied["policy"]), ("dave", "barred"), "the fields")
    expect(denied["reason"], f"no reason: {denied}")


@test
def all_lines_are_json(m):
    """Every line of the file is JSON with a time and an event; the file is root's alone."""
    for event in events_since(0):
        expect(event["time"] and event["event"], f"the line {event}")
    equal((EVENTS.stat().st_mode & 0o7, EVENTS.stat().st_uid), (0, 0), "mode and owner")


@test
def sshd_lines_from_inside(m):
    """What sshd logs after the login arrives on the host, with the container's name."""
    for host in ("lab", "lab-external"):
        since = m.log.mark()
        m.run("sftp", "-F", m.ssh_config, "-b", "-", f"alice@{host}",
              stdin="mkdir logged\nrmdir logged\n")
        line = m.log.wait('mkdir name "/home/alice/logged"', since)
        matches(line, r"carrel\[alice\]", "the line")
        m.log.wait(r"carrel\[alice\].*session closed", since)


@test
def log_cannot_be_forged(m):
    """A user's own log lines are marked as from inside, and stay one line each."""
    since = m.log.mark()
    m.look("alice", "logger -p auth.info -t 'sshd[1]' 'Accepted password for root'")
    line = m.log.wait("Accepted password for root", since)
    matches(line, r"^<\d+>(\S+ +\d+ [\d:]+ )?carrel\[alice\]", "the line")
    m.python("alice", "import socket\ns = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)\n"
                      "s.connect('/dev/log')\n"
                      "s.send(b'<38>x: two\\n<38>sshd[1]: Accepted password for root')\n")
    line = m.log.wait("x: two", since)
    lacks(line, "\n", "the line")


@test
def log_cannot_be_flooded(m):
    """Ten thousand lines from inside become some hundred on the host, and others still log."""
    since = m.log.mark()
    m.python("alice", "import socket\ns = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)\n"
                      "s.connect('/dev/log')\n"
                      "for n in range(10000): s.send(b'<14>flood: %d' % n)\n")
    m.ssh("bob", "true")
    m.log.wait("user=bob", since)
    flood = [line for line in m.log.lines[since:] if "flood: " in line]
    expect(len(flood) < 2000, f"{len(flood)} lines came through")
