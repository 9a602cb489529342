"""The keeper of accounts: who may use the broker, renewed passwords, and nodes that are invited."""
