"""Fills an empty database: `python -m benchmarks.reads.plant SOURCES` prints the token that reads it."""

import argparse
import json
import os
import sys

import django


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.reads.plant", description=__doc__)
    parser.add_argument("sources", type=int)
    sources = parser.parse_args().sources
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "skillmeat_site.settings")
    django.setup()
    # Models can be imported after the setup only.
    from benchmarks.reads.planting import plant  # noqa: PLC0415

    sys.stdout.write(json.dumps({"token": plant(sources)}) + "\n")


if __name__ == "__main__":
    main()
