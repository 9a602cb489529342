"""What is wrong with profile files, each by itself and all of them together; every fault at once."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from ayni_core.profile import Rule
from ayni_core.profile_rivals import never_wins
from ayni_core.schema import NAME, ConfigError
from ayni_io import configs, yamlfile
from ayni_io.i18n import _, config_faults
from ayni_io.profiles import Profiles


def files_of(given: Sequence[Path]) -> list[Path]:
    """The profiles and parts that are meant; a folder means all in it. `ConfigError` for an empty one."""
    found: list[Path] = []
    for path in given:
        if not path.is_dir():
            found.append(path)
            continue
        folder = path / "profiles" if (path / "profiles").is_dir() else path
        inside = sorted(each for ending in ("yaml", "yml") for each in folder.rglob(f"*.{ending}"))
        if not inside:
            raise ConfigError([_("{folder}: there is no profile in it", folder=path)])
        found += inside
    return list(dict.fromkeys(found))


def check(files: Sequence[Path]) -> list[str]:
    """All faults, a line each."""
    faults: list[str] = []
    rules: dict[Path, tuple[Rule, ...]] = {}
    names: dict[tuple[str, bool], Path] = {}
    for path in files:
        is_part = path.parent.name == "parts"
        if path.suffix != ".yaml":
            faults.append(_("{file}: must end in .yaml, or it is never read", file=path))
        elif not NAME.fullmatch(path.stem):
            faults.append(_("{file}: the name of the file must be of a-z, 0-9, - and _", file=path))
        first = names.setdefault((path.stem, is_part), path)
        if first != path:
            faults.append(
                _("{file}: the same name as {other}; only one of them is read", file=path, other=first)
            )
        try:
            if is_part:
                Profiles(path.parent.parent).check_part(path)
            else:
                rules[path] = Profiles(path.parent).read(path)[1]
        except ConfigError as error:
            faults += [line for line in config_faults(error) if line not in faults]
    return faults + _rivals(rules)


def _rivals(rules: dict[Path, tuple[Rule, ...]]) -> list[str]:
    """Rules that can never win, against each other and against what Ayni reads already."""
    own = {path.stem for path in rules}
    everyone = [*_known_rules(own), *(rule for each in rules.values() for rule in each)]
    faults = []
    for path, each in rules.items():
        lines = yamlfile.load(yamlfile.read_text(path), str(path))[1] if each else {}
        for number, rule in enumerate(each):
            winner = never_wins(rule, everyone)
            if winner is not None:
                place = f"identify[{number}]"
                faults.append(
                    _(
                        "{file}:{line}: {place}: can never win: {other} asks for the same, and earlier; "
                        "give it a lower rank, or ask for more",
                        file=path, line=lines.get(place, 1), place=place, other=winner.family,
                    )
                )  # fmt: skip
    return faults


def _known_rules(without: set[str]) -> list[Rule]:
    """The rules of the other profiles; those of a file with faults are left to a check of that file."""
    try:
        return [rule for rule in Profiles().rules() if rule.family not in without]
    except ConfigError:
        found: list[Rule] = []
    for path in configs.each("profiles"):
        if path.stem not in without:
            with suppress(ConfigError):
                found += Profiles().read(path)[1]
    return found
