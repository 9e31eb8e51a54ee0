"""A Pub/Sub that keeps its messages on disk and knows seek, filters and dead letters: for the laptop."""
