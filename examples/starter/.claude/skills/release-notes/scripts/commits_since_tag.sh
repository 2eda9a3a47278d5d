#!/bin/sh
# Prints the commits since the last tag, oldest first; all commits when there is no tag.
set -eu

if tag=$(git describe --tags --abbrev=0 2>/dev/null); then
    echo "since $tag"
    git log --reverse --no-merges --format='%h %s' "$tag..HEAD"
else
    echo "since the beginning: there is no tag"
    git log --reverse --no-merges --format='%h %s'
fi
