# SPDX-License-Identifier: GPL-2.0-or-later
"""
The .deb and the .rpm: cpack makes them, they have the right contents and dependencies, and the checkers of Debian and
systemd find nothing.

TOPOD_PACKAGE_BUILD is a directory that was configured with the preset `package` and built. tests/systemd installs, upgrades
and purges the package on a running system.
"""

import functools
import glob
import json
import os
import re
import shutil
import stat
import subprocess
import sys
import tempfile
import unittest

HERE = os.path.dirname(os.path.abspath(__file__))
SOURCE = os.path.dirname(os.path.dirname(HERE))
BUILD = os.environ["TOPOD_PACKAGE_BUILD"]

DEB_ONLY = {"/usr/share/doc/topod/changelog.Debian.gz", "/usr/share/doc/topod/copyright", "/usr/share/doc/topod/README.Debian",
            "/usr/share/lintian/overrides/topod"}
DEPENDS = {"libc6", "libjansson4", "libmnl0", "libnftnl11", "libsmartcols1", "libsystemd0", "libyaml-0-2"}

# Each of these gives a service its own mount namespace, so that the names of its network namespaces would be hidden.
MOUNTING = """ProtectSystem ProtectHome PrivateTmp PrivateDevices PrivateMounts ProtectKernelModules ProtectKernelTunables
    ProtectKernelLogs ProtectControlGroups ProtectProc ProcSubset ReadOnlyPaths ReadWritePaths InaccessiblePaths
    NoExecPaths ExecPaths TemporaryFileSystem BindPaths BindReadOnlyPaths RootDirectory RootImage MountFlags MountImages
    ExtensionImages ExtensionDirectories MountAPIVFS DynamicUser PrivateIPC RuntimeDirectory StateDirectory
    LogNamespace LoadCredential SetCredential""".split()


def run(*args, **kwargs):
    done = subprocess.run(args, capture_output=True, text=True, timeout=500, **kwargs)
    return done.returncode, done.stdout + done.stderr


def need(program):
    return unittest.skipUnless(shutil.which(program), f"no {program}")


@functools.cache
def packed(kind):
    """Makes a package ("deb", "rpm") once; returns its path and a directory beside it for its contents."""
    directory = tempfile.TemporaryDirectory(prefix="topod-package-")
    unittest.addModuleCleanup(directory.cleanup)
    code, said = run("cpack", "-G", kind.upper(), "-B", directory.name, "--config", os.path.join(BUILD, "CPackConfig.cmake"),
                     cwd=directory.name)
    if code:
        raise AssertionError(said)
    (path,) = glob.glob(os.path.join(directory.name, "*." + kind))
    return path, os.path.join(directory.name, "unpacked")


@functools.cache
def package():
    """The .deb and a directory into which it was unpacked."""
    deb, root = packed("deb")
    subprocess.run(["dpkg-deb", "-x", deb, root], check=True)
    return deb, root


def inside(path):
    return os.path.join(package()[1], path.lstrip("/"))


def text_of(path):
    with open(path) as f:
        return f.read()


def wanted_files():
    """The files of both packages; a name that ends in / is a directory."""
    with open(os.path.join(HERE, "files.txt")) as f:
        wanted = {l.strip() for l in f if l.startswith("/")}
    return wanted | {"/usr/share/doc/topod/examples/" + name for name in os.listdir(os.path.join(SOURCE, "specs"))}


def wanted_mode(path):
    if path.startswith("/usr/libexec/topod/oci-"):  # topod under another name
        return "lrwxrwxrwx"
    return "drwxr-xr-x" if path.endswith("/") else "-rwxr-xr-x" if path == "/usr/bin/topod" else "-rw-r--r--"


class Case(unittest.TestCase):
    maxDiff = None

    def succeeds(self, *args, **kwargs):
        code, said = run(*args, **kwargs)
        self.assertEqual((0, ""), (code, said))


