#!/usr/bin/env bash
# Previews what the commit that is checked out does to secrets, compared with another one: both are synthesized, each by its own
# version of the library, and the base's tool compares what came of it. Needs no credentials. Prints the preview.
#
#   BASE=origin/main examples/ci/preview.sh > preview.md
#
# BASE     commit before the change                          (needed)
# FOLDER   folder of the registry's package                  (.)
# FORMAT   md, text or json                                  (md)
# FAIL_ON  what ends it with 1: broadened destroy lapsed any (nothing)
# PLANS    plans by environment, such as prod=plan.json      (none)
set -euo pipefail
: "${BASE:?names the commit before the change}"
: "${FOLDER:=.}" "${FORMAT:=md}" "${FAIL_ON:=}" "${PLANS:=}"
: "${INSTALL:=npm ci --ignore-scripts}" "${SYNTH:=npx cdktf synth}" "${CLI:=npx secrets-registry}"

head=$(git rev-parse --show-toplevel)
work=$(mktemp -d)
trap 'git -C "$head" worktree remove --force "$work/base" 2> /dev/null || true; rm -rf "$work"' EXIT
git -C "$head" worktree add --quiet --detach "$work/base" "$BASE" >&2

synthesize() {
  if [ ! -e "$1/package.json" ]; then # before the first registry: everything is new
    mkdir -p "$1/cdktf.out/stacks"
    echo '{}' > "$1/cdktf.out/manifest.json"
    return
  fi
  (cd "$1" && rm -rf cdktf.out && bash -c "$INSTALL" && bash -c "$SYNTH") >&2
}
synthesize "$work/base/$FOLDER"
synthesize "$head/$FOLDER"

arguments=(preview --base "$work/base/$FOLDER/cdktf.out" --head "$head/$FOLDER/cdktf.out" --format "$FORMAT")
for plan in $PLANS; do arguments+=(--plan "${plan%%=*}=$(realpath "${plan#*=}")"); done
for what in $FAIL_ON; do arguments+=(--fail-on "$what"); done
tool="$work/base/$FOLDER"
[ -e "$tool/package.json" ] || tool="$head/$FOLDER"
read -ra cli <<< "$CLI"
cd "$tool" && "${cli[@]}" "${arguments[@]}"
