"""completion.py SHELL SOURCE BUILD: what bash, zsh or fish makes of a word and a Tab, with the script that `reel completion` prints.

bash and zsh are typed at on a terminal, fish is asked (`complete -C`). A pipeline runs whose source has a password in its address, to
complete its names: the password must come up nowhere.
"""

import os
import pty
import re
import select
import shutil
import signal
import subprocess
import sys
import tempfile
import time

SKIPPED = 77  # to CTest
WATCHDOG = 60
PASSWORD = "open-sesame-1234"
PIPELINE = f"""
version: 1
name: garden
stages:
  wellspring: {{use: synthetic.source, options: {{format: GRAY8, width: 64, height: 48, fps: 50}}, out: raindrops}}
  gauge: {{use: synthetic.verify, in: raindrops, environment: {{CAMERA: "rtsp://admin:{PASSWORD}@example.org/"}}}}
"""

# What is typed, and what it becomes.
CASES = [
    ("reel insp", "reel inspect "),
    ("reel ls --js", "reel ls --json "),
    ("reel graph --format sv", "reel graph --format svg "),
    ("reel graph --format=sv", "reel graph --format=svg "),
    ("reel verify --policy lo", "reel verify --policy lossless "),
    ("reel completion f", "reel completion fish "),
    ("reel stop gar", "reel stop garden "),
    ("reel restart wel", "reel restart wellspring "),
    ("reel logs --stage gau", "reel logs --stage gauge "),
    ("reel inspect rai", "reel inspect raindrops "),
    ("reel recordings exp", "reel recordings export "),
    ("reel recordings ls . --class ev", "reel recordings ls . --class event "),
    ("reel play . --into gard", "reel play . --into garden.yaml "),
    ("reel play . --spe", "reel play . --speed "),
    ("reel plugins synthetic.ver", "reel plugins synthetic.verify "),
    ("reel run gard", "reel run garden.yaml "),
    ("reel run garden.yaml --gdb wel", "reel run garden.yaml --gdb wellspring "),
    ("reel run garden.yaml --set gau", "reel run garden.yaml --set gauge."),
    ("reel run garden.yaml --set gauge.del", "reel run garden.yaml --set gauge.delay_ms="),
]


class Terminal:
    """A shell on a terminal; `typed` is followed by Tab, and the line as it is then is printed."""

    def __init__(self, command, environment, work, preparation):
        self.pid, self.fd = pty.fork()
        if self.pid == 0:
            os.chdir(work)
            os.execvpe(command[0], command, environment)
        self.seen = ""
        self.type(preparation + "\n")
        self.type("echo REA''DY\n")
        self.wait_for(r"^READY\r?$")

    def type(self, text):
        os.write(self.fd, text.encode())

    def wait_for(self, pattern):
        deadline = time.monotonic() + WATCHDOG
        while time.monotonic() < deadline:
            found = re.search(pattern, self.seen, flags=re.M)
            if found:
                self.seen = self.seen[found.end():]
                return found
            if select.select([self.fd], [], [], 0.2)[0]:
                self.seen += os.read(self.fd, 4096).decode(errors="replace")
        raise SystemExit(f"no {pattern} on the terminal:\n{self.seen}")

    def complete(self, typed):
        # Ctrl-A and what follows it is read when the line has been completed.
        self.type(f"{typed}\t\x01echo 'LI''NE <\x05>'\n")
        return self.wait_for(r"^LINE <(.*)>\r?$").group(1)

    def end(self):
        os.kill(self.pid, signal.SIGKILL)
        os.waitpid(self.pid, 0)
        os.close(self.fd)


class Fish:
    def __init__(self, script, environment, work):
        self.script, self.environment, self.work = script, environment, work

    def complete(self, typed):
        done = subprocess.run(["fish", "--no-config", "-c", f"source {self.script}; complete -C '{typed}'"], cwd=self.work,
                              env=self.environment, capture_output=True, text=True, timeout=WATCHDOG)
        offered = [line.split("\t")[0] for line in done.stdout.splitlines()]
        # As it would be typed on: fish adds the space that ends a word by itself.
        return " ".join(typed.split()[:-1] + offered[:1]) + ("" if offered and offered[0][-1] in ".=" else " ") if len(offered) == 1 else offered

    def end(self):
        pass


