"""How fast and how large the product is: measured on this machine, on loopback, against made-up data."""
