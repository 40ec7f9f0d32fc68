#!/usr/bin/env bash
# A step of Atlantis after `show`: the preview of the pull request with this project's plan, as text, since Atlantis puts it into a
# code block of its comment.
set -euo pipefail
top=$(git rev-parse --show-toplevel)
plan=$(mktemp)
trap 'rm -f "$plan"' EXIT
"$top/examples/ci/reduced-plan.sh" < "$SHOWFILE" > "$plan"
cd "$top"
# Both sides are synthesized anew in places of their own: the stack that is being planned stays as it is.
copy=$(mktemp -d)
trap 'rm -rf "$copy" "$plan"' EXIT
git clone --quiet --no-hardlinks "$top" "$copy/head"
git -C "$copy/head" fetch --quiet "$top" "refs/remotes/origin/$BASE_BRANCH_NAME"
base=$(git -C "$copy/head" rev-parse FETCH_HEAD)
cd "$copy/head"
BASE="$base" FORMAT=text PLANS="$PROJECT_NAME=$plan" "$top/examples/ci/preview.sh"
