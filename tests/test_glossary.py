"""Every metric has a name in plain words and a line that says what it means, in every language."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from ayni_core.metrics import METRICS
from ayni_io import i18n, labels, pseudo, values

WIDEST = 26
"""Cells of the column of names on a wide screen; what is longer is cut there."""


@pytest.fixture(params=[*sorted(i18n.LANGUAGES), pseudo.LANGUAGE])
def language(request: pytest.FixtureRequest) -> Iterator[str]:
    before = i18n.language()
    yield i18n.use(request.param)
    i18n.use(before)


def test_every_metric_has_its_entry_and_every_entry_its_metric() -> None:
    named = {context.removeprefix("metric.") for context in labels._LABELS}
    assert named == set(METRICS)


def test_it_is_said_in_words_of_the_language(language: str) -> None:
    for name, metric in METRICS.items():
        label, meaning = values.label(name), values.meaning(name)
        assert label, name
        assert len(label) <= WIDEST or language == pseudo.LANGUAGE, (name, label)
        assert meaning, name
        if language != "en":
            assert meaning != metric.meaning, (name, meaning)
        if language == pseudo.LANGUAGE:
            assert meaning.startswith(pseudo.OPENS), name
