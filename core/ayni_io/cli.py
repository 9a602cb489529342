"""The `ayni` command: maps a subcommand to "module:function" by string and imports it on call.

So the parts stay apart: this file names them, it never imports them. Every named module has
`main(argv) -> exit status` and `parser() -> ArgumentParser`, which shell completion asks too; a second
command of a module is `NAME_main` and `NAME_parser`.
"""

from __future__ import annotations

import argparse
import importlib
import io
import os
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from ayni_core import __version__
from ayni_core.message import Phrase
from ayni_core.schema import ConfigError, nearest
from ayni_io import i18n, usage
from ayni_io.i18n import _, say


@dataclass(frozen=True, slots=True)
class Entry:
    """Where a subcommand lives, which extra brings what it imports, and one line of help."""

    target: str
    extra: str
    help: str


COMMANDS: dict[tuple[str, ...], Entry] = {
    ("demo",): Entry(
        "ayni_lab.command_demo:main", "lab", "a pretend village on this computer, to look around"
    ),
    ("start",): Entry("ayni_hub.command_start:main", "hub", "run a real small network from this machine"),
    ("stop",): Entry("ayni_hub.command_start:stop_main", "hub", "end what `ayni start` runs"),
    ("console",): Entry("ayni_console.command_console:main", "console", "watch and repair your links"),
    ("status",): Entry("ayni_console.command_status:main", "console", "Home as plain lines"),
    ("link",): Entry("ayni_console.command_look:link_main", "console", "one link as plain lines"),
    ("site",): Entry("ayni_console.command_look:site_main", "console", "one site as plain lines"),
    ("events",): Entry("ayni_console.command_events:main", "console", "what happened, as plain lines"),
    ("health",): Entry("ayni_console.command_health:main", "console", "how Ayni itself is, as plain lines"),
    ("map",): Entry("ayni_console.command_pages:map_main", "console", "who is behind whom, as plain lines"),
    ("advice",): Entry("ayni_console.command_pages:advice_main", "console", "what to do now, as plain lines"),
    ("messages",): Entry(
        "ayni_console.command_pages:messages_main", "console", "what people were told, as plain lines"
    ),
    ("do",): Entry("ayni_console.command_do:main", "console", "give a command to a device or a monitor"),
    ("alerts",): Entry("ayni_console.command_alerts:main", "console", "every alarm as plain lines"),
    ("ack",): Entry("ayni_console.command_alerts:ack_main", "console", "take an alarm on, or give it back"),
    ("note",): Entry("ayni_console.command_note:main", "console", "write a note for all to read"),
    ("maintenance",): Entry(
        "ayni_console.command_maintenance:main", "console", "say when nobody is to be called"
    ),
    ("network",): Entry("ayni_hub.command_network:main", "hub", "check and extend network.yaml"),
    ("notify",): Entry("ayni_hub.command_notify:main", "hub", "how people are told of alarms; send a test"),
    ("agent", "run"): Entry("ayni_agent.command_run:main", "agent", "poll the devices of this node for ever"),
    ("agent", "check"): Entry("ayni_agent.command_check:main", "agent", "check an agent.yaml"),
    ("agent", "status"): Entry(
        "ayni_agent.command_status:main", "agent", "how the monitor on this machine is"
    ),
    ("agent", "enrol"): Entry(
        "ayni_agent.command_enrol:main", "agent", "become the monitor that this machine was invited to be"
    ),
    ("agent", "poll"): Entry("ayni_agent.command_poll:main", "agent", "read one device once and show it"),
    ("agent", "discover"): Entry(
        "ayni_agent.command_discover:main", "agent", "find devices, also those whose SNMP is off"
    ),
    ("agent", "card"): Entry(
        "ayni_agent.command_card:main", "agent", "how to switch read-only SNMP on at a device"
    ),
    ("agent", "record"): Entry(
        "ayni_agent.command_record:main", "agent", "keep everything a device says in a file to share"
    ),
    ("profile",): Entry("ayni_agent.command_profile:main", "agent", "teach Ayni a new device"),
    ("hub", "run"): Entry("ayni_hub.command_run:main", "hub", "take in, remember, judge and answer"),
    ("hub", "backup"): Entry("ayni_hub.command_backup:main", "hub", "copy all that is remembered"),
    ("hub", "restore"): Entry("ayni_hub.command_backup:restore_main", "hub", "put a backup back"),
    ("hub", "check"): Entry("ayni_hub.command_store:check_main", "hub", "read all that is stored; repair it"),
    ("hub", "query"): Entry("ayni_hub.command_query:main", "hub", "ask what is stored: latest, gaps, top …"),
    ("hub", "export"): Entry("ayni_hub.command_store:export_main", "hub", "write samples for other programs"),
    ("hub", "accounts"): Entry(
        "ayni_hub.command_accounts:main", "hub", "write the accounts of a broker of your own"
    ),
    ("hub", "setup"): Entry(
        "ayni_hub.keys.command_setup:main", "hub", "make this machine the central of a network"
    ),
    ("hub", "guard"): Entry(
        "ayni_hub.keys.command_guard:main", "hub", "keep a good copy of the broker's accounts"
    ),
    ("hub", "invite"): Entry(
        "ayni_hub.keys.command_invite:main", "hub", "print an invitation by which a machine becomes a monitor"
    ),
    ("hub", "rotate"): Entry(
        "ayni_hub.keys.command_rotate:main", "hub", "give monitors another password while they run"
    ),
    ("hub", "pin"): Entry("ayni_hub.command_pin:main", "hub", "give a person of a shared login a PIN"),
    ("pki", "init"): Entry(
        "ayni_hub.pki.command_pki:init_main", "pki", "make the authority that your network trusts"
    ),
    ("pki", "issue"): Entry(
        "ayni_hub.pki.command_pki:issue_main", "pki", "sign a certificate for the broker or another server"
    ),
    ("pki", "status"): Entry(
        "ayni_hub.pki.command_pki:status_main", "pki", "how long the certificates are good"
    ),
    ("pki", "renew-server"): Entry(
        "ayni_hub.pki.command_pki:renew_server_main", "pki", "sign a server's certificate anew"
    ),
    ("pki", "roll-over"): Entry(
        "ayni_hub.pki.command_pki:roll_over_main", "pki", "replace the authority, nobody cut off"
    ),
    ("hub", "handover"): Entry("ayni_hub.command_handover:main", "hub", "give a worker's buckets to another"),
    ("hub", "migrate"): Entry(
        "ayni_hub.command_migrate:main", "hub", "bring what is stored to another store"
    ),
    ("hub", "import"): Entry("ayni_hub.command_store:import_main", "hub", "take samples in from a file"),
    ("rules", "check"): Entry(
        "ayni_hub.command_rules:check_main", "hub", "what is an alarm here, and what is wrong with a rule"
    ),
    ("rules", "try"): Entry(
        "ayni_hub.command_rules:try_main", "hub", "let rules judge what is stored: what would have fired"
    ),
    ("tap",): Entry("ayni_hub.command_tap:main", "hub", "read along on the broker, decoded"),
    ("lab",): Entry(
        "ayni_lab.command_lab:main", "lab", "simulated devices and an embedded broker to learn on"
    ),
    ("completion",): Entry("ayni_io.completion:main", "", "print the completion script of a shell"),
}
_GROUPS = {
    "agent": "the monitor: polls devices and reports",
    "hub": "the central: remembers and judges",
    "rules": "what is an alarm",
    "pki": "the network's own authority and its certificates",
}
_BROUGHT_BY = {
    "cryptography": ("snmpv3", "pki"),
    "textual": ("console",),
    "aiohttp": ("web",),
    "textual_serve": ("web",),
    "pysnmp": ("agent",),
    "amqtt": ("lab",),
    "influxdb_client": ("hub",),
}
"""Third-party packages that only an extra brings."""


