"""GoogleSQL judged on this machine: Google's own analyzer where it is installed, and rules for what it cannot know."""
