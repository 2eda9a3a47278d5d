"""What can be done with sets; each function is one transaction and one audit event."""
