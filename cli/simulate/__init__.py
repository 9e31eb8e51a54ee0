"""simulate: how long files take at another load, by a simulation of queues, instances and drains."""
