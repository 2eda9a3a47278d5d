"""The addresses of sets and deployments."""