@need("dpkg-deb")
class Deb(Case):
    def listing(self):
        for line in run("dpkg-deb", "-c", package()[0])[1].splitlines():
            mode, owner, _, _, _, path = line.split(None, 5)
            yield mode, owner, path.removeprefix(".").split(" -> ")[0]

    def test_files(self):
        wanted = wanted_files() | DEB_ONLY
        paths = [path for _, _, path in self.listing()]
        found = {p for p in paths if not (p.endswith("/") and any(q != p and q.startswith(p) for q in paths))}
        self.assertEqual(sorted(wanted), sorted(found))

    def test_modes(self):
        for mode, owner, path in self.listing():
            self.assertEqual((wanted_mode(path), "root/root"), (mode, owner), path)

    def field(self, name):
        return run("dpkg-deb", "-f", package()[0], name)[1].strip()

    def test_depends(self):
        self.assertEqual(DEPENDS, {d.split()[0] for d in self.field("Depends").split(",")})

    def test_fields(self):
        version = re.search(r"VERSION (\S+)", text_of(os.path.join(SOURCE, "CMakeLists.txt")).split("project(topod")[1])[1]
        self.assertEqual(f"{version}-1", self.field("Version"))
        self.assertIn(f"topod ({version}-1) ", text_of(os.path.join(SOURCE, "packaging/deb/changelog")).splitlines()[0])
        for name in ("Maintainer", "Description", "Section", "Priority", "Architecture"):
            self.assertTrue(self.field(name), name)

    def test_conffiles(self):
        conffiles = run("dpkg-deb", "-I", package()[0], "conffiles")[1].split()
        self.assertEqual({p for _, _, p in self.listing() if p.startswith("/etc/") and not p.endswith("/")}, set(conffiles))

    @need("lintian")
    def test_lintian(self):
        user = ["--allow-root"] if os.geteuid() == 0 else []
        self.succeeds("lintian", "--no-cfg", "--fail-on", "error,warning", *user, package()[0])

    @need("readelf")
    def test_hardened(self):
        binary = inside("/usr/bin/topod")
        dynamic, header, symbols = (run("readelf", "-W", flag, binary)[1] for flag in ("-d", "-lh", "--dyn-syms"))
        self.assertRegex(header, r"Type:\s+DYN")
        self.assertIn("GNU_RELRO", header)
        self.assertRegex(header, r"GNU_STACK .* RW ")
        self.assertRegex(dynamic, r"FLAGS.*NOW")
        self.assertIn("__stack_chk_fail", symbols)
        self.assertRegex(symbols, r"__\w+_chk\b.*GLIBC")
        self.assertNotIn(".debug_info", run("readelf", "-WS", binary)[1])

    def test_maintainer_scripts(self):
        for name in ("postinst", "prerm", "postrm"):
            path = os.path.join(SOURCE, "packaging/deb", name)
            self.assertTrue(os.stat(path).st_mode & stat.S_IXUSR)
            self.succeeds("sh", "-n", path)


@need("rpmbuild")
@need("rpm")
class Rpm(Case):
    OWN_FOLDERS = {"/etc/topod/", "/usr/share/topod/", "/usr/share/doc/topod/", "/usr/libexec/topod/", "/usr/share/doc/topod/examples/"}

    def query(self, *words):
        code, said = run("rpm", "-qp", *words, packed("rpm")[0])
        self.assertEqual(0, code, said)
        return said

    def listing(self):
        """Without the links from build ids, which are rpmbuild's."""
        for line in self.query("--qf", "[%{FILEMODES:perms} %{FILEUSERNAME}/%{FILEGROUPNAME} %{FILENAMES}\n]").splitlines():
            mode, owner, path = line.split(None, 2)
            if not path.startswith("/usr/lib/.build-id"):
                yield mode, owner, path + "/" * mode.startswith("d")

    def test_files(self):
        """The same files as in the .deb, and no directory that belongs to the system or to another package."""
        self.assertEqual(sorted(wanted_files() | self.OWN_FOLDERS), sorted(path for _, _, path in self.listing()))

    def test_modes(self):
        for mode, owner, path in self.listing():
            self.assertEqual((wanted_mode(path), "root/root"), (mode, owner), path)

    def test_configuration(self):
        """Units are not configuration files: an upgrade replaces them."""
        self.assertEqual({p for _, _, p in self.listing() if p.startswith("/etc/") and not p.endswith("/")},
                         set(self.query("-c").split()))

    def test_fields(self):
        self.assertIn("keeps network namespaces", self.query("--qf", "%{SUMMARY}"))
        self.assertIn("topod is a daemon", self.query("--qf", "%{DESCRIPTION}"))
        self.assertEqual("GPL-2.0-or-later (none)", self.query("--qf", "%{LICENSE} %{PREFIXES}"))
        self.assertLessEqual({"libmnl.so.0", "libnftnl.so.11", "libsystemd.so.0", "libyaml-0.so.2", "libjansson.so.4"},
                             {r.split("(")[0] for r in self.query("-R").split()})

    def test_scripts(self):
        for name, tag in (("post", "POSTIN"), ("preun", "PREUN"), ("postun", "POSTUN")):
            path = os.path.join(SOURCE, "packaging/rpm", name)
            self.assertEqual(text_of(path).strip(), self.query("--qf", f"%{{{tag}}}").strip())
            self.succeeds("sh", "-n", path)


