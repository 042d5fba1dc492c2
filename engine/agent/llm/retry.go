package llm

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"time"
)

// patience is how long an overloaded server is waited for.
type patience struct {
	next  http.RoundTripper
	tries int                      // calls in all
	most  time.Duration            // the longest single wait; a server that asks for more is not waited for
	limit int64                    // most bytes of an answer
	shape func(message string) any // how the client's library wants errors written
	wait  func(ctx context.Context, d time.Duration) error
	now   func() time.Time
}

const (
	defaultTries = 4
	defaultWait  = time.Minute
	maxBody      = 16 << 20
)

func newTransport() *patience {
	return &patience{
		next: http.DefaultTransport, tries: defaultTries, most: defaultWait, limit: maxBody, wait: sleep, now: time.Now,
	}
}

// RoundTrip repeats a request that was refused for overload (503) or a rate limit (429), after the time that the server
// asked for or else after 1, 2, 4 … seconds.
func (p *patience) RoundTrip(r *http.Request) (*http.Response, error) {
	for try := 1; ; try++ {
		res, err := p.next.RoundTrip(r)
		if err != nil {
			return nil, err
		}
		res.Body = limited{io.LimitReader(res.Body, p.limit), res.Body}
		if res.StatusCode != http.StatusTooManyRequests && res.StatusCode != http.StatusServiceUnavailable {
			return p.explained(res)
		}
		d, told := retryAfter(res.Header.Get("Retry-After"), p.now())
		if !told {
			d = time.Second << (try - 1)
		}
		if try >= p.tries || d > p.most || r.Body != nil && r.GetBody == nil {
			if to, ok := r.Context().Value(retryKey{}).(*time.Duration); ok && told {
				*to = d
			}
			return p.explained(res)
		}
		if _, err := io.Copy(io.Discard, io.LimitReader(res.Body, 64<<10)); err != nil {
			return nil, errors.Join(err, res.Body.Close())
		}
		if err := res.Body.Close(); err != nil {
			return nil, err
		}
		if err := p.wait(r.Context(), d); err != nil {
			return nil, err
		}
		if r.Body != nil {
			r = r.Clone(r.Context())
			if r.Body, err = r.GetBody(); err != nil {
				return nil, fmt.Errorf("repeat the request: %w", err)
			}
		}
	}
}

// explained rewrites the body of an error. Servers and proxies write errors in half a dozen ways or leave them empty, and
// the libraries lose the status of what they cannot read.
func (p *patience) explained(res *http.Response) (*http.Response, error) {
	if res.StatusCode < http.StatusBadRequest || p.shape == nil {
		return res, nil
	}
	body, err := io.ReadAll(io.LimitReader(res.Body, 64<<10))
	if err = errors.Join(err, res.Body.Close()); err != nil {
		return nil, fmt.Errorf("read the server's error %d: %w", res.StatusCode, err)
	}
	message := errorMessage(body)
	if isBlank(message) {
		message = http.StatusText(res.StatusCode)
	}
	b, err := json.Marshal(p.shape(message))
	if err != nil {
		return nil, err
	}
	res.Body, res.ContentLength = io.NopCloser(bytes.NewReader(b)), int64(len(b))
	res.Header.Set("Content-Type", "application/json")
	return res, nil
}

// errorMessage finds what an error body says: {"error": "…"}, {"error": {"message": "…"}}, {"message": "…"},
// {"detail": "…"}, or plain text.
func errorMessage(body []byte) string {
	var e struct {
		Error   json.RawMessage `json:"error"`
		Message string          `json:"message"`
		Detail  json.RawMessage `json:"detail"`
	}
	if json.Unmarshal(body, &e) != nil {
		return string(body)
	}
	for _, raw := range []json.RawMessage{e.Error, e.Detail} {
		var text string
		var inner struct {
			Message string `json:"message"`
		}
		switch {
		case len(raw) == 0:
		case json.Unmarshal(raw, &text) == nil:
			return text
		case json.Unmarshal(raw, &inner) == nil && inner.Message != "":
			return inner.Message
		default:
			return string(raw)
		}
	}
	return e.Message
}

type limited struct {
	io.Reader
	io.Closer
}

// retryKey is the key of a context under which a call finds how long the server asked to be left alone. The libraries
// drop the header.
type retryKey struct{}

func withRetryAfter(ctx context.Context) (context.Context, *time.Duration) {
	d := new(time.Duration)
	return context.WithValue(ctx, retryKey{}, d), d
}

// retryAfter reads seconds or an HTTP date.
func retryAfter(s string, now time.Time) (time.Duration, bool) {
	if n, err := strconv.Atoi(s); err == nil && n >= 0 && n < 1<<30 {
		return time.Duration(n) * time.Second, true
	}
	if t, err := http.ParseTime(s); err == nil {
		return max(0, t.Sub(now)), true
	}
	return 0, false
}

func sleep(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}
