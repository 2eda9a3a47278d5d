"""Pages and answers outside of DRF: problem pages, unknown addresses, and whether the server is well."""

import json
from collections.abc import Callable
from functools import wraps
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import render
from django.views.decorators.csrf import csrf_exempt

from skillmeat_site.api import errors, problems
from skillmeat_site.errors import DomainError, catalogue


def problem_response(request: HttpRequest, error: DomainError) -> HttpResponse:
    """A problem document for the API's addresses, a small page for people elsewhere."""
    document, headers = problems.problem(error, path=request.path), problems.headers(error)
    status = document["status"]
    if request.path.startswith(("/api/", "/healthz", "/readyz")):
        body = json.dumps(document)
        return HttpResponse(body, status=status, content_type=problems.MEDIA_TYPE, headers=headers)
    response = render(request, "problems/error.html", {"problem": document}, status=status)
    for name, value in headers.items():
        response[name] = value
    return response


def only_to_be_read(view: Callable[..., HttpResponseBase]) -> Callable[..., HttpResponseBase]:
    """The view answers GET and HEAD; any other method is a problem."""

    @csrf_exempt  # nothing is changed here, and a lacking token would hide that the method is wrong
    @wraps(view)
    def guarded(request: HttpRequest, **named: str) -> HttpResponseBase:
        if request.method in {"GET", "HEAD"}:
            return view(request, **named)
        error = errors.MethodNotAllowed(f"{request.method} is not understood here.")
        response = problem_response(request, error)
        response["Allow"] = "GET, HEAD"
        return response

    return guarded


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    hint = "Check the Host header against SKILLMEAT_ALLOWED_HOSTS."
    return problem_response(request, errors.InvalidRequest("The request is malformed.", hint=hint))


def permission_denied(request: HttpRequest, exception: Exception) -> HttpResponse:
    return problem_response(request, errors.PermissionDenied())


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    return problem_response(request, errors.NotFound())


def server_error(request: HttpRequest) -> HttpResponse:
    return problem_response(request, DomainError("Something went wrong on our side."))


@only_to_be_read
def problem_page(request: HttpRequest, code: str) -> HttpResponseBase:
    """What a problem's `type` leads to: its title, its status and what it means."""
    error = catalogue().get(code)
    if error is None:
        raise Http404
    return render(request, "problems/problem.html", {"problem": _explained(error)})


@only_to_be_read
def problem_index(request: HttpRequest) -> HttpResponse:
    explained = [_explained(error) for error in catalogue().values()]
    return render(request, "problems/index.html", {"problems": explained})


def _explained(error: type[DomainError]) -> dict[str, Any]:
    """A class of errors as plain facts; a template would call the class itself."""
    return {
        "code": error.code,
        "title": error.title,
        "status": problems.status_of(error),
        "hint": error.hint,
        "paragraphs": [" ".join(part.split()) for part in (error.__doc__ or "").split("\n\n")],
    }
