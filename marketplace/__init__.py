"""What exists upstream: sources, their scans and the catalogue of what was found."""
