"""The lab: pretend networks to learn on."""
