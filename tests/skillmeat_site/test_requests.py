"""What every request passes, whatever it asks for."""

import json
import re
from html import unescape
from ipaddress import ip_network
from typing import Any

import pytest
from django.test import Client
from rest_framework.test import APIClient

from skillmeat_site.errors import catalogue

SOURCES = "/api/v1/marketplace/sources"
PROBLEM = "application/problem+json"
BODY = {"repo_url": "https://github.com/acme/tools"}


def problem(response: Any, status: int, code: str) -> dict[str, Any]:
    """The problem document, after what all of them have in common was looked at."""
    assert response.status_code == status, response.content
    assert response["Content-Type"] == PROBLEM
    document: dict[str, Any] = response.json()
    assert (document["type"], document["status"]) == (f"/problems/{code}", status)
    assert document["title"]
    assert document["detail"]
    assert document["request_id"] == response["X-Request-ID"]
    return document


# --- Ids and headers -------------------------------------------------------------------------------


def test_a_sane_request_id_is_kept(api: APIClient) -> None:
    assert api.get("/healthz", headers={"X-Request-ID": "abc-1:2.3_4"})["X-Request-ID"] == "abc-1:2.3_4"


@pytest.mark.parametrize("given", ["", "a b", "x" * 65, "<script>", "a\tb", "é"])
def test_an_insane_request_id_is_replaced(api: APIClient, given: str) -> None:
    made = api.get("/healthz", headers={"X-Request-ID": given})["X-Request-ID"]
    assert made != given
    assert re.fullmatch(r"[0-9a-f]{32}", made)


def test_every_request_has_an_id_of_its_own(api: APIClient) -> None:
    assert api.get("/healthz")["X-Request-ID"] != api.get("/healthz")["X-Request-ID"]


