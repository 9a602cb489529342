"""The community's own authority: it signs the certificates by which nodes and consoles know the broker."""
