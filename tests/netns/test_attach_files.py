# SPDX-License-Identifier: GPL-2.0-or-later
"""Namespaces that topod finds by itself (`attach`): PID files, paths, engines."""

import contextlib
import json
import os
import socket
import threading
import time

import lab
from container import SPEC, Attach, Container, container_with_pid, name_of


class Files(Attach):
    """Namespaces that topod finds by itself."""

    def setUp(self):
        super().setUp()
        self.since = 0  # lines of the daemon
        self.pidfile = f"{self.directory}/db.pid"

    def daemon_for(self, attach):
        return self.daemon(self.spec(lab.edit(SPEC, ("attach: {}", f"attach: {{{attach}}}")))).ready()

    def write_pid(self, path, pid, before=0):
        """Written in place, as daemons do it; or this many seconds ago."""
        with open(path, "w") as f:
            f.write(f"{pid}\n")
            if before:
                f.flush()
                os.utime(path, (time.time() - before,) * 2)

    def come(self, d, container):
        d.wait_line("arrived: web: namespace has come", self.since)
        self.since = len(d.lines)
        self.complete(container)

    def go(self, d, how):
        with d.expects("gone: web: namespace is gone"):
            how()
        self.waits(d)
        self.since = len(d.lines)

    def test_pidfile(self):
        path = f"{self.directory}/below/db.pid"  # the directory comes later
        d = self.daemon_for(f"pidfile: {path}")
        os.mkdir(os.path.dirname(path))
        for _ in range(3):
            container = Container(self)
            self.write_pid(path, container.pid)
            self.come(d, container)
            self.go(d, container.end)  # the file stays, and names no process, or another one
        container = Container(self)
        self.write_pid(path, container.pid, before=60)  # it started after the file was written
        other = Container(self)
        self.topod("attach", "web", "--pid", other.pid)  # a call counts beside the file; meanwhile the file was read
        self.assertEqual(f"/proc/{other.pid}/ns/net", name_of("web"))
        d.calm()
        d.stop()

    def test_pidfile_of_the_host(self):
        """A process in the host's namespace, or invalid content, is ignored."""
        path = self.pidfile
        d = self.daemon_for(f"pidfile: {path}")
        for text in (str(os.getpid()), "-1", "0", "9" * 30, "x", "", "12 13"):
            with open(path, "w") as f:
                f.write(text)
            self.assertLess(0, self.status()["waiting"])  # by the time of this answer it was read
        container = Container(self)
        self.write_pid(path, container.pid)
        self.come(d, container)
        d.calm()
        d.stop()

    def test_pidfile_of_somebody_else(self):
        """A user may only name their own processes."""
        path = self.pidfile
        d = self.daemon_for(f"pidfile: {path}")
        container = Container(self)
        with open(path, "w") as f:
            os.fchown(f.fileno(), 65534, 65534)
            f.write(f"{container.pid}")
        other = Container(self)
        self.topod("attach", "web", "--pid", other.pid)  # the file was read before that
        self.assertEqual(f"/proc/{other.pid}/ns/net", name_of("web"))
        self.go(d, other.end)
        os.chown(path, 0, 0)
        self.write_pid(path, container.pid)
        self.come(d, container)
        d.stop()

    def test_pidfile_at_the_start(self):
        path = self.pidfile
        container = Container(self)
        self.write_pid(path, container.pid)
        d = self.daemon_for(f"pidfile: {path}")
        self.complete(container)
        d.calm()
        d.stop()

    def mount(self, container, path):
        with open(path, "w"):
            pass
        lab.run("mount", "--bind", f"/proc/{container.pid}/ns/net", path)

    def unmount(self, path):
        lab.run("umount", path)
        os.unlink(path)

    def test_path(self):
        """A file as Docker and CNI have it: made, then mounted on; unmounted, then removed. The namespace lives as long as that."""
        path = f"{self.directory}/ns/lab"
        d = self.daemon_for(f"path: {path}")
        os.mkdir(os.path.dirname(path))
        for _ in range(3):
            container = Container(self)
            self.mount(container, path)
            self.come(d, container)
            self.assertEqual(path, name_of("web"))
            self.go(d, lambda: self.unmount(path))
            container.end()
        d.calm()
        d.stop()

    def test_container_that_runs(self):
        """At its start topod queries the engines; one with an invalid answer is ignored."""
        container = Container(self)
        asked = []

        def serve(listener, answer):
            with contextlib.suppress(OSError):
                while True:
                    client, _ = listener.accept()
                    with client:
                        asked.append(client.recv(65536).decode().splitlines()[0])
                        client.sendall(answer)
        good = b"HTTP/1.0 200 OK\r\nContent-Type: application/json\r\n\r\n" + json.dumps(
            {"Id": "1", "State": {"Status": "running", "Pid": container.pid}}).encode()
        os.makedirs("/run/podman", exist_ok=True)
        for path, answer in (("/run/podman/podman.sock", b"\0" * 100000), ("/run/docker.sock", good)):
            listener = socket.socket(socket.AF_UNIX)
            listener.bind(path)
            listener.listen()
            thread = threading.Thread(target=serve, args=(listener, answer))
            thread.start()
            self.addCleanup(os.unlink, path)
            self.addCleanup(thread.join)
            self.addCleanup(listener.close)
            self.addCleanup(listener.shutdown, socket.SHUT_RDWR)
        d = self.daemon_for("container: app")
        self.assertEqual(["GET /containers/app/json HTTP/1.0"] * 2, asked)
        self.complete(container)
        d.calm()
        d.stop()

    def test_detached(self):
        """A number that is still in the file is left alone, until another one comes."""
        path = self.pidfile
        d = self.daemon_for(f"pidfile: {path}")
        first, second = Container(self), Container(self)
        self.write_pid(path, first.pid)
        self.come(d, first)
        self.go(d, lambda: self.topod("detach", "web"))
        self.assertTrue(first.has("10.0.0.11/24", "addr"))  # it stays
        self.write_pid(path, first.pid)
        self.write_pid(path, second.pid)
        self.come(d, second)
        d.stop()

    def test_number_that_was_used_again(self):
        """The file is not written again, and its number is another process's by now."""
        path = self.pidfile
        d = self.daemon_for(f"pidfile: {path}")
        first = Container(self)
        self.write_pid(path, first.pid)
        self.come(d, first)
        written = os.stat(path).st_mtime_ns
        self.go(d, first.end)
        second = container_with_pid(self, first.pid, after=written)
        d.stop()
        d = self.daemon_for(f"pidfile: {path}")  # reads the file
        self.assertLess(0, self.status()["waiting"])
        self.assertFalse(second.has("eth0", "link"))
        self.write_pid(path, second.pid)  # now somebody says that it is that one
        d.wait_line("arrived: web: namespace has come")
        self.complete(second)
        d.stop()

    def test_two_names(self):
        """A namespace that a file leads to is left alone if it already has a name, from anybody; a second
        description would undo the first one."""
        pidfile, path = self.pidfile, f"{self.directory}/lab"
        text = lab.edit(SPEC, ("attach: {}", f"attach: {{pidfile: {pidfile}}}"),
                        ("  db:\n", f"  twin: {{attach: {{path: {path}}}, interfaces: {{lo: {{addresses: [10.9.9.9/32]}}}}}}\n  db:\n"))
        d = self.daemon(self.spec(text)).ready()
        container, made = Container(self), f"{self.directory}/made"
        self.write_pid(pidfile, container.pid)
        self.come(d, container)
        os.symlink(f"/proc/{container.pid}/ns/net", path)
        self.topod("attach", "web", "--pid", container.pid)  # by then the link was read
        self.assertIsNone(name_of("twin"))
        self.assertFalse(container.has("10.9.9.9", "addr"))
        os.symlink("/run/netns/db", made)  # topod's own
        os.rename(made, path)
        self.topod("attach", "web", "--pid", container.pid)
        self.assertIsNone(name_of("twin"))
        self.assertNotIn("10.9.9.9/32", lab.addresses("db", "lo"))
        other = Container(self)
        os.symlink(f"/proc/{other.pid}/ns/net", made)
        os.rename(made, path)
        self.wait_until(lambda: other.has("10.9.9.9", "addr"), "another namespace", d)
        d.calm()
        d.stop()

    def test_path_that_is_mounted_over(self):
        """A second mount under the same path hides the first: the namespace is now the second one."""
        path = f"{self.directory}/lab"
        d = self.daemon_for(f"path: {path}")
        first, second = Container(self), Container(self)
        self.mount(first, path)
        self.come(d, first)
        lab.run("mount", "--bind", f"/proc/{second.pid}/ns/net", path)
        self.wait_until(lambda: second.has("10.0.0.11/24", "addr"), "the second namespace", d)
        lab.run("umount", path)
        self.wait_until(lambda: first.has("10.0.0.11/24", "addr"), "the first namespace again", d)
        self.go(d, lambda: self.unmount(path))
        d.calm()
        d.stop()

    def test_path_that_is_replaced(self):
        """Another namespace under the path is another namespace."""
        path, new = f"{self.directory}/lab", f"{self.directory}/new"
        d = self.daemon_for(f"path: {path}")
        first, second = Container(self), Container(self)
        os.symlink(f"/proc/{first.pid}/ns/net", path)
        self.come(d, first)
        os.symlink(f"/proc/{second.pid}/ns/net", new)
        os.rename(new, path)
        self.wait_until(lambda: name_of("web") == f"/proc/{second.pid}/ns/net", "the second namespace", d)
        self.wait_until(lambda: second.has("10.0.0.11/24", "addr"), "its network", d)
        self.go(d, second.end)
        d.calm()
        d.stop()


if __name__ == "__main__":
    lab.main()
