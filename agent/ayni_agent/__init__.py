"""The agent: polls the devices of a node and publishes what they say."""
