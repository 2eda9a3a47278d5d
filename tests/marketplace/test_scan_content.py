"""What scans keep of artifacts: their bytes, as they were, or a reason why not."""

from typing import Any
from weakref import WeakSet

import pytest
from django.db.models.signals import post_init
from rest_framework.test import APIClient

from marketplace.content import store
from marketplace.models import Blob, Entry, Manifest, Source, batches
from skillmeat_site.accounts.models import Role
from tests.github.repositories import Executable, Repository, Submodule, Symlink
from tests.github.server import GitHub
from tests.scanning import FILES, Create, Scan, fresh, result, rows, skill

POINTER = (
    b"version https://git-lfs.github.com/spec/v1\n"
    b"oid sha256:4d7a214614ab2935c943f9e0ff69d22eadbb8f32b1258daaa5e2ca24d17e2393\nsize 12345\n"
)
BINARY = bytes(range(256))


def entry(source: Source, name: str) -> Entry:
    return Entry.objects.select_related("manifest", "source").get(source=source, name=name)


def listed(source: Source, name: str) -> dict[str, Any]:
    return {file["path"]: file for file in entry(source, name).manifest.files}


def test_every_file_of_an_artifact_is_kept_as_it_was(tools: Repository, create: Create) -> None:
    tools.commit({"skills/pdf/bin/run": Executable(b"#!/bin/sh\n"), "skills/pdf/logo.png": BINARY})
    files = listed(create(), "pdf")
    assert set(files) == {"SKILL.md", "bin/run", "logo.png"}
    assert (files["bin/run"]["kind"], files["bin/run"]["mode"]) == ("executable", "100755")
    assert store.read(files["logo.png"]["digest"]) == BINARY
    assert store.read(files["SKILL.md"]["digest"]) == FILES["skills/pdf/SKILL.md"]


def test_links_submodules_and_lfs_pointers_are_recorded_as_what_they_are(
    tools: Repository, create: Create
) -> None:
    tools.commit(
        {
            "skills/pdf/link": Symlink("../../README.md"),
            "skills/pdf/outside": Symlink("/etc/passwd"),
            "skills/pdf/vendored": Submodule("c" * 40),
            "skills/pdf/model.bin": POINTER,
        }
    )
    source = create()
    files = listed(source, "pdf")
    kinds = {path: file["kind"] for path, file in files.items()}
    assert kinds == {
        "SKILL.md": "file",
        "link": "symlink",
        "outside": "symlink",
        "vendored": "submodule",
        "model.bin": "lfs",
    }
    assert (files["link"]["digest"], files["vendored"]["digest"]) == (None, None)
    assert store.read(files["model.bin"]["digest"]) == POINTER
    assert entry(source, "pdf").incomplete == ""


def test_a_file_that_is_too_large_is_listed_and_the_entry_says_so(
    tools: Repository, create: Create, settings: Any
) -> None:
    settings.SKILLMEAT_MAX_FILE_BYTES = 1_000
    tools.commit({"skills/pdf/big.bin": b"x" * 1_001})
    source = create()
    assert entry(source, "pdf").incomplete == "skills/pdf/big.bin is larger than 1,000 bytes."
    assert listed(source, "pdf")["big.bin"]["digest"] is None
    assert entry(source, "csv").incomplete == ""


def test_an_artifact_that_is_too_large_says_so(tools: Repository, create: Create, settings: Any) -> None:
    settings.SKILLMEAT_MAX_ARTIFACT_BYTES = 1_000
    tools.commit({f"skills/pdf/{n}.bin": bytes([n]) * 600 for n in range(2)})
    source = create()
    assert "more than the 1,000" in entry(source, "pdf").incomplete
    assert source.artifact_count == 3


def test_a_source_that_is_too_large_keeps_what_fits(on_github: GitHub, create: Create, settings: Any) -> None:
    files = {f"skills/s{n}/SKILL.md": skill(f"s{n}", str(n) * 3_000) for n in range(6)}
    on_github.add(Repository("ada", "tools", files))
    settings.SKILLMEAT_MAX_SOURCE_BYTES = 10_000
    source = create()
    assert source.artifact_count == 6
    reasons = source.entries.values_list("incomplete", flat=True)
    assert [bool(reason) for reason in reasons].count(False) == 3
    assert "no room left" in max(reasons)
    assert sum(Blob.objects.values_list("size", flat=True)) <= 10_000


