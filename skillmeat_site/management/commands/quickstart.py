"""`manage.py quickstart`: the whole product with one command, on a repository of the user's choice."""

import contextlib
import secrets
import signal
import time
import urllib.error
import urllib.request
from http import HTTPStatus
from types import FrameType
from typing import Any

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import CommandParser
from django.utils import timezone

from marketplace.models import Entry, Source, TrustLevel
from marketplace.models.source import SCAN
from marketplace.operations import readers, scans, sources
from skillmeat_site.access.operations import people
from skillmeat_site.accounts.models import Project, User
from skillmeat_site.commands import OperatorCommand, Outcome, whole_number
from skillmeat_site.errors import DomainError, Kind
from skillmeat_site.jobs.errors import JobConflict
from skillmeat_site.jobs.models import Job, Trigger
from skillmeat_site.jobs.terminal import Follower, ending
from skillmeat_site.management import demo
from skillmeat_site.processes import AlreadyRunning, Children, RunLock, port_is_free
from skillmeat_site.terminal import table

OPERATOR = "operator"
START_SECONDS = 30.0
MAX_PORT = 65_534  # so that the next one can be suggested


class CannotStart(DomainError):
    """The one-command start could not start; its sentence says why and what to do."""

    code = "cannot_start"
    kind = Kind.CONFLICT
    title = "SkillMeat could not be started"


class Stopped(Exception):
    """Ctrl-C, SIGTERM or a closed terminal."""


def _stop(_signal: int, _frame: FrameType | None) -> None:
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)  # the second Ctrl-C of an impatient hand
    raise Stopped


