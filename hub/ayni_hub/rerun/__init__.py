"""Stored history through the judge once more: to try rules on it, or to look at the past."""
