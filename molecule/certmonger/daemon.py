#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""certmonger and its bus for the scenario: daemon.py start|getcert|stop DIR [ARGUMENTS]. They live from `start` to `stop`."""

import contextlib
import os
import pathlib
import signal
import subprocess
import sys
import time


BUS = """<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN"
 "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
<busconfig><type>system</type><listen>unix:path={work}/bus</listen><policy context="default"><allow user="*"/><allow own="*"/>
<allow send_destination="*"/><allow receive_sender="*"/></policy></busconfig>
"""


def environment(work):
    """Directories and bus of its own."""
    places = {f"CERTMONGER_{name}_DIR": str(work / name.lower()) for name in ("CONFIG", "REQUESTS", "CAS", "LOCAL_CA")}
    files = {"CERTMONGER_SYSTEM_LOCK_FILE": str(work / "lock"), "CERTMONGER_TMPDIR": str(work / "tmp"), "TMPDIR": str(work / "tmp")}
    return {"PATH": os.environ["PATH"], "LC_ALL": "C", "DBUS_SYSTEM_BUS_ADDRESS": f"unix:path={work}/bus", **places, **files}


def start(work):
    """Start it, and wait until it answers."""
    stop(work)
    for name in ("config", "requests", "cas", "local_ca", "tmp", "tls/certs", "tls/private"):
        (work / name).mkdir(parents=True, exist_ok=True)
    (work / "bus.conf").write_text(BUS.format(work=work))
    spawn(work, "dbus-daemon", f"--config-file={work}/bus.conf", "--nofork", "--nopidfile")
    spawn(work, "certmonger", "-S", "-n")
    end = time.monotonic() + 60
    while getcert(work, "list-cas").returncode:
        assert time.monotonic() < end, (work / "certmonger.log").read_text()
        time.sleep(0.1)


def spawn(work, *command):
    """A process that outlives us."""
    with open(work / f"{command[0]}.log", "ab") as log:
        process = subprocess.Popen(command, env=environment(work), stdin=subprocess.DEVNULL, stdout=log, stderr=log, cwd="/", start_new_session=True)
    (work / f"{command[0]}.pid").write_text(str(process.pid))


def getcert(work, *arguments):
    """certmonger's own client, which is the witness."""
    return subprocess.run(["getcert", *arguments], env=environment(work), stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=120)


def stop(work):
    """End both; nothing if they do not run."""
    for name in ("certmonger", "dbus-daemon"):
        pid = work / f"{name}.pid"
        if pid.exists():
            with contextlib.suppress(ProcessLookupError):
                os.kill(int(pid.read_text()), signal.SIGTERM)
            pid.unlink()


def main(action, work, *arguments):
    """One action."""
    if action == "getcert":
        done = getcert(pathlib.Path(work), *arguments)
        print(done.stdout, end="")
        print(done.stderr, end="", file=sys.stderr)
        raise SystemExit(done.returncode)
    {"start": start, "stop": stop}[action](pathlib.Path(work))


if __name__ == "__main__":
    main(*sys.argv[1:])