class Command(OperatorCommand):
    help = (
        "Migrate, start the web server and the worker, scan a repository, show its catalogue, import it, deploy "
        "it into a demo project, and stay up until Ctrl-C. Run it again at any time: nothing is lost. "
        "script/run calls this."
    )
    examples = ("", "https://github.com/anthropics/skills", "file:///srv/repositories/tools --port 8001")
    json_help = "once everything is up, print one JSON document on standard output"

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "repository",
            nargs="?",
            default=(settings.BASE_DIR / "examples/starter").as_uri(),
            help="a GitHub address, or file:///... below SKILLMEAT_LOCAL_REPOSITORIES (default: the bundled example)",
        )
        parser.add_argument(
            "--port",
            type=whole_number(1, MAX_PORT),
            default=8000,
            help="on 127.0.0.1 (default: %(default)s)",
        )

    def act(self, *, repository: str, port: int, **options: Any) -> Outcome:
        location = readers.locate(repository)
        lock = self._lock()
        if not port_is_free(port):
            raise CannotStart(
                f"Port {port} is in use by another program.", hint=f"Choose another: --port {port + 1}"
            )
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, _stop)
        try:
            call_command("migrate", verbosity=0)
            lock.say(f"http://127.0.0.1:{port}/")
            login = self._operator()
            with Children(settings.SKILLMEAT_DATA_DIR / "logs") as children:
                self._start(children, port)
                facts = self._main_job(location)
                self._welcome(port, login, facts)
                self._stay_up(children)
        except Stopped:
            self.say("\nStopped. Everything is kept; run it again to go on.")
        return Outcome()

    @staticmethod
    def _lock() -> RunLock:
        try:
            return RunLock(settings.SKILLMEAT_DATA_DIR / "run.lock")
        except AlreadyRunning as running:
            raise CannotStart(
                f"SkillMeat is already running at {running}.",
                hint="Stop it there with Ctrl-C, or add a repository to it: "
                "python manage.py add_source URL --wait",
            ) from None

    @staticmethod
    def _operator() -> str:
        """The console's login; the password is made, and can be shown, only once."""
        if User.objects.filter(is_superuser=True).exists():
            return f"{OPERATOR} (forgotten the password? python manage.py changepassword {OPERATOR})"
        password = secrets.token_urlsafe(12)
        people.create(username=OPERATOR, by=None, at=timezone.now(), password=password, is_superuser=True)
        return f"{OPERATOR} / {password}   (shown only now)"

    def _start(self, children: Children, port: int) -> None:
        bind = ["--bind", f"127.0.0.1:{port}", "--workers", "2", "--threads", "4", "--no-control-socket"]
        # Searches may be long: gunicorn would refuse half of this by itself, with a page instead of a problem.
        children.start("web", ["gunicorn", "skillmeat_site.wsgi", *bind, "--limit-request-line", "8190"])
        children.start("worker", [str(settings.BASE_DIR / "manage.py"), "worker"])
        deadline = time.monotonic() + START_SECONDS
        while not _answers(f"http://127.0.0.1:{port}/readyz"):
            self._complain_about_ended(children)
            if time.monotonic() > deadline:
                raise CannotStart(f"The server did not come up; its logs are in {children.log_directory}.")
            time.sleep(0.2)

    @staticmethod
    def _complain_about_ended(children: Children) -> None:
        if name := children.ended():
            raise CannotStart(f"The {name} process ended by itself; its log: {children.log_file(name)}")

    def _main_job(self, location: readers.Location) -> dict[str, Any]:
        """Scan the repository and show what was found; a failure is told, and the server stays up."""
        try:
            source, job = self._scan(location)
        except DomainError as error:
            self.stderr.write(f"{location.url}: {error.detail} {error.hint}")
            return {"source": None, "error": error.as_problem()}
        Follower(self.line()).follow(job, str(source))
        self.say(f"{source}: {ending(job)}")
        self._show_catalogue(source)
        try:
            self.say(demo.take_and_deploy(source, at=timezone.now()))
        except DomainError as error:
            self.stderr.write(f"It was not deployed: {error.detail} {error.hint}")
        return {"source": source.public_id, "status": job.status, "result": job.result, "error": job.error}

    @staticmethod
    def _scan(location: readers.Location) -> tuple[Source, Job]:
        """The source of this repository and its live scan: made now, or found from an earlier run."""
        at = timezone.now()
        project = Project.objects.default()
        found = Source.objects.filter(project=project, repo_key=location.key)
        if location.ref:
            found = found.filter(ref=location.ref, root_hint=location.root)
        source = found.select_related("project").first()
        if source is None:
            trust = TrustLevel.VERIFIED if location.is_local else TrustLevel.BASIC
            new = sources.NewSource(location=location, trust_level=trust)
            source = sources.create(new=new, project=project, by=None, at=at)
        else:
            with contextlib.suppress(JobConflict):  # its scan is waiting since the last run
                scans.request(source=source, by=None, at=at, trigger=Trigger.COMMAND)
        return source, Job.objects.filter(kind=SCAN, subject_id=source.pk).latest("id")

    def _show_catalogue(self, source: Source) -> None:
        entries = Entry.objects.filter(source=source).counted().order_by("type", "-confidence", "path")
        rows = [[entry.type, entry.name, f"{entry.confidence} %", entry.path] for entry in entries]
        if rows:
            self.say(f"\n{table(['type', 'name', 'confidence', 'path'], rows)}\n")

    def _welcome(self, port: int, login: str, facts: dict[str, Any]) -> None:
        base = f"http://127.0.0.1:{port}"
        places = {
            "console": f"{base}/admin/",
            "login": login,
            "reference": f"{base}/api/docs",
            "api": f"{base}/api/v1/marketplace/sources",
            "data": str(settings.SKILLMEAT_DATA_DIR),
        }
        self.tell(places | facts)
        self.say(
            f"\nConsole        {places['console']}\n"
            f"  login        {login}\n"
            f"API reference  {places['reference']}\n"
            f"API            {places['api']}\n"
            f"Data and logs  {places['data']}\n"
            "Stop with Ctrl-C."
        )

    def _stay_up(self, children: Children) -> None:
        while True:
            self._complain_about_ended(children)
            time.sleep(1)


def _answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=2) as answer:  # noqa: S310  our own http address
            return bool(answer.status == HTTPStatus.OK)
    except (urllib.error.URLError, OSError):
        return False
