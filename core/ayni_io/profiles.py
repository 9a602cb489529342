"""Profiles from files: families in `profiles/*.yaml`, shared parts in `profiles/parts/*.yaml`.

To know a device only the heads (`about`, `identify`) are needed. They stand at the top of each file, so only
that much is parsed, whatever number of families there is; there is no index that could be stale. A family's
body is parsed when the first device of that family turns up.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path

from ayni_core.ber import encode_oid
from ayni_core.fault import Fault, fault
from ayni_core.message import Phrase
from ayni_core.profile import Part, Profile, Rule
from ayni_core.profile_family import assemble
from ayni_core.profile_format import HEAD, Body, read_head, read_part
from ayni_core.schema import NAME, ConfigError, Faults, Fields, did_you_mean
from ayni_io import configs, yamlfile

_ALWAYS = "system"
"""The part that every family has: name, description, uptime."""

_TOP_KEY = re.compile(r"([A-Za-z_][A-Za-z0-9_-]*)\s*:")


class Profiles:
    """All families, read as they are needed and kept. Methods raise `ConfigError`."""

    def __init__(self, beside: Path | None = None) -> None:
        self._beside = beside  # a folder whose own `parts` stand before all others
        self._rules: list[Rule] | None = None
        self._families: dict[str, Profile] = {}
        self._parts: dict[tuple[str, bytes], Body] = {}  # by name, and by root where the family gives it

    def names(self) -> list[str]:
        """The families there are."""
        return sorted(path.stem for path in configs.each("profiles"))

    def rules(self) -> list[Rule]:
        """How to know each family; read once."""
        if self._rules is None:
            faults: list[Fault] = []
            rules: list[Rule] = []
            for path in configs.each("profiles"):
                try:
                    rules += _head(path)
                except ConfigError as error:
                    faults += error.noted
            if faults:
                raise ConfigError(faults)
            self._rules = rules
        return self._rules

    def load(self, name: str) -> Profile:
        """One family with everything it includes."""
        if name not in self._families:
            path = configs.look(f"profiles/{name}.yaml") if NAME.fullmatch(name) else None
            if path is None:
                raise ConfigError([unknown_profile("", name, self.names())])
            self._families[name] = self._family(name, path, path.name)
        return self._families[name]

    def faults(self) -> list[Fault]:
        """Everything that is wrong with any profile; empty when all is well."""
        found: list[Fault] = []
        for name in self.names():
            try:
                self.load(name)
            except ConfigError as error:
                found += [each for each in error.noted if each not in found]
        return found

    def read(self, path: Path) -> tuple[Profile, tuple[Rule, ...]]:
        """The profile in a file, wherever it is, and how it knows its devices; faults name it as given."""
        profile = self._family(path.stem, path, str(path))
        return profile, _head(path, str(path))

    def parts(self) -> list[Part]:
        """The shared parts that stand by themselves: not those that continue the root of a family."""
        found = []
        for name in self._part_files():
            fields = Fields({}, "", Faults(name))
            body = self._part(name, b"", fields)
            if body is not None:
                found.append(body.part)
        return found

    def check_part(self, path: Path) -> None:
        """Raise `ConfigError` with all that is wrong with a shared part."""
        # Some parts continue the root of a family; which one makes no difference to what is wrong with them.
        anything = encode_oid("1.3.6.1.4.1.1")
        yamlfile.read(
            path, lambda part: read_part(path.stem, part, shared=True, family_root=anything), str(path)
        )

    def _part_files(self) -> dict[str, Path]:
        known = {path.stem: path for path in configs.each("profiles/parts")}
        if self._beside is not None:
            known |= {path.stem: path for path in sorted((self._beside / "parts").glob("*.yaml"))}
        return known

    def _part_file(self, name: str) -> Path | None:
        if not NAME.fullmatch(name):
            return None
        own = self._beside / "parts" / f"{name}.yaml" if self._beside is not None else None
        return own if own is not None and own.is_file() else configs.look(f"profiles/parts/{name}.yaml")

    def _family(self, name: str, path: Path, source: str) -> Profile:
        def parse(fields: Fields) -> Profile:
            about, rules = read_head(name, fields)
            body = read_part(name, fields, shared=False)
            head = _head_text(yamlfile.read_text(path, source))
            if rules and not re.search(r"^identify\s*:", head, re.MULTILINE):
                fields.fault("identify", "fault.identify_top")
            return assemble(name, about, body, self._included(body, fields), fields.faults)

        return yamlfile.read(path, parse, source)

    def _included(self, body: Body, fields: Fields) -> list[Part]:
        parts: dict[str, Part] = {}
        self._follow((*body.include, _ALWAYS), (), parts, body.root, fields)
        return list(parts.values())

    def _follow(
        self,
        names: tuple[str, ...],
        above: tuple[str, ...],
        parts: dict[str, Part],
        root: bytes,
        fields: Fields,
    ) -> None:
        for name in names:
            if name in above:
                fields.fault("include", "fault.circle", way=" -> ".join((*above, name)))
            elif name not in parts:
                shared = self._part(name, root, fields)
                if shared is not None:
                    parts[name] = shared.part
                    self._follow(shared.include, (*above, name), parts, root, fields)

    def _part(self, name: str, root: bytes, fields: Fields) -> Body | None:
        body = self._parts.get((name, b"")) or self._parts.get((name, root))
        if body is not None:
            return body
        path = self._part_file(name)
        if path is None:
            what, hint = Phrase("word.part"), did_you_mean(name, self._part_files())
            fields.fault("include", "fault.unknown", what=what, name=name, hint=hint)
            return None
        source = f"parts/{name}.yaml"
        try:
            body = yamlfile.read(
                path, lambda part: read_part(name, part, shared=True, family_root=root), source
            )
        except ConfigError as error:
            noted = fields.faults.noted
            noted += [each for each in error.noted if each not in noted]
            return None
        self._parts[name, root if body.family_root else b""] = body
        return body


def unknown_profile(where: str, name: str, known: Iterable[str]) -> Fault:
    """What to say where no family has this name."""
    what, hint = Phrase("word.profile"), did_you_mean(name, known)
    return fault(where, "fault.unknown", what=what, name=name, hint=hint)


def _head(path: Path, source: str | None = None) -> tuple[Rule, ...]:
    source = source or path.name
    value, lines = yamlfile.load(_head_text(yamlfile.read_text(path, source)), source)
    faults = Faults(source, lines)
    rules = read_head(path.stem, Fields(value if value is not None else {}, "", faults))[1]
    faults.stop()
    return rules


def _head_text(text: str) -> str:
    """A file up to its first key at the margin that does not belong to the head."""
    lines = text.splitlines(keepends=True)
    for number, line in enumerate(lines):
        key = _TOP_KEY.match(line)
        if key and key[1] not in HEAD:
            return "".join(lines[:number])
    return text
