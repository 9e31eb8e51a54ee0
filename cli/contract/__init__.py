"""contract: check one, or propose one from a file."""
