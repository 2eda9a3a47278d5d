"""The kit's marks in templates: `{% load console %}`, then `{{ job.status|badge }}`."""

from django import template

from skillmeat_site.admin_pages import marks

register = template.Library()
for mark in (marks.ago, marks.badge, marks.bar, marks.chips, marks.code):
    register.filter(mark.__name__, mark)


@register.filter
def attribute(obj: object, name: str) -> object:
    return getattr(obj, name)
