"""What is typed in a terminal that does not speak UTF-8: at an `ñ` in Latin-1 Textual would end.

Its input thread makes its decoder by a name in its module, so it is given another one there. Textual is
pinned, and tests/test_terminals.py types such a letter.
"""

from __future__ import annotations

import codecs
from functools import partial


def read_as(charset: str) -> None:
    """Take what comes as these characters; octets that are none of them become `�`."""
    from textual.drivers import linux_driver

    try:
        decoder = codecs.getincrementaldecoder(charset)
    except LookupError:
        decoder = codecs.getincrementaldecoder("latin-1")
    vars(linux_driver)["getincrementaldecoder"] = lambda _utf8: partial(decoder, errors="replace")
