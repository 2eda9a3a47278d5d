"""Starts the demo in a directory of its own, logs in, and takes a picture of each page worth showing."""

import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from playwright.sync_api import sync_playwright

ROOT = Path(__file__).resolve().parent.parent
IMAGES = ROOT / "docs" / "images"
PORT = os.environ.get("PORT", "8765")
SIZE = {"width": 1280, "height": 800}
LOGIN = re.compile(r"login +(\S+) / (\S+)")


def main() -> None:
    with tempfile.TemporaryDirectory() as data:
        demo = start(data)
        try:
            user, password = login_of(demo)
            take(user, password)
        finally:
            demo.send_signal(signal.SIGINT)
            demo.wait(timeout=30)


def start(data: str) -> "subprocess.Popen[str]":
    ours = ("SKILLMEAT_", "DATABASE_URL", "GITHUB_TOKEN")
    environment = {name: value for name, value in os.environ.items() if not name.startswith(ours)}
    command = [sys.executable, "-u", "manage.py", "quickstart", "--port", PORT]
    kept = environment | {"SKILLMEAT_DATA_DIR": data}
    return subprocess.Popen(command, cwd=ROOT, env=kept, stdout=subprocess.PIPE, text=True)


def login_of(demo: "subprocess.Popen[str]") -> tuple[str, str]:
    """Reads what the demo prints until it says how to log in: then all of it is there to be seen."""
    found, said = None, ""
    for line in demo.stdout or ():
        said += line
        found = LOGIN.search(line) or found
        if "Ctrl-C" in line and found:
            return found[1], found[2]
    raise SystemExit(f"The demo did not start:\n{said}")


def take(user: str, password: str) -> None:
    IMAGES.mkdir(parents=True, exist_ok=True)
    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
        page = browser.new_page(base_url=f"http://127.0.0.1:{PORT}", viewport=SIZE)
        page.goto("/admin/")
        page.fill("#id_username", user)
        page.fill("#id_password", password)
        page.keyboard.press("Enter")
        page.get_by_role("heading", name="Console").wait_for()
        picture(page, "home")
        for name, path in (("source", "marketplace/source"), ("set", "deployment_sets/deploymentset")):
            page.goto(f"/admin/{path}/")
            page.locator("#result_list tbody th a").first.click()
            page.locator("#content h1").wait_for()
            picture(page, name)
        page.goto("/admin/jobs/job/")
        picture(page, "jobs")
        browser.close()


def picture(page: Any, name: str) -> None:
    page.mouse.move(0, 0)
    path = IMAGES / f"{name}.png"
    page.screenshot(path=path)
    print(f"{path.relative_to(ROOT)} {path.stat().st_size // 1024} KiB")


if __name__ == "__main__":
    main()
