#!/bin/sh
# Builds a real Ollama server for the integration tests of engine/agent/llm and prints where it is.
#
#   build.sh [FOLDER]      default: $LLMZERO_OLLAMA_CACHE, else the user's cache folder
#
# Needs Go, a C++ compiler and two header-only libraries: on Debian `apt-get install nlohmann-json3-dev libstb-dev`.
# `go install` builds it as a module of its own, so the program's go.mod stays clean. The first build takes about five
# CPU-minutes; when the binary is there already, nothing is done.
set -eu
version=v0.17.7
here=$(cd "$(dirname "$0")" && pwd)
cache=${1:-${LLMZERO_OLLAMA_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/llmzero-ollama}}
bin=$cache/$version/ollama
if [ ! -x "$bin" ]; then
	for header in nlohmann/json.hpp stb/stb_image.h; do
		if ! echo "#include <$header>" | ${CXX:-c++} -x c++ -fsyntax-only - 2>/dev/null; then
			echo "build.sh: $header is missing; on Debian: apt-get install nlohmann-json3-dev libstb-dev" >&2
			exit 1
		fi
	done
	tmp=$cache/$version.tmp.$$
	mkdir -p "$tmp" "$cache/$version"
	trap 'rm -rf "$tmp"' EXIT
	# -O1: the models of the tests are tiny, the compiler is what takes time. For a real model set LLMZERO_OLLAMA_CFLAGS
	# to something like "-O3 -march=native", which builds more slowly and answers faster.
	cflags=${LLMZERO_OLLAMA_CFLAGS:--O1}
	(cd "$tmp" && CGO_ENABLED=1 GOBIN="$tmp" GOFLAGS=-mod=mod GOWORK=off \
		CGO_CPPFLAGS="-I$here/include" CGO_CFLAGS="$cflags" CGO_CXXFLAGS="$cflags" \
		go install -ldflags "-X github.com/ollama/ollama/version.Version=${version#v}" \
		"github.com/ollama/ollama@$version") >&2
	mv "$tmp/ollama" "$bin"
fi
echo "$bin"