class Units(Case):
    def directives(self):
        return re.findall(r"^(\w+)=", text_of(inside("/lib/systemd/system/topod@.service")), re.MULTILINE)

    def test_no_mount_namespace(self):
        self.assertEqual(set(), set(self.directives()) & set(MOUNTING))

    @need("systemd-analyze")
    def test_verify(self):
        """Uses the binary that was built, because nothing is installed here."""
        with tempfile.TemporaryDirectory() as directory:
            for name in ("topod@.service", "topod.target"):
                text = text_of(inside("/lib/systemd/system/" + name))
                with open(os.path.join(directory, name), "w") as f:
                    f.write(text.replace("/usr/bin/topod", inside("/usr/bin/topod")))
            self.succeeds("systemd-analyze", "verify", "--man=no", "topod@office.service", "topod.target",
                          env={**os.environ, "SYSTEMD_UNIT_PATH": directory + ":"})

    @need("systemd-analyze")
    def test_exposure(self):
        code, said = run("systemd-analyze", "security", "--offline=yes", "--threshold=41", "--no-pager",
                         inside("/lib/systemd/system/topod@.service"))
        if "unrecognized option" in said:
            self.skipTest("this systemd-analyze cannot do without a running systemd")
        self.assertEqual(0, code, said)
        self.assertLessEqual(float(re.search(r"Overall exposure level .*: ([\d.]+)", said)[1]), 4.1)


class Manuals(Case):
    PAGES = ("/usr/share/man/man8/topod.8.gz", "/usr/share/man/man5/topod.yaml.5.gz")

    def each_page(self):
        for page in self.PAGES:
            with self.subTest(page=page), tempfile.TemporaryDirectory() as directory:
                path = os.path.join(directory, os.path.basename(page).removesuffix(".gz"))
                with open(path, "w") as f:
                    f.write(run("gzip", "-dc", inside(page))[1])
                yield path

    @need("mandoc")
    def test_mandoc(self):
        for path in self.each_page():
            said = run("mandoc", "-Tlint", "-W", "warning", path)[1]
            self.assertEqual([], [line for line in said.splitlines() if "skipping paragraph macro" not in line])  # scdoc's

    @need("groff")
    def test_groff(self):
        for path in self.each_page():
            code, said = run("groff", "-t", "-man", "-ww", "-Tutf8", "-z", path)
            self.assertEqual((0, ""), (code, said))

    def test_complete(self):
        """topod(8) documents every verb and option."""
        page = run("gzip", "-dc", inside(self.PAGES[0]))[1].replace("\\-", "-")
        verbs, options = offered()
        for verb in verbs:
            self.assertRegex(page, rf"\n\\fB{verb}\\fR", verb)
        for option in options:
            self.assertIn(f"\\fB{option}\\fR", page)


@functools.cache
def offered():
    """The verbs of the binary with the options of each, and all options."""
    topod = inside("/usr/bin/topod")
    said = run(topod, "help")[1]
    verbs = {}
    for verb in re.findall(r"^  ([a-z]+) ", said, re.MULTILINE):
        verbs[verb] = re.findall(r"^  (--[a-z-]+)", run(topod, "help", verb)[1], re.MULTILINE) if verb != "help" else []
    return verbs, set(re.findall(r"--[a-z-]+", said))


