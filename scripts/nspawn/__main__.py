"""`scripts/machines`: real machines on one computer, to deploy to, to break, and to throw away."""

from __future__ import annotations

import argparse
import shutil
import subprocess
import sys
from collections.abc import Sequence

import bases
import faults
import machine
import trial_install
import units_trial
import wires
from places import DESK, KEY, LIVING, SSH_CONFIG, Trouble, check_lab, inside, machines


def main(argv: Sequence[str]) -> int:
    """The exit status; that of the command for `run`, `ssh` and `desk`."""
    arguments = _parser().parse_args(argv)
    try:
        check_lab()
        return int(arguments.do(arguments) or 0)
    except Trouble as trouble:
        print(f"machines: {trouble}", file=sys.stderr)
        return 1


def _parser() -> argparse.ArgumentParser:
    top = argparse.ArgumentParser(prog="scripts/machines", description=__doc__)
    verbs = top.add_subparsers(required=True, metavar="VERB")

    def verb(name: str, does: object, about: str, *words: str) -> argparse.ArgumentParser:
        one = verbs.add_parser(name, help=about, description=about)
        one.set_defaults(do=does)
        for word in words:
            one.add_argument(word)
        return one

    base = verb("base", _base, "build a root, or say where it is")
    base.add_argument("release", nargs="?", default="bookworm", choices=bases.RELEASES)
    base.add_argument("--with", dest="more", default="", metavar="PACKAGE,…", help="packages in it, too")
    verb("net", lambda _: wires.lay(), "lay the network (also done by `up`)")
    up = verb("up", _up, "boot a machine; one that is off comes back as it was", "name")
    up.add_argument("address", nargs="?", default="", help="of a new one: 10.77.0.2 to .254")
    up.add_argument("--base", default="bookworm", help="a root's name, such as trixie or bookworm+mosquitto")
    up.add_argument(
        "--card", default=machine.CARD, metavar="SIZE", help="its whole disk (default %(default)s)"
    )
    up.add_argument(
        "--small", action="append", default=[], metavar="PATH=SIZE", help="a folder with its own size"
    )
    up.add_argument("--forgets", action="store_true", help="this boot keeps nothing but --small folders")
    up.add_argument("--clock", action="store_true", help="its clock can be set with `clock`")
    down = verb("down", _down, "take a machine away, or all of the lab")
    down.add_argument("name", nargs="?")
    down.add_argument("--all", action="store_true")
    verb(
        "powercut",
        lambda a: machine.powercut(a.name),
        "kill a machine at once; `up NAME` boots it again",
        "name",
    )
    verb("poweroff", lambda a: machine.poweroff(a.name), "stop a machine in order", "name")
    off = verb(
        "wait-off", lambda a: machine.wait_off(a.name, a.within), "wait until it switched itself off", "name"
    )
    off.add_argument("--within", type=float, default=60.0, metavar="SECONDS")
    verb("state", lambda a: print(machine.state(a.name)), "none, off or running", "name")
    verb("list", _list, "all machines")
    verb("root", lambda a: print(machine.root(a.name)), "where its files are, for putting some in", "name")
    run = verb("run", _run, "run a command in a machine, with the machine's rights only", "name")
    run.add_argument("--user", default="root")
    run.add_argument("command", nargs=argparse.REMAINDER)
    for name, about in (
        ("ssh", "log in over the network, as root@NAME or pi@NAME"),
        ("desk", "run at the laptop"),
    ):
        one = verb(name, _ssh if name == "ssh" else _desk, about)
        one.add_argument("command", nargs=argparse.REMAINDER)
    verb("ssh-config", lambda _: print(SSH_CONFIG), "the file for `ssh -F`")
    line = verb(
        "backhaul", _backhaul, "make a machine's way to the others bad; without options good again", "name"
    )
    for option in ("delay", "jitter"):
        line.add_argument(f"--{option}", type=float, default=0.0, metavar="MS")
    line.add_argument("--loss", type=float, default=0.0, metavar="PERCENT")
    line.add_argument("--rate", type=float, default=0.0, metavar="KBIT")
    line.add_argument("--dark", action="store_true", help="nothing comes through")
    clock = verb("clock", _clock, "shift a machine's wall clock (booted with --clock)", "name")
    clock.add_argument("seconds", type=float, help="from this computer's time; 0: right again")
    clock.add_argument(
        "--unsynchronised", action="store_true", help="its kernel says that nobody keeps it right"
    )
    units = verb("units", _units, "prove the units of this checkout on a hub and a node")
    units.add_argument("--base", default="bookworm", choices=bases.RELEASES)
    units.add_argument("--only", default="", metavar="TEXT", help="only checks with this in their names")
    units.add_argument("--again", action="store_true", help="on the machines that --keep left")
    units.add_argument("--keep", action="store_true", help="leave the machines running")
    fill = verb("fill", _fill, "fill a folder that was given a size with --small; --empty undoes it", "name")
    fill.add_argument("path")
    fill.add_argument("--leave", type=int, default=0, metavar="KB")
    fill.add_argument("--empty", action="store_true")
    return top


