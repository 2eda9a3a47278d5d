"""SQL that is compiled once: each time it is run with the values of that time, and with no others."""

from collections.abc import Callable
from functools import partial

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from deployment_sets.models import DeploymentSet
from marketplace.models import Source
from skillmeat_site.accounts.models import Project, Role, User
from skillmeat_site.prepared import KEPT, Prepared, VisibleRow
from tests.factories import DeploymentSetFactory, SourceFactory, UserFactory

pytestmark = pytest.mark.django_db


def test_values_that_are_not_the_last_parameters_are_refused() -> None:
    backwards = Prepared(lambda name, key: Source.objects.filter(pk=key, ref=name).values_list("pk"))
    with pytest.raises(TypeError, match="last parameters"):
        backwards.rows("main", SourceFactory().pk)


def test_a_value_that_is_asked_for_twice_is_refused(project: Project, member: Callable[..., User]) -> None:
    """Else the first user who asks would stay in the statement, and all others would see what he sees."""
    private = DeploymentSetFactory(project=project)
    by_owner_or_project = VisibleRow(DeploymentSet.objects.order_by().values_list("pk"))
    for user in (member(Role.VIEWER), UserFactory()):
        with pytest.raises(TypeError, match="each once"):
            by_owner_or_project.read(private.pk, user)


def test_a_constant_may_equal_a_value() -> None:
    source = SourceFactory(ref="main", owner="main")
    named = Prepared(lambda name: Source.objects.filter(ref="main").filter(owner=name).values_list("pk"))
    assert (named.rows("main"), named.rows("dev")) == ([(source.pk,)], [])


def test_any_number_of_values_is_asked_for_at_once_and_none_ask_for_nothing() -> None:
    keys = [source.pk for source in SourceFactory.create_batch(3)]
    rows = Prepared(lambda *keys: Source.objects.filter(pk__in=keys).order_by("pk").values_list("pk"))
    for asked in (keys, keys[:1], keys[1:] * KEPT, keys[:1] * 2):
        assert [key for (key,) in rows.rows(*asked)] == sorted(set(asked))
    with CaptureQueriesContext(connection) as queries:
        assert rows.rows() == []
    assert len(queries) == 0


def test_rows_are_seen_by_those_who_may(project: Project, member: Callable[..., User]) -> None:
    source = SourceFactory(project=project)
    rows = VisibleRow(Source.objects.order_by().values_list("pk"))
    for user, seen in (
        (UserFactory(), None),
        (member(Role.VIEWER), (source.pk,)),
        (UserFactory(is_superuser=True), (source.pk,)),
        (UserFactory(), None),
    ):
        assert rows.read(source.pk, user) == seen


def test_a_statement_keeps_no_connection_of_the_thread_that_made_it() -> None:
    facts = Prepared(
        lambda key: Source.objects.filter(pk=key).values_list("pk", "created_at", "indexing_enabled")
    )
    source = SourceFactory(indexing_enabled=True)
    assert facts.rows(source.pk) == [(source.pk, source.created_at, True)]
    (statement,) = facts._statements.values()
    kept = [convert.args for _, convert in statement.converters if isinstance(convert, partial)]
    assert kept or connection.vendor == "postgresql"  # whose driver converts
    assert not any(connection in arguments for arguments in kept)
