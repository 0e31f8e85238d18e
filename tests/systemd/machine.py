# SPDX-License-Identifier: GPL-2.0-or-later
"""
A machine for tests: Debian's systemd, booted by systemd-nspawn inside the laboratory of ../netns/lab.py.

A test file ends with `machine.main()`. Outside the laboratory it makes what cannot be made inside: the image (see
`image`), and a control group for everything. Then it enters the laboratory; when that ends, so do all processes and
mounts below. A process that stays outside removes the control group afterwards, regardless of how it ended.

Each test boots its own machine, which takes half a second, so that no test sees what another left. The root is an
overlay in memory on the image, with topod's package installed once per file. The test itself enters the machine's
network namespace, and lab's commands enter its mount and process namespaces, so that lab.ip("web", …), lab.Connection
and lab.snapshot() work on the machine.

Nothing waits by sleeping: the machine's init reports when it has booted, `systemctl` returns when a job is done, and
the journal is followed.
"""

import contextlib
import glob
import json
import os
import re
import select
import shutil
import signal
import socket
import subprocess
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(os.path.dirname(HERE), "netns"))

import cgroup  # noqa: E402
import daemon  # noqa: E402
import lab  # noqa: E402
from lab import HOST, RUN, skip  # noqa: E402,F401

BOOT_DEADLINE = 4 * lab.DEADLINE
NSPAWN = ["systemd-nspawn", "--quiet", "--register=no", "--keep-unit", "--boot", "--private-network",
          "--capability=all", "--system-call-filter=@mount setns unshare", "--console=pipe", "--notify-ready=yes",
          "--resolv-conf=off", "--timezone=off", "--link-journal=no"]
# The sanitizers write their findings here, because a restarted daemon would hide them.
FINDINGS = "/var/log/sanitizers"
SANITIZERS = f"ASAN_OPTIONS=log_path={FINDINGS}"
ENVIRONMENT = ["env", "-i", "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "HOME=/root",
               "LC_ALL=C.UTF-8", "TERM=dumb", "DEBIAN_FRONTEND=noninteractive", "SYSTEMD_PAGER=", SANITIZERS]

# ---------------------------------------------------------------------------------------------------------
# Outside


