"""How long what is kept, shown and, on a laptop, applied."""
