#!/bin/sh
# Prints the unreleased section of the project's changelog; says nothing where there is none.
set -eu

changelog="${CLAUDE_PROJECT_DIR:-.}/CHANGELOG.md"
[ -r "$changelog" ] || exit 0
awk 'tolower($0) ~ /^## \[?unreleased/ { inside = 1; print; next } /^## / { inside = 0 } inside' "$changelog"