def test_content_of_a_changed_artifact_is_new_content(source: Source, scan: Scan, tools: Repository) -> None:
    before = entry(source, "pdf").manifest
    tools.commit({"skills/pdf/SKILL.md": skill("pdf", "Other.")})
    scan(source)
    after = entry(source, "pdf").manifest
    assert after != before
    assert Manifest.objects.filter(pk=before.pk).exists()  # until the garbage is collected
    assert store.read(after.files[0]["digest"]) == skill("pdf", "Other.")


def test_the_same_commit_again_changes_no_row_of_the_catalogue(source: Source, scan: Scan) -> None:
    before = rows(source)
    assert scan(source, force=True).result == result(unchanged=3)
    assert rows(source) == before


def test_a_moved_artifact_keeps_its_id_its_exclusion_and_its_import(
    source: Source, scan: Scan, tools: Repository
) -> None:
    before = entry(source, "csv")
    Entry.objects.filter(pk=before.pk).update(
        excluded_at=before.first_seen_at, excluded_reason="old", imported_at=before.first_seen_at
    )
    tools.commit({"skills/csv/SKILL.md": None, "tables/skills/csv/SKILL.md": FILES["skills/csv/SKILL.md"]})
    assert scan(source).result == result(unchanged=3)
    after = entry(source, "csv")
    assert (after.pk, after.path, after.locator) == (before.pk, "tables/skills/csv", "tables/skills/csv")
    assert (after.excluded_reason, after.imported_at) == ("old", before.first_seen_at)
    assert (after.removed_at, after.changed_at) == (None, before.changed_at)
    assert fresh(source).entries.count() == 3


def test_copies_inside_a_source_point_to_the_surest(tools: Repository, create: Create) -> None:
    tools.commit(
        {
            ".claude/skills/pdf/SKILL.md": FILES["skills/pdf/SKILL.md"],
            "attic/pdf/SKILL.md": FILES["skills/pdf/SKILL.md"],
        }
    )
    source = create()
    found = {found.path: found for found in source.entries.filter(name="pdf")}
    best = found.pop(".claude/skills/pdf")
    assert best.duplicate_of_id is None
    assert {copy.duplicate_of_id for copy in found.values()} == {best.pk}
    assert len(found) == 2


def test_entries_that_are_saved_in_different_batches_point_to_each_other(
    monkeypatch: pytest.MonkeyPatch, tools: Repository, create: Create, scan: Scan
) -> None:
    monkeypatch.setattr(batches, "BATCH", 1)
    tools.commit(
        {
            ".claude/skills/pdf/SKILL.md": FILES["skills/pdf/SKILL.md"],
            "p/.claude-plugin/plugin.json": b'{"name": "p"}',
            "p/commands/run.md": b"---\ndescription: Run it\n---\nRun it.\n",
        }
    )
    source = create()
    before = rows(source)
    assert entry(source, "run").parent == entry(source, "p")
    assert source.entries.get(path="skills/pdf").duplicate_of == source.entries.get(path=".claude/skills/pdf")
    scan(source, force=True)
    assert rows(source) == before


def test_a_scan_holds_few_batches_of_entries_at_a_time(
    monkeypatch: pytest.MonkeyPatch, source: Source, tools: Repository, scan: Scan
) -> None:
    monkeypatch.setattr(batches, "BATCH", 5)
    tools.commit({f"skills/s{n}/SKILL.md": skill(f"s{n}") for n in range(40)})
    alive, most = WeakSet[Entry](), [0]

    def count(instance: Entry, **_: Any) -> None:
        alive.add(instance)
        most.append(len(alive))

    post_init.connect(count, sender=Entry)
    try:
        assert scan(source).result == result(new=40, unchanged=3)
        assert scan(source, force=True).result == result(unchanged=43)
    finally:
        post_init.disconnect(count, sender=Entry)
    assert 5 <= max(most) <= 15


def test_a_copy_that_is_changed_is_none_any_more(tools: Repository, create: Create, scan: Scan) -> None:
    tools.commit({".claude/skills/pdf/SKILL.md": FILES["skills/pdf/SKILL.md"]})
    source = create()
    assert source.entries.exclude(duplicate_of=None).count() == 1
    tools.commit({"skills/pdf/SKILL.md": skill("other", "Something else.")})
    scan(source)
    assert source.entries.exclude(duplicate_of=None).count() == 0


def detail(api: APIClient, found: Entry) -> Any:
    return api.get(f"/api/v1/marketplace/artifacts/{found.public_id}")


def file(api: APIClient, found: Entry, path: str, **headers: str) -> Any:
    return api.get(f"/api/v1/marketplace/artifacts/{found.public_id}/files/{path}", headers=headers)


