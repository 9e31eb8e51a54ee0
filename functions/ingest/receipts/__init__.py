"""Receipts: what the sender of a file is told, beside the file and without asking."""
