"""A page of a list of sets, members or deployments costs the same number of queries however long it is."""

import pytest
from rest_framework.test import APIClient

from tests.counting import cost
from tests.factories import (
    LONG_AGO,
    ArtifactFactory,
    DeploymentFactory,
    DeploymentSetFactory,
    GroupFactory,
)


@pytest.mark.parametrize("query", ["", "?tags=a"])
def test_the_list_of_sets(api: APIClient, query: str) -> None:
    artifact, group = ArtifactFactory(), GroupFactory(artifacts=[ArtifactFactory()])

    def add(count: int) -> None:
        DeploymentSetFactory.create_batch(count, tags=["a"], holding=[artifact, group])

    one, many = cost(api, f"/api/v1/deployment-sets{query}", add)
    assert one == many <= 10


def test_the_list_of_a_sets_members(api: APIClient) -> None:
    deployment_set = DeploymentSetFactory()

    def add(count: int) -> None:
        for _ in range(count):
            inner, position = DeploymentSetFactory(), deployment_set.members.count()
            deployment_set.members.create(member_set=inner, position=position, created_at=LONG_AGO)

    one, many = cost(api, f"/api/v1/deployment-sets/{deployment_set.public_id}/members", add)
    assert one == many <= 6


def test_the_list_of_deployments(api: APIClient) -> None:
    one, many = cost(api, "/api/v1/deployments", DeploymentFactory.create_batch)
    assert one == many <= 6
