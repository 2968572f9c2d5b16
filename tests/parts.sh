# shellcheck shell=bash
# tests/parts.sh - for suites that are made of others, run against a build of their own kind.

passed=0 failed=0 skipped=0

# part NAME COMMAND...: a suite of its own; what failed is shown, its counts are added.
part() {
	# shellcheck disable=SC2154 # build is set by who sources this
	local name=$1 log=$build/part-$1.log began=$SECONDS status=0
	shift
	"$@" >"$log" 2>&1 || status=$?
	if [[ $(tail -n 1 "$log") =~ ^([0-9]+)\ passed,\ ([0-9]+)\ failed,\ ([0-9]+)\ skipped$ ]]; then
		set -- "${BASH_REMATCH[@]:1}"
		[ "$status" = 0 ] || [ "$2" != 0 ] || set -- "$1" 1 "$3"
	else
		set -- 0 1 0
	fi
	grep -E '^SKIP' "$log" || true
	[ "$2" = 0 ] || grep -vE '^(ok|SKIP) ' "$log"
	echo "$name: $1 passed, $2 failed, $3 skipped  ($((SECONDS - began)) s)"
	passed=$((passed + $1)) failed=$((failed + $2)) skipped=$((skipped + $3))
}

# The last line of a suite, and its status.
tell_counts() {
	echo "$passed passed, $failed failed, $skipped skipped"
	[ "$failed" = 0 ]
}
