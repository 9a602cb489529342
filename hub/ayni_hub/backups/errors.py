"""What goes wrong with backups."""

from __future__ import annotations


class BackupError(Exception):
    """It could not be made, read or put back; one sentence with the path."""
