"""Shapes of requests and answers about people, projects and tokens."""

from datetime import datetime
from typing import Any

from django.core.validators import RegexValidator
from django.utils import timezone
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from skillmeat_site.accounts.models import SLUG, SLUG_RULE, Project, Role, Token, TokenScope, User
from skillmeat_site.api.fields import InstantField, OptionField, PublicIdField, StrictSerializer, TextField

AUTH_MODES = ("single-user", "multi-user")


def _longest(model: Any, field: str) -> int:
    return int(model._meta.get_field(field).max_length)


class UserSerializer(serializers.Serializer[User]):
    id = PublicIdField(User)
    username = serializers.CharField()


class CallerSerializer(UserSerializer):
    is_superuser = serializers.BooleanField()


class ProjectSerializer(serializers.Serializer[Project]):
    id = PublicIdField(Project)
    slug = serializers.CharField()
    name = serializers.CharField()
    role = serializers.ChoiceField(
        Role.choices, source="role_of_caller", help_text="Yours; a superuser is an admin everywhere."
    )


class ProjectDetailSerializer(ProjectSerializer):
    created_at = serializers.DateTimeField()


class NewProjectSerializer(StrictSerializer):
    slug = TextField(
        max_length=_longest(Project, "slug"),
        validators=[RegexValidator(SLUG, SLUG_RULE, code="invalid_slug")],
        help_text="Names the project in addresses and filters; it never changes.",
    )
    name = TextField(max_length=_longest(Project, "name"))


class ProjectChangesSerializer(StrictSerializer):
    name = TextField(max_length=_longest(Project, "name"), required=False)


class MemberSerializer(serializers.Serializer[Any]):
    user = UserSerializer()
    role = serializers.ChoiceField(Role.choices)


class MemberRoleSerializer(StrictSerializer):
    role = OptionField(Role.choices)


class TokenSerializer(serializers.Serializer[Token]):
    id = PublicIdField(Token)
    name = serializers.CharField()
    scope = serializers.ChoiceField(TokenScope.choices)
    created_at = serializers.DateTimeField()
    expires_at = serializers.DateTimeField(allow_null=True)
    last_used_at = serializers.DateTimeField(allow_null=True, help_text="To the minute.")


class IssuedTokenSerializer(TokenSerializer):
    secret = serializers.CharField(help_text="Shown only now.")


class NewTokenSerializer(StrictSerializer):
    name = TextField(max_length=_longest(Token, "name"))
    scope = OptionField(TokenScope.choices, default=TokenScope.WRITE.value)
    expires_at = InstantField(default=None, allow_null=True, help_text="null: never.")

    def validate_expires_at(self, value: datetime | None) -> datetime | None:
        if value is not None and value <= timezone.now():
            raise serializers.ValidationError("This time has passed.", code="past")
        return value


class MeSerializer(serializers.Serializer[Any]):
    """Who is asking, and what he may do."""

    user = CallerSerializer()
    auth = serializers.ChoiceField(AUTH_MODES)
    projects = ProjectSerializer(many=True)
    token = serializers.SerializerMethodField()

    @extend_schema_field(TokenSerializer(allow_null=True))
    def get_token(self, me: dict[str, Any]) -> Any:
        return TokenSerializer(me["token"]).data if me["token"] else None
