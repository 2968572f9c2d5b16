"""The private host's syslog: a socket at /dev/log that keeps every line."""

import os
import re
import socket
import threading

import suite

PATH = "/dev/log"


class Syslog:
    def __init__(self):
        self.lines = []
        self.socket = None

    def start(self):
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 20)
        self.socket.bind(PATH)
        os.chmod(PATH, 0o666)
        threading.Thread(target=self._collect, args=(self.socket,), daemon=True).start()

    def stop(self):
        """As when the machine's syslog daemon is not running."""
        os.unlink(PATH)
        self.socket.shutdown(socket.SHUT_RDWR)
        self.socket.close()

    def _collect(self, source):
        while True:
            try:
                data = source.recv(65536)
            except OSError:
                return
            if not data:
                return
            self.lines.append(data.decode(errors="replace").rstrip("\n\0"))

    def mark(self):
        return len(self.lines)

    def wait(self, pattern, since=0):
        """The first line after `since` that matches."""
        def find():
            return next((line for line in self.lines[since:] if re.search(pattern, line)), None)
        try:
            return suite.eventually(find, f"a log line matching {pattern!r}", 15)
        except AssertionError as failure:
            said = "\n".join(self.lines[since:])
            raise AssertionError(f"{failure}; the log has:\n{said}") from None
