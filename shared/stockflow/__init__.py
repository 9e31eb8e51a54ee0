"""The small library that every Stockflow function bundles."""
