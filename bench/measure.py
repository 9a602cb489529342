"""What every benchmark prints: figures against their targets, peers beside them, as a table or as JSON."""

from __future__ import annotations

import argparse
import json
import platform
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """One measured figure; `target` None where only the number is of interest."""

    key: str
    value: float
    unit: str
    target: float | None = None
    better: str = "lower"
    runs: int = 1

    def met(self) -> bool | None:
        if self.target is None:
            return None
        return self.value <= self.target if self.better == "lower" else self.value >= self.target


@dataclass(frozen=True, slots=True, kw_only=True)
class Peer:
    """The same work done by another program."""

    name: str
    version: str
    key: str
    value: float


def arguments(description: str) -> argparse.ArgumentParser:
    """A parser with what all benchmarks understand."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--json", action="store_true", help="one JSON object on stdout and nothing else")
    parser.add_argument("--runs", type=int, default=5, help="interleaved runs of which the median counts")
    return parser


def median(values: Sequence[float]) -> float:
    """Median to four significant digits."""
    return float(f"{statistics.median(values):.4g}")


def machine() -> dict[str, str]:
    """The processor and the Python that was measured."""
    cpu = platform.processor() or platform.machine()
    info = Path("/proc/cpuinfo")
    if info.exists():
        models = [line for line in info.read_text().splitlines() if line.startswith("model name")]
        cpu = models[0].partition(":")[2].strip() if models else cpu
    return {"cpu": cpu, "python": platform.python_version()}


def report(
    bench: str,
    figures: Sequence[Figure],
    peers: Sequence[Peer] = (),
    left_out: Sequence[str] = (),
    *,
    as_json: bool,
    notes: Mapping[str, str] | None = None,
) -> None:
    """Print the results; `left_out` names peers that are not installed, `notes` say how it was measured."""
    if as_json:
        found = {
            "bench": bench,
            "figures": [asdict(figure) for figure in figures],
            "peers": [asdict(peer) for peer in peers],
            "left_out": list(left_out),
            **({"notes": dict(notes)} if notes else {}),
            "machine": machine(),
        }
        print(json.dumps(found))
        return
    print(f"{bench}   {machine()['cpu']}, Python {machine()['python']}")
    for figure in figures:
        verdict = {None: "", True: "ok", False: "MISSED"}[figure.met()]
        target = "" if figure.target is None else f"target {figure.target:g}"
        print(f"  {figure.key:<28} {figure.value:>10g} {figure.unit:<8} {target:<14} {verdict}")
    for peer in peers:
        print(f"  {peer.name} {peer.version}: {peer.key} {peer.value:g}")
    for name in left_out:
        print(f"  {name}: not installed, left out")
    for name, note in (notes or {}).items():
        print(f"  {name}: {note}")
