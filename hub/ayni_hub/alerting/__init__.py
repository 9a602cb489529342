"""Alerts and their life: from a rule that turned to what people are told, and who explains whom."""
