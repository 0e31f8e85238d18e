# SPDX-License-Identifier: GPL-2.0-or-later
"""
Kills a program at a chosen moment: right before or after the N-th system call that changes something outside the program.

Between two such calls hardly anything changes that others could see (a socket is closed, an answer is read). So the moments
before and after each of them are all the moments at which a kill -9 can make a difference. ptrace(2) stops the program at its
system calls; nothing depends on time.
"""

import ctypes
import os
import platform
import signal

PTRACE_TRACEME, PTRACE_SYSCALL, PTRACE_SETOPTIONS, PTRACE_GET_SYSCALL_INFO = 0, 24, 0x4200, 0x420E
OPTIONS = 0x1 | 0x2 | 0x4 | 0x8 | 0x100000  # TRACESYSGOOD, TRACEFORK, TRACEVFORK, TRACECLONE, EXITKILL
WALL = 0x40000000
O_CREAT = 0o100
ON_ENTRY, ON_EXIT, RESTARTED = 1, 2, -513  # ERESTARTNOINTR: the kernel restarts the call, because it could not get a lock

# Calls that change something: messages to the kernel, mounts, namespaces, files.
SYSCALLS = {
    "x86_64": {"write": 1, "pwrite64": 18, "writev": 20, "sendto": 44, "sendmsg": 46, "ftruncate": 77,
               "rename": 82, "mkdir": 83, "rmdir": 84, "unlink": 87, "symlink": 88, "mount": 165,
               "umount2": 166, "openat": 257, "mkdirat": 258, "unlinkat": 263, "renameat": 264, "linkat": 265, "symlinkat": 266,
               "unshare": 272, "sendmmsg": 307, "renameat2": 316},
    "aarch64": {"write": 64, "pwrite64": 68, "writev": 66, "sendto": 206, "sendmsg": 211, "ftruncate": 46,
                "renameat": 38, "linkat": 37, "symlinkat": 36, "mkdirat": 34, "unlinkat": 35, "mount": 40, "umount2": 39, "openat": 56,
                "unshare": 97, "sendmmsg": 269, "renameat2": 276},
}
NAMES = {number: name for name, number in SYSCALLS.get(platform.machine(), {}).items()}
libc = ctypes.CDLL(None, use_errno=True)
libc.ptrace.argtypes = [ctypes.c_long, ctypes.c_long, ctypes.c_void_p, ctypes.c_void_p]
libc.ptrace.restype = ctypes.c_long


class SyscallInfo(ctypes.Structure):
    _fields_ = [("op", ctypes.c_uint8), ("pad", ctypes.c_uint8 * 3), ("arch", ctypes.c_uint32),
                ("ip", ctypes.c_uint64), ("sp", ctypes.c_uint64), ("nr", ctypes.c_uint64),
                ("args", ctypes.c_uint64 * 6)]


def available():
    return bool(NAMES)


def ptrace(request, pid, address=0, data=0):
    if libc.ptrace(request, pid, address, data) < 0:
        error = ctypes.get_errno()
        raise OSError(error, f"ptrace: {os.strerror(error)}")


def counted_call(info):
    """The name of the system call that is about to be made, if it is one that counts."""
    name = NAMES.get(info.nr)
    return None if name == "openat" and not info.args[2] & O_CREAT else name


class Progress:
    """What a program that is stopped at its system calls has done so far."""

    def __init__(self):
        self.calls = []       # the names of the calls that count
        self.current = {}     # by thread: the call that it is in
        self.restarted = set()

    def stopped(self, pid):
        """Whether it is ON_ENTRY of a call that counts, ON_EXIT of one, or neither (None). A restarted call is not a new one and
        has not ended: nothing has changed in between."""
        info = SyscallInfo()
        size = libc.ptrace(PTRACE_GET_SYSCALL_INFO, pid, ctypes.sizeof(info), ctypes.addressof(info))
        if size >= 0 and info.op == ON_EXIT:
            if ctypes.c_int64(info.nr).value == RESTARTED:  # this field holds the result at the exit
                self.restarted.add(pid)
                return None
            return ON_EXIT if self.current.pop(pid, None) else None
        if size < 0 or info.op != ON_ENTRY:
            return None
        if pid in self.restarted:
            self.restarted.discard(pid)
            return None
        self.current[pid] = counted_call(info)
        if self.current[pid]:
            self.calls.append(self.current[pid])
        return ON_ENTRY if self.current[pid] else None


def start(command, environment, errors):
    pid = os.fork()
    if pid:
        return pid
    try:
        null = os.open("/dev/null", os.O_RDWR)
        for fd in (0, 1, 2):
            os.dup2(null, fd)
        if errors:
            os.dup2(os.open(errors, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), 2)
        ptrace(PTRACE_TRACEME, 0)
        os.execve(command[0], command, environment)
    finally:
        os._exit(127)


def run_until(command, moment, after=False, environment=None, hook=None, errors=None, stage=None):
    """Runs the command and kills it right before its moment-th counted system call, or right after, when the kernel has carried
    it out and the command does not know yet; moment None: never.
    hook(name) is called before each call, while the command is stopped. The command's output goes to the file `errors`.
    stage(pid), called after each call, returns False (calls do not count yet), True, or None (end it now, because it would
    not end by itself).
    Returns (calls, status): the names of the calls that were reached, and the exit status, -9 if it was killed."""
    environment = {**os.environ, **(environment or {})}
    environment["ASAN_OPTIONS"] = environment.get("ASAN_OPTIONS", "") + ":detect_leaks=0"  # needs ptrace itself
    first = start([str(c) for c in command], environment, errors)
    pid, status = os.waitpid(first, WALL)
    if not os.WIFSTOPPED(status):
        raise AssertionError(f"{command[0]} did not start")
    ptrace(PTRACE_SETOPTIONS, first, 0, OPTIONS)
    ptrace(PTRACE_SYSCALL, first)
    progress, alive, counting = Progress(), {first}, not stage
    result = None

    def is_over(pid):
        """Called when it stops at a system call: is this the moment?"""
        nonlocal counting
        where = progress.stopped(pid)
        reached = counting and moment is not None and len(progress.calls) > moment
        if reached and (where == (ON_EXIT if after else ON_ENTRY)):
            return True
        if where == ON_ENTRY and hook:
            hook(progress.calls[-1])
        if where == ON_EXIT and stage:
            now = stage(first)
            if now and not counting:
                progress.calls.clear()
            counting = now
        return counting is None

    while alive:
        pid, status = os.waitpid(-1, WALL)
        if not os.WIFSTOPPED(status):
            alive.discard(pid)
            if pid == first:
                result = os.waitstatus_to_exitcode(status)
            continue
        alive.add(pid)
        number, deliver = os.WSTOPSIG(status), 0
        if number == signal.SIGTRAP | 0x80:
            if is_over(pid):
                for each in alive:
                    os.kill(each, signal.SIGKILL)
                continue
        elif number not in (signal.SIGTRAP, signal.SIGSTOP):
            deliver = number
        try:
            ptrace(PTRACE_SYSCALL, pid, 0, deliver)
        except ProcessLookupError:
            pass  # it was killed meanwhile; its end is reported above
    return progress.calls, result