def main(argv: Sequence[str] | None = None) -> int:
    """Run one subcommand; its exit status."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")  # a locale that lacks a letter is no reason to end
    try:
        try:
            return _main(list(sys.argv[1:] if argv is None else argv))
        finally:
            sys.stdout.flush()
    except BrokenPipeError:  # the reader went away, as `ayni … | head` does
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 141


def _main(words: list[str]) -> int:
    usage.speak()
    i18n.use(_language_in(words))
    if words[:1] in (["--version"], ["-V"]):
        print(f"ayni {__version__}")
        return 0
    if not words or words[0] in ("-h", "--help", "help"):
        print(_usage(()))
        return 0 if words else 2
    for length in (2, 1):
        entry = COMMANDS.get(tuple(words[:length]))
        if entry:
            return _run(entry, words[:length], words[length:])
    if words[0] in _GROUPS:
        if len(words) == 1 or words[1] in ("-h", "--help"):
            print(_usage((words[0],)))
            return 0 if len(words) > 1 else 2
        known = [path[1] for path in COMMANDS if path[0] == words[0] and len(path) > 1]
        return _complain(f"{words[0]} {words[1]}", _hint(words[1], known, ("--help",)))
    below = [" ".join(path) for path in COMMANDS if path[1:] == (words[0],)]
    known = sorted({path[0] for path in COMMANDS})
    return _complain(words[0], usage.meant(below) or _hint(words[0], known, ("--help", "--version")))


def _language_in(words: Sequence[str]) -> str | None:
    """What `--language` says, for a help page in it, too; a parser complains of what is none."""
    for option, value in zip(words, [*words[1:], ""], strict=False):
        if option == "--language":
            return value or None
        if option.startswith("--language="):
            return option.partition("=")[2] or None
    return None


def _hint(word: str, known: Sequence[str], options: Sequence[str]) -> str:
    close = nearest(word, options if word.startswith("-") else known)
    if close is not None:
        return usage.meant([close])
    return say(Phrase("fault.known", {"words": ", ".join(known)}))


def load(entry: Entry) -> Callable[[list[str]], int | None]:
    """The function behind an entry; raises `ImportError`."""
    module, _colon, name = entry.target.partition(":")
    function: Callable[[list[str]], int | None] = getattr(importlib.import_module(module), name)
    return function


def load_parser(entry: Entry) -> argparse.ArgumentParser:
    """The parser of an entry's options; raises `ImportError`."""
    module, _colon, name = entry.target.partition(":")
    made: argparse.ArgumentParser = getattr(importlib.import_module(module), name.replace("main", "parser"))()
    return made


