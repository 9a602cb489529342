"""Traps: what devices report by themselves, as notes and as a reason to poll them at once.

Nothing here is imported, and pysnmp is not loaded, unless `traps:` stands in agent.yaml.
"""
