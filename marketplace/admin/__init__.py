"""Sources and the catalogue in the console: pages of operators over the operations that the API calls.

`sources`, `entries`   the pages of the two models
`adding`, `mapping`, `settings`, `scanning`   what is done with one source, each a journey
`choosing`             what is done with many rows, where a value has to be asked for first
"""

from marketplace.admin import entries, sources

__all__ = ["entries", "sources"]
