"""Refreshes: look upstream first, then take over what was seen; and every refresh there was."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponseBase
from django.shortcuts import redirect
from django.utils import timezone
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from collections_app.admin.forms import ApplyForm, LookForm
from collections_app.drift import CONTENT, Mode, Options, Outcome
from collections_app.models import Artifact, Collection, RefreshRun
from collections_app.operations import refreshes
from skillmeat_site.admin_pages import (
    JourneyPage,
    ReadOnlyAdmin,
    ShownAdmin,
    added,
    address,
    ago,
    badge,
    chips,
    code,
    facts,
    link,
    operator,
    table,
)
from skillmeat_site.jobs.models import Trigger

SHORT = 80
SHORT_DIGEST = 16


@added.journey(Collection)
class RefreshPage(JourneyPage):
    """A check, what it saw, and then the refresh itself.

    The check is kept as a run like any other, and its page can be loaded again. What is taken over is asked
    anew: upstream may have gone on.
    """

    slug, label = "refresh", "Refresh…"
    steps = ("Choose", "See what is new", "Take it over")
    template = "admin/collections_app/refresh.html"

    def get(self, request: HttpRequest) -> HttpResponseBase:
        run = self._look(request)
        return self._seen(run, ApplyForm()) if run else self.show(form=LookForm(), does="Look upstream")

    def post(self, request: HttpRequest) -> HttpResponseBase:
        run = self._look(request)
        return self._apply(request, run) if run else self._check(request)

    def _check(self, request: HttpRequest) -> HttpResponseBase:
        form = LookForm(request.POST)
        if not form.is_valid():
            return self.show(form=form, does="Look upstream")
        run = refreshes.refresh(
            collection=self.object, options=form.options(), by=operator(request), at=timezone.now()
        )
        return redirect(f"{self.address(self.object)}?look={run.pk}")

    def _apply(self, request: HttpRequest, look: RefreshRun) -> HttpResponseBase:
        form = ApplyForm(request.POST)
        if not form.is_valid():
            return self._seen(look, form)
        chosen = {"mode": Mode(form.cleaned_data["mode"]), "force": form.cleaned_data["force"]}
        what: dict[str, Any] = {
            "collection": self.object,
            "options": replace(Options.from_json(look.options), **chosen),
            "by": operator(request),
            "at": timezone.now(),
        }
        if "later" in request.POST:
            job = refreshes.request(**what, trigger=Trigger.MANUAL)
            return self.leave("A worker refreshes it.", to=address(job))
        return self.leave("Refreshed.", to=address(refreshes.refresh(**what)))

    def _look(self, request: HttpRequest) -> RefreshRun | None:
        """The check that the address names; None when it names none."""
        if "look" not in request.GET:
            return None
        pk = request.GET["look"]
        checks = self.object.refreshes.filter(options__mode=Mode.CHECK).exclude(finished_at=None)
        run: RefreshRun | None = checks.filter(pk=pk).first() if _is_uuid(pk) else None
        if run is None:
            raise Http404
        return run

    def _seen(self, run: RefreshRun, form: ApplyForm) -> HttpResponseBase:
        is_new = any(entry["outcome"] in NEWS for entry in run.entries)
        return self.show(
            step=1,
            form=form if is_new else None,
            look=ago(run.finished_at),
            is_new=is_new,
            outcomes=outcomes(run),
        )


NEWS = {Outcome.REFRESHED, Outcome.CONFLICT}


def _is_uuid(text: str) -> bool:
    return Artifact.decode(text) is not None


@admin.register(RefreshRun)
class RefreshRunAdmin(ReadOnlyAdmin, ShownAdmin):
    list_display = ("started", "collection", "mode", "state", "counted", "duration", "started_by")
    list_filter = ("status", ("collection__project", admin.RelatedOnlyFieldListFilter))
    date_hierarchy = "started_at"

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        runs = super().get_queryset(request).select_related("collection__project", "started_by", "job")
        return runs.defer("entries")  # which the page of one run reads when it gets there

    def shown(self, obj: RefreshRun) -> list[SafeString]:
        options = Options.from_json(obj.options)
        return [
            facts(
                [
                    ("collection", link(obj.collection)),
                    ("status", badge(obj.status or "running")),
                    ("mode", options.mode),
                    ("dry run", "yes" if options.dry_run else ""),
                    ("forced", "yes" if options.force else ""),
                    ("type", options.type),
                    ("names like", options.name_pattern),
                    ("fields", ", ".join(options.fields or ())),
                    ("started", ago(obj.started_at)),
                    ("by", obj.started_by or "the server"),
                    ("took", _seconds(obj)),
                    ("job", link(obj.job) if obj.job else ""),
                    ("request", code(obj.request_id)),
                ]
            ),
            outcomes(obj),
        ]

    @admin.display(description="started", ordering="started_at")
    def started(self, run: RefreshRun) -> SafeString:
        return ago(run.started_at)

    @admin.display(description="mode")
    def mode(self, run: RefreshRun) -> str:
        return str(run.options["mode"])

    @admin.display(description="status", ordering="status")
    def state(self, run: RefreshRun) -> SafeString:
        return badge(run.status or "running")

    @admin.display(description="artifacts")
    def counted(self, run: RefreshRun) -> SafeString:
        return chips({name.removesuffix("_count"): count for name, count in run.counts.items()})

    @admin.display(description="took", ordering="duration_ms")
    def duration(self, run: RefreshRun) -> str:
        return _seconds(run)


def _seconds(run: RefreshRun) -> str:
    return "" if run.duration_ms is None else f"{run.duration_ms / 1000:.1f} s"


def outcomes(run: RefreshRun) -> SafeString:
    """What became of each artifact, or would have; those that are unchanged are counted only."""
    words = {} if Options.from_json(run.options).writes else {Outcome.REFRESHED.value: "update"}
    counts = Counter(words.get(entry["outcome"], entry["outcome"]) for entry in run.entries)
    rows = (_outcome(entry, words) for entry in run.entries if entry["outcome"] != Outcome.UNCHANGED)
    return format_html(
        "{}{}",
        chips(counts),
        table(
            ("artifact", "type", "outcome", "changes", "why", "upstream"),
            rows,
            empty="Nothing is new." if run.entries else "There was nothing to look at.",
        ),
    )


def _outcome(entry: Mapping[str, Any], words: Mapping[str, str]) -> tuple[Any, ...]:
    return (
        link(Artifact(pk=entry["artifact_uuid"]), entry["name"]),
        entry["type"],
        badge(words.get(entry["outcome"], entry["outcome"])),
        format_html_join("", "<div>{}</div>", ((_change(change),) for change in entry["changes"])),
        entry["reason"] or "",
        code(entry["upstream_sha"] or "", chars=10),
    )


def _change(change: Mapping[str, Any]) -> SafeString:
    if change["field"] == CONTENT:
        return format_html("<b>new content</b> {}", code(change["new"], chars=SHORT_DIGEST))
    return format_html(
        "<b>{}</b> <del>{}</del> → <ins>{}</ins>",
        change["field"],
        _short(change["old"]) or "nothing",
        _short(change["new"]),
    )


def _short(value: Any) -> str:
    text = ", ".join(value) if isinstance(value, list) else str(value)
    return text if len(text) <= SHORT else f"{text[:SHORT]}…"
