"""Every address of the product; the only place that knows all apps."""

from django.contrib import admin
from django.urls import include, path
from django.views.generic import RedirectView
from drf_spectacular.views import SpectacularJSONAPIView, SpectacularSwaggerSplitView
from rest_framework.routers import SimpleRouter

from collections_app.api.artifacts import ArtifactViewSet
from collections_app.api.collections import CollectionViewSet
from collections_app.api.groups import GroupViewSet
from collections_app.api.imports import ImportViewSet
from deployment_sets.api.deployments import DeploymentViewSet
from deployment_sets.api.sets import DeploymentSetViewSet
from marketplace.api.entries import EntryViewSet
from marketplace.api.search import SearchView
from marketplace.api.sources import InferUrlView, SourceViewSet
from skillmeat_site.access.api.me import MeView
from skillmeat_site.access.api.projects import ProjectViewSet
from skillmeat_site.access.api.tokens import TokenViewSet
from skillmeat_site.api import views
from skillmeat_site.audit.api import AuditEventViewSet
from skillmeat_site.jobs.api import JobViewSet
from skillmeat_site.jobs.health import healthz, readyz
from skillmeat_site.metrics.views import MetricsView

router = SimpleRouter(trailing_slash=False)
router.register("marketplace/sources", SourceViewSet, basename="source")
router.register("marketplace/artifacts", EntryViewSet, basename="entry")
router.register("deployment-sets", DeploymentSetViewSet, basename="deployment-set")
router.register("deployments", DeploymentViewSet, basename="deployment")
router.register("collections", CollectionViewSet, basename="collection")
router.register("collections/(?P<id>[^/.]+)/groups", GroupViewSet, basename="group")
router.register("artifacts", ArtifactViewSet, basename="artifact")
router.register("jobs", JobViewSet, basename="job")
router.register("projects", ProjectViewSet, basename="project")
router.register("tokens", TokenViewSet, basename="token")
router.register("audit-events", AuditEventViewSet, basename="audit-event")

urlpatterns = [
    path("", RedirectView.as_view(pattern_name="admin:index")),
    path("api/v1/marketplace/search", SearchView.as_view(), name="search"),
    path("api/v1/marketplace/infer-url", InferUrlView.as_view(), name="infer-url"),
    path("api/v1/me", MeView.as_view(), name="me"),
    path("api/v1/marketplace/sources/<id>/import", ImportViewSet.as_view({"post": "create"}), name="import"),
    path("api/v1/", include(router.urls)),
    path("api/schema", SpectacularJSONAPIView.as_view(), name="schema"),
    path("api/docs", SpectacularSwaggerSplitView.as_view(url_name="schema"), name="docs"),
    path("problems", views.problem_index, name="problem-index"),
    path("problems/<slug:code>", views.problem_page, name="problem"),
    path("healthz", healthz, name="healthz"),
    path("readyz", readyz, name="readyz"),
    path("metrics", MetricsView.as_view(), name="metrics"),
    path("admin", RedirectView.as_view(pattern_name="admin:index")),
    path("admin/", admin.site.urls),
]

handler400 = "skillmeat_site.api.views.bad_request"
handler403 = "skillmeat_site.api.views.permission_denied"
handler404 = "skillmeat_site.api.views.not_found"
handler500 = "skillmeat_site.api.views.server_error"
