"""Sources and the catalogue in the console: pages of operators over the operations that the API calls.

`sources`, `entries`                 the pages of the two models
`scanning`, `mapping`, `changing`    what is done with one source or with many
`adding`                             a new one
`choosing`                           actions that ask for a value first
`home`                               panels of the console's home page
"""

from marketplace.admin import entries, home, scanning, mapping, sources  # isort: skip  buttons stand in this order

__all__ = ["entries", "home", "mapping", "scanning", "sources"]
