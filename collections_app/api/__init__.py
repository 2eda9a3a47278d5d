"""Collections over HTTP: shapes, addresses and who may; what is done is done by operations."""
