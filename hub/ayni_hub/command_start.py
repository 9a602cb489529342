"""`ayni start` and `ayni stop`: a real small network on this machine, kept across restarts."""

from __future__ import annotations

import argparse
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from ayni_core.schema import ConfigError
from ayni_hub import discovering, roof, settling
from ayni_hub.home import Answers, Home, default_folder
from ayni_hub.roof import AlreadyRunningError, Roof, Running
from ayni_io import i18n
from ayni_io.i18n import _, _n, language
from ayni_io.process import run_until_stopped, set_up_logging
from ayni_io.stack import StackError, ayni
from ayni_io.usage import Parser

_STARTS_WITHIN_S, _STOPS_WITHIN_S = 60.0, 30.0
_NOT_RUNNING = 3


def parser() -> argparse.ArgumentParser:
    """The options of `ayni start`."""
    result = Parser(
        prog="ayni start",
        description=_("Run a real small network from this machine: broker, central, monitor and console."),
        epilog=_("It goes on in the background when the console is left; `ayni stop` ends it."),
    )
    first = result.add_argument_group(_("answers of the first start, asked for where they are missing"))
    first.add_argument("--network", metavar="TITLE", help=_("what the network is called"))
    first.add_argument("--site", metavar="TITLE", help=_("where this machine stands"))
    first.add_argument("--name", metavar="TITLE", help=_("your name"))
    _add_folder(result)
    result.add_argument(
        "--no-discover", action="store_true", help=_("do not offer to look for devices at the first start")
    )
    result.add_argument("--no-console", action="store_true", help=_("do not open the console"))
    result.add_argument(
        "--foreground", action="store_true", help=_("stay in the foreground, without console: for a service")
    )
    result.add_argument("--status", action="store_true", help=_("say what runs, and do nothing"))
    return result


def stop_parser() -> argparse.ArgumentParser:
    """The options of `ayni stop`."""
    result = Parser(prog="ayni stop", description=_("End what `ayni start` runs."))
    _add_folder(result)
    return result


def _add_folder(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--dir", dest="folder", type=Path, default=default_folder(), metavar="DIR",
        help=_("where the network is kept (default: {folder})", folder=default_folder()),
    )  # fmt: skip


def main(argv: Sequence[str]) -> int:
    """Start, or attach to what runs already."""
    command = parser()
    options = command.parse_args(argv)
    home = Home(options.folder)
    in_terminal = sys.stdin.isatty() and sys.stdout.isatty()
    first = not home.exists
    if options.status:
        return _status(home)
    asked = (options.network, options.site, options.name)
    if home.exists:
        if any(asked):
            command.error(_("{folder} holds a network already; it keeps its answers", folder=home.folder))
        home.settings(), home.network()  # what is wrong with them is told here, not in a log
    else:
        _begin(home, _answers(command, *asked))
        if in_terminal and not (options.no_discover or options.foreground):
            _look_around(home)
    if options.foreground:
        return _foreground(home)
    return _background(home, console=not options.no_console, settle=first and in_terminal)


def stop_main(argv: Sequence[str]) -> int:
    """End everything; 0 also when nothing ran."""
    home = Home(stop_parser().parse_args(argv).folder)
    running = roof.look(home)
    if running is None:
        print(_("Nothing runs in {folder}.", folder=home.folder))
        return 0
    try:
        os.kill(running.pid, signal.SIGTERM)
    except PermissionError:
        print(_("ayni stop: it was started by another user"), file=sys.stderr)
        return 1
    end = time.monotonic() + _STOPS_WITHIN_S
    while roof.look(home) is not None or _lives(running.pid):  # its lock goes a moment before it
        if time.monotonic() > end:
            print(_("ayni stop: process {pid} does not end", pid=running.pid), file=sys.stderr)
            return 1
        time.sleep(0.1)
    print(_("Stopped. What was measured stays in {folder}.", folder=home.folder))
    return 0


