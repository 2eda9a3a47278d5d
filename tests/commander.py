"""A process that runs the commands it reads, a line each with tabs, and writes their exit codes.

`python -m tests.commander` saves the start of a process for each; it ends with its standard input.
"""

import os
import sys

import django


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "skillmeat_site.settings")
    django.setup()
    from django.core.management import CommandError, call_command  # noqa: PLC0415  after the setup

    answer("ready")
    for line in sys.stdin:
        name, *arguments = line.rstrip("\n").split("\t")
        try:
            call_command(name, *arguments, stdout=sys.stderr)
        except CommandError as error:
            sys.stderr.write(f"{name}: {error}\n")
            answer(str(error.returncode))
        else:
            answer("0")


def answer(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
