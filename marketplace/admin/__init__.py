"""Sources and the catalogue in the console: pages of operators over the operations that the API calls.

`sources`, `entries`                 the pages of the two models
`scanning`, `mapping`, `changing`    what is done with one source or with many
`adding`                             a new one
`choosing`                           actions that ask for a value first
"""

from marketplace.admin import entries, scanning, mapping, sources  # isort: skip  buttons stand in this order

__all__ = ["entries", "mapping", "scanning", "sources"]
