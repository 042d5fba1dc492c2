package llm

import (
	"errors"
	"fmt"
	"net"
	"net/url"
	"os"
	"strings"
)

// The environment that names an OpenAI-compatible server and its key. The key is read when a client is made and never
// leaves it but in the Authorization header.
const (
	EnvOpenAIBase      = "LLMZERO_OPENAI_BASE_URL"
	EnvOpenAIBaseOther = "OPENAI_BASE_URL"
	EnvOpenAIKey       = "LLMZERO_OPENAI_API_KEY"
	EnvOpenAIKeyOther  = "OPENAI_API_KEY"
)

const (
	hostedOpenAI      = "api.openai.com"
	defaultOpenAIBase = "https://" + hostedOpenAI + "/v1"
)

var errAddress = errors.New("want something like http://127.0.0.1:8000/v1")

// key is a key and the variable that it comes from.
type key struct{ value, env string }

// refused says what a server's 401 means.
func (k key) refused() string {
	if k.value == "" {
		return "it wants a key: set " + EnvOpenAIKey
	}
	return "the key in " + k.env + " is not accepted"
}

// openAIServer finds the address and the key that may go to it. Base overrides the environment; it may be empty.
func openAIServer(base string) (string, key, error) {
	ours := base != ""
	if base == "" {
		base = os.Getenv(EnvOpenAIBase)
		ours = base != ""
	}
	if base == "" {
		base = os.Getenv(EnvOpenAIBaseOther)
	}
	if base == "" {
		base = defaultOpenAIBase
		if os.Getenv(EnvOpenAIKey) == "" && os.Getenv(EnvOpenAIKeyOther) == "" {
			return "", key{}, fmt.Errorf("no OpenAI-compatible server: set %s to its address (http://127.0.0.1:8000/v1), or %s for OpenAI's own",
				EnvOpenAIBase, EnvOpenAIKeyOther)
		}
	}
	u, err := url.Parse(base)
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
		return "", key{}, fmt.Errorf("%s is %q: %w", EnvOpenAIBase, redactURL(base), errAddress)
	}
	k := key{os.Getenv(EnvOpenAIKey), EnvOpenAIKey}
	// A key that was made for OpenAI goes where OpenAI's own variables point, and no further than this machine otherwise.
	if k.value == "" && (!ours || loopback(u.Hostname()) || u.Hostname() == hostedOpenAI) {
		k = key{os.Getenv(EnvOpenAIKeyOther), EnvOpenAIKeyOther}
	}
	if k.value != "" && u.Scheme == "http" && !loopback(u.Hostname()) {
		return "", key{}, fmt.Errorf("the key in %s would go to %s over plain http, where anyone on the way reads it: use https, a tunnel to this machine, or unset %s",
			k.env, u.Host, k.env)
	}
	return base, k, nil
}

// loopback tells whether a host is this machine.
func loopback(host string) bool {
	ip := net.ParseIP(host)
	return strings.EqualFold(host, "localhost") || ip != nil && ip.IsLoopback()
}

// redactURL takes user, password and query out of an address that goes into an error.
func redactURL(s string) string {
	u, err := url.Parse(s)
	if err != nil {
		return "***"
	}
	u.User, u.RawQuery = nil, ""
	return u.String()
}
