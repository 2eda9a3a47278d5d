"""What runs by itself is only taken from where somebody trusts: the rule of imports, deploys and archives."""

from marketplace.detection.vocabulary import ACTIVE_TYPES
from marketplace.models import Source, TrustLevel
from skillmeat_site.errors import DomainError, Kind


class ConfirmationRequired(DomainError):
    """Hooks, MCP servers and plugins run by themselves once they are deployed, and nobody vouches for these.

    Their source is untrusted, or is not known any more. Where several are meant, `artifacts` lists them.
    """

    code = "confirmation_required"
    kind = Kind.CONFLICT
    title = "Confirm that you trust it"
    hint = "Look into its files; then send confirm_untrusted: true, or raise the source's trust_level."


def needs_confirmation(artifact_type: str, source: Source | None) -> bool:
    """Whether an artifact of this type from this source (None: it is gone) is only taken when confirmed."""
    return artifact_type in ACTIVE_TYPES and (source is None or source.trust_level == TrustLevel.UNTRUSTED)