def image():
    """The path of the root file system; made now if it is not in the cache."""
    done = subprocess.run([os.path.join(HERE, "image")], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    if done.returncode == lab.SKIPPED:
        skip(done.stderr.strip())
    if done.returncode != 0:
        sys.exit(f"no image: exit {done.returncode}\n{done.stderr}")
    return done.stdout.strip()


HOME = None  # the laboratory's network namespace, to return to


def prepare():
    """Inside the laboratory: systemd-nspawn needs the control groups, which are not in lab's /sys."""
    global HOME
    HOME = open("/proc/self/ns/net")
    lab.run("umount", "/sys")


def main():
    if os.environ.get("TOPOD_LAB") != "1":
        if os.geteuid() != 0:
            skip("booting a machine needs root")
        for tool in ("systemd-nspawn", "nsenter", "cpack"):
            if not shutil.which(tool):
                skip(f"{tool} is not installed")
        os.environ["TOPOD_IMAGE"] = image()
        cgroup.enter()
    lab.main(prepare)


# ---------------------------------------------------------------------------------------------------------
# The package

def package(version=None):
    """Makes topod's .deb from the plain build, and returns its path. With a version, the package claims to be that one."""
    directory = f"{RUN}/package-{version or 'now'}"
    build = os.path.dirname(os.environ["TOPOD_PLAIN"])
    command = ["cpack", "-G", "DEB", "-B", directory, "-D", f"CPACK_OUTPUT_FILE_PREFIX={directory}",
               "--config", f"{build}/CPackConfig.cmake"]
    if version:
        command += ["-D", f"CPACK_PACKAGE_VERSION={version}"]
    done = subprocess.run(command, cwd=build, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True)
    found = glob.glob(f"{directory}/*.deb")
    if done.returncode != 0 or len(found) != 1:
        raise AssertionError(f"cpack made {found}\n{done.stdout}")
    return sanitized(found[0])


def config_directory():
    """Where the binary looks for the file of a NAME."""
    said = subprocess.run([os.environ["TOPOD"], "check", "no-such-name"], stderr=subprocess.PIPE, text=True, check=False).stderr
    return re.search(r"there is no (/.*)/no-such-name\.yaml either", said)[1]


def sanitized(deb):
    """The package with topod's sanitizer build and its libraries, or the same package if there is no such build."""
    def dpkg_deb(*words):
        subprocess.run(["dpkg-deb", *words], check=True, stdout=subprocess.DEVNULL)

    libraries = daemon.sanitizers(os.environ["TOPOD"]).values()
    if not libraries:
        return deb
    root = f"{deb}.root"
    shutil.rmtree(root, ignore_errors=True)
    dpkg_deb("--raw-extract", deb, root)
    shutil.copy(os.environ["TOPOD"], f"{root}/usr/bin/topod")
    for path in libraries:  # the machine is of the same distribution, so its loader searches the same paths
        if os.path.exists(os.environ["TOPOD_IMAGE"] + path):
            continue
        os.makedirs(os.path.dirname(root + path), exist_ok=True)
        shutil.copy(path, root + path)
    config = config_directory()
    if config != "/etc/topod":  # this build has another prefix than the package
        os.makedirs(os.path.dirname(root + config), exist_ok=True)
        os.symlink("/etc/topod", root + config)
    hooks = os.path.dirname(lab.installed_hook())
    if not os.path.exists(root + hooks):  # the same for what the file for container engines names
        os.makedirs(os.path.dirname(root + hooks), exist_ok=True)
        os.symlink("/usr/libexec/topod", root + hooks)
    drop_ins = glob.glob(f"{root}/**/topod@.service", recursive=True)[0] + ".d"
    os.mkdir(drop_ins)
    with open(f"{drop_ins}/sanitizers.conf", "w") as f:
        f.write(f"[Service]\nEnvironment={SANITIZERS}\nSystemCallFilter=ptrace\n")  # LeakSanitizer needs it
    dpkg_deb("--build", "--root-owner-group", "-Znone", root, deb)
    shutil.rmtree(root)
    return deb


def installed():
    """The layers of a root with topod's package, which dpkg installs once."""
    layer = f"{RUN}/installed"
    if not os.path.isdir(layer):
        with Machine("install") as m:
            m.install(package())
            m.stop()
            os.rename(m.upper, layer)
    return [layer, os.environ["TOPOD_IMAGE"]]


# ---------------------------------------------------------------------------------------------------------
# The machine

class Machine:
    """A root, and the system that runs on it from boot() to stop(); another boot() is a reboot."""

    def __init__(self, name, layers=None):
        self.directory = f"{RUN}/machine-{name}"
        self.root, self.upper = f"{self.directory}/root", f"{self.directory}/upper"
        self.nspawn, self.init, self.notices = None, None, []
        for path in (self.root, self.upper, f"{self.directory}/work"):
            os.makedirs(path)
        lower = ":".join(layers or [os.environ["TOPOD_IMAGE"]])
        lab.run("mount", "-n", "-t", "overlay", "-o",
                f"lowerdir={lower},upperdir={self.upper},workdir={self.directory}/work", "machine", self.root)

    # Start and end ----------------------------------------------------------------------------------------

    def boot(self):
        """Waits until its init has booted. Then the test is in its network namespace, and lab's commands run in it."""
        path = f"{self.directory}/notify"
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as notify, open(f"{self.directory}/console", "ab") as out:
            notify.bind(path)
            self.nspawn = subprocess.Popen([*NSPAWN, f"--directory={self.root}"], stdin=subprocess.DEVNULL, stdout=out,
                                           stderr=out, env={**os.environ, "NOTIFY_SOCKET": path})
            self.wait_booted(notify)
        os.unlink(path)
        with open(f"/proc/{self.init}/ns/net") as f:
            lab.libc_call("setns", f.fileno(), lab.CLONE_NEWNET)
        lab.ROOT = f"/proc/{self.init}/root"
        lab.ENTER = ["nsenter", "--target", str(self.init), "--mount", "--uts", "--ipc", "--pid", "--", *ENVIRONMENT]
        return self

    def wait_booted(self, notify):
        deadline = time.monotonic() + BOOT_DEADLINE
        pidfd = os.pidfd_open(self.nspawn.pid)
        notices = {}
        try:
            while notices.get("READY") != "1":
                ready, _, _ = select.select([notify, pidfd], [], [], max(0, deadline - time.monotonic()))
                if notify not in ready:
                    raise AssertionError("the machine does not boot; its console says:\n" + self.console())
                notices.update(l.split("=", 1) for l in notify.recv(65536).decode().splitlines() if "=" in l)
            self.init = int(notices["X_NSPAWN_LEADER_PID"])
        finally:
            os.close(pidfd)

    def console(self):
        with open(f"{self.directory}/console", errors="replace") as f:
            return f.read()[-8000:]

    def leave(self):
        lab.ENTER, lab.ROOT = [], ""
        lab.libc_call("setns", HOME.fileno(), lab.CLONE_NEWNET)

    def poweroff(self):
        """Shuts down as an operator would; returns when the machine has ended."""
        lab.run("systemctl", "poweroff", "--no-block")
        self.nspawn.wait(timeout=BOOT_DEADLINE)
        self.leave()
        self.nspawn = None

    def stop(self):
        """Kills it if it still runs; its root stays."""
        if self.nspawn:
            for pid in (self.init, self.nspawn.pid):
                with contextlib.suppress(ProcessLookupError, TypeError):
                    os.kill(pid, signal.SIGKILL)
            self.nspawn.wait()
            self.leave()
            self.nspawn = self.init = None
        if os.path.ismount(self.root):
            lab.run("umount", "-l", self.root)

    def __enter__(self):
        return self.boot()

    def __exit__(self, *_):
        self.stop()
        shutil.rmtree(self.directory, ignore_errors=True)

    # Its files ----------------------------------------------------------------------------------------------

    def path(self, path):
        """The path at which the test finds a file of the running machine."""
        return f"/proc/{self.init}/root{path}"

    def write(self, path, text):
        os.makedirs(os.path.dirname(self.path(path)), exist_ok=True)
        with open(self.path(path), "w") as f:
            f.write(text)
        return path

    def read(self, path):
        with open(self.path(path)) as f:
            return f.read()

    def exists(self, path):
        return os.path.lexists(self.path(path))

    def install(self, deb, *options):
        """Runs apt offline: the package's dependencies must be in the image."""
        name = f"/root/{os.path.basename(deb)}"
        shutil.copy(deb, self.path(name))
        return lab.run("apt-get", "install", "-y", "-q", *options, name)


# ---------------------------------------------------------------------------------------------------------
# The journal

class Follower:
    """A command in the machine that runs until it is ended."""

    def __init__(self, *command):
        self.process = subprocess.Popen([*lab.ENTER, *command], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                        stderr=subprocess.DEVNULL)
        self.stdout = self.process.stdout

    def wait(self, timeout):
        """Whether it printed something."""
        return bool(select.select([self.stdout], [], [], max(0, timeout))[0])

    def read(self):
        return os.read(self.stdout.fileno(), 1 << 16)

    def end(self):
        """Ends the command itself, not the nsenter above it, which is the only one that reaps it."""
        with open(f"/proc/{self.process.pid}/task/{self.process.pid}/children") as f:
            for pid in f.read().split():
                os.kill(int(pid), signal.SIGKILL)
        self.process.wait()
        self.stdout.close()


class Journal:
    """The journal's entries from now on; wait() waits for one."""

    def __init__(self, *matches):
        self.matches, self.entries = matches, []
        lab.run("journalctl", "--sync")
        # The entry must match: after another one, journalctl would leave out the first match.
        last = lab.run("journalctl", "-q", "-n1", "-o", "json", *matches, check=False).stdout.strip()
        self.after = ["--after-cursor", json.loads(last)["__CURSOR"]] if last else []
        self.follower = Follower("journalctl", "-f", "-n0", "-o", "cat")  # says when to read

    def wait(self, what, **fields):
        """Waits for the first entry whose message contains /what/ and whose fields have these values. Neither it nor those
        before it are returned again."""
        deadline = time.monotonic() + lab.DEADLINE
        while True:
            for n, entry in enumerate(self.fetch()):
                if re.search(what, str(entry.get("MESSAGE"))) and all(entry.get(k) == v for k, v in fields.items()):
                    del self.entries[:n + 1]
                    return entry
            left = deadline - time.monotonic()
            if left <= 0:
                raise AssertionError(f"the journal has no /{what}/ {fields or ''}; it has:\n  " +
                                     "\n  ".join(str(e.get("MESSAGE")) for e in self.entries[-60:]))
            if self.follower.wait(min(left, 1)):  # the follower may have started after the entry: hence the limit
                self.follower.read()

    def fetch(self):
        """The entries that were not returned yet."""
        new = [json.loads(l) for l in lab.run("journalctl", "-q", "-o", "json", *self.after, *self.matches,
                                              check=False).stdout.splitlines()]
        if new:
            self.after = ["--after-cursor", new[-1]["__CURSOR"]]
            self.entries += new
        return self.entries

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.follower.end()


def entries(*arguments):
    """The journal's entries, as dictionaries."""
    lab.run("journalctl", "--sync")
    out = lab.run("journalctl", "-q", "-o", "json", *arguments).stdout
    return [json.loads(l) for l in out.splitlines()]


# ---------------------------------------------------------------------------------------------------------
# A test

class Case(lab.Case):
    """Each test begins in a machine that has just booted, with topod's package installed."""

    layers = staticmethod(installed)

    def setUp(self):
        self.machine = Machine(self.id().rsplit(".", 1)[1][:40], self.layers())
        self.addCleanup(self.machine.__exit__)
        self.addCleanup(self.check_findings)
        self.machine.boot()

    def check_findings(self):
        for path in glob.glob(f"{self.machine.upper}{FINDINGS}*"):
            with open(path, errors="replace") as f:
                self.fail(f"the sanitizers say:\n{f.read()[:8000]}")

    # systemd ----------------------------------------------------------------------------------------------

    def systemctl(self, *words, expect=0):
        """Runs systemctl; its exit status is checked, or returned if expect is None."""
        done = lab.run("systemctl", *[w for a in words for w in a.split()], check=False, timeout=4 * lab.DEADLINE)
        if expect is not None:
            said = f"systemctl {' '.join(words)}\n{done.stdout}{done.stderr}"
            if done.returncode != expect:
                said += lab.run("journalctl", "-n50", "--no-pager").stdout
            self.assertEqual(expect, done.returncode, said)
        return done

    def show(self, unit, *properties):
        """Properties of a unit: the value of one, or a dictionary of several."""
        out = lab.run("systemctl", "show", unit, *(f"-p{p}" for p in properties)).stdout
        found = dict(l.split("=", 1) for l in out.splitlines())
        return found[properties[0]] if len(properties) == 1 else found

    def wait_unit(self, unit, **wanted):
        """Waits until a unit's properties have these values; they are read again at each message of the manager on the bus."""
        monitor = Follower("busctl", "--json=short", "monitor", "org.freedesktop.systemd1")
        try:
            deadline = time.monotonic() + BOOT_DEADLINE
            while (found := self.show(unit, *wanted, "Id")) and any(found[k] != v for k, v in wanted.items()):
                left = deadline - time.monotonic()
                if left <= 0:
                    self.fail(f"{unit} is {found}, not {wanted}\n" + lab.run("journalctl", "-n50").stdout)
                # The monitor may have started after the change: hence the limit.
                if monitor.wait(min(left, 1)):
                    monitor.read()
        finally:
            monitor.end()

    # topod ------------------------------------------------------------------------------------------------

    def spec(self, text, name="office.yaml"):
        return self.machine.write(f"/etc/topod/{name}", text)

    def topod(self, *args, expect=None, env=None):
        if expect is None:
            expect = lab.ANSWERED if args[0] == "status" else lab.EXIT_DONE
        done = lab.run("topod", *args, check=False, timeout=2 * lab.DEADLINE)
        wanted = expect if isinstance(expect, tuple) else (expect,)
        self.assertIn(done.returncode, wanted, f"topod {' '.join(map(str, args))}\n{done.stdout}{done.stderr}")
        return done

    def start(self, text, name="office"):
        """Starts an instance with this file."""
        self.spec(text, f"{name}.yaml")
        self.systemctl("start", f"topod@{name}")
        return int(self.show(f"topod@{name}", "MainPID"))

    def state(self):
        """A snapshot of the machine's network, with interface indexes, without topod's own files."""
        return lab.state_only(lab.snapshot(exact=True))

    def settled(self):
        """The same, once link-local addresses exist."""
        return lab.state_only(self.settle(exact=True))
