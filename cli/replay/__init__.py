"""replay: run a stage again, for any period, feed or load."""
