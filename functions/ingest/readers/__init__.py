"""One module per file format: bytes in, rows as text and rejects out, in bounded memory."""
