"""What an agent writes to its card in a day: the reference site, a frame every five minutes.

    bench/card.py [--json] [--where FOLDER]

Day one fills the outbox; day two is measured. Every frame is acknowledged a second after it was committed,
every commit is fsync'd, and the clock's and a budget's small records change with each. As root the outbox
lies on an ext4 of its own in a loop device, synced after each commit as a kernel would in its own time; what
the block device was given is counted, so the file system's journal is in. Otherwise, or with --where, it is
what the kernel counts for this process (write_bytes of /proc/self/io, proc(5)): pages that were made dirty,
without the file system's journal. On day three the hub does not answer and a tenth more frames are closed.
"""

from __future__ import annotations

import contextlib
import os
import random
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import measure
import reference_site

from ayni_agent.outbox import row_of
from ayni_agent.outbox_steady import SteadyOutbox
from ayni_core.clockwatch import ClockWatch, Moment
from ayni_core.wire import codec
from ayni_core.wire.messages import Ack

FRAMES = 288
DAY_S = 86_400.0
MB = 1e6
EPOCH = "5b1e0c77a2d94f03"
SECTOR = 512


class Day:
    """An outbox that lives through days."""

    def __init__(self, path: Path, payloads: list[bytes], settle: Callable[[], None]) -> None:
        self._watch = ClockWatch("boot")
        self._outbox = SteadyOutbox(path, self._moment(0.0), "boot", journal=True)
        self._payloads = payloads
        self._settle = settle
        self._seq = 0
        self._now_s = 0.0
        assert self._outbox.statistics().storage == "disk", self._outbox.statistics()

    def _moment(self, mono_s: float) -> Moment:
        return self._watch.look(mono_s, reference_site.START_S + mono_s, True)

    def live(self, frames: int = FRAMES, *, acknowledged: bool = True) -> int:
        """So many frames in a day; the bytes of them."""
        size = 0
        dice = random.Random(self._seq)
        for _ in range(frames):
            self._seq += 1
            self._now_s += DAY_S / frames
            payload = self._payloads[self._seq % len(self._payloads)]
            size += len(payload)
            row = row_of(EPOCH, self._seq, payload, self._now_s)
            state = {"clock": self._watch.to_bytes(), "budget": dice.randbytes(200)}
            if not self._outbox.commit([row], state, self._moment(self._now_s)):
                sys.exit(f"bench/card.py: {self._outbox.statistics().why}")
            if acknowledged:
                self._outbox.acknowledge(Ack(epoch=EPOCH, stored=((self._seq, self._seq),)), 0.0)
            self._settle()
        return size

    def close(self) -> None:
        self._outbox.close()


@contextlib.contextmanager
def loop_disk() -> Iterator[tuple[Path, Callable[[], int]] | None]:
    """An ext4 on a loop device, and the bytes its block device was given; None where it cannot be made."""
    if os.geteuid() != 0:
        yield None
        return
    with tempfile.TemporaryDirectory(prefix="ayni-card-") as name:
        folder = Path(name)
        image, disk = folder / "image", folder / "disk"
        disk.mkdir()
        with image.open("wb") as file:
            file.truncate(600 * 1024 * 1024)
        try:
            for command in ("mkfs.ext4 -q -F -b 4096", "mount -o loop"):
                whole = [*command.split(), str(image), *([str(disk)] if "mount" in command else [])]
                subprocess.run(whole, check=True, capture_output=True)
        except (OSError, subprocess.CalledProcessError):
            yield None
            return
        try:
            number = os.stat(disk).st_dev
            stat = Path(f"/sys/dev/block/{os.major(number)}:{os.minor(number)}/stat")

            def written() -> int:
                os.sync()
                return int(stat.read_text().split()[6]) * SECTOR

            yield disk, written
        finally:
            subprocess.run(["umount", str(disk)], check=False)


def of_process() -> int:
    """Bytes that this process made the kernel write."""
    for line in Path("/proc/self/io").read_text().splitlines():
        if line.startswith("write_bytes"):
            return int(line.split()[1])
    return 0


def measured(folder: Path, written: Callable[[], int], settle: Callable[[], None]) -> dict[str, float]:
    """MB a day by figure."""
    payloads = [codec.encode(frame, "field") for frame in reference_site.site().frames(FRAMES)]
    day = Day(folder / "state" / "agent.sqlite", payloads, settle)
    day.live()
    figures: dict[str, float] = {}
    before, before_here = written(), of_process()
    figures["card_payload_mb_per_day"] = day.live() / MB
    figures["card_mb_per_day"] = (written() - before) / MB
    figures["card_process_mb_per_day"] = (of_process() - before_here) / MB
    before = written()
    day.live(round(FRAMES * 1.1), acknowledged=False)
    figures["card_cut_off_mb_per_day"] = (written() - before) / MB
    day.close()
    return figures


def main() -> int:
    """Measure once: it does not vary from run to run."""
    parser = measure.arguments(__doc__.splitlines()[0])
    parser.add_argument("--where", type=Path, metavar="FOLDER", help="a folder on a real disk")
    arguments = parser.parse_args()
    with contextlib.ExitStack() as stack:
        disk = None if arguments.where else stack.enter_context(loop_disk())
        if disk is not None:
            folder, written = disk
            print("counted at the block device: ext4 in a loop device, its journal in", file=sys.stderr)
            figures = measured(folder, written, os.sync)
        else:
            folder = Path(stack.enter_context(tempfile.TemporaryDirectory(dir=arguments.where or Path.cwd())))
            print("counted for this process, without the file system's journal", file=sys.stderr)
            figures = measured(folder, of_process, lambda: None)
            if not figures["card_mb_per_day"]:
                sys.exit("bench/card.py: nothing was counted; --where must name a folder on a real disk")
    targets = {"card_mb_per_day": 15.0, "card_cut_off_mb_per_day": 15.0}
    found = [
        measure.Figure(key=key, value=round(value, 2), unit="MB", target=targets.get(key))
        for key, value in figures.items()
    ]
    measure.report("card", found, as_json=arguments.json)
    return 0


if __name__ == "__main__":
    sys.exit(main())
