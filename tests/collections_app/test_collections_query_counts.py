"""A page of a list of what is taken costs the same number of queries however long it is."""

import pytest
from rest_framework.test import APIClient

from collections_app.models import GroupMember
from tests.counting import cost
from tests.factories import ArtifactFactory, CollectionFactory, GroupFactory, RefreshRunFactory


@pytest.mark.parametrize("query", ["", "?search=collection"])
def test_the_list_of_collections(api: APIClient, query: str) -> None:
    def add(count: int) -> None:
        for collection in CollectionFactory.create_batch(count):
            ArtifactFactory.create_batch(2, collection=collection)

    one, many = cost(api, f"/api/v1/collections{query}", add)
    assert one == many <= 6


@pytest.mark.parametrize("query", ["", "?type=skill", "?update_available=false"])
def test_the_list_of_a_collections_artifacts(api: APIClient, query: str) -> None:
    collection = CollectionFactory()

    def add(count: int) -> None:
        ArtifactFactory.create_batch(count, collection=collection)

    one, many = cost(api, f"/api/v1/collections/{collection.public_id}/artifacts{query}", add)
    assert one == many <= 6


def test_the_list_of_a_collections_groups(api: APIClient) -> None:
    collection = CollectionFactory()
    artifact = ArtifactFactory(collection=collection)

    def add(count: int) -> None:
        for group in GroupFactory.create_batch(count, collection=collection):
            GroupMember.objects.create(group=group, artifact=artifact, position=0)

    one, many = cost(api, f"/api/v1/collections/{collection.public_id}/groups", add)
    assert one == many <= 6


def test_the_list_of_a_collections_refreshes(api: APIClient) -> None:
    collection = CollectionFactory()

    def add(count: int) -> None:
        RefreshRunFactory.create_batch(count, collection=collection)

    one, many = cost(api, f"/api/v1/collections/{collection.public_id}/refreshes", add)
    assert one == many <= 6
