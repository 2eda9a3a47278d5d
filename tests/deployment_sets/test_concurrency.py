"""Changes of one project's sets at the same time, on connections of their own."""

from collections.abc import Callable
from typing import Any

import pytest
from django.utils import timezone

from deployment_sets.models import DeploymentSet, SetMember
from deployment_sets.operations import members, sets
from deployment_sets.operations.locking import SetGone
from deployment_sets.operations.members import NewMember, SetCycle, UnknownTarget
from deployment_sets.resolution import Kind
from skillmeat_site.accounts.models import User
from skillmeat_site.audit.models import AuditEvent
from tests.factories import ArtifactFactory, DeploymentSetFactory
from tests.racing import together
from tests.sets import holds

pytestmark = pytest.mark.django_db(transaction=True)
ROUNDS = 5


@pytest.fixture
def operator(on_disk: None) -> User:
    return User.objects.local_operator()


def adding(to: DeploymentSet, target: Any, by: User, position: int | None = None) -> Callable[[], object]:
    kind = Kind.SET if isinstance(target, DeploymentSet) else Kind.ARTIFACT
    new = NewMember(kind=kind, target=target.pk, position=position)
    return lambda: members.add(deployment_set=to, new=new, by=by, at=timezone.now())


@pytest.mark.parametrize("length", [2, 4])
def test_of_sets_that_are_put_into_each_other_one_is_refused(operator: User, length: int) -> None:
    for _ in range(ROUNDS):
        ring = DeploymentSetFactory.create_batch(length)
        errors = together(
            *(adding(outer, inner, operator) for outer, inner in zip(ring, ring[1:] + ring[:1], strict=True))
        )
        assert [type(error) for error in errors if error] == [SetCycle]


def test_of_two_chains_that_would_be_too_deep_together_one_is_refused(operator: User) -> None:
    middle = DeploymentSetFactory(name="middle")
    above, below = DeploymentSetFactory(), DeploymentSetFactory()
    for _ in range(9):
        above = DeploymentSetFactory(holding=[above])
        below = DeploymentSetFactory(holding=[below])
    innermost_above = above
    while inner := DeploymentSet.objects.filter(memberships__parent=innermost_above).first():
        innermost_above = inner
    errors = together(adding(innermost_above, middle, operator), adding(middle, below, operator))
    assert len([error for error in errors if error]) == 1


def test_members_inserted_at_one_position_stand_side_by_side(operator: User) -> None:
    deployment_set = DeploymentSetFactory(holding=ArtifactFactory.create_batch(2))
    before, new = holds(deployment_set), ArtifactFactory.create_batch(4)
    assert not any(together(*(adding(deployment_set, each, operator, 1) for each in new)))
    after = holds(deployment_set)
    assert (after[0], after[-1]) == tuple(before)
    assert set(after[1:-1]) == {each.pk for each in new}


def test_moves_and_removals_leave_no_gap(operator: User) -> None:
    deployment_set = DeploymentSetFactory(holding=ArtifactFactory.create_batch(6))
    rows = list(deployment_set.members.select_related("parent__project").order_by("position"))
    now = timezone.now()
    together(
        lambda: members.move(member=rows[0], position=4, by=operator, at=now),
        lambda: members.move(member=rows[5], position=0, by=operator, at=now),
        lambda: members.remove(member=rows[2], by=operator, at=now),
        adding(deployment_set, ArtifactFactory(), operator, 3),
    )
    assert len(holds(deployment_set)) == 6


def test_a_member_is_added_once(operator: User) -> None:
    deployment_set, artifact = DeploymentSetFactory(), ArtifactFactory()
    errors = together(*[adding(deployment_set, artifact, operator)] * 3)
    assert sorted(type(error).__name__ for error in errors if error) == ["MemberExists"] * 2
    assert holds(deployment_set) == [artifact.pk]


def test_a_set_that_is_deleted_while_it_is_nested_lies_nowhere(operator: User) -> None:
    for _ in range(ROUNDS):
        outer, inner = DeploymentSetFactory.create_batch(2)
        delete = lambda gone=inner: sets.delete(deployment_set=gone, by=operator, at=timezone.now())  # noqa: E731
        _, error = together(delete, adding(outer, inner, operator))
        assert error is None or isinstance(error, UnknownTarget)
        assert not SetMember.objects.filter(parent=outer).exists()


def test_a_set_that_is_deleted_while_it_is_added_to_is_gone(operator: User) -> None:
    for _ in range(ROUNDS):
        outer, inner = DeploymentSetFactory.create_batch(2)
        delete = lambda gone=outer: sets.delete(deployment_set=gone, by=operator, at=timezone.now())  # noqa: E731
        _, error = together(delete, adding(outer, inner, operator))
        assert error is None or isinstance(error, SetGone)
        assert not SetMember.objects.filter(member_set=inner).exists()


def test_a_set_is_deleted_once(operator: User) -> None:
    deployment_set = DeploymentSetFactory()
    delete = lambda: sets.delete(deployment_set=deployment_set, by=operator, at=timezone.now())  # noqa: E731
    errors = together(delete, delete)
    assert [type(error) for error in errors if error] == [SetGone]
    assert AuditEvent.objects.filter(verb="set.deleted").count() == 1


def test_clones_made_at_once_have_names_of_their_own(operator: User) -> None:
    original = DeploymentSetFactory(name="web")
    clone = lambda: sets.clone(deployment_set=original, by=operator, at=timezone.now())  # noqa: E731
    assert not any(together(clone, clone, clone))
    names = set(DeploymentSet.objects.values_list("name", flat=True))
    assert names == {"web", "web (copy)", "web (copy 2)", "web (copy 3)"}


def test_of_two_sets_of_one_name_one_is_made(operator: User) -> None:
    project = DeploymentSetFactory().project
    make = lambda: sets.create(  # noqa: E731
        settings=sets.Settings(name="web"), project=project, by=operator, at=timezone.now()
    )
    errors = together(make, make)
    assert [type(error) for error in errors if error] == [sets.SetExists]
