"""What the search looks into: one row for each entry that can be found, written by `marketplace.search` alone."""

from __future__ import annotations

from django.db import models

from marketplace.models.entry import TYPES, Entry
from marketplace.models.source import Source, TrustLevel
from skillmeat_site.accounts.models import Project


class SearchDocument(models.Model):
    """An entry's texts, folded into words, and what results are filtered and ranked by.

    The engine's own index (FTS5 or tsvector) hangs on this table; see `marketplace.search.engines`.
    """

    entry = models.OneToOneField(Entry, on_delete=models.CASCADE, related_name="document")
    source = models.ForeignKey(Source, on_delete=models.CASCADE, related_name="+")
    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="+")
    type = models.CharField(max_length=10, choices=TYPES)
    confidence = models.PositiveSmallIntegerField()
    trust_level = models.CharField(max_length=10, choices=TrustLevel, help_text="Of the source.")
    name = models.TextField()
    tags = models.TextField()
    description = models.TextField()
    origin = models.TextField(help_text="Owner and name of the repository.")
    body = models.TextField()

    objects: models.Manager[SearchDocument] = models.Manager()

    def __str__(self) -> str:
        return self.name
