package main

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"path"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
)

// Let's Encrypt's limit on certificates with exactly the same names: 5 in 7 days, one given back every 33.6 hours.
// Checked when an order is made, spent when its certificate is issued. https://letsencrypt.org/docs/rate-limits/
const (
	perNameSet = 5
	period     = 7 * 24 * time.Hour
	refill     = period / perNameSet
)

type order struct {
	ID     string    `json:"id"`
	Names  []string  `json:"names"`
	At     time.Time `json:"at"`
	Serial string    `json:"serial,omitempty"`
	Issued time.Time `json:"issued,omitzero"`
}

// reading is what the meter has seen since the server started.
type reading struct {
	Orders   []order `json:"orders"`
	Issued   int     `json:"issued"`
	Accounts int     `json:"accounts"`
	Refused  int     `json:"refused"`
	Limited  bool    `json:"limited"`
}

type meter struct {
	mu       sync.Mutex
	orders   map[string]*order
	accounts int
	refused  int
	limited  bool
	// theoretical arrival time per name set: the generic cell rate algorithm that Let's Encrypt's server uses
	arrivals map[string]time.Time
}

func newMeter() *meter {
	return &meter{orders: map[string]*order{}, arrivals: map[string]time.Time{}, limited: true}
}

func (m *meter) limit(enabled bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.limited = enabled
}

func (m *meter) reading() reading {
	m.mu.Lock()
	defer m.mu.Unlock()
	seen := reading{Orders: []order{}, Accounts: m.accounts, Refused: m.refused, Limited: m.limited}
	for _, one := range slices.SortedFunc(maps.Values(m.orders), func(a, b *order) int { return a.At.Compare(b.At) }) {
		seen.Orders = append(seen.Orders, *one)
		if one.Serial != "" {
			seen.Issued++
		}
	}
	return seen
}

var issuedLine = regexp.MustCompile(`Issued certificate serial (\S+) for order (\S+)`)

// Write reads Pebble's log: an issuance has no request of its own that could be counted.
func (m *meter) Write(line []byte) (int, error) {
	if match := issuedLine.FindSubmatch(line); match != nil {
		m.mu.Lock()
		defer m.mu.Unlock()
		if issued := m.orders[string(match[2])]; issued != nil {
			issued.Serial, issued.Issued = string(match[1]), time.Now().UTC()
			set := nameSet(issued.Names)
			m.arrivals[set] = later(m.arrivals[set], issued.Issued).Add(refill)
		}
	}
	return len(line), nil
}

// wrap counts the requests that reach the ACME server and refuses the orders that Let's Encrypt would refuse.
func (m *meter) wrap(next http.Handler) http.Handler {
	return http.HandlerFunc(func(response http.ResponseWriter, request *http.Request) {
		switch path.Base(request.URL.Path) {
		case "sign-me-up":
			recorded := record(next, response, request)
			if recorded.Code == http.StatusCreated {
				m.mu.Lock()
				m.accounts++
				m.mu.Unlock()
			}
		case "order-plz":
			body, err := io.ReadAll(request.Body)
			if err != nil {
				http.Error(response, err.Error(), http.StatusBadRequest)
				return
			}
			request.Body = io.NopCloser(bytes.NewReader(body))
			names := namesIn(body)
			if at, refused := m.refuse(names); refused {
				tooMany(next, response, request, at)
				return
			}
			recorded := record(next, response, request)
			if recorded.Code == http.StatusCreated {
				m.mu.Lock()
				id := path.Base(recorded.Header().Get("Location"))
				m.orders[id] = &order{ID: id, Names: names, At: time.Now().UTC()}
				m.mu.Unlock()
			}
		default:
			next.ServeHTTP(response, request)
		}
	})
}

func (m *meter) refuse(names []string) (time.Time, bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	now := time.Now().UTC()
	next := later(m.arrivals[nameSet(names)], now).Add(refill)
	if !m.limited || next.Sub(now) <= period {
		return time.Time{}, false
	}
	m.refused++
	return next.Add(-period), true
}

// record passes a request on and gives the answer both to the client and to the caller.
func record(next http.Handler, response http.ResponseWriter, request *http.Request) *httptest.ResponseRecorder {
	recorder := httptest.NewRecorder()
	next.ServeHTTP(recorder, request)
	maps.Copy(response.Header(), recorder.Header())
	response.WriteHeader(recorder.Code)
	// The client is gone when this fails, and Pebble has counted the request all the same.
	_, _ = response.Write(recorder.Body.Bytes())
	return recorder
}

// tooMany answers as Let's Encrypt does: a problem document, Retry-After, and the nonce that every answer carries.
func tooMany(next http.Handler, response http.ResponseWriter, request *http.Request, at time.Time) {
	nonce := httptest.NewRecorder()
	next.ServeHTTP(nonce, httptest.NewRequest(http.MethodHead, "https://"+request.Host+"/nonce-plz", nil))
	header := response.Header()
	header.Set("Replay-Nonce", nonce.Header().Get("Replay-Nonce"))
	header.Set("Content-Type", "application/problem+json; charset=utf-8")
	header.Set("Retry-After", strconv.Itoa(int(time.Until(at).Seconds())+1))
	response.WriteHeader(http.StatusTooManyRequests)
	problem := map[string]any{
		"type":   "urn:ietf:params:acme:error:rateLimited",
		"status": http.StatusTooManyRequests,
		"detail": fmt.Sprintf("too many certificates (%d) already issued for this exact set of identifiers in the last %s, retry after %s UTC: see https://letsencrypt.org/docs/rate-limits/#new-certificates-per-exact-set-of-identifiers", perNameSet, "168h0m0s", at.Format("2006-01-02 15:04:05")),
	}
	_ = json.NewEncoder(response).Encode(problem)
}

// namesIn reads the identifiers of a newOrder request: a JWS whose payload is not encrypted (RFC 8555 section 7.4).
func namesIn(body []byte) []string {
	var jws struct{ Payload string }
	var payload struct {
		Identifiers []struct{ Value string }
	}
	if json.Unmarshal(body, &jws) != nil {
		return nil
	}
	decoded, err := base64.RawURLEncoding.DecodeString(jws.Payload)
	if err != nil || json.Unmarshal(decoded, &payload) != nil {
		return nil
	}
	names := []string{}
	for _, identifier := range payload.Identifiers {
		names = append(names, strings.ToLower(identifier.Value))
	}
	slices.Sort(names)
	return slices.Compact(names)
}

func nameSet(names []string) string { return strings.Join(names, ",") }

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}
