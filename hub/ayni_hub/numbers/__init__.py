"""Numbers for other programs: a page for Prometheus, a graph for NetJSON, devices for Home Assistant."""
