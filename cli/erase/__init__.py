"""A person's data: found wherever it is kept, and erased so that every count stays true."""
