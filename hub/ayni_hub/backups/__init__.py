"""Backups of a central: everything that it remembers as one stream, encrypted, kept elsewhere.

    snapshot -> archive -> seal (age) -> places (a folder, a stick, a machine by SFTP)

Nothing is laid down on the way: a store may be larger than the memory, and larger than what is free on the
card."""
