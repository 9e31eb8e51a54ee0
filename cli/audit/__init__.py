"""audit: proves that nothing was lost and nothing doubled."""
