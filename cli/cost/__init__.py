"""What an environment costs on Google Cloud: a model computed from the real schemas and statements."""
