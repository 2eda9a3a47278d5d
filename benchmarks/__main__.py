"""`python -m benchmarks [NAME]`: one module per benchmark, each of which adds its options and runs itself.

Without a name, all that need nothing but time are run one after the other, in the sizes that show how costs grow.
"""

import argparse
import signal
import sys

from benchmarks import console, deploy, detect, reads, refresh, resolve, scan, soak
from benchmarks.processes import StepFailed

BENCHMARKS = {
    "console": console,
    "deploy": deploy,
    "detect": detect,
    "reads": reads,
    "refresh": refresh,
    "resolve": resolve,
    "scan": scan,
    "soak": soak,
}

ALL = (
    ["detect"],
    ["scan"],
    ["refresh", "--artifacts", "100"],
    ["refresh"],
    ["resolve"],
    ["deploy"],
    ["reads", "--sources", "200,2000,10000,20000"],  # the last has a million entries
)


def main() -> int:
    """The exit code is 1 when a budget is broken or something could not be measured."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    names = parser.add_subparsers(metavar="NAME")
    for name, module in BENCHMARKS.items():
        said = (module.__doc__ or "").partition("\n")[0]
        one = names.add_parser(name, help=said, description=said)
        module.add_arguments(one)
        one.set_defaults(run=module.run)
    given = parser.parse_args()
    runs = [given] if hasattr(given, "run") else [parser.parse_args(words) for words in ALL]
    signal.signal(
        signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM)
    )  # so that everything is cleaned up
    try:
        return max([int(each.run(each)) for each in runs])
    except StepFailed as error:
        sys.stderr.write(f"{error}\n")
        return 1


if __name__ == "__main__":
    sys.exit(main())
