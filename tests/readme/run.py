"""Runs README.md: every fenced block, in one directory, with an installed Reel.

The words behind a block's language say what it is:
  cpp FILE, yaml FILE    written to FILE; a pipeline is checked, once the plugins shown before it can be there
  cpp plugin FILE        the same, a stage
  python FILE            written to FILE
  bash                   run as it stands
  bash in-clone          run in the clone, with this build's directory for build; building is a dry run, it was done.
                         Run first, whatever its place: what it installs and exports is all that the others have
  bash quickstart        run in the clone, which is the one that it makes, with this build's directory
  bash tests             what is running now: that the program is there and knows its options is looked at
A block without a language is a picture. Any other is an error: nothing on the page goes unrun.
"""

import ctypes
import fcntl
import os
import re
import shlex
import shutil
import socket
import struct
import subprocess
import sys
import tempfile
import time
import urllib.request

# A person sleeps until the pipeline runs; a test waits until its last stream has frames.
WAIT_INSTEAD_OF_SLEEP = """sleep() {
  for ((tries = 0; tries < 300; ++tries)); do
    if reel inspect annotated 2>/dev/null | grep -q ready; then return 0; fi
    command sleep 0.2
  done
  return 1
}
"""
CLONE = "git clone <this repository> reel && cd reel\n"
PAGE = "http://127.0.0.1:8090/"  # of the display, in every pipeline shown
LINES_OF_A_PROGRAM = 16  # "ten lines": of code, without includes, main's frame and blank lines at most ten
LINES_OF_A_FILTER = 70
LINES_OF_A_SCRIPT = 15
PYTHON = "/usr/bin/python3"  # the one that Debian's packages, and the Python package of this build, are for
SKIPPED = 77  # to CTest


def take_the_page_s_port():
    """Moves to a network of our own, where no port is taken; may we not, the page's must be free here, or the test is skipped."""
    clone_newnet = 0x40000000
    if ctypes.CDLL(None).unshare(clone_newnet) == 0:
        get_flags, set_flags, up = 0x8913, 0x8914, 1
        with socket.socket() as any_socket:
            request = struct.pack("16sh22x", b"lo", 0)
            _, flags = struct.unpack_from("16sh", fcntl.ioctl(any_socket, get_flags, request))
            fcntl.ioctl(any_socket, set_flags, struct.pack("16sh22x", b"lo", flags | up))
        return
    host, port = re.fullmatch(r"http://(.*):(\d+)/", PAGE).groups()
    with socket.socket() as trial:
        trial.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            trial.bind((host, int(port)))
        except OSError as error:
            print(f"README.md: Skipped\n{PAGE} is taken ({error.strerror}), and only root may have a network of its own")
            sys.exit(1 if "REEL_REQUIRE_ALL_TESTS" in os.environ else SKIPPED)


def blocks(text):
    """Yields (line, words, body) of every fenced block."""
    fence = None
    for number, line in enumerate(text.splitlines(), 1):
        if fence is None and line.startswith("```"):
            fence = (number, line[3:].split(), [])
        elif fence is not None and line == "```":
            yield fence[0], fence[1], "\n".join(fence[2]) + "\n"
            fence = None
        elif fence is not None:
            fence[2].append(line)
    if fence is not None:
        raise SystemExit(f"README.md:{fence[0]}: the block never ends")


