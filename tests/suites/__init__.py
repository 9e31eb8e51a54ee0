"""Files of other projects with the right answers beside them: second opinions on the readers (docs/fuzzing.md)."""
