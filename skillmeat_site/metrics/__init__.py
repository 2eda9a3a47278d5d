"""Numbers for Prometheus: worked out of the database when they are asked for, so every process tells the same."""
