"""What comes from other services, taken in once and in order."""
