"""The marketplace over HTTP: shapes in serializers, one call of an operation per action."""
