"""Where every number comes from, and what every file changed."""
