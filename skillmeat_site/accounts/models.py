"""Users, projects, memberships and API tokens; a project is the unit of isolation."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, ClassVar, Self
from uuid import UUID

from django.contrib.auth.models import AbstractUser, UserManager as DjangoUserManager
from django.core.validators import RegexValidator
from django.db import DEFAULT_DB_ALIAS, models, transaction
from django.db.models import Aggregate, OuterRef, Q, Subquery, Value
from django.db.models.functions import Coalesce

from skillmeat_site.prepared import Prepared
from skillmeat_site.rows import Row

LOCAL_OPERATOR = "local"
DEFAULT_PROJECT = "default"
LAST_USE_RESOLUTION = timedelta(minutes=1)
SLUG = r"\A[a-z0-9]+(-[a-z0-9]+)*\Z"
SLUG_RULE = "Lower-case letters, digits and hyphens."


class Role(models.TextChoices):
    """What a member may do: a viewer reads, an editor also changes, an admin also deletes and decides."""

    VIEWER = "viewer"
    EDITOR = "editor"
    ADMIN = "admin"

    @property
    def and_above(self) -> list[Role]:
        roles = list(Role)
        return roles[roles.index(self) :]


class UserManager(DjangoUserManager["User"]):
    def local_operator(self) -> User:
        """The caller of single-user mode: an admin of the project `default`, made when first needed."""
        for row in _by_name.rows(LOCAL_OPERATOR):
            return User.from_row(row)
        with transaction.atomic():
            operator, _ = self.get_or_create(username=LOCAL_OPERATOR, defaults={"password": "!"})
            Membership.objects.get_or_create(
                user=operator, project=Project.objects.default(), defaults={"role": Role.ADMIN}
            )
        return operator


class User(AbstractUser, Row):
    id_prefix = "usr"

    objects: ClassVar[UserManager] = UserManager()

    _projects: str | None = None

    @classmethod
    def from_row(cls, row: Sequence[Any]) -> User:
        """The user of a row of his columns and, as one text, the keys of his projects."""
        *columns, projects = row
        user = cls.from_db(DEFAULT_DB_ALIAS, _columns(cls), columns)
        user._projects = projects or ""  # noqa: SLF001  its own
        return user

    @property
    def is_local_operator(self) -> bool:
        return self.username == LOCAL_OPERATOR

    def project_keys(self) -> list[UUID] | None:
        """Of the projects this user is a member of, for a caller as of then; None, meaning all, for a superuser."""
        if self.is_superuser:
            return None
        if self._projects is not None:
            return [UUID(key) for key in self._projects.split(",") if key]
        return list(self.memberships.order_by().values_list("project_id", flat=True))


class ProjectQuerySet(models.QuerySet["Project"]):
    def with_role(self, user: User, role: Role) -> Self:
        """The projects in which this user has this role or a higher one; all for a superuser."""
        if user.is_superuser:
            return self
        memberships = Membership.objects.filter(user=user, role__in=role.and_above)
        return self.filter(id__in=memberships.values("project_id"))

    def visible_to(self, user: User) -> Self:
        """The projects that this user is a member of; all for a superuser."""
        return self.with_role(user, Role.VIEWER)

    def with_role_of(self, user: User) -> Self:
        """Annotates `role_of_caller`: this user's own role; where a superuser has none he is an admin."""
        own = Membership.objects.filter(project=OuterRef("pk"), user=user).values("role")[:1]
        return self.annotate(role_of_caller=Coalesce(Subquery(own), Value(Role.ADMIN.value)))

    def named(self, name: str) -> Self:
        """The project with this slug, or with this id in its outside form."""
        return self.filter(Q(slug=name) | Q(id=Project.decode(name)))

    def default(self) -> Project:
        return self.get_or_create(slug=DEFAULT_PROJECT, defaults={"name": "Default"})[0]


class Project(Row):
    id_prefix = "prj"

    slug = models.SlugField(
        max_length=50,
        unique=True,
        validators=[RegexValidator(SLUG, SLUG_RULE)],
    )
    name = models.CharField(max_length=200)
    created_at = models.DateTimeField(auto_now_add=True)

    objects = ProjectQuerySet.as_manager()

    role_of_caller: str  # annotated by with_role_of

    class Meta:
        ordering = ("slug",)

    def __str__(self) -> str:
        return self.slug


