"""Large files: read in parts, side by side, by the readers of ``functions/ingest``, in Apache Beam on Dataflow."""