@pytest.mark.parametrize(
    "address", ["/healthz", "/problems", "/api/docs", SOURCES, "/nowhere", "/admin/login/"]
)
def test_every_answer_forbids_what_this_server_does_not_serve(api: APIClient, address: str) -> None:
    policy = api.get(address)["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "frame-ancestors 'none'" in policy
    assert "unsafe" not in policy


@pytest.mark.parametrize("address", ["/api/docs", "/problems", "/problems/not_found", "/admin/login/"])
def test_pages_load_nothing_from_elsewhere_and_run_nothing_inline(api: APIClient, address: str) -> None:
    page = api.get(address).content.decode()
    loaded = re.findall(r"""<(?:script|link|img|iframe)\b[^>]*?\b(?:src|href)=["']([^"']+)""", page)
    assert loaded
    assert not [url for url in loaded if not url.startswith(("/", "data:"))]
    assert not [url for url in loaded if url.startswith("//")]
    assert not re.findall(r"<script(?![^>]*\bsrc=)(?![^>]*application/json)[^>]*>", page)


def test_the_script_of_the_reference_names_no_other_server(api: APIClient) -> None:
    page = api.get("/api/docs").content.decode()
    script = re.search(r'src="(/api/docs[^"]*)"', page)
    assert script
    code = api.get(unescape(script[1])).content.decode()
    assert "swagger" in code.lower()
    assert re.findall(r"(?:https?:)?//(?!testserver/)\w+\.\w+", code) == []


# --- Single-user mode answers this machine only ----------------------------------------------------


@pytest.mark.parametrize("method", ["get", "post", "delete"])
@pytest.mark.parametrize("peer", ["192.168.1.2", "10.0.0.1", "2001:db8::1", "", "unix", "0.0.0.0"])
def test_other_machines_are_not_answered(api: APIClient, method: str, peer: str) -> None:
    problem(getattr(api, method)(SOURCES, REMOTE_ADDR=peer), 403, "not_local")


@pytest.mark.parametrize("peer", ["127.0.0.1", "127.1.2.3", "::1"])
def test_this_machine_is_answered(api: APIClient, peer: str) -> None:
    assert api.get(SOURCES, REMOTE_ADDR=peer).status_code == 200


def test_pages_are_not_for_other_machines_either(api: APIClient) -> None:
    response = api.get("/problems", REMOTE_ADDR="192.168.1.2")
    assert response.status_code == 403
    assert b"Only local requests" in response.content


@pytest.mark.parametrize(
    "header", ["Forwarded", "X-Forwarded-For", "X-Forwarded-Host", "X-Forwarded-Proto", "X-Real-IP"]
)
def test_a_proxy_is_answered_only_when_it_is_trusted(api: APIClient, settings: Any, header: str) -> None:
    problem(api.get(SOURCES, headers={header: "localhost"}), 403, "not_local")
    settings.SKILLMEAT_TRUSTED_PROXIES = [ip_network("127.0.0.1")]
    assert api.get(SOURCES, headers={header: "localhost"}).status_code == 200


def test_a_trusted_proxy_may_stand_elsewhere(api: APIClient, settings: Any) -> None:
    settings.SKILLMEAT_TRUSTED_PROXIES = [ip_network("10.0.0.0/8")]
    assert api.get(SOURCES, REMOTE_ADDR="10.1.2.3").status_code == 200
    problem(api.get(SOURCES, REMOTE_ADDR="11.1.2.3"), 403, "not_local")


FOREIGN = [
    {"Origin": "https://evil.example"},
    {"Origin": "null"},
    {"Origin": ""},
    {"Origin": "http://testserver.evil.example"},
    {"Origin": "http://testserver:81"},
    {"Sec-Fetch-Site": "cross-site"},
    {"Sec-Fetch-Site": "same-site"},
]


@pytest.mark.parametrize("headers", FOREIGN, ids=str)
def test_pages_of_other_sites_cannot_change_anything(api: APIClient, headers: dict[str, str]) -> None:
    problem(api.post(SOURCES, BODY, headers=headers), 403, "not_local")


@pytest.mark.parametrize("headers", [{"Origin": "null"}, {"Origin": "https://evil.example"}], ids=str)
def test_where_a_link_comes_from_does_not_matter(api: APIClient, headers: dict[str, str]) -> None:
    assert api.get(SOURCES, headers=headers).status_code == 200


@pytest.mark.parametrize(
    "headers",
    [{}, {"Origin": "http://testserver"}, {"Sec-Fetch-Site": "same-origin"}, {"Sec-Fetch-Site": "none"}],
    ids=str,
)
def test_our_own_pages_and_programs_can(api: APIClient, headers: dict[str, str]) -> None:
    assert api.post(SOURCES, BODY, headers=headers).status_code == 201


@pytest.mark.usefixtures("multi_user")
def test_multi_user_mode_answers_other_machines(api: APIClient) -> None:
    headers = {"X-Forwarded-For": "192.168.1.2"}
    problem(api.get(SOURCES, REMOTE_ADDR="192.168.1.3", headers=headers), 401, "not_authenticated")


@pytest.mark.parametrize("address", [SOURCES, "/healthz", "/problems"])
def test_other_names_of_the_server_are_not_answered(db: None, address: str) -> None:
    response = Client(raise_request_exception=False).get(address, HTTP_HOST="evil.example")
    assert response.status_code == 400


def test_a_foreign_host_is_told_what_to_look_at(db: None) -> None:
    response = Client(raise_request_exception=False).post(
        SOURCES,
        BODY,
        content_type="application/json",
        HTTP_HOST="evil.example",
        HTTP_ORIGIN="http://evil.example",
    )
    assert "SKILLMEAT_ALLOWED_HOSTS" in problem(response, 400, "invalid_request")["hint"]


# --- Addresses, methods and bodies -----------------------------------------------------------------


@pytest.mark.parametrize(
    "address",
    [f"{SOURCES}/", "/api/v1/nothing", "/api/v1", "/api/", f"{SOURCES}/src_1", f"{SOURCES}/ent_{'0' * 26}"],
)
def test_addresses_that_are_none_are_problems(api: APIClient, address: str) -> None:
    assert problem(api.get(address), 404, "not_found")["instance"] == address


def test_the_instance_of_a_problem_is_written_as_in_the_request(api: APIClient) -> None:
    address = f"{SOURCES}/%C3%A4%20b"
    assert problem(api.get(address), 404, "not_found")["instance"] == address


def test_a_post_with_a_trailing_slash_is_not_redirected(api: APIClient) -> None:
    problem(api.post(f"{SOURCES}/", BODY), 404, "not_found")


def test_an_unknown_page_is_a_page(api: APIClient) -> None:
    response = api.get("/nowhere")
    assert (response.status_code, response["Content-Type"]) == (404, "text/html; charset=utf-8")


@pytest.mark.parametrize("method", ["put", "patch", "delete"])
def test_a_method_that_is_not_understood_is_answered_with_those_that_are(api: APIClient, method: str) -> None:
    response = getattr(api, method)(SOURCES)
    problem(response, 405, "method_not_allowed")
    assert {"GET", "POST"} <= set(re.split(r",\s*", response["Allow"]))


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE", "OPTIONS"])
@pytest.mark.parametrize("address", ["/healthz", "/readyz"])
def test_health_is_only_to_be_read(db: None, address: str, method: str) -> None:
    response = Client(enforce_csrf_checks=True).generic(method, address)
    problem(response, 405, "method_not_allowed")
    assert response["Allow"] == "GET, HEAD"


@pytest.mark.parametrize("address", ["/problems", "/problems/not_found"])
def test_problem_pages_are_only_to_be_read_and_say_so(db: None, address: str) -> None:
    response = Client(enforce_csrf_checks=True).post(address)
    assert (response.status_code, response["Allow"]) == (405, "GET, HEAD")
    assert response["Content-Type"].startswith("text/html")
    assert b"Method not allowed" in response.content


@pytest.mark.parametrize("address", ["/healthz", "/problems"])
def test_what_is_only_to_be_read_answers_head(api: APIClient, address: str) -> None:
    response = api.head(address)
    assert (response.status_code, response.content) == (200, b"")


@pytest.mark.parametrize("kind", ["text/plain", "application/x-www-form-urlencoded", "application/xml", ""])
def test_bodies_are_json_only(api: APIClient, kind: str) -> None:
    problem(api.generic("POST", SOURCES, '{"repo_url": 1}', content_type=kind), 415, "unsupported_media_type")


@pytest.mark.parametrize(
    "kind", ["application/json", "application/json; charset=utf-8", "Application/JSON;charset=UTF-8"]
)
def test_json_may_be_announced_in_every_spelling(api: APIClient, kind: str) -> None:
    response = api.generic(
        "POST", SOURCES, '{"repo_url": "https://github.com/acme/tools"}', content_type=kind
    )
    assert response.status_code == 201


@pytest.mark.parametrize(
    "body",
    [
        b"{",
        b"{'repo_url': 1}",
        b"[" * 100_000,
        b'{"repo_url": NaN}',
        b"\xff\xfe",
        b"null",
        b"[]",
        b'"text"',
        b"",
        b'{"repo_url": 5}',
        b'{"repo_url": null}',
        b"{}",
        b'{"repo_url": "https://github.com/acme/tools", "unknown": 1}',
    ],
    ids=lambda body: repr(body[:30]),
)
def test_a_body_that_cannot_be_read_is_a_bad_request(db: None, body: bytes) -> None:
    client = Client(raise_request_exception=False)
    problem(client.generic("POST", SOURCES, body, content_type="application/json"), 400, "invalid_request")


@pytest.mark.parametrize(
    "more",
    [
        r'"\ud800": 1',
        r'"notes": "\ud800"',
        r'"trust_level": "\ud800"',
        r'"manual_map": {"\ud800": "skill"}',
        r'"manual_map": {"\u0000": "skill"}',
        r'"manual_map": {"a": "\ud800"}',
        r'"tags": ["\ud800"]',
        r'"root_hint": "\u0000"',
        r'"project": "\ud800"',
    ],
)
def test_characters_that_cannot_be_stored_are_refused(db: None, more: str) -> None:
    body = f'{{"repo_url": "https://github.com/acme/tools", {more}}}'
    response = Client(raise_request_exception=False).generic("POST", SOURCES, body, "application/json")
    assert response.status_code in {400, 422}
    assert response["Content-Type"] == PROBLEM


@pytest.mark.parametrize("name", ["search", "project", "cursor", "artifact_type", "tags"])
def test_a_nul_in_the_query_is_refused(db: None, name: str) -> None:
    response = Client(raise_request_exception=False).get(f"{SOURCES}?{name}=%00")
    problem(response, 400, "invalid_request")


def test_a_field_that_is_wrong_is_named_by_its_pointer(api: APIClient) -> None:
    document = problem(api.post(SOURCES, BODY | {"tags": ["a", 1]}), 400, "invalid_request")
    assert [error["pointer"] for error in document["errors"]] == ["/tags/1"]


@pytest.mark.parametrize("query", ["unknown=1", "limit=0", "limit=x", "limit=1&limit=2", "cursor=x"])
def test_a_query_parameter_that_is_wrong_is_named(api: APIClient, query: str) -> None:
    document = problem(api.get(f"{SOURCES}?{query}"), 400, "invalid_request")
    assert document["errors"][0]["pointer"] == f"?{query.partition('=')[0]}"


@pytest.mark.parametrize("accepted", ["text/html", "application/xml", "nonsense"])
def test_what_is_accepted_does_not_matter(api: APIClient, accepted: str) -> None:
    response = api.get(SOURCES, headers={"Accept": accepted})
    assert (response.status_code, response["Content-Type"]) == (200, "application/json")


# --- The reference ---------------------------------------------------------------------------------


def test_every_operation_of_jobs_has_a_title_in_the_reference(api: APIClient) -> None:
    paths = json.loads(api.get("/api/schema").content)["paths"]
    titles = [
        operation.get("summary")
        for path, item in paths.items()
        if path.startswith("/api/v1/jobs")
        for operation in item.values()
    ]
    assert len(titles) == 4
    assert all(titles)


# --- Problems are explained ------------------------------------------------------------------------


@pytest.mark.parametrize("code", sorted(catalogue()))
def test_every_problem_has_a_page(api: APIClient, code: str) -> None:
    page = api.get(f"/problems/{code}")
    assert page.status_code == 200
    assert catalogue()[code].title in unescape(page.content.decode())


def test_the_index_leads_to_every_problem(api: APIClient) -> None:
    page = api.get("/problems").content.decode()
    assert [code for code in catalogue() if f'href="/problems/{code}"' not in page] == []


def test_an_unknown_problem_has_no_page(api: APIClient) -> None:
    assert api.get("/problems/nothing_like_it").status_code == 404
