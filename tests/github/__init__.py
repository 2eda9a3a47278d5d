"""A GitHub on loopback sockets: repositories of our making behind GitHub's documented answers."""
