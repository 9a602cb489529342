"""Stores on a time-series server: VictoriaMetrics, or InfluxDB 2, behind the port `Store`.

Theory of operation. Frames are durable here first: `keep` commits them to a small SQLite file, the *spool*,
with the names of their series, and returns. A thread (*drain*) writes them to the server as line protocol,
and counts some minutes later whether the server has them all. Only then they leave the spool; until then a
server that was killed, and lost what it had in memory, gets them again. A sample that is written
twice is one.

What is read is what the server has and what the spool has, together, so the newest minutes are there at once.
Names, newest values and texts never leave: servers hold numbers, and a text travels as a number that stands
for it (`lines`).

While the server cannot be reached, or refuses, `keep` raises `StoreError`: the hub acknowledges nothing and
the monitors keep what they have. What the spool had taken by then is sent when the server is back.
"""

from ayni_hub.remote.store import RemoteStore

__all__ = ["RemoteStore"]
