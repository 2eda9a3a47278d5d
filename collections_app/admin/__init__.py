"""Collections in the console; each module has the pages of one thing, and every change is an operation's."""

from collections_app.admin import artifacts, collections, importing, refreshing, versions

__all__ = ["artifacts", "collections", "importing", "refreshing", "versions"]
