"""The console: what an operator sees and does."""
