"""How many bytes may be on their way to the broker, so that a link is never idle and news never wait long.

Theory of operation. What is sent stands in one line, and the broker acknowledges each frame as it comes. When
a frame is acknowledged, all that stood before it has arrived too: those bytes in that time are the rate of
the link, or less where the link was not busy all the time, never more. What fits is what the link takes at
that rate in the quickest time that a frame took, and `QUEUE_S` more: the line that news find before them.

The window grows to what fits, by at most what was acknowledged, so it can double with each turn. It shrinks
only when a frame stood in the line for too long: a link that was not used tells too little to shrink for.
Meanwhile nothing is sent. Where it holds back and yet there is hardly a line, it grows by a little each time:
of a frame that travels alone nobody can tell whether the link is slow or the road is long.

The quickest time is told anew whenever nothing else is on its way, and while the window is at its smallest:
then it is the road that became longer, not the line.
"""

from __future__ import annotations

from dataclasses import dataclass

QUEUE_S = 1.0
BEGIN_BYTES, LEAST_BYTES, MOST_BYTES = 4 * 1024, 1024, 2 * 1024 * 1024
_LITTLE = 16
_QUICKEST_S = 0.001


@dataclass(slots=True)
class Window:
    """For one connection; a new one knows nothing. `quickest_s` is from handing a frame over to its
    acknowledgement, None until there was one.
    """

    size_bytes: int = BEGIN_BYTES
    quickest_s: float | None = None

    def has_room(self, flying_bytes: int, more_bytes: int) -> bool:
        """Whether more may follow what is on its way. One frame always may, however large."""
        return not flying_bytes or flying_bytes + more_bytes <= self.size_bytes

    def landed(self, frame_bytes: int, flying_bytes: int, took_s: float) -> None:
        """A frame was acknowledged after `took_s`; `flying_bytes` were on their way when it was handed over,
        itself among them.
        """
        took_s = max(took_s, _QUICKEST_S)
        alone = flying_bytes <= frame_bytes or self.size_bytes <= LEAST_BYTES
        if self.quickest_s is None or alone or took_s < self.quickest_s:
            self.quickest_s = took_s
        line_s = took_s - self.quickest_s
        fits = int(flying_bytes / took_s * (self.quickest_s + QUEUE_S))
        if line_s > QUEUE_S:
            self.size_bytes = max(min(fits, self.size_bytes), self.size_bytes - frame_bytes, LEAST_BYTES)
            return
        if line_s < QUEUE_S / 2 and not self.has_room(flying_bytes, frame_bytes):
            fits = max(fits, self.size_bytes + frame_bytes // _LITTLE)
        if fits > self.size_bytes:
            self.size_bytes = min(fits, self.size_bytes + frame_bytes, MOST_BYTES)
