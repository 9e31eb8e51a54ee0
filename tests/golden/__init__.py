"""An independent account of the samples: own readers, own formulas, nothing of the project's."""