def _lives(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def _answers(
    command: argparse.ArgumentParser, network: str | None, site: str | None, person: str | None
) -> Answers:
    questions = (
        (network, _("What is the network called?")),
        (site, _("Where does this machine stand? (a site, such as: School)")),
        (person, _("What is your name?")),
    )
    if not all(given for given, _question in questions) and not sys.stdin.isatty():
        command.error(_("the first start needs --network, --site and --name, or a terminal to ask"))
    answers = []
    for given, question in questions:
        answer = (given or "").strip()
        while not answer:
            try:
                answer = input(f"{question} ").strip()
            except EOFError:
                command.error(_("no answer; start again with --network, --site and --name"))
        answers.append(answer)
    return Answers(network=answers[0], site=answers[1], person=answers[2])


def _begin(home: Home, answers: Answers) -> None:
    host = socket.gethostname().partition(".")[0] or "monitor"
    home.begin(answers, language=language(), host=host)
    print(_("Your network is kept in {folder}", folder=home.folder))


def _look_around(home: Home) -> None:
    """Offer to look for devices; whatever comes of it, the network starts afterwards."""
    try:
        answer = input(_("Look for devices in the networks of this machine now? [Y/n]") + " ").strip()
        if answer[:1] not in ("n", "N"):
            discovering.look_around(home, [])
    except (EOFError, KeyboardInterrupt):
        print()
    except ConfigError as error:
        print(i18n.reason(error), file=sys.stderr)
        print(_("Later: ayni network discover"))


def _foreground(home: Home) -> int:
    set_up_logging()

    async def run() -> int:
        return await Roof(home).run()

    try:
        return run_until_stopped(run())
    except (AlreadyRunningError, StackError) as error:
        print(f"ayni start: {error}", file=sys.stderr)
        return 1


def _background(home: Home, *, console: bool, settle: bool) -> int:
    running = roof.look(home)
    if running is not None and running.ready:
        print(_("It runs already."))
    else:
        if running is None:
            print(_("Starting broker, central and monitor …"), flush=True)
        running = _wait_for(home, None if running else _detach(home))
        if running is None:
            return 1
    print(_("Broker on 127.0.0.1:{port}, {n} parts run.", port=running.port, n=len(running.parts)))
    if len(home.network().devices) < 2:
        print(_("Add your first device: ayni network discover, or ayni network add ADDRESS"))
    elif settle:
        settling.settle(home)
    if not console or not sys.stdout.isatty():
        return 0
    return _console(home, running)


def _detach(home: Home) -> subprocess.Popen[bytes]:
    """The supervisor in a session of its own, so that it outlives this terminal."""
    (home.folder / "logs").mkdir(exist_ok=True)
    with (home.folder / "logs" / "start.log").open("ab") as log:
        return subprocess.Popen(  # noqa: S603 (our own command line)
            ayni("start", "--foreground", "--dir", str(home.folder)),
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            cwd=home.folder,
            start_new_session=True,
        )


def _wait_for(home: Home, supervisor: subprocess.Popen[bytes] | None) -> Running | None:
    end = time.monotonic() + _STARTS_WITHIN_S
    while time.monotonic() < end:
        running = roof.look(home)
        ours = supervisor.pid if supervisor is not None and supervisor.poll() is None else None
        # One that was killed a moment ago may have left its words: wait for those of our own process.
        if running is not None and running.ready and ours in (None, running.pid):
            return running
        if supervisor is not None and ours is None and not roof.is_locked(home):
            break
        time.sleep(0.1)
    log = home.folder / "logs" / "start.log"
    words = log.read_text(encoding="utf-8", errors="replace").splitlines()[-2:] if log.is_file() else []
    print(_("ayni start: it did not start; the end of {log}:", log=log), file=sys.stderr)
    print("\n".join(words), file=sys.stderr)
    return None


def _console(home: Home, running: Running) -> int:
    person = home.settings().person
    words = ["console", "--watch", "--broker", f"127.0.0.1:{running.port}", "--user", person]
    words += ["--password-file", str(home.folder / "secrets" / f"p-{person}"), "--mqtt", running.protocol]
    status = subprocess.run(ayni(*words), check=False).returncode  # noqa: S603 (our own command line)
    print(_("The network goes on in the background. `ayni start` comes back, `ayni stop` ends it."))
    return status


def _status(home: Home) -> int:
    running = roof.look(home)
    if running is None:
        print(_("Nothing runs in {folder}.", folder=home.folder))
        return _NOT_RUNNING
    network = home.network()
    minutes = int((time.time() - running.since) / 60)
    devices = _n("{n} device", "{n} devices", len(network.devices))
    print(_("{title}: {devices}, kept in {folder}", title=network.title, devices=devices, folder=home.folder))
    print(
        _(
            "Broker ({kind}) on 127.0.0.1:{port}, for {minutes} min",
            kind=running.broker,
            port=running.port,
            minutes=minutes,
        )
    )
    for name, pid in running.parts.items():
        print(_("  {name}: runs, process {pid}", name=name, pid=pid))
    if not running.ready:
        print(_("It is still starting."))
    return 0
