"""The kit that pages of the console are built with; it knows no app.

`marks`     small pieces of HTML: a badge, a confidence bar, a time, facts, chips, a table
`pages`     the model admins to start from, and one operation done to many rows
`roles`     who works here, and in which projects
`rows`      links to the pages of rows, and to lists of them
`filters`   of lists, each of which answers a question
`forms`     forms that the API's serializers read
`journeys`  a page of several steps beneath a model's pages, with its button
`added`     what an app adds to pages of another one: journeys, actions, panels

A page is extended from above: `marketplace` owns the page of a source, and `collections_app/admin.py` says
`@added.journey(Source)` to put its import there. No app looks up.
"""

from skillmeat_site.admin_pages.journeys import AddingPage, JourneyPage
from skillmeat_site.admin_pages.marks import ago, badge, bar, chips, code, facts, table
from skillmeat_site.admin_pages.pages import (
    ConsoleAdmin,
    OwnedAdmin,
    ReadOnlyAdmin,
    ReadOnlyInline,
    ShownAdmin,
    each_row,
)
from skillmeat_site.admin_pages.roles import has_role, operator, projects_of_editor
from skillmeat_site.admin_pages.rows import address, link, list_address

__all__ = [
    "AddingPage",
    "ConsoleAdmin",
    "JourneyPage",
    "OwnedAdmin",
    "ReadOnlyAdmin",
    "ReadOnlyInline",
    "ShownAdmin",
    "address",
    "ago",
    "badge",
    "bar",
    "chips",
    "code",
    "each_row",
    "facts",
    "has_role",
    "link",
    "list_address",
    "operator",
    "projects_of_editor",
    "table",
]
