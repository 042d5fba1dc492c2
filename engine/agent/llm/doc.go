// Package llm is the agent that asks a language model: an Ollama server or any with OpenAI's chat API.
//
// A turn asks twice in one conversation, first for a diagnosis and then for proposals; judging and choosing ask once, and
// only when there is something to decide. Each call goes the same way (ask.go):
//
//	sections ─ assemble ─▶ prompt ─ Client.Chat ─▶ answer ─ extract, validate, check ─▶ used
//	              │ too long: drop by rank                │ wrong: sent back once with what is wrong
//	                                                      ▼ still wrong, or no answer
//	                                                 rules agent, and Exchange.Fallback says why
//
// What an answer must be is written once as Go types (answer.go). Their JSON schema, narrowed to the turn's parameters and
// checkpoints, goes to the server, which may hold the model to it or not; the answer is validated against the plain
// schema, then every proposal against [agent.Turn.Check]. Numbers of an evidence are read from the metric series and
// never taken from the model.
//
// Prompts are text/template files under prompts/. The context window is asked for (Catalog.Describe), set with each
// request, and respected: sections are shortened and left out in the order of their rank until the prompt fits, and the
// prompt says so. A server is told not to truncate. Those that cannot be told, such as Ollama's /v1, are found out
// (catalog.go), and an answer whose usage shows that the server read less than was sent does not count (call.go).
//
// Servers fail. A call has a time limit; 429 and 503 are waited for as the server asks (retry.go); an answer counts only
// when the server marked it complete. After failures in a row the server is left alone for a while and the rules agent
// answers at once (down.go), so that a search with a dead server still ends; one that names a time is left alone that long.
// Every call is recorded in an Exchange with what it took, also when its answer was cut, empty or refused; keys are in no
// request body, error or record.
//
// The environment:
//
//	OLLAMA_HOST              where Ollama is; this machine by default
//	LLMZERO_OPENAI_BASE_URL  where the OpenAI-compatible server is; else OPENAI_BASE_URL, else OpenAI's own service
//	LLMZERO_OPENAI_API_KEY   its key, wherever it is
//	OPENAI_API_KEY           the key when there is none of ours: for OPENAI_BASE_URL, OpenAI's own service and this machine only
//	LLMZERO_AGENT_TIMEOUT    of one call: 10m
//	LLMZERO_AGENT_CONTEXT    tokens of the context window; through Ollama's /v1 it must be what the server runs with
//	LLMZERO_AGENT_ANSWER     tokens of an answer, with the thoughts before it
//
// A key never goes over plain http to another machine: that is an error.
package llm
