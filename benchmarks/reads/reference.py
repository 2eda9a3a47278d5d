"""The least that Django could do: a view without middleware that runs the same SQL and sends the same document.

A WSGI application. It asks the product once for each path of `BENCHMARK_PATHS` (a JSON list) and notes the
queries; then each request runs them again, fetches every row, and dumps the document as JSON.
"""

import json
import os
from collections.abc import Callable
from http import HTTPStatus
from typing import Any

import orjson
from django.conf import settings
from django.core.handlers.wsgi import WSGIHandler
from django.core.wsgi import get_wsgi_application
from django.db import connection
from django.http import HttpRequest, HttpResponse
from django.urls import re_path

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "skillmeat_site.settings")
get_wsgi_application()

from django.test import Client  # noqa: E402  it needs the setup

Query = tuple[str, Any]


class _Recorder:
    """An execute wrapper that notes what is executed."""

    def __init__(self) -> None:
        self.queries: list[Query] = []

    def __call__(self, execute: Callable[..., Any], sql: str, params: Any, many: bool, context: Any) -> Any:
        self.queries.append((sql, params))
        return execute(sql, params, many, context)


def _recorded(path: str, token: str) -> tuple[list[Query], Any]:
    """The queries and the document of a product that has been asked before."""
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    client = Client(SERVER_NAME="localhost", headers=headers)
    client.get(path)
    recorder = _Recorder()
    with connection.execute_wrapper(recorder):
        answer = client.get(path)
    if answer.status_code != HTTPStatus.OK:
        raise RuntimeError(f"{path}: {answer.content.decode()}")
    return recorder.queries, orjson.loads(answer.content)


KNOWN = {
    path: _recorded(path, os.environ["BENCHMARK_TOKEN"]) for path in json.loads(os.environ["BENCHMARK_PATHS"])
}
connection.close()


def view(request: HttpRequest) -> HttpResponse:
    queries, document = KNOWN[request.get_full_path()]
    for sql, params in queries:
        with connection.cursor() as cursor:
            cursor.execute(sql, params)
            if cursor.description:
                cursor.fetchall()
    return HttpResponse(orjson.dumps(document), content_type="application/json")


urlpatterns = [re_path("", view)]
settings.MIDDLEWARE, settings.ROOT_URLCONF = [], __name__
application = WSGIHandler()
