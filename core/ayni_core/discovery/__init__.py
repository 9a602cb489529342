"""Devices that are there: what they tell of themselves unasked or when called, and how a range is asked.

Everything here is pure: octets in, values out. `ayni_agent.discovery` has the sockets.
"""
