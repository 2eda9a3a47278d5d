"""What can be done with people, projects and tokens: a module per noun, a function per verb, one transaction each."""