class Page:
    def __init__(self, source, build, work, compiler):
        self.source, self.build, self.work = source, build, work
        self.environment = dict(os.environ, HOME=work, REEL_RUNTIME_DIR=os.path.join(work, "runtime"))
        for name in ("REEL_PLUGIN_PATH", "LD_LIBRARY_PATH", "PYTHONPATH", "PKG_CONFIG_PATH", "DISPLAY"):
            self.environment.pop(name, None)
        self.pending = []  # pipelines that wait to be checked
        self.tools = os.path.join(work, "tools")
        os.mkdir(self.tools)
        # `g++` is the compiler of this build; a test installs no packages.
        self.add_tool("g++", f'exec {shlex.quote(shutil.which(compiler))} -Wall -Wextra -Werror "$@"')
        if os.path.exists(PYTHON):
            self.add_tool("python3", f'exec {PYTHON} "$@"')
        for name in ("apt-get", "sudo"):
            self.add_tool(name, "echo 'the README test installs nothing: apps/install-packages build run' >&2; exit 1")
        self.environment["PATH"] = f"{self.tools}:{os.environ['PATH']}"

    def add_tool(self, name, script):
        path = os.path.join(self.tools, name)
        with open(path, "w") as file:
            file.write(f"#!/bin/sh\n{script}\n")
        os.chmod(path, 0o755)

    def bash(self, script, folder):
        """Runs it, and keeps what it exports for the blocks to come, as the shell of a person would. The exit status."""
        if "sleep" in script:
            script = WAIT_INSTEAD_OF_SLEEP + script
        exported = os.path.join(self.work, "exported")
        script += f"env -0 >{shlex.quote(exported)}\n"
        status = subprocess.run(["bash", "-euo", "pipefail", "-c", script], cwd=folder, env=self.environment).returncode
        if status == 0:
            with open(exported) as file:
                after = dict(line.split("=", 1) for line in file.read().split("\0") if line)
            self.environment.update((name, after[name]) for name in after if name not in ("_", "PWD", "OLDPWD", "SHLVL"))
        return status

    def write(self, name, body):
        with open(os.path.join(self.work, name), "w") as file:
            file.write(body)

    def install(self, body):
        # This build made everything already; were it out of date, other tests must not lose it under their feet.
        dry = re.sub(r"^cmake --build build$", "cmake --build build -- -n >/dev/null", body, flags=re.M)
        return self.bash(re.sub(r"(?<=\s)build\b", shlex.quote(self.build), dry), self.source)

    def quickstart(self, body):
        """Ends well, with every frame verified and a face found; the page is there meanwhile."""
        if not body.startswith(CLONE):
            print(f"does not begin with {CLONE}")
            return 1
        out = os.path.join(self.work, "pictures")
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        page_seen = False
        with tempfile.TemporaryFile("w+") as said:
            run = subprocess.Popen(["bash", "-euo", "pipefail", "-c", body[len(CLONE):]], cwd=self.source, stdout=said,
                                   env=dict(self.environment, REEL_BUILD=self.build, REEL_OUT=out))
            while run.poll() is None:
                try:
                    page_seen = page_seen or b"</html>" in opener.open(PAGE, timeout=10).read()
                except OSError:
                    pass
                time.sleep(0.1)
            said.seek(0)
            text = said.read()
        print(text)
        inputs = re.findall(r"< \S+ +(\d+) +(\d+) +(\d+)", text)
        unverified = [counts for counts in inputs if counts[0] != counts[1] or counts[2] != "0" or counts[0] == "0"]
        if run.returncode == 0 and inputs and not unverified and page_seen and "face-1.png" in os.listdir(out):
            return 0
        print(f"status {run.returncode}, page seen: {page_seen}, {len(inputs)} inputs, not verified: {unverified}, pictures: "
              f"{os.listdir(out) if os.path.isdir(out) else 'none'}")
        return 1

    def programs_exist(self, body):
        """Each line that starts a program of the clone: it is there, and takes the options that are shown."""
        for line in body.splitlines():
            words = shlex.split(line, comments=True)
            shown = subprocess.run([os.path.join(self.source, words[0]), *words[1:], "--help"], stdout=subprocess.DEVNULL)
            if shown.returncode != 0:
                return shown.returncode
        return 0

    def run_block(self, words, body):
        """The exit status of what the block asks for."""
        if not words or words == ["bash", "in-clone"]:
            return 0
        language, rest = words[0], words[1:]
        if language == "cpp":
            limit = LINES_OF_A_FILTER if rest[0] == "plugin" else LINES_OF_A_PROGRAM
            if len(body.splitlines()) >= limit:
                print(f"longer than {limit} lines")
                return 1
            self.write(rest[-1], body)
            return 0
        if language == "python":
            if len(body.splitlines()) >= LINES_OF_A_SCRIPT:
                print(f"longer than {LINES_OF_A_SCRIPT} lines")
                return 1
            self.write(rest[0], body)
            return 0
        if language == "yaml":
            self.write(rest[0], body)
            self.pending.append(rest[0])
            return 0
        if language == "bash" and rest == ["quickstart"]:
            return self.quickstart(body)
        if language == "bash" and rest == ["tests"]:
            return self.programs_exist(body)
        if language == "bash" and not rest:
            return self.bash(body, self.work)
        print(f"a block of '{' '.join(words)}' that nothing runs")
        return 1


def broken_links(text, source):
    prose = re.sub(r"^```.*?^```$", "", text, flags=re.M | re.S)
    return [target for target in re.findall(r"\]\(([^)#]+)\)", prose)
            if "://" not in target and not os.path.exists(os.path.join(source, target))]


def main():
    source, build, compiler = sys.argv[1:4]
    take_the_page_s_port()
    with open(os.path.join(source, "README.md")) as file:
        text = file.read()
    if PAGE not in text:
        raise SystemExit(f"README.md: {PAGE} is not named")
    with tempfile.TemporaryDirectory(prefix="reel-readme-") as work:
        page = Page(source, build, work, compiler)
        os.mkdir(page.environment["REEL_RUNTIME_DIR"], 0o700)
        os.symlink(os.path.join(source, "apps"), os.path.join(work, "apps"))
        for line, words, body in blocks(text):
            if words == ["bash", "in-clone"] and page.install(body) != 0:
                raise SystemExit(f"README.md:{line}: cannot be installed")
        count = 0
        for line, words, body in blocks(text):
            print(f"README.md:{line}: {' '.join(words) or 'picture'}", flush=True)
            status = page.run_block(words, body)
            if status != 0:
                raise SystemExit(f"README.md:{line}: failed with status {status}")
            count += 1
        for name in page.pending:
            if page.bash(f"reel check {shlex.quote(name)}\n", work) != 0:
                raise SystemExit(f"README.md: {name} is no right pipeline")
        left = os.listdir(page.environment["REEL_RUNTIME_DIR"])
        if left:
            raise SystemExit(f"README.md: left in the runtime directory: {left}")
    missing = broken_links(text, source)
    if missing:
        raise SystemExit(f"README.md: links that lead nowhere: {missing}")
    print(f"{count} blocks ran, every link leads somewhere")


main()