def test_the_detail_shows_reasons_frontmatter_and_files(api: APIClient, source: Source) -> None:
    found = entry(source, "pdf")
    shown = detail(api, found).json()
    assert (shown["id"], shown["status"], shown["incomplete"]) == (found.public_id, "new", None)
    assert shown["confidence"] == sum(signal["points"] for signal in shown["signals"])
    assert shown["frontmatter"]["name"] == "pdf"
    (only,) = shown["files"]
    assert (only["path"], only["kind"], only["size"]) == (
        "SKILL.md",
        "file",
        len(FILES["skills/pdf/SKILL.md"]),
    )


def test_the_detail_says_which_rules_of_its_format_an_artifact_breaks(
    api: APIClient, tools: Repository, create: Create
) -> None:
    tools.commit({"skills/xml/SKILL.md": skill("Not XML", "See [more](none.md).")})
    source = create()
    assert detail(api, entry(source, "pdf")).json()["findings"] == []
    findings = detail(api, entry(source, "Not XML")).json()["findings"]
    assert {finding["code"]: finding["severity"] for finding in findings} == {
        "broken_link": "warning",
        "skill_name_differs": "warning",
        "skill_name_invalid": "warning",
    }


def test_a_file_is_given_as_text_that_no_browser_renders(
    api: APIClient, tools: Repository, create: Create
) -> None:
    page = "<script>alert('caf\u00e9')</script>".encode()
    tools.commit({"skills/pdf/a dir/page.html": page})
    answer = file(api, entry(create(), "pdf"), "a%20dir/page.html")
    assert (answer.status_code, answer.content) == (200, page)
    assert answer["Content-Type"] == "text/plain; charset=utf-8"
    assert answer["X-Content-Type-Options"] == "nosniff"
    assert "sandbox" in answer["Content-Security-Policy"]


def test_binary_files_are_given_as_bytes(api: APIClient, tools: Repository, create: Create) -> None:
    tools.commit({"skills/pdf/logo.png": BINARY})
    answer = file(api, entry(create(), "pdf"), "logo.png")
    assert (answer.content, answer["Content-Type"]) == (BINARY, "application/octet-stream")


def test_a_file_that_has_not_changed_is_not_sent_again(api: APIClient, source: Source) -> None:
    found = entry(source, "pdf")
    etag = file(api, found, "SKILL.md")["ETag"]
    again = file(api, found, "SKILL.md", **{"If-None-Match": etag})
    assert (again.status_code, again.content) == (304, b"")


def test_a_file_needs_no_github(api: APIClient, source: Source, on_github: GitHub) -> None:
    on_github.requests.clear()
    assert file(api, entry(source, "deploy"), "deploy.md").status_code == 200
    assert on_github.requests == []


@pytest.mark.parametrize(
    "path", ["none.md", "../csv/SKILL.md", "..%2Fcsv%2FSKILL.md", "%2Fetc%2Fpasswd", "SKILL.md%00"]
)
def test_a_path_that_is_not_listed_is_a_404(api: APIClient, source: Source, path: str) -> None:
    assert file(api, entry(source, "pdf"), path).status_code == 404


def test_a_link_is_never_followed(api: APIClient, tools: Repository, create: Create) -> None:
    tools.commit({"skills/pdf/link": Symlink("SKILL.md")})
    answer = file(api, entry(create(), "pdf"), "link")
    assert answer.status_code == 404
    assert "symlink" in answer.json()["detail"]


def test_a_file_that_is_not_stored_says_why(
    api: APIClient, tools: Repository, create: Create, settings: Any
) -> None:
    settings.SKILLMEAT_MAX_FILE_BYTES = 1_000
    tools.commit({"skills/pdf/big.bin": b"x" * 1_001})
    answer = file(api, entry(create(), "pdf"), "big.bin")
    assert answer.status_code == 404
    assert "larger than 1,000 bytes" in answer.json()["detail"]


@pytest.mark.parametrize("path", ["", "/files/SKILL.md"])
def test_entries_of_other_projects_are_not_there(
    source: Source, member: Any, client_of: Any, multi_user: None, path: str
) -> None:
    url = f"/api/v1/marketplace/artifacts/{entry(source, 'pdf').public_id}{path}"
    assert client_of(member(None)).get(url).status_code == 404
    assert client_of(member(Role.VIEWER)).get(url).status_code == 200
    assert APIClient().get(url).status_code == 401
