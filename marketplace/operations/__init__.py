"""What can be done with the marketplace: a module per noun, a function per verb, one transaction each."""
