"""Without Ansible: what docs/deploying.md says, typed as it stands there."""

from __future__ import annotations

import by_hand
import machine
from checks import check
from lab import Lab


@check("by hand, as the page says: one central, one monitor")
def by_the_page(lab: Lab) -> str:
    """On two machines of their own."""
    (bundle,) = (lab.valley / "bundles").glob("ayni-0.1.0-x86_64-*.tar")
    try:
        return by_hand.run(bundle)
    finally:
        for name in (by_hand.CENTRAL[0], by_hand.MONITOR[0]):
            machine.down(name)
