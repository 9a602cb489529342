"""`scripts/deploy-test`: deploy to real machines on this computer, break them, and say what held.

One line a check, with its time. Nothing stays behind, also after a failure or Ctrl-C: machines, networks,
mounts and files belong to a lab with the name of this process.
"""

from __future__ import annotations

import argparse
import os
import signal
import sys
import time
from pathlib import Path

os.environ["AYNI_LAB"] = f"dt{os.getpid() % 1_000_000}"  # before `places` is imported
sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "nspawn"))

import alone
import bases
import bundling
import change
import checks
import disaster
import first
import gate
import hardship
import machine
from lab import DEBIAN, Lab
from places import LIVING, Trouble, check_lab

GROUPS = [each.__name__ for each in (first, gate, hardship, change, disaster, alone)]
"""In this order; each module enters its checks when it is imported."""


def main() -> int:
    """0 when all that was asked for holds."""
    parser = argparse.ArgumentParser(
        prog="scripts/deploy-test", description="Deploy to booted machines and break them."
    )
    parser.add_argument("--short", action="store_true", help="what CI has time for: four minutes at most")
    parser.add_argument(
        "--only", default="", metavar="WORDS,…", help="besides the first, those whose line has some of these"
    )
    parser.add_argument("--logs", type=Path, metavar="DIR", help="keep what the plays print there")
    parser.add_argument("--list", action="store_true", help="name the checks")
    parser.add_argument("--prepare", action="store_true", help="only fetch what is kept from run to run")
    asked = parser.parse_args()
    checks.CHECKS.sort(key=lambda each: GROUPS.index(each.does.__module__))
    if asked.list:
        for each in checks.CHECKS:
            print(f"{'short' if each.short else 'full ':<6} {each.says}")
        return 0
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    began = time.monotonic()
    check_lab()
    bundle = bundling.current(DEBIAN)
    bases.built(DEBIAN)
    if asked.prepare:
        return 0
    prepared = time.monotonic()
    lab = Lab(bundle=bundle, keep_logs=asked.logs, hasty=asked.short)
    try:
        lab.open()
        report = checks.run_all(lab, short=asked.short, only=asked.only)
    except (Trouble, checks.Failure) as trouble:
        print(f"deploy-test: {trouble}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    finally:
        lab.close()
        _leave(lab)
    seconds = time.monotonic() - prepared
    print(
        f"deploy-test: {report.passed} hold, {len(report.failed)} do not; {seconds / 60:.1f} minutes"
        f" (and {prepared - began:.0f} s for the bundle's parts)"
    )
    return 1 if report.failed else 0


def _leave(lab: Lab) -> None:
    """Say so if something stayed."""
    left = [path for path in (lab.folder, LIVING) if path.exists()]
    if left or machine.machines():
        print(f"deploy-test: left behind: {left}", file=sys.stderr)


if __name__ == "__main__":
    sys.exit(main())