class Membership(Row):
    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="memberships")
    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="memberships")
    role = models.CharField(max_length=10, choices=Role)

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=["project", "user"], name="one_membership_per_project"),
            models.CheckConstraint(condition=Q(role__in=Role.values), name="membership_role_known"),
        )

    def __str__(self) -> str:
        return f"{self.user} is {self.role} of {self.project}"


class TokenScope(models.TextChoices):
    READ = "read"
    WRITE = "write"


class TokenQuerySet(models.QuerySet["Token"]):
    def visible_to(self, user: User) -> Self:
        """The user's own tokens, even for a superuser: others' are looked at in the console."""
        return self.filter(user=user)

    def issue(
        self, *, user: User, name: str, scope: TokenScope, expires_at: datetime | None = None
    ) -> tuple[Token, str]:
        """A new token and its secret, which is not stored: this is the only moment to show it."""
        secret = f"sm_{secrets.token_urlsafe(32)}"
        token = self.create(
            user=user, name=name, scope=scope, expires_at=expires_at, digest=Token.digest_of(secret)
        )
        return token, secret

    def opened_by(self, secret: str, *, at: datetime) -> Token | None:
        """The valid token with this secret, its last use noted to the minute; None when there is none."""
        row = next(iter(_by_digest.rows(Token.digest_of(secret))), None)
        if row is None:
            return None
        names = _columns(Token)
        token = Token.from_db(DEFAULT_DB_ALIAS, names, row[: len(names)])
        token.user = User.from_row(row[len(names) :])
        if not token.is_valid(at) or not token.user.is_active:
            return None
        if token.last_used_at is None or at - token.last_used_at > LAST_USE_RESOLUTION:
            self.filter(pk=token.pk).update(last_used_at=at)
        return token


class Token(Row):
    """An API credential. The secret has 256 random bits, so its plain SHA-256 cannot be guessed back."""

    id_prefix = "tok"

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="tokens")
    name = models.CharField(max_length=100)
    scope = models.CharField(max_length=5, choices=TokenScope, default=TokenScope.WRITE)
    digest = models.CharField(max_length=64, unique=True, editable=False)
    created_at = models.DateTimeField(auto_now_add=True)
    expires_at = models.DateTimeField(null=True, blank=True)
    last_used_at = models.DateTimeField(null=True, editable=False)

    objects = TokenQuerySet.as_manager()

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=["user", "name"], name="token_name_unique_per_user"),
            models.CheckConstraint(condition=Q(scope__in=TokenScope.values), name="token_scope_known"),
        )

    def __str__(self) -> str:
        return f"{self.name} ({self.scope})"

    @staticmethod
    def digest_of(secret: str) -> str:
        return hashlib.sha256(secret.encode()).hexdigest()

    def is_valid(self, at: datetime) -> bool:
        return self.expires_at is None or at < self.expires_at


def _columns(model: type[models.Model], path: str = "") -> list[str]:
    return [path + field.attname for field in model._meta.concrete_fields]


class _Joined(Aggregate):
    """Keys as one text, with commas."""

    template = "group_concat(%(expressions)s)"
    output_field = models.TextField()

    def as_postgresql(self, compiler: Any, connection: Any, **extra: Any) -> Any:
        return super().as_sql(
            compiler, connection, template="string_agg((%(expressions)s)::text, ',')", **extra
        )


def _projects_of(user: str) -> Subquery:
    memberships = Membership.objects.filter(user=OuterRef(user)).order_by().values("user")
    return Subquery(memberships.annotate(projects=_Joined("project_id")).values("projects"))


# Who is calling, and of which projects he is a member: one query of every request.
_by_name = Prepared(
    lambda name: (
        User._base_manager.filter(username=name).order_by().values_list(*_columns(User), _projects_of("pk"))
    )
)
_by_digest = Prepared(
    lambda digest: (
        Token._base_manager.filter(digest=digest)
        .order_by()
        .values_list(*_columns(Token), *_columns(User, "user__"), _projects_of("user"))
    )
)