def start_shell(shell, script, environment, work):
    if shell == "fish":
        return Fish(script, environment, work)
    if shell == "bash":
        return Terminal(["bash", "--norc", "--noprofile", "-i"], environment, work, f"source {script}")
    return Terminal(["zsh", "-f", "-i"], environment, work,
                    f"bindkey -e; unsetopt zle_bracketed_paste PROMPT_SP; autoload -U compinit; compinit -D -u; source {script}")


def main():
    shell, source, build = sys.argv[1:4]
    if shutil.which(shell) is None:
        print(f"completion: Skipped\nthere is no {shell} here: apps/install-packages test")
        sys.exit(1 if "REEL_REQUIRE_ALL_TESTS" in os.environ else SKIPPED)
    if shell != "fish":
        try:
            for descriptor in pty.openpty():
                os.close(descriptor)
        except OSError as error:
            print(f"completion: Skipped\nno pseudo-terminals here ({error}): /dev/pts is not mounted")
            sys.exit(SKIPPED)
    with tempfile.TemporaryDirectory(prefix="reel-completion-") as work:
        environment = dict(os.environ, PATH=f"{os.path.join(build, 'bin')}:{os.environ['PATH']}", TERM="dumb", HOME=work, PS1="$ ",
                           REEL_RUNTIME_DIR=os.path.join(work, "runtime"), XDG_CONFIG_HOME=work, XDG_DATA_HOME=work)
        os.mkdir(environment["REEL_RUNTIME_DIR"], 0o700)
        for name, text in (("garden.yaml", PIPELINE), ("garden.txt", "no pipeline\n")):
            with open(os.path.join(work, name), "w") as file:
                file.write(text)
        script = os.path.join(work, f"completion.{shell}")
        with open(script, "w") as file:
            subprocess.run(["reel", "completion", shell], env=environment, stdout=file, check=True)
        pipeline = subprocess.Popen(["reel", "run", "garden.yaml"], cwd=work, env=environment, stdout=subprocess.DEVNULL,
                                    stderr=open(os.path.join(work, "log"), "w"))
        try:
            deadline = time.monotonic() + WATCHDOG
            while "ready" not in subprocess.run(["reel", "inspect", "raindrops"], env=environment, capture_output=True, text=True).stdout:
                if time.monotonic() > deadline:
                    raise SystemExit("the pipeline does not run: " + open(os.path.join(work, "log")).read())
                time.sleep(0.1)
            terminal = start_shell(shell, script, environment, work)
            wrong = []
            for typed, wanted in CASES:
                became = terminal.complete(typed)
                # zsh takes back the space behind a word when the cursor leaves it.
                if became != wanted and not (shell == "zsh" and became == wanted.rstrip()):
                    wrong.append(f"'{typed}' became '{became}', not '{wanted}'")
            terminal.end()
            for kind in ("inspect", "stop", "restart", "logs --stage", "graph", "run garden.yaml --set gauge.", "run garden.yaml --gdb"):
                words = ["reel", *kind.split()] + ([] if kind.endswith(".") else [""])
                said = subprocess.run(["reel", "__complete", str(len(words) - 1), *words], cwd=work, env=environment, capture_output=True,
                                      text=True, check=True)
                if PASSWORD in said.stdout + said.stderr or not said.stdout:
                    wrong.append(f"reel {kind}: offers {said.stdout}{said.stderr}")
            if wrong:
                raise SystemExit("\n".join(wrong))
        finally:
            pipeline.send_signal(signal.SIGINT)
            pipeline.wait(timeout=WATCHDOG)
    print(f"{shell}: {len(CASES)} words completed")


main()
