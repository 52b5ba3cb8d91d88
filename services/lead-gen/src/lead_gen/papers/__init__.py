"""The scout's working paper: the competitor card."""
