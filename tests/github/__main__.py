"""Serve git directories as GitHub would: `python -m tests.github --port 8900 owner/name=/path ...`."""

import argparse
import sys
import threading
from pathlib import Path

from tests.github.gitdir import GitDirectory
from tests.github.server import GitHub


def _repository(text: str) -> GitDirectory:
    full_name, _, directory = text.partition("=")
    owner, _, name = full_name.partition("/")
    if not (owner and name and Path(directory).is_dir()):
        raise argparse.ArgumentTypeError(f"not owner/name=/path/to/git/directory: {text}")
    return GitDirectory(owner, name, Path(directory))


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.github", description=__doc__)
    parser.add_argument("--port", type=int, default=8900)
    parser.add_argument("--archive-port", type=int, default=0, help="default: any free port")
    parser.add_argument("repositories", nargs="+", type=_repository, metavar="owner/name=directory")
    given = parser.parse_args()
    with GitHub(*given.repositories, port=given.port, archive_port=given.archive_port) as github:
        sys.stdout.write(
            f"SKILLMEAT_GITHUB_API_URL={github.api_url}\nSKILLMEAT_GITHUB_WEB_URL={github.web_url}\n"
        )
        sys.stdout.flush()
        try:
            threading.Event().wait()
        except KeyboardInterrupt:
            return


if __name__ == "__main__":
    main()
