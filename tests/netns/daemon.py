# SPDX-License-Identifier: GPL-2.0-or-later
"""
`topod run`, as its supervisor sees it: its lines, its notifications, its end. lab.py looks at what it does to the network.
"""

import contextlib
import fcntl
import os
import re
import select
import signal
import socket
import subprocess
import time

DEADLINE = float(os.environ.get("TOPOD_TEST_DEADLINE", "15"))  # seconds until a broken test fails
SANITIZER = re.compile(r"(Address|Leak|UndefinedBehavior|Memory)Sanitizer|runtime error:|AddressSanitizer:")


def sanitizers(binary):
    """The paths of the sanitizers' libraries that a program is linked with, and of what they need; empty: it has none."""
    said = subprocess.run(["ldd", binary], check=True, stdout=subprocess.PIPE, text=True).stdout
    found = re.findall(r" => (/\S*/lib(asan|ubsan|stdc\+\+|gcc_s)\.so\S*)", said)
    return {name: path for path, name in found} if any(name == "asan" for _, name in found) else {}


class Daemon:
    """A running `topod run`, with its lines and its notifications."""

    def __init__(self, directory, spec, env=None, prefix=(), binary=None, args=()):
        self.lines, self.notices, self.log = [], [], []
        self.buffer, self.eof = b"", False
        path = os.path.join(directory, f"notify-{len(os.listdir(directory))}")
        self.notify = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK)
        self.notify.bind(path)
        environment = {**os.environ, "NOTIFY_SOCKET": path, **(env or {})}
        environment = {k: v for k, v in environment.items() if v is not None}
        self.process = subprocess.Popen([*prefix, binary or os.environ["TOPOD"], "run", *args, spec], env=environment,
                                        stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                                        stderr=subprocess.PIPE, bufsize=0)
        os.set_blocking(self.process.stderr.fileno(), False)
        fcntl.fcntl(self.process.stderr, fcntl.F_SETPIPE_SZ, 1 << 20)  # a busy test must not block it

    @property
    def pid(self):
        return self.process.pid

    # Its output ------------------------------------------------------------------------------------------

    def pump(self, timeout, others=()):
        """Reads what has arrived; if that is nothing, waits for something."""
        mine = [self.notify] + ([] if self.eof else [self.process.stderr])
        ready, _, _ = select.select([*mine, *others], [], [], max(0, timeout))
        if self.process.stderr in ready:
            data = self.process.stderr.read(65536)
            if data == b"":
                self.eof = True
                data = b"\n" if self.buffer else b""
            self.buffer += data or b""
            *whole, self.buffer = self.buffer.split(b"\n")
            for line in whole:
                self.lines.append(line.decode(errors="replace"))
                self.log.append(self.lines[-1])
        if self.notify in ready:
            text = self.notify.recv(65536).decode(errors="replace")
            self.notices.append(dict(l.split("=", 1) for l in text.splitlines() if "=" in l))
            if set(self.notices[-1]) != {"WATCHDOG"}:
                self.log.append("notify: " + text.strip().replace("\n", " "))
        return ready

    def wait(self, predicate, what, others=()):
        """Waits until predicate() is true; it is called again after every line, notification and event on `others`."""
        deadline = time.monotonic() + DEADLINE
        while not (answer := predicate()):
            left = deadline - time.monotonic()
            if left <= 0 or (self.eof and not others):
                end = "the daemon ended" if self.eof else "the deadline passed"
                raise AssertionError(f"{end} without {what}; the daemon said:\n  " + "\n  ".join(self.log[-60:]))
            self.pump(left, others)
        return answer

    def find(self, pattern, since=0):
        return next((l for l in self.lines[since:] if re.search(pattern, l)), None)

    def wait_line(self, pattern, since=0):
        return self.wait(lambda: self.find(pattern, since), f"a line like /{pattern}/")

    def wait_notice(self, key, value=None, since=0):
        def there():
            return next((n for n in self.notices[since:] if key in n and value in (None, n[key])), None)
        return self.wait(there, f"{key}={value or '…'}")

    def ready(self):
        """Waits for READY=1, which means converged and verified."""
        self.wait_notice("READY", "1")
        return self

    @contextlib.contextmanager
    def expects(self, pattern):
        """The body of the `with` statement must make the daemon print a line like this."""
        self.drain()
        since = len(self.lines)
        yield
        self.wait_line(pattern, since)

    def drain(self):
        """Reads what it has printed so far."""
        while self.pump(0):
            if self.eof:
                break

    def calm(self):
        """So far nothing drifted, failed or was contested."""
        self.drain()
        if found := [l for l in self.lines if re.search("drift|failing|contested", l)]:
            raise AssertionError("\n".join(found))

    def reload(self):
        """Sends SIGHUP and waits until it is ready again."""
        self.drain()
        since = len(self.notices)
        self.process.send_signal(signal.SIGHUP)
        self.wait_notice("RELOADING", "1", since)
        self.wait_notice("READY", "1", since)

    # Its end --------------------------------------------------------------------------------------------

    def wait_end(self):
        """Reads all output until it has ended; returns the exit status."""
        deadline = time.monotonic() + DEADLINE
        while not self.eof:
            left = deadline - time.monotonic()
            if left <= 0:
                raise AssertionError("the daemon does not end; it said:\n  " + "\n  ".join(self.log[-60:]))
            self.pump(left)
        with contextlib.suppress(BlockingIOError):
            while True:
                text = self.notify.recv(65536).decode(errors="replace")
                self.notices.append(dict(l.split("=", 1) for l in text.splitlines() if "=" in l))
        return self.process.wait(timeout=DEADLINE)

    def stop(self):
        """Sends SIGTERM and expects a clean end."""
        self.process.send_signal(signal.SIGTERM)
        status = self.wait_end()
        if status != 0:
            raise AssertionError(f"topod run ended with {status}; it said:\n  " + "\n  ".join(self.log[-60:]))
        self.look_for_sanitizer()

    def kill(self):
        self.process.kill()
        self.wait_end()

    def look_for_sanitizer(self):
        if any(SANITIZER.search(l) for l in self.lines):
            raise AssertionError("a sanitizer found something:\n" + "\n".join(self.lines[-120:]))

    def dispose(self):
        """Ends it if necessary, and shows what a sanitizer printed, regardless of how it ended."""
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        if not self.process.stderr.closed:
            self.drain()
        self.process.stderr.close()
        self.notify.close()
        self.look_for_sanitizer()
