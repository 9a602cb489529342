"""People: who is told what, when and where; the bot that listens; the heartbeat for when nobody can tell."""
