"""How people come to projects and tokens: operations, API and commands, each change an audit event."""
