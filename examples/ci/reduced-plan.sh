#!/usr/bin/env bash
# Takes everything but places and actions out of a plan (terraform show -json), from standard input: the rest may hold what the state
# holds. Of functions it stays which attributes change, so that new code alone is told apart.
#
#   terraform show -json plan.bin | examples/ci/reduced-plan.sh > prod.json
set -euo pipefail
jq '{
  format_version, errored,
  resource_changes: [.resource_changes[]? | {
    address, mode, type,
    change: ({ actions: .change.actions } + (
      if .type == "aws_lambda_function" and (.change.before | type) == "object" and (.change.after | type) == "object"
      then .change as $c | {
        before: ($c.before | map_values(false)),
        after: ($c.after | with_entries(.value = ($c.before[.key] != .value)))
      }
      else {} end
    ))
  }]
}'