def _run(entry: Entry, words: Sequence[str], rest: list[str]) -> int:
    try:
        return int(load(entry)(rest) or 0)
    except ModuleNotFoundError as error:  # here, or where a command imports what is large
        missing = (error.name or "").partition(".")[0]
        if missing.startswith("ayni_") or not missing:
            raise
        brought_by = _BROUGHT_BY.get(missing, (entry.extra,))
        extra = entry.extra if entry.extra in brought_by else brought_by[0]
        print(
            _(
                'ayni {command}: {missing} is missing; get the extra "{extra}": pip install "ayni[{extra}]"',
                command=" ".join(words),
                extra=extra,
                missing=missing,
            ),
            file=sys.stderr,
        )
        return 2
    except ConfigError as error:
        print("\n".join(i18n.config_faults(error)), file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        return 130


def _complain(word: str, hint: str) -> int:
    print(_('ayni: unknown command "{word}"{hint}', word=word, hint=hint), file=sys.stderr)
    return 2


def _usage(prefix: tuple[str, ...]) -> str:
    lines = [_("usage: ayni {prefix}COMMAND [--help]", prefix=" ".join(prefix) + " " if prefix else ""), ""]
    rows = []
    for path, entry in COMMANDS.items():
        if prefix and path[: len(prefix)] != prefix:
            continue
        rows.append((" ".join(path), _(entry.help)))
    width = max(len(name) for name, _help in rows) + 2
    lines += [f"  {name:<{width}}{text}" for name, text in rows]
    if not prefix:
        lines += ["", _("options: --version, --help (also after a command)")]
    return "\n".join(lines)


if __name__ == "__main__":
    sys.exit(main())
