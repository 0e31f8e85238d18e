# SPDX-License-Identifier: GPL-2.0-or-later
"""Containers for `attach`: processes with their own network namespace, what topod does with one, and the times at
which that can be seen from outside. It knows no bars."""
import array
import contextlib
import ctypes
import json
import os
import select
import socket
import subprocess
import time

from process import Failed

CLONE_NEWNET = 0x40000000
RTNLGRP_LINK, RTNLGRP_IPV4_ROUTE = 1, 7
LIBC = ctypes.CDLL(None, use_errno=True)


def milliseconds():
    return time.perf_counter() * 1e3


class Container:
    def __init__(self):
        self.process = subprocess.Popen(["unshare", "-n", "sh", "-c", "ip link set lo up; echo; exec cat"],
                                        stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self.process.stdout.readline()
        self.pid = self.process.pid

    def end(self):
        self.process.kill()
        self.process.wait()
        self.process.stdin.close()
        self.process.stdout.close()


# ---- the two ways to call ----

def start_hook(hook, n, container):
    process = subprocess.Popen([hook, f"w{n}"], stdin=subprocess.PIPE, stderr=subprocess.PIPE)
    process.stdin.write(json.dumps({"pid": container.pid}).encode())
    process.stdin.close()
    return process


def finish_hook(process):
    """Its output: nothing if the network is complete."""
    said = process.stderr.read().decode()
    process.stderr.close()
    if process.wait():
        raise Failed(f"the hook says: {said}")
    return said


def run_hook(hook, n, container):
    start = milliseconds()
    said = finish_hook(start_hook(hook, n, container))
    taken = milliseconds() - start
    if said:
        raise Failed(f"the hook says: {said}")
    return taken


def call(n, container, watch=None):
    """Calls like the hook. Returns milliseconds; the watch gets the start time."""
    netns = os.open(f"/proc/{container.pid}/ns/net", os.O_RDONLY)
    pidfd = os.pidfd_open(container.pid)
    message = json.dumps({"method": "org.topod.Attach", "parameters": {"namespace": f"w{n}", "descriptor": 0, "owner": 1}})
    with socket.socket(socket.AF_UNIX) as s:
        s.connect("/run/topod/bench/socket")
        start = milliseconds()
        s.sendmsg([message.encode() + b"\0"], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", [netns, pidfd]))])
        if watch:
            watch.until_readable(s)
        answer = s.recv(65536)
        taken = milliseconds() - start
    os.close(netns)
    os.close(pidfd)
    if not json.loads(answer[:-1])["parameters"].get("verified"):
        raise Failed(f"the daemon answers {answer}")
    return taken


# ---- seen from outside ----

class Watch:
    """The moments of one call: the name is made (so it was recorded), the first link exists, the last route exists."""

    def __init__(self, container):
        self.seen = {}
        self.names = LIBC.inotify_init()
        LIBC.inotify_add_watch(self.names, b"/run/netns", 0x100)  # IN_CREATE
        self.links = self.hear(RTNLGRP_LINK)
        with open("/proc/self/ns/net", "rb") as home, open(f"/proc/{container.pid}/ns/net", "rb") as netns:
            LIBC.setns(netns.fileno(), CLONE_NEWNET)
            self.routes = self.hear(RTNLGRP_IPV4_ROUTE)
            LIBC.setns(home.fileno(), CLONE_NEWNET)

    @staticmethod
    def hear(group):
        s = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW | socket.SOCK_NONBLOCK, socket.NETLINK_ROUTE)
        s.bind((0, 1 << (group - 1)))
        return s

    def until_readable(self, answer):
        poll = select.poll()
        for fd in (answer.fileno(), self.names, self.links.fileno(), self.routes.fileno()):
            poll.register(fd, select.POLLIN)
        while True:
            ready = {fd for fd, _ in poll.poll()}
            now = milliseconds()
            if self.names in ready:
                os.read(self.names, 4096)
                self.seen.setdefault("name", now)
            if self.links.fileno() in ready:
                self.drain(self.links)
                self.seen.setdefault("link", now)
            if self.routes.fileno() in ready:
                self.drain(self.routes)
                self.seen["routes"] = now
            if answer.fileno() in ready:
                return

    @staticmethod
    def drain(s):
        with contextlib.suppress(BlockingIOError):
            while True:
                s.recv(65536)

    def close(self):
        os.close(self.names)
        self.links.close()
        self.routes.close()


def run_time(pid):
    """What the process has used of a CPU, and how long it has waited for one, in ms."""
    with open(f"/proc/{pid}/schedstat", encoding="ascii") as f:
        used, waited = f.read().split()[:2]
    return int(used) / 1e6, int(waited) / 1e6


def staged_call(n, container, daemon_pid):
    """A call in stages."""
    watch = Watch(container)
    used, waited = run_time(daemon_pid)
    start = milliseconds()
    taken = call(n, container, watch)
    end = milliseconds()
    used, waited = (after - before for after, before in zip(run_time(daemon_pid), (used, waited)))
    watch.close()
    if set(watch.seen) != {"name", "link", "routes"}:
        raise Failed(f"only {sorted(watch.seen)} were seen")
    name, link, routes = (watch.seen[k] for k in ("name", "link", "routes"))
    return {"recorded": name - start, "decided": max(0, link - name), "made": max(0, routes - link), "read back": end - routes,
            "on a CPU": used, "waiting for a CPU": waited, "waiting for the kernel": max(0, taken - used - waited)}


def has_link(name):
    try:
        return socket.if_nametoindex(name) > 0
    except OSError:
        return False


def await_removal(*links):
    """Waits until the kernel has removed the links of a container that has ended."""
    for link in links:
        while has_link(link):
            pass


def end_and_wait(n, container):
    """The time from the end of the process until its name is gone, in ms."""
    start = milliseconds()
    container.process.kill()
    while os.path.lexists(f"/run/netns/w{n}"):
        pass
    taken = milliseconds() - start
    container.end()
    return taken


def at_rest(pid):
    """Waits until the process uses no CPU for a tenth of a second: a process that has nothing to do sends no event, so this samples."""
    while True:
        before = run_time(pid)[0]
        time.sleep(0.1)
        if run_time(pid)[0] == before:
            return
