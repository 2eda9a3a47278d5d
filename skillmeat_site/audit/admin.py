"""The audit trail in the console: to be read."""

from django.contrib import admin

from skillmeat_site.admin_pages import ReadOnlyAdmin
from skillmeat_site.audit.models import AuditEvent


@admin.register(AuditEvent)
class AuditEventAdmin(ReadOnlyAdmin):
    list_display = ("at", "actor", "verb", "object_label", "project", "request_id")
    list_filter = ("verb", "project")
    search_fields = ("object_label", "actor", "request_id")
    date_hierarchy = "at"
