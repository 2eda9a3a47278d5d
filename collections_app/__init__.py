"""What a project has taken from the marketplace."""
