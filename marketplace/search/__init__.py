"""Full text search over the catalogue; the only room that knows the search engine."""
