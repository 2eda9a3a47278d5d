"""Rows read as plain dicts: they show what the serializers show, which are the reference."""

import json
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.db.models import TextField
from rest_framework import serializers

from marketplace.api.serializers import EntrySerializer, FoundSerializer, SourceSerializer
from marketplace.models import Entry, Source
from skillmeat_site.api.fields import PublicIdField, WorkedOutField
from skillmeat_site.api.renderers import JSONRenderer
from skillmeat_site.api.shapes import Shape, shape_of
from tests.factories import LONG_AGO, EntryFactory, JobFactory, SourceFactory

pytestmark = pytest.mark.django_db


def as_json(data: Any) -> Any:
    return json.loads(JSONRenderer().render(data))


def test_sources_are_shown_as_their_serializer_shows_them() -> None:
    bare = SourceFactory()
    full = SourceFactory(
        visibility_set="private",
        manual_map={"a": None},
        tags=["b"],
        counts_by_type={"skill": 1},
        repo_readme="# Read me",
        last_sync_at=LONG_AGO + timedelta(microseconds=1200),
        rescan_interval=900,
    )
    JobFactory(source=full)
    keys = [bare.pk, full.pk]
    shown = as_json(shape_of(SourceSerializer).read(keys))
    rows = Source.objects.with_scan_status().in_bulk(keys)
    assert shown == [as_json(SourceSerializer(rows[key]).data) for key in keys]


@pytest.mark.parametrize("serializer", [EntrySerializer, FoundSerializer])
def test_entries_are_shown_as_their_serializer_shows_them(
    serializer: type[serializers.Serializer[Any]],
) -> None:
    plugin = EntryFactory(type="plugin", title="A title", tags=["a"], path=".")
    member = EntryFactory(source=plugin.source, parent=plugin, duplicate_of=plugin, removed_at=LONG_AGO)
    keys = [member.pk, plugin.pk]
    shown = as_json(shape_of(serializer).read(keys))
    rows = Entry.objects.with_status().in_bulk(keys)
    assert shown == [as_json(serializer(rows[key]).data) for key in keys]


def test_what_is_worked_out_gets_values_and_no_text_of_the_database() -> None:
    class Dated(serializers.ModelSerializer[Source]):
        is_old = WorkedOutField(
            lambda moment, key: (moment < LONG_AGO, str(key)),
            "created_at",
            "id",
            like=serializers.JSONField(),
        )
        id = PublicIdField(Source)

        class Meta:
            model = Source
            rows = Source.objects.all()
            fields = ("id", "created_at", "is_old")

    source = SourceFactory(created_at=LONG_AGO - timedelta(microseconds=1))
    (shown,) = as_json(Shape(Dated).read([source.pk]))
    assert shown == as_json(Dated(source).data)
    assert shown["is_old"] == [True, str(source.pk)]


def test_rows_come_in_the_order_of_their_keys_without_those_that_are_gone() -> None:
    first, gone, last = SourceFactory.create_batch(3)
    keys = [last.pk, gone.pk, first.pk]
    gone.delete()
    shown = shape_of(SourceSerializer).read(keys)
    assert [row["id"] for row in shown] == [last.public_id, first.public_id]


def test_a_field_that_a_shape_does_not_know_is_refused() -> None:
    class Strange(SourceSerializer):
        ref = serializers.SerializerMethodField()

    with pytest.raises(TypeError, match="ref"):
        Shape(Strange)


def test_columns_that_lists_look_into_do_not_lie_behind_long_texts() -> None:
    """SQLite reads a row from its start, page by page."""
    for model, columns in (
        (Source, ("project_id", "advanced_at", "type_bits")),
        (Entry, ("source_id", "removed_at", "excluded_at", "first_seen_at", "changed_at")),
    ):
        with connection.cursor() as cursor:
            table = connection.introspection.get_table_description(cursor, model._meta.db_table)
        names = [column.name for column in table]
        long = {field.column for field in model._meta.fields if isinstance(field, TextField)} - {
            "search_text"
        }
        assert max(map(names.index, columns)) < min(map(names.index, long)), model
