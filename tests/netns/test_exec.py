# SPDX-License-Identifier: GPL-2.0-or-later
"""`topod exec`: what a command sees in a namespace, as which user it runs, how it ends, and who may not enter."""

import os
import pty
import re
import select
import shutil
import signal
import subprocess
import time

import lab
from daemon import DEADLINE
from lab import HOST, Case

SPEC = """\
topology: small
namespaces:
  web:
    dns: {servers: [10.9.9.9]}
    interfaces: {inner: {kind: bridge}}
"""
NOT_STARTED, CANNOT_RUN, NOT_FOUND = 125, 126, 127


class Terminal:
    """A program at its own terminal; the test types, and waits for its output."""

    def __init__(self, args, env):
        self.near, far = pty.openpty()
        environment = {**os.environ, "TERM": "dumb", **env}
        self.process = subprocess.Popen(args, stdin=far, stdout=far, stderr=far, start_new_session=True,
                                        env={k: v for k, v in environment.items() if v is not None})
        os.close(far)
        self.said = ""

    def wait(self, pattern):
        """Waits for a match in the output since the last call, and returns it."""
        deadline = time.monotonic() + DEADLINE
        while not (found := re.search(pattern, self.said)):
            ready = select.select([self.near], [], [], max(0, deadline - time.monotonic()))[0]
            if not ready:
                raise AssertionError(f"no /{pattern}/ in {self.said!r}")
            try:
                part = os.read(self.near, 65536)
            except OSError:  # the last writer has closed it
                part = b""
            if not part:
                raise AssertionError(f"it ended without /{pattern}/; it said {self.said!r}")
            self.said += part.decode(errors="replace").replace("\r", "")
        self.said = self.said[found.end():]
        return found

    def type(self, line):
        os.write(self.near, line.encode() + b"\n")

    def close(self):
        os.close(self.near)
        self.process.kill()
        self.process.wait()


