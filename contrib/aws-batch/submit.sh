#!/bin/sh
# Submits a run of logscan to AWS Batch: a job that makes the plan, an array of jobs for its
# tasks, and a job that merges the parts. See docs/howto-scale.md.
#
#   aws batch register-job-definition --cli-input-json file://job-definition.json
#   QUEUE=my-queue TASKS=64 ./submit.sh
#
# Each job of the array finds its task in AWS_BATCH_JOB_ARRAY_INDEX.
set -eu

: "${QUEUE:?name of the job queue}"
TASKS=${TASKS:-64} # from 2 to 10,000

# submit NAME COMMAND [FLAG...]: submits a job and prints its id.
submit() {
	name=$1 command=$2
	shift 2
	aws batch submit-job --job-queue "$QUEUE" --job-name "$name" --job-definition logscan \
		--container-overrides "{\"command\": $command}" "$@" --query jobId --output text
}

plan=$(submit logscan-plan '["plan", "--tasks", "'"$TASKS"'", "-o", "/work/plan.json", "/logs"]')
map=$(submit logscan-map '["map", "/work/plan.json", "-o", "/work/parts/"]' \
	--array-properties "size=$TASKS" --depends-on "jobId=$plan")
submit logscan-reduce '["reduce", "/work/plan.json", "--log-format", "json", "-o", "/work/report", "/work/parts"]' \
	--depends-on "jobId=$map"
