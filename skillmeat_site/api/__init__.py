"""The ground of the API: problems, strict input, paging, schema. It knows no app."""
