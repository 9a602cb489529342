"""What is wrong with a pretend network right now: written by the script, obeyed by the world.

This is the whole of what the two say to each other, so that either can be replaced.
"""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(slots=True)
class Conditions:
    """Names are those of the inventory. An empty one is a network without faults.

    `moved_db` is what a link lost at both ends, `noise_db` what the noise rose by at one end (`a` or `b`)
    of a link, `louder_db` what somebody raised the transmit power by; ports are (device, port).
    `restarts` holds when a device that was restarted is back.
    """

    dark_sites: set[str] = field(default_factory=set)
    dead_devices: set[str] = field(default_factory=set)
    moved_db: dict[str, float] = field(default_factory=dict)
    noise_db: dict[tuple[str, str], float] = field(default_factory=dict)
    louder_db: dict[str, float] = field(default_factory=dict)
    unplugged: set[tuple[str, str]] = field(default_factory=set)
    slow_ports: set[tuple[str, str]] = field(default_factory=set)
    dead_upstreams: set[str] = field(default_factory=set)
    restarts: dict[str, float] = field(default_factory=dict)

    def clear(self) -> None:
        """Everything is sound again, and whatever was restarting is up."""
        for each in (
            self.dark_sites,
            self.dead_devices,
            self.moved_db,
            self.noise_db,
            self.louder_db,
            self.unplugged,
            self.slow_ports,
            self.dead_upstreams,
            self.restarts,
        ):
            each.clear()
