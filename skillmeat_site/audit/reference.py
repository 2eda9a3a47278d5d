"""What the API's reference shows of the audit trail."""

from skillmeat_site.api.reference import Reference

EVENT = {
    "id": "aud_01m7yvwgy8f36tv9kzs7j7qkjv",
    "at": "2026-11-21T10:54:27.268830Z",
    "actor": "ada",
    "verb": "scan.requested",
    "object": {
        "kind": "source",
        "id": "src_01m7yvtw6nenrtd6br5rqmx89p",
        "label": "anthropics/skills@main",
    },
    "project": "default",
    "request_id": "01a1fdbe43c074bfb044ba56a601dc70",
    "facts": {"job": "job_01m7yvwgy4fwws18myfykfqddj", "force": False},
}
REFERENCE = Reference(
    parameters={
        "verb": "Only events with this verb, like `source.created`.",
        "actor": "Only what the user with this name did.",
        "object": "Only events about the object with this id.",
        "/audit-events?after": "Only events after this time: ISO 8601 with its offset from UTC.",
        "before": "Only events before this time: ISO 8601 with its offset from UTC.",
        "request_id": "Only what the request with this id did.",
    },
    bodies={"AuditEvent": EVENT},
)