class Exec(Case):
    def setUp(self):
        super().setUp()
        self.topod("apply", self.spec(SPEC, "small.yaml"))

    def exec(self, *args, expect=0, prefix=(), env=None):
        done = lab.run(*prefix, os.environ["TOPOD"], "exec", *args, check=False, env={**os.environ, **(env or {})})
        self.assertEqual(expect, done.returncode, done.stdout + done.stderr)
        return done

    def test_network(self):
        """The namespace's interfaces, in /sys too, which still has what is mounted below it."""
        os.makedirs("/sys/fs/cgroup", exist_ok=True)
        lab.run("mount", "-n", "-t", "tmpfs", "-o", "mode=755", "kept", "/sys/fs/cgroup")
        self.addCleanup(lab.run, "umount", "/sys/fs/cgroup")
        with open("/sys/fs/cgroup/here", "w"):
            pass
        done = self.exec("web", "--", "ls", "/sys/class/net", "/sys/fs/cgroup")
        self.assertEqual(("", ["here", "inner", "lo"]),
                         (done.stderr, sorted(w for w in done.stdout.split() if w[0] != "/")))
        self.assertNotIn("inner", os.listdir("/sys/class/net"))

    def test_files(self):
        """/etc/netns/web/ is over /etc, only for the command; a file that cannot be shown is a warning."""
        done = self.exec("web", "cat", "/etc/resolv.conf")
        self.assertEqual("", done.stderr)
        self.assertIn("\nnameserver 10.9.9.9\n", done.stdout)
        with open("/etc/resolv.conf") as f:
            self.assertEqual("", f.read())
        with open("/etc/netns/web/nowhere", "w"):
            pass
        self.assertIn("cannot show /etc/netns/web/nowhere as /etc/nowhere: No such file",
                      self.exec("web", "true").stderr)

    def test_the_words_of_the_command(self):
        """Options after the namespace are the command's, with `--` and without."""
        for words in (("web", "echo", "-n", "--json", "x"), ("web", "--", "echo", "-n", "--json", "x"),
                      ("--color", "never", "web", "echo", "-n", "--json", "x")):
            self.assertEqual("--json x", self.exec(*words).stdout, words)
        self.assertEqual("--pid", self.exec("--pid", os.getpid(), "--", "printf", "%s", "--pid").stdout)

    def test_exit_status(self):
        for status in (0, 3, 255):
            self.exec("web", "sh", "-c", f"exit {status}", expect=status)
        self.exec("web", "sh", "-c", "kill -TERM $$", expect=-signal.SIGTERM)
        self.exec("web", "sh", "-c", "kill -PIPE $$", expect=-signal.SIGPIPE)
        self.assertIn("cannot run 'no-such-program': No such file", self.exec("web", "no-such-program", expect=NOT_FOUND).stderr)
        self.assertIn("cannot run '/etc/passwd': Permission denied", self.exec("web", "/etc/passwd", expect=CANNOT_RUN).stderr)

    def test_the_command_is_the_process(self):
        """A signal to topod's process reaches the command, because it is the same one."""
        p = subprocess.Popen([os.environ["TOPOD"], "exec", "web", "--", "sh", "-c", "echo $$; exec cat"],
                             stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.addCleanup(lambda: (p.kill(), p.wait(), p.stdin.close(), p.stdout.close()))
        self.assertEqual(p.pid, int(p.stdout.readline()))
        p.send_signal(signal.SIGINT)
        self.assertEqual(-signal.SIGINT, p.wait(DEADLINE))

    def test_other_names(self):
        lab.run("ip", "netns", "add", "theirs")
        self.exec("theirs", "true")
        with open("/etc/resolv.conf", encoding="utf-8") as f:
            self.assertEqual(f.read(), self.exec("host", "cat", "/etc/resolv.conf").stdout)
        os.symlink("/proc/self/ns/net", "/run/netns/linked")
        self.exec("linked", "true")
        done = self.exec("wbe", "true", expect=NOT_STARTED)
        self.assertIn("there is no namespace 'wbe'; did you mean 'web'?", done.stderr)
        for name in ("../web", "", "."):
            self.exec(name, "true", expect=NOT_STARTED)
        with open("/run/netns/notes", "w") as f:
            f.write("text")
        self.assertIn("a file that is not a network namespace", self.exec("notes", "true", expect=NOT_STARTED).stderr)

    def test_process(self):
        """--pid: its namespace; if that has a name, its files too."""
        p = subprocess.Popen(["ip", "netns", "exec", "web", "sh", "-c", "echo ready; exec cat"], stdin=subprocess.PIPE,
                             stdout=subprocess.PIPE, text=True)
        self.addCleanup(lambda: (p.kill(), p.wait(), p.stdin.close(), p.stdout.close()))
        self.assertEqual("ready\n", p.stdout.readline())
        said = self.exec("--pid", p.pid, "sh", "-c", "ls /sys/class/net; grep name /etc/resolv.conf; echo $TOPOD_NAMESPACE").stdout
        self.assertEqual(["inner", "lo", "nameserver", "10.9.9.9", "web"], said.split())
        self.assertEqual(f"pid {os.getpid()}\n",
                         self.exec("--pid", os.getpid(), "sh", "-c", "echo $TOPOD_NAMESPACE").stdout)
        self.assertIn("there is no process 999999999", self.exec("--pid", 999999999, "true", expect=NOT_STARTED).stderr)

    def test_user(self):
        said = self.exec("-u", "nobody", "web", "sh", "-c", "id -u; id -G; echo $HOME $USER $LOGNAME; ls /sys/class/net").stdout
        self.assertEqual(["65534", "65534", "/nonexistent", "nobody", "nobody", "inner", "lo"], said.split())
        self.assertEqual("65534\n", self.exec("--user", "65534", "web", "id", "-u").stdout)
        self.assertIn("there is no user 'nobdy'", self.exec("-u", "nobdy", "web", "true", expect=NOT_STARTED).stderr)

    def test_wrong_usage(self):
        for args, said in (((), "`exec` needs NS or --pid"), (("--", "web"), "`exec` needs NS or --pid"),
                           (("web", "--pid", "1"), "not both"), (("--pid", "x"), "--pid takes the number of a process")):
            self.assertIn(said, self.exec(*args, expect=lab.EXIT_USAGE).stderr)

    def test_what_is_missing(self):
        def refused(*prefix):
            return self.exec("web", "true", expect=NOT_STARTED, prefix=prefix).stderr
        self.assertIn("this needs root (CAP_SYS_ADMIN)", refused("setpriv", "--reuid=nobody", "--regid=nogroup", "--clear-groups"))
        self.assertIn("CAP_SYS_ADMIN is missing; a container", refused("setpriv", "--bounding-set=-sys_admin"))
        self.assertIn("belongs to another user namespace", refused("unshare", "--user", "--map-root-user"))

    def test_own_user_namespace(self):
        """Who owns the user namespace of a process may enter its network namespace with --pid."""
        p = subprocess.Popen(["setpriv", "--reuid=nobody", "--regid=nogroup", "--clear-groups", "unshare", "-Urn", "sh", "-c",
                              "ip link add theirs type bridge; echo ready; exec cat"],
                             stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.addCleanup(lambda: (p.kill(), p.wait(), p.stdin.close(), p.stdout.close()))
        self.assertEqual("ready\n", p.stdout.readline())
        done = self.exec("--pid", p.pid, "ip", "-o", "link", "show", "theirs",
                         prefix=("setpriv", "--reuid=nobody", "--regid=nogroup", "--clear-groups"))
        self.assertIn("theirs", done.stdout)


class Shell(Case):
    """Without a command: the user's shell, and a prompt that names the namespace."""

    def setUp(self):
        super().setUp()
        lab.run("ip", "netns", "add", "web")
        self.home = os.path.join(self.directory, "home")
        os.makedirs(os.path.join(self.home, "zsh"))

    def file(self, name, text):
        with open(os.path.join(self.home, name), "w") as f:
            f.write(text)

    def shell(self, shell, name="web", **env):
        path = shutil.which(shell)
        if not path:
            self.skipTest(f"{shell} is not installed")
        t = Terminal([os.environ["TOPOD"], "exec", name],
                     {"SHELL": path, "HOME": self.home, "PS1": None, "PROMPT_COMMAND": None, "ZDOTDIR": None, "ENV": None, **env})
        self.addCleanup(t.close)
        return t

    def check(self, t, prompt):
        """Its prompt; it has the user's settings, no descriptor and no variable of topod's but one; its exit status."""
        t.wait(prompt)
        t.type("echo fds: /proc/$$/fd/*; echo vars: $(env | grep -c ^TOPOD_) $TOPOD_NAMESPACE $MINE")
        self.assertNotRegex(t.wait(r"\nfds: (.*)(?=\n)")[1], r"/9(?!\d)")
        own = 1 + sum(name.startswith("TOPOD_") for name in os.environ)
        self.assertEqual(f"{own} web yes", t.wait(r"\nvars: (.*)(?=\n)")[1])
        t.wait(prompt)
        t.type("exit 5")
        self.assertEqual(5, t.process.wait(DEADLINE))

    def test_bash(self):
        self.file(".bashrc", "PS1='mine> '; MINE=yes\n")
        self.check(self.shell("bash"), r"\[web\] mine> ")

    def test_bash_with_a_theme(self):
        self.file(".bashrc", "MINE=yes; PROMPT_COMMAND='PS1=\"theme> \" ;'\n")
        self.check(self.shell("bash"), r"\[web\] theme> ")

    def test_zsh(self):
        self.file(".zshenv", "ENVFILE=read\n")
        self.file(".zshrc", "unsetopt promptsp zle; PROMPT='mine> '; [ $ENVFILE = read ] && MINE=yes\n")
        self.check(self.shell("zsh"), r"\[web\] mine> ")

    def test_zsh_with_files_elsewhere(self):
        self.file(".zshenv", "ZDOTDIR=$HOME/zsh\n")
        self.file("zsh/.zshrc", "unsetopt promptsp zle; PROMPT='mine> '; [ $ZDOTDIR = $HOME/zsh ] && MINE=yes\n")
        self.check(self.shell("zsh"), r"\[web\] mine> ")

    def test_sh(self):
        self.file("shrc", "PS1='mine> '; [ $ENV = $HOME/shrc ] && MINE=yes\n")
        self.check(self.shell("dash", ENV=os.path.join(self.home, "shrc")), r"\[web\] mine> ")

    def test_a_name_is_no_command(self):
        """Characters that a shell would expand in its prompt are shown as '?'."""
        name = "$(exit)`\\u%n"
        lab.run("ip", "netns", "add", name)
        for shell in ("bash", "zsh", "dash"):
            self.file(".bashrc", "PS1='> '\n")
            self.file(".zshrc", "setopt promptsubst; unsetopt promptsp zle; PROMPT='> '\n")
            self.shell(shell, name).wait(r"\[\?\?exit\?\?\?u\?n\] ")

    def test_no_terminal(self):
        """Its input is a script: no prompt, and nothing is prepared."""
        done = subprocess.run([os.environ["TOPOD"], "exec", "web"], input="echo $TOPOD_NAMESPACE ${TOPOD_PROMPT-none}; exit 4",
                              env={**os.environ, "SHELL": "/bin/sh"}, stdout=subprocess.PIPE, text=True)
        self.assertEqual((4, "web none\n"), (done.returncode, done.stdout))

    def test_a_user_without_shell(self):
        done = lab.run(os.environ["TOPOD"], "exec", "-u", "nobody", "web", check=False)
        self.assertEqual(1, done.returncode, done.stdout + done.stderr)  # nologin


if __name__ == "__main__":
    lab.main()
