"""The site that benchmarks measure: of the promised size, the same each time, and small on the wire."""

from __future__ import annotations

import importlib.util
import statistics
import sys
from pathlib import Path
from types import ModuleType

import pytest

from ayni_core.metrics import METRICS
from ayni_core.readings import GROUPS
from ayni_core.wire import codec


@pytest.fixture(scope="module")
def reference() -> ModuleType:
    place = Path(__file__).parent.parent / "bench" / "reference_site.py"
    spec = importlib.util.spec_from_file_location("reference_site", place)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["reference_site"] = module
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize(("kind", "samples"), [("reference", 560), ("large", 3250)])
def test_a_round_has_as_many_samples_as_is_said(reference: ModuleType, kind: str, samples: int) -> None:
    site = reference.site(kind)
    found = [series for _at_s, values in site.round(0).values() for series in values]
    assert len(found) == samples == reference.SAMPLES[kind]
    assert len(site.devices) == 10
    assert {series.group for series in found} <= set(GROUPS)
    assert {series.metric for series in found} <= set(METRICS)


def test_it_is_the_same_each_time_and_moves(reference: ModuleType) -> None:
    one, two = (list(reference.site().frames(3)) for _ in range(2))
    assert one == two
    assert one[0].devices != one[1].devices


def test_a_frame_of_it_stays_small(reference: ModuleType) -> None:
    """The figure behind `wire_mb_per_day`, without a wire; a worse encoding or dictionary shows here."""
    frames = list(reference.site().frames(8, every=36))
    sizes = [len(codec.encode(frame, "field")) for frame in frames]
    assert statistics.mean(sizes) < 3900
    assert all(codec.decode(codec.encode(frame, "field")).count() == frame.count() for frame in frames)
