"""Pure detection: a tree and its documents in, artifacts with confidence and named signals out."""
