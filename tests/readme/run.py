"""Runs README.md: every fenced block, in its order, in one directory, with an installed Reel.

The words behind a block's language say what it is:
  cpp FILE, yaml FILE    written to FILE; a pipeline is checked, once the plugins shown before it can be there
  cpp plugin FILE        the same, a stage
  bash                   run as it stands
  bash in-clone          run in the clone, with this build's directory for build; building is a dry run, it was done
  bash quickstart|tests  programs that take minutes and are run elsewhere: that they are there and know their options is looked at
A block without a language is a picture. Any other is an error: nothing on the page goes unrun.
"""

import os
import re
import shlex
import shutil
import subprocess
import sys
import tempfile

LINES_OF_A_PROGRAM = 16  # "ten lines": of code, without includes, main's frame and blank lines at most ten
LINES_OF_A_FILTER = 70


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
    def __init__(self, source, build, work):
        self.source, self.build, self.work = source, build, work
        self.environment = dict(os.environ, HOME=work, REEL_RUNTIME_DIR=os.path.join(work, "runtime"))
        self.environment.pop("REEL_PLUGIN_PATH", None)
        self.pending = []  # pipelines that wait to be checked

    def use_install(self, compiler):
        """What the section "Build and install" ends with: Reel in a prefix, found by everything."""
        prefix = os.path.join(self.work, "prefix")
        subprocess.run(["cmake", "--install", self.build, "--prefix", prefix], check=True, stdout=subprocess.DEVNULL)
        for folder, _, files in os.walk(prefix):
            if "reel.pc" in files:
                self.environment["PKG_CONFIG_PATH"] = folder
            if "libreel.so" in files:
                self.environment["LD_LIBRARY_PATH"] = folder
        tools = os.path.join(self.work, "tools")  # `g++` is the compiler of this build
        os.mkdir(tools)
        wrapper = os.path.join(tools, "g++")
        with open(wrapper, "w") as file:
            file.write(f'#!/bin/sh\nexec {shlex.quote(shutil.which(compiler))} -Wall -Wextra -Werror "$@"\n')
        os.chmod(wrapper, 0o755)
        self.environment["PATH"] = f"{tools}:{prefix}/bin:{os.environ['PATH']}"

    def bash(self, script, folder):
        return subprocess.run(["bash", "-euo", "pipefail", "-c", script], cwd=folder, env=self.environment).returncode

    def write(self, name, body):
        with open(os.path.join(self.work, name), "w") as file:
            file.write(body)

    def programs_exist(self, body):
        """Each line that starts a program of the clone: it is there, and takes the options that are shown."""
        for line in body.splitlines():
            for command in line.split("&&"):
                words = shlex.split(command, comments=True)
                if not words or words[0] in ("git", "cd"):
                    continue
                shown = subprocess.run([os.path.join(self.source, words[0]), *words[1:], "--help"],
                                       stdout=subprocess.DEVNULL)
                if shown.returncode != 0:
                    return shown.returncode
        return 0

    def run_block(self, words, body):
        """The exit status of what the block asks for."""
        if not words:
            return 0
        language, rest = words[0], words[1:]
        if language == "cpp":
            limit = LINES_OF_A_FILTER if rest[0] == "plugin" else LINES_OF_A_PROGRAM
            if len(body.splitlines()) >= limit:
                print(f"longer than {limit} lines")
                return 1
            self.write(rest[-1], body)
            return 0
        if language == "yaml":
            self.write(rest[0], body)
            self.pending.append(rest[0])
            return 0
        if language == "bash" and rest in (["quickstart"], ["tests"]):
            return self.programs_exist(body)
        if language == "bash" and rest == ["in-clone"]:
            # This build made everything already; were it out of date, other tests must not lose it under their feet.
            dry = re.sub(r"^cmake --build build$", "cmake --build build -- -n", body, flags=re.M)
            return self.bash(re.sub(r"(?<=\s)build\b", shlex.quote(self.build), dry), self.source)
        if language == "bash" and not rest:
            return self.bash(body, self.work)
        print(f"a block of '{' '.join(words)}' that nothing runs")
        return 1


def main():
    source, build, compiler = sys.argv[1:4]
    with open(os.path.join(source, "README.md")) as file:
        text = file.read()
    with tempfile.TemporaryDirectory(prefix="reel-readme-") as work:
        page = Page(source, build, work)
        os.mkdir(page.environment["REEL_RUNTIME_DIR"], 0o700)
        os.symlink(os.path.join(source, "apps"), os.path.join(work, "apps"))
        page.use_install(compiler)
        count = 0
        for line, words, body in blocks(text):
            print(f"README.md:{line}: {' '.join(words) or 'picture'}", flush=True)
            status = page.run_block(words, body)
            if status != 0:
                raise SystemExit(f"README.md:{line}: failed with status {status}")
            count += 1
        page.environment["REEL_PLUGIN_PATH"] = work
        for name in page.pending:
            if page.bash(f"reel check {shlex.quote(name)}", work) != 0:
                raise SystemExit(f"README.md: {name} is no right pipeline")
        left = os.listdir(page.environment["REEL_RUNTIME_DIR"])
        if left:
            raise SystemExit(f"README.md: left in the runtime directory: {left}")
    prose = re.sub(r"^```.*?^```$", "", text, flags=re.M | re.S)
    missing = [target for target in re.findall(r"\]\(([^)#]+)\)", prose)
               if "://" not in target and not os.path.exists(os.path.join(source, target))]
    if missing:
        raise SystemExit(f"README.md: links that lead nowhere: {missing}")
    print(f"{count} blocks ran, every link leads somewhere")


main()
