"""YAML as `yamlfile` reads it back: keys in their order, no aliases, accents as they are."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

from ayni_io import files


class _Dumper(yaml.SafeDumper):
    """A dumper that writes a value out each time it occurs."""

    def ignore_aliases(self, data: Any) -> bool:
        """Never `&id001`: the reader refuses aliases."""
        return True


def dump(value: Any, *, comment: str = "") -> str:
    """A document; `comment` goes on top, a `#` before each of its lines."""
    head = "".join(f"# {line}".rstrip() + "\n" for line in comment.splitlines())
    body = yaml.dump(value, Dumper=_Dumper, allow_unicode=True, sort_keys=False, width=100)
    return f"{head}\n{body}" if head else body


def write(path: Path, value: Any, *, comment: str = "", mode: int = 0o644) -> None:
    """Write a document in one step."""
    files.write_text(path, dump(value, comment=comment), mode=mode)
