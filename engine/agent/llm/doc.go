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
// prompt says so. A server is told not to truncate.
//
// Servers fail. A call has a time limit; 429 and 503 are waited for as the server asks (retry.go); an answer counts only
// when the server marked it complete. After failures in a row the server is left alone for a while and the rules agent
// answers at once (down.go), so that a search with a dead server still ends. Every call is recorded in an Exchange; keys
// are in no request body, error or record.
package llm
