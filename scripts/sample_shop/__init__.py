"""The sample shop: a small home and garden chain, simulated, and the files it would drop."""
