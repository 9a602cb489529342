"""The two forms in which Prometheus and those like it read numbers: plain text 0.0.4 and OpenMetrics 1.0.

A `Family` is one name with its kind and help. Its samples come as columns, because there may be half a
million of them: a text of labels for each, and the value. No timestamps: see docs/decisions/0017-numbers.md.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from ayni_io.http_server import Request

TEXT = "text/plain; version=0.0.4; charset=utf-8"
OPENMETRICS = "application/openmetrics-text; version=1.0.0; charset=utf-8"
_LINES = 500
_ESCAPES = str.maketrans({"\\": r"\\", "\n": r"\n", '"': r"\""})
_HELP_ESCAPES = str.maketrans({"\\": r"\\", "\n": r"\n"})
_OPEN_HELP_ESCAPES = _ESCAPES


@dataclass(frozen=True, slots=True, kw_only=True)
class Family:
    """`kind` is `gauge`, `counter` or `info`; the name is without `_total` and `_info`, which are added."""

    name: str
    kind: str
    help: str
    unit: str = ""

    @property
    def sample(self) -> str:
        """The name that its samples have."""
        return self.name + {"counter": "_total", "info": "_info"}.get(self.kind, "")


Rows = Iterable[tuple[str, int | float]]
"""(labels as `labels` makes them, value)"""


def kind_wanted(request: Request) -> str:
    """The media type to answer with: OpenMetrics for those who name it."""
    return OPENMETRICS if "application/openmetrics-text" in request.headers.get("accept", "") else TEXT


def escaped(text: str) -> str:
    """A text as the value of a label."""
    return text.translate(_ESCAPES)


def labels(**values: str) -> str:
    """Labels as they stand in a line, without braces; empty ones are left out."""
    return ",".join(f'{name}="{escaped(value)}"' for name, value in values.items() if value)


def written(families: Iterable[tuple[Family, Rows]], kind: str) -> Iterator[bytes]:
    """The page, in pieces of some ten kilobytes. Each family must come once."""
    openly = kind == OPENMETRICS
    for family, rows in families:
        head = _head(family, openly)
        lines = [head]
        name = family.sample
        for marked, value in rows:
            lines.append(f"{name}{{{marked}}} {value}\n" if marked else f"{name} {value}\n")
            if len(lines) > _LINES:
                yield "".join(lines).encode("utf-8", "replace")
                lines.clear()
        if lines:
            yield "".join(lines).encode("utf-8", "replace")
    if openly:
        yield b"# EOF\n"


def _head(family: Family, openly: bool) -> str:
    """In plain text a counter is named as its samples are, and what OpenMetrics calls info is a gauge."""
    if openly:
        name, kind = family.name, family.kind
    else:
        name, kind = family.sample, "gauge" if family.kind == "info" else family.kind
    text = family.help.translate(_OPEN_HELP_ESCAPES if openly else _HELP_ESCAPES)
    unit = f"# UNIT {name} {family.unit}\n" if openly and family.unit else ""
    return f"# HELP {name} {text}\n# TYPE {name} {kind}\n{unit}"
