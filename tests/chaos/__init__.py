"""Proofs that nothing is lost or doubled: kills, service faults, duplicates and replays on purpose."""
