"""The embedded store: one SQLite file in which samples lie in blocks, a device's polls side by side.

Theory of operation. A frame is kept as it came: its bytes are packed already, so taking it in costs one row.
*Compaction* (`upkeep`) takes the frames of a node together once they are two dozen and makes a *block* of
each device: the times of its polls as one column, each series as another, packed one by one so that a series
is read without its neighbours. Blocks hold a few hundred polls; one that is not full is taken into the next,
and what comes late is merged where it belongs. When a day of a device is over it is summed up (*roll-ups*: 5
minutes; every few days also an hour and a day; least, mean, largest and how many); late samples mark their
day to be summed up again.

Every change is one transaction, so the process may be killed at any time: frames go when their blocks stand.
The same sample twice, in frames or blocks, is one sample: the first that was written.
"""

from ayni_hub.embedded.store import EmbeddedStore

__all__ = ["EmbeddedStore"]
