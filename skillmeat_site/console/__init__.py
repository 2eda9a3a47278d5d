"""The operators' console: the Django admin as this product wears it."""
