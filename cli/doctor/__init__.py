"""doctor: an environment against what ``pipeline.yaml`` and the contracts say of it."""
