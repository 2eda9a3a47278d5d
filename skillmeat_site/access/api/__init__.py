"""People, projects and tokens over HTTP: shapes in serializers, one call of an operation per action."""
