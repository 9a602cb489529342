"""The hub: takes in frames, remembers, judges, answers the console."""
