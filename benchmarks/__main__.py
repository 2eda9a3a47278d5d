"""`python -m benchmarks NAME`: one module per benchmark, each of which adds its options and runs itself."""

import argparse
import signal
import sys

from benchmarks import deploy, detect, refresh, resolve, scan
from benchmarks.processes import StepFailed

BENCHMARKS = {"deploy": deploy, "detect": detect, "refresh": refresh, "resolve": resolve, "scan": scan}


def main() -> int:
    """The exit code is 1 when a budget is broken or something could not be measured."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    names = parser.add_subparsers(metavar="NAME", required=True)
    for name, module in BENCHMARKS.items():
        said = (module.__doc__ or "").partition("\n")[0]
        one = names.add_parser(name, help=said, description=said)
        module.add_arguments(one)
        one.set_defaults(run=module.run)
    given = parser.parse_args()
    signal.signal(
        signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM)
    )  # so that everything is cleaned up
    try:
        return int(given.run(given))
    except StepFailed as error:
        sys.stderr.write(f"{error}\n")
        return 1


if __name__ == "__main__":
    sys.exit(main())