@need("bash")
class Bash(Case):
    """Calls the completion as bash does."""

    def setUp(self):
        directory = tempfile.TemporaryDirectory()
        self.addCleanup(directory.cleanup)
        self.directory = directory.name
        for path in ("run/office", "run/lab", "etc", "netns", "here/sub"):
            os.makedirs(os.path.join(self.directory, path))
        for path in ("run/file", "netns/web", "netns/with space", "etc/office.yaml", "here/one.yaml", "here/with space.yaml", "here/other.txt"):
            open(os.path.join(self.directory, path), "w").close()

    def complete(self, *words):
        script = ('source "$0"; COMP_WORDS=(topod "$@"); COMP_CWORD=$#; '
                  '_topod; printf "%s\\n" "${COMPREPLY[@]}"')
        code, said = run("bash", "--norc", "-uc", script, inside("/usr/share/bash-completion/completions/topod"), *words,
                         cwd=os.path.join(self.directory, "here"),
                         env={**os.environ, "TOPOD_RUN_DIR": os.path.join(self.directory, "run"),
                              "TOPOD_NETNS_DIR": os.path.join(self.directory, "netns"),
                              "TOPOD_ETC_DIR": os.path.join(self.directory, "etc")})
        self.assertEqual(0, code, said)
        return sorted(l for l in said.splitlines() if l)

    def test_verbs(self):
        self.assertLessEqual(set(offered()[0]), set(self.complete("")))
        self.assertEqual(["plan"], self.complete("pl"))
        self.assertLessEqual({"reload", "resume", "run"}, set(self.complete("help", "r")))

    def test_options(self):
        for verb, options in offered()[0].items():
            if verb != "help":
                self.assertLessEqual(set(options), set(self.complete(verb, "--")), verb)
        self.assertNotIn("--markdown", self.complete("run", "--"))
        self.assertEqual(["always", "auto", "never"], self.complete("--color", ""))
        self.assertEqual(["never"], self.complete("plan", "--color", "=", "n"))

    def test_topologies(self):
        for verb in ("status", "reload", "watch", "pause", "resume"):
            self.assertEqual(["lab", "office"], self.complete(verb, ""), verb)
        self.assertEqual(["office"], self.complete("status", "o"))
        self.assertEqual(["office"], self.complete("down", "--topology", "o"))
        self.assertEqual(["lab"], self.complete("--color", "never", "status", "--json", "l"))

    def test_show(self):
        self.assertEqual(["host", "lab", "office", "web", "with space"], self.complete("show", ""))
        self.assertEqual([], self.complete("list", ""))

    def test_exec(self):
        self.assertEqual(["host", "web", "with space"], self.complete("exec", ""))
        self.assertEqual(["web"], self.complete("exec", "-u", "nobody", "we"))
        self.assertIn("root", self.complete("exec", "-u", "ro"))
        for before in (("web",), ("web", "--"), ("--pid", "1"), ("--pid", "=", "1"), ("--color", "never", "web")):
            said = self.complete("exec", *before, "true")
            self.assertIn("true", said, before)
            self.assertNotIn("web", said, before)
        self.assertEqual(["one.yaml"], self.complete("sandbox", "o"))
        self.assertIn("true", self.complete("sandbox", "one.yaml", "--", "true"))
        self.assertEqual([], self.complete("exec", "--pid", ""))
        self.assertIn("--user", self.complete("exec", "web", "--u"))
        self.assertEqual([], self.complete("exec", "web", "ls", "--u"))  # the command's

    def test_files(self):
        etc = os.path.join(self.directory, "etc/office.yaml")
        self.assertEqual(sorted([etc, "one.yaml", "sub/", "with space.yaml"]), self.complete("check", ""))
        self.assertEqual(["one.yaml"], self.complete("run", "o"))
        self.assertEqual(["office", "one.yaml"], self.complete("down", "o"))


@need("fish")
class Fish(Case):
    def complete(self, line):
        code, said = run("fish", "-N", "-c", f"source {inside('/usr/share/fish/vendor_completions.d/topod.fish')}; complete -C '{line}'")
        self.assertEqual(0, code, said)
        return {l.split("\t")[0] for l in said.splitlines()}

    def test_verbs_and_options(self):
        self.assertLessEqual(set(offered()[0]), self.complete("topod "))
        for verb, options in offered()[0].items():
            if verb != "help":
                self.assertLessEqual(set(options), self.complete(f"topod {verb} --"), verb)
        self.assertNotIn("--markdown", self.complete("topod run --"))


class Editors(Case):
    def test_schema(self):
        """The installed schema is that of the verb, and the examples name it."""
        with open(inside("/usr/share/topod/topod.schema.json")) as f:
            schema = json.load(f)
        self.assertEqual(json.loads(run(inside("/usr/bin/topod"), "schema")[1]), schema)
        examples = glob.glob(inside("/usr/share/doc/topod/examples") + "/*.yaml")
        self.assertTrue(examples)
        for path in examples:
            self.assertIn("\n# yaml-language-server: $schema=/usr/share/topod/topod.schema.json\n", text_of(path))

    def test_readmes(self):
        """topod knows the commands in the texts for administrators."""
        for path in ("/usr/share/doc/topod/README.Debian", "/etc/topod/README"):
            verbs = set(re.findall(r"(?m)(?:^ {4}|`)topod ([a-z]+)", text_of(inside(path))))
            self.assertGreater(len(verbs), 2)
            self.assertLessEqual(verbs, set(offered()[0]), path)


@need("zsh")
class Zsh(Case):
    def test_loads(self):
        path = inside("/usr/share/zsh/vendor-completions/_topod")
        self.succeeds("zsh", "-nf", path)
        text = text_of(path)
        for verb, options in offered()[0].items():
            self.assertIn(f"'{verb}:", text)
            for option in options:
                self.assertIn(option, text)


if __name__ == "__main__":
    result = unittest.main(verbosity=2, exit=False).result
    # One skipped case makes ctest show the whole as skipped.
    sys.exit(1 if not result.wasSuccessful() else 77 if result.skipped else 0)
