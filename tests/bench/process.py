# SPDX-License-Identifier: GPL-2.0-or-later
"""The benchmark's processes: each is always waited for or ended. It knows neither topologies nor bars."""
import json
import os
import re
import socket
import subprocess
import threading
import time

SCRATCH = "/run/bench"  # in the tmpfs that `run` makes
PATIENCE = 300  # seconds, for any one process


class Processes:
    """Every process started here, so that each is ended in any case."""

    def __init__(self):
        self.running = {}

    def start(self, command, stdout, stderr, env=None):
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=stdout, stderr=stderr, env=env)
        self.running[process.pid] = process
        return process

    def wait(self, process):
        """Its exit code and resource usage; it is killed if it takes too long."""
        timer = threading.Timer(PATIENCE, process.kill)
        timer.start()
        try:
            _, status, usage = os.wait4(process.pid, 0)
        finally:
            timer.cancel()
        process.returncode = os.waitstatus_to_exitcode(status)
        del self.running[process.pid]
        return process.returncode, usage

    def end(self, process):
        if process.pid in self.running and process.poll() is None:
            process.terminate()
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        self.running.pop(process.pid, None)

    def end_all(self):
        for process in list(self.running.values()):
            self.end(process)


PROCESSES = Processes()


class Failed(Exception):
    """A measurement that could not be made; its text goes into the table."""


def measure(command, accept=(0,)):
    """Runs a command to its end. Returns milliseconds of wall time and of user time, and its output."""
    with open(f"{SCRATCH}/stdout", "w+b") as out, open(f"{SCRATCH}/stderr", "w+b") as err:
        start = time.monotonic()
        code, usage = PROCESSES.wait(PROCESSES.start(command, out, err, {**os.environ, "NO_COLOR": "1"}))
        wall = (time.monotonic() - start) * 1e3
        out.seek(0)
        err.seek(0)
        printed, complaint = out.read().decode(errors="replace"), err.read().decode(errors="replace")
    if code not in accept:
        first = (complaint.strip().splitlines() or ["no message"])[0]
        raise Failed(f"{os.path.basename(command[0])} {command[1]}: exit {code}: {first}")
    return wall, usage.ru_utime * 1e3, printed


def open_text(path):
    with open(path, encoding="utf-8", errors="replace") as f:
        return f.read()


class Daemon:
    """A process that repairs: the floor's bare loop, or topod. Its output goes to a file."""

    def __init__(self, command, name, environment=None):
        self.path = f"{SCRATCH}/{name}.log"
        notify = f"{SCRATCH}/notify"
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as ready, open(self.path, "wb") as log:
            ready.bind(notify)
            try:
                env = {**os.environ, "NOTIFY_SOCKET": notify, "NO_COLOR": "1", **(environment or {})}
                env.pop("JOURNAL_STREAM", None)
                self.process = PROCESSES.start(command, log, log, env)
                self.wait_ready(ready)
            finally:
                os.unlink(notify)

    def wait_ready(self, ready):
        """Waits for sd_notify or, for the floor, for its first line."""
        deadline = time.monotonic() + PATIENCE
        ready.settimeout(0.1)
        while time.monotonic() < deadline and self.process.poll() is None:
            try:
                if b"READY=1" in ready.recv(65536).split(b"\n"):
                    return
            except TimeoutError:
                if '"ready": true' in self.lines_since(0):
                    return
        last = (self.lines_since(0).strip().splitlines() or ["no message"])[-1]
        PROCESSES.end(self.process)
        raise Failed(f"daemon: not ready: {last}")

    def size(self):
        return os.path.getsize(self.path)

    def lines_since(self, offset):
        with open(self.path, "rb") as f:
            f.seek(offset)
            return f.read().decode(errors="replace")

    def memory(self):
        with open(f"/proc/{self.process.pid}/status", encoding="ascii") as f:
            found = dict(re.findall(r"(VmRSS|VmHWM):\s+(\d+) kB", f.read()))
        return {name: int(kb) / 1024 for name, kb in found.items()}

    def wakeups(self):
        """How often it was woken, in all its threads."""
        directory = f"/proc/{self.process.pid}/task"
        return sum(int(re.search(r"^voluntary_ctxt_switches:\s+(\d+)", open_text(f"{directory}/{t}/status"), re.M)[1])
                   for t in os.listdir(directory))

    def stop(self):
        PROCESSES.end(self.process)


class Watcher:
    """`topod watch`: the daemon's report of each repair, including those that its log only counts."""

    def __init__(self, topod, topology):
        self.lines, self.heard = [], threading.Event()
        self.process = PROCESSES.start([topod, "watch", "--json", topology], subprocess.PIPE, subprocess.STDOUT)
        threading.Thread(target=self.hear, daemon=True).start()
        if not self.heard.wait(PATIENCE) or not self.events():  # the first one is the state
            raise Failed(f"watch: {''.join(self.lines).strip() or 'no event'}")

    def hear(self):
        for line in self.process.stdout:
            self.lines.append(line.decode(errors="replace"))
            self.heard.set()
        self.heard.set()

    def events(self):
        return [json.loads(line) for line in list(self.lines) if line.startswith("{")]

    def latencies(self, since, until):
        """Milliseconds from the event to the acknowledged repair, for repairs reported between two times (time.time())."""
        return [e["latency_usec"] / 1e3 for e in self.events()
                if e.get("action") == "restored" and since <= e["when_usec"] / 1e6 < until and "latency_usec" in e]

    def stop(self):
        PROCESSES.end(self.process)
