"""`ayni demo`: a pretend village on this computer, to look around; leaving erases everything."""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Sequence

from ayni_core.schema import ConfigError
from ayni_io.i18n import LANGUAGES, _, language, reason, use
from ayni_io.local_broker import KINDS
from ayni_io.process import OWN_DEVICES, run_until_stopped
from ayni_io.stack import StackError, ayni
from ayni_io.usage import Parser
from ayni_lab.demo import Demo, DemoError, running
from ayni_lab.exercise import DEFAULT_FAULT, Exercise, fault_names, least_s

_STOPPED = 130
_WITHIN_S = 90.0


def parser() -> argparse.ArgumentParser:
    """The options of `ayni demo`."""
    result = Parser(
        prog="ayni demo",
        description=_(
            "A pretend village on this computer: simulated radios, real programs. You cannot break anything."
        ),
        epilog=_("Everything runs on 127.0.0.1, in a temporary folder that is removed at the end."),
    )
    result.add_argument(
        "--poll", type=_seconds(1, 60), default=5.0, metavar="S",
        help=_("seconds between two readings of a device (default: 5)"),
    )  # fmt: skip
    result.add_argument(
        "--broker", choices=("auto", *KINDS), default="auto",
        help=_("which MQTT broker; auto takes Mosquitto where it is installed"),
    )  # fmt: skip
    result.add_argument("--language", choices=sorted(LANGUAGES), help=_("language of the screens"))
    result.add_argument(
        "--headless", action="store_true",
        help=_("no screen: break something, repair it, tell how the whole chain did"),
    )  # fmt: skip
    result.add_argument(
        "--for", dest="within_s", type=_seconds(10, 3600), metavar="S",
        help=_("with --headless: seconds that it may take once all runs (default: 90, or as --poll needs)"),
    )  # fmt: skip
    result.add_argument(
        "--break", dest="fault", default=DEFAULT_FAULT, metavar="FAULT",
        help=_("with --headless: what to break (default: {fault})", fault=DEFAULT_FAULT),
    )  # fmt: skip
    result.add_argument("--json", action="store_true", help=_("with --headless: print one JSON object"))
    return result


def main(argv: Sequence[str]) -> int:
    """Run the demo; 0 when everything worked."""
    command = parser()
    options = command.parse_args(argv)
    if options.language:
        use(options.language)
    if options.headless and options.fault not in fault_names():
        command.error(_("--break: choose from {names}", names=", ".join(fault_names())))
    least = least_s(options.poll)
    options.within_s = options.within_s or max(_WITHIN_S, least)
    if options.headless and options.within_s < least:
        sentence = _(
            "--for {given}: with a reading every {poll} s a repair is seen after {least} s at the latest",
            given=f"{options.within_s:g}", poll=f"{options.poll:g}", least=f"{least:g}",
        )  # fmt: skip
        command.error(sentence)
    if not options.headless and not (sys.stdin.isatty() and sys.stdout.isatty()):
        command.error(_("the demo needs a terminal; without one there is --headless"))
    status = run_until_stopped(_demo(options))
    if status == OWN_DEVICES:
        environment = {**os.environ, "AYNI_LANG": language()}
        return subprocess.run(ayni("start"), env=environment, check=False).returncode  # noqa: S603 (our own)
    return status


async def _demo(options: argparse.Namespace) -> int:
    task = asyncio.current_task()
    if task is not None:
        asyncio.get_running_loop().add_signal_handler(signal.SIGHUP, task.cancel)
    _tell(_("A pretend village: you cannot break anything. Ctrl+C leaves; nothing stays."))
    try:
        async with running(
            poll_s=options.poll, language=language(), wanted_broker=options.broker, tell=_tell
        ) as demo:
            return await (_headless(demo, options) if options.headless else _on_screen(demo))
    except (StackError, DemoError, ConfigError) as error:
        print(f"ayni demo: {reason(error)}", file=sys.stderr)
        return 1
    except OSError as error:  # a temporary folder that is full or may not be written
        print(f"ayni demo: {error.filename or ''}: {error.strerror or error}", file=sys.stderr)
        return 1
    except asyncio.CancelledError:
        _tell(_("Stopped; everything of the demo is gone again."))
        return _STOPPED


async def _on_screen(demo: Demo) -> int:
    status = await demo.open_console()
    for line in demo.deaths():
        _tell(line)
        status = status or 1
    if status != OWN_DEVICES:
        _tell(_("Everything of the demo is gone again. With your own devices: ayni start"))
    return status


async def _headless(demo: Demo, options: argparse.Namespace) -> int:
    report = await Exercise(demo, options.fault, options.within_s).run()
    if options.json:
        print(json.dumps(report, indent=1))
    else:
        for key, value in report.items():
            print(f"{key:<14}{json.dumps(value)}")
    return 0 if report["ok"] else 1


def _tell(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


def _seconds(least: float, most: float) -> Callable[[str], float]:
    def read(text: str) -> float:
        try:
            value = float(text)
        except ValueError:
            raise argparse.ArgumentTypeError(_('"{word}" is not a number', word=text)) from None
        if not least <= value <= most:
            raise argparse.ArgumentTypeError(
                _("must be from {least} to {most}", least=f"{least:g}", most=f"{most:g}")
            )
        return value

    return read
