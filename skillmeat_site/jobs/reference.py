"""What the API's reference shows of jobs."""

from skillmeat_site.api.reference import Reference

JOB_ID, SUBJECT_ID = "job_01m7yvtw6pf0380ftec92q4z5n", "src_01m7yvtw6nenrtd6br5rqmx89p"
QUEUED, STARTED, ENDED = "2026-11-21T10:53:33.256277Z", "2026-11-21T10:53:35.339827Z", "2026-11-21T10:53:39Z"

JOB = {
    "id": JOB_ID,
    "kind": "scan",
    "subject_id": SUBJECT_ID,
    "status": "succeeded",
    "run_after": QUEUED,
    "trigger": "create",
    "force": False,
    "attempt": 1,
    "progress": {"phase": "saving", "done": 9, "total": 9, "percent": 100},
    "result": {"new": 9, "updated": 0, "removed": 0, "unchanged": 0, "not_modified": False},
    "github": {"requests": 3, "bytes": 3_649_152, "rate_limit_remaining": 4997},
    "error": None,
    "created_at": QUEUED,
    "started_at": STARTED,
    "finished_at": ENDED,
}
EVENTS = [
    {"seq": 1, "at": QUEUED, "phase": "queued", "message": "", "done": 0, "total": 0},
    {"seq": 2, "at": STARTED, "phase": "reading files", "message": "", "done": 12, "total": 34},
]
REFERENCE = Reference(
    parameters={
        "/jobs/{id}": "The job's id, `job_` and 26 characters.",
        "/jobs/{id}/events?after": "Only events whose `seq` is greater.",
        "/jobs?status": "Only jobs in this state.",
        "kind": "Only jobs of this kind.",
    },
    bodies={"Job": JOB, "JobEvents": {"items": EVENTS}},
    problems={"already_running": {"existing_id": JOB_ID}},
)
