"""Which rules of the formats an artifact breaks: findings for people, which never hide an artifact. Pure."""
