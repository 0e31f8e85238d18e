# SPDX-License-Identifier: GPL-2.0-or-later
"""
Separate control groups for a test whose processes use control groups: a booted machine, container engines. They
are made outside the laboratory, and a process that stays outside removes them afterwards, regardless of how the
test ended.
"""

import contextlib
import glob
import os
import select
import signal

import lab


def directories():
    """Of this process: of version 2, and version 1's named systemd. These are the ones that systemd-nspawn and containers use."""
    with open("/proc/self/cgroup") as f:
        mine = {controllers: path for _, controllers, path in (l.rstrip("\n").split(":", 2) for l in f)}
    with open("/proc/self/mountinfo") as f:
        mounts = [l.split() for l in f]
    for fields in mounts:
        dash = fields.index("-")
        kind, options = fields[dash + 1], fields[dash + 3].split(",")
        key = "" if kind == "cgroup2" else "name=systemd" if kind == "cgroup" and "name=systemd" in options else None
        if key in mine and fields[4] != "/sys/fs/cgroup/systemd/unified":
            yield os.path.join(fields[4], os.path.relpath(mine.pop(key), fields[3]))


def processes(directory):
    for path in glob.glob(f"{glob.escape(directory)}/**/cgroup.procs", recursive=True):
        with contextlib.suppress(OSError), open(path) as f:
            yield from map(int, f.read().split())


def kill_and_wait(pid):
    fd = os.pidfd_open(pid)
    try:
        os.kill(pid, signal.SIGKILL)
        select.select([fd], [], [])
    finally:
        os.close(fd)


def remove(made):
    """Ends what still runs there, and removes the directories."""
    for directory in made:
        while left := set(processes(directory)):
            for pid in left:
                with contextlib.suppress(ProcessLookupError):
                    kill_and_wait(pid)
        for path, _, _ in os.walk(directory, topdown=False):
            with contextlib.suppress(FileNotFoundError):
                os.rmdir(path)


def enter():
    """Moves this process into new control groups, and starts a process that removes them when it has ended."""
    made = [os.path.join(d, f"topod-test-{os.getpid()}") for d in directories()]
    if not made:
        lab.skip("no control groups are mounted that can be used")
    me = os.pidfd_open(os.getpid())
    try:
        for directory in made:
            os.mkdir(directory)
    except OSError as e:
        lab.skip(f"cannot make a control group: {e}")
    if os.fork() == 0:
        os.setsid()
        if os.fork() == 0:
            null = os.open(os.devnull, os.O_RDWR)
            for fd in (0, 1, 2):
                os.dup2(null, fd)
            select.select([me], [], [])
            remove(made)
        os._exit(0)
    os.wait()
    os.close(me)
    for directory in made:
        with open(f"{directory}/cgroup.procs", "w") as f:
            f.write(str(os.getpid()))
