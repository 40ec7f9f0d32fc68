#!/usr/bin/env bash
# Writes the change request that a push brought, and for each environment the audience by which a token vouches for it, as variables
# for later jobs (artifacts:reports:dotenv). GitLab makes a job's token before the job runs, so the audience has to be known by then.
#
#   VOUCH_CHANGE=security/change-requests/2026-12-01-jwt--signing.md
#   VOUCH_PROD=secrets-registry:acme:prod:sha256:…
set -euo pipefail
: "${CLI:=npx secrets-registry}" "${CHANGES:=security/change-requests}"
read -ra cli <<< "$CLI"

mapfile -t files < <(git diff --name-only --diff-filter=AM "$CI_COMMIT_BEFORE_SHA" "$CI_COMMIT_SHA" -- "$CHANGES/*.md" ":!$CHANGES/README.md")
if [ "${#files[@]}" -ne 1 ]; then
  echo "${#files[@]} change requests came with this push, and a pipeline of GitLab vouches for one: merge them one by one." >&2
  exit 1
fi
checked=$("${cli[@]}" change check "${files[0]}" --format json)
digest=$(jq --raw-output '.files[0].digest' <<< "$checked")
registry=$("${cli[@]}" validate --format json | jq --raw-output .registry)
echo "VOUCH_CHANGE=${files[0]}"
"${cli[@]}" list --format json | jq --raw-output '.[].environment' | while read -r environment; do
  name=$(tr 'a-z-' 'A-Z_' <<< "$environment")
  echo "VOUCH_$name=secrets-registry:$registry:$environment:$digest"
done