def _base(arguments: argparse.Namespace) -> None:
    print(bases.built(arguments.release, [each for each in arguments.more.split(",") if each]))


def _up(arguments: argparse.Namespace) -> None:
    small = {}
    for each in arguments.small:
        path, equals, size = each.partition("=")
        if not equals:
            raise Trouble(f"--small {each}: expected PATH=SIZE")
        small[path] = size
    prepare = faults.install_clock if arguments.clock else None
    machine.up(
        arguments.name, arguments.address, base=arguments.base, size=arguments.card, small=small,
        prepare=prepare, forgets=arguments.forgets,
    )  # fmt: skip


def _down(arguments: argparse.Namespace) -> None:
    if arguments.all:
        for name in machines():
            faults.mend(name)
        machine.down_all()
        shutil.rmtree(LIVING, ignore_errors=True)
    elif arguments.name:
        faults.mend(arguments.name)
        machine.down(arguments.name)
    else:
        raise Trouble("down: expected a name or --all")


def _list(_: argparse.Namespace) -> None:
    for name in machines():
        print(f"{name:12} {machine.state(name)}")


def _plain(command: Sequence[str]) -> list[str]:
    words = list(command[1:] if command[:1] == ["--"] else command)
    if not words:
        raise Trouble("expected a command")
    return words


def _run(arguments: argparse.Namespace) -> int:
    return machine.run(arguments.name, _plain(arguments.command), user=arguments.user).returncode


def _ssh(arguments: argparse.Namespace) -> int:
    command = ["ssh", "-F", str(SSH_CONFIG), *_plain(arguments.command)]
    return subprocess.run([*inside(DESK), *command], check=False).returncode


def _desk(arguments: argparse.Namespace) -> int:
    if not KEY.exists():
        raise Trouble("there is no network yet: scripts/machines net")
    return subprocess.run([*inside(DESK), *_plain(arguments.command)], check=False).returncode


def _backhaul(arguments: argparse.Namespace) -> None:
    faults.mend(arguments.name)
    line = faults.Line(
        delay_ms=arguments.delay, jitter_ms=arguments.jitter, loss_percent=arguments.loss,
        rate_kbit=arguments.rate, dark=arguments.dark,
    )  # fmt: skip
    if line != faults.Line():
        faults.spoil(arguments.name, line)


def _units(arguments: argparse.Namespace) -> None:
    try:
        units_trial.run(arguments.base, arguments.only, again=arguments.again)
    finally:
        if not arguments.keep:
            for name in (trial_install.HUB, trial_install.NODE):
                machine.down(name)


def _clock(arguments: argparse.Namespace) -> None:
    faults.shift_clock(arguments.name, arguments.seconds, synchronised=not arguments.unsynchronised)


def _fill(arguments: argparse.Namespace) -> None:
    faults.fill(arguments.name, arguments.path, leave_kb=arguments.leave, empty=arguments.empty)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
