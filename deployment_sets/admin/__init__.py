"""Sets, deployments and deploy roots in the console; whatever is changed there goes through the operations."""

from deployment_sets.admin import deploying, deployments, members, roots, sets

__all__ = ["deploying", "deployments", "members", "roots", "sets"]
