"""containers.py SOURCE BUILD: runs what framework/channel/CONTAINERS.md shows to try, where user namespaces are to be had."""

import os
import re
import signal
import subprocess
import sys
import tempfile

SKIPPED = 77  # to CTest
WATCHDOG = 120


def main(source, build):
    probe = ["unshare", "--user", "--map-root-user", "--pid", "--fork", "--mount", "--ipc", "--net", "--uts", "sh", "-c",
             "mount -t proc proc /proc && mount -t tmpfs tmpfs /dev/shm"]
    refused = subprocess.run(probe, capture_output=True, text=True)
    if refused.returncode != 0:
        print(f"containers: Skipped\nthis machine makes no containers without root: {refused.stderr.strip()}")
        return SKIPPED
    with open(os.path.join(source, "framework", "channel", "CONTAINERS.md"), encoding="utf-8") as page:
        (script,) = re.findall(r"^```bash try\n(.*?)^```$", page.read(), flags=re.M | re.S)
    environment = dict(os.environ, PATH=os.path.join(build, "bin") + os.pathsep + os.environ["PATH"])
    environment.pop("REEL_RUNTIME_DIR", None)
    with tempfile.TemporaryDirectory(prefix="reel-containers-") as work:
        shell = subprocess.Popen(["bash", "-euc", script], cwd=work, env=environment, text=True, stdout=subprocess.PIPE,
                                 stderr=subprocess.STDOUT, start_new_session=True)
        try:
            said, _ = shell.communicate(timeout=WATCHDOG)
        except subprocess.TimeoutExpired:
            os.killpg(shell.pid, signal.SIGKILL)
            said, _ = shell.communicate()
            raise SystemExit(f"it does not end:\n{said}")
    print(said)
    if shell.returncode != 0:
        raise SystemExit(f"status {shell.returncode}")
    for wanted in (r"camera: 200 of 200 frames .* 200 verified, 0 corrupted", r"^camera +- +\d+", r"^source  finished"):
        if not re.search(wanted, said, flags=re.M):
            raise SystemExit(f"it does not say {wanted}")
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
