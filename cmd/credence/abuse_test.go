package main

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/credence-id/credence/store/storetest"
)

// dial opens a connection on which nothing waits for longer than patience.
func (s *server) dial(patience time.Duration) net.Conn {
	s.t.Helper()
	conn, err := new(net.Dialer).DialContext(s.t.Context(), "tcp", s.address)
	if err != nil {
		s.t.Fatal(err)
	}
	s.t.Cleanup(func() { _ = conn.Close() })
	if err := conn.SetDeadline(time.Now().Add(patience)); err != nil {
		s.t.Fatal(err)
	}
	return conn
}

// raw is a request as it is on the wire; the body may be shorter than its head says.
func raw(method, target, body string, headers ...string) string {
	head := append([]string{method + " " + target + " HTTP/1.1", "Host: id.example.org"}, headers...)
	return strings.Join(head, "\r\n") + "\r\n\r\n" + body
}

const (
	formType = "Content-Type: application/x-www-form-urlencoded"
	jsonType = "Content-Type: application/json"
	gibibyte = "Content-Length: 1073741824"
)

// What is too large, or of a kind that we do not read, is answered before it has arrived, and costs the connection where
// the rest of it would have to be read.
func TestAbuseEndsEarly(t *testing.T) {
	t.Parallel()
	_, serviceURL := storetest.URLs(t)
	s := startServer(t, serveEnviron(t, serviceURL))
	length := func(body string) string { return fmt.Sprintf("Content-Length: %d", len(body)) }
	chunk := func(size int) string { return fmt.Sprintf("%x\r\n%s\r\n", size, strings.Repeat("x", size)) }
	scopes := "client_id=demo&scope=" + strings.Repeat("a+", 10_000)
	state := "client_id=demo&state=" + strings.Repeat("x", 1<<20)
	keys := strings.Repeat("a&", 15_000)
	deep := `{"response":` + strings.Repeat("[", 30_000)
	multipart := "--x\r\nContent-Disposition: form-data; name=\"grant_type\"\r\n\r\nauthorization_code\r\n--x--\r\n"
	for name, tt := range map[string]struct {
		request string
		status  int
		closed  bool // the connection, after the answer
	}{
		"a header of 64 KiB":                                 {raw("GET", "/", "", "X-Large: "+strings.Repeat("x", 64<<10)), 431, true},
		"headers of 64 KiB in all":                           {raw("GET", "/", "", strings.Repeat("X-Small: x\r\n", 6000)+"X: x"), 431, true},
		"cookies of 64 KiB":                                  {raw("GET", "/", "", strings.Repeat("Cookie: a=b\r\n", 6000)+"X: x"), 431, true},
		"cookies of 24 KiB, which are not ours":              {raw("GET", "/", "", "Cookie: "+strings.Repeat("a=b; ", 5000)+"a=b"), 200, false},
		"an address of 1 MiB":                                {raw("GET", "/authorize?"+state, ""), 431, true},
		"10,000 scopes":                                      {raw("GET", "/authorize?"+scopes, ""), 400, false},
		"10,000 scopes at the token endpoint":                {raw("POST", "/token", "grant_type=refresh_token&"+scopes, formType, length("grant_type=refresh_token&"+scopes)), 401, false},
		"15,000 parameters":                                  {raw("POST", "/token", keys, formType, length(keys)), 400, false},
		"a posted state of 1 MiB":                            {raw("POST", "/authorize", state, formType, length(state)), 400, true},
		"a token request of 1 GiB":                           {raw("POST", "/token", strings.Repeat("x", 40<<10), formType, gibibyte), 400, true},
		"a token request without end":                        {raw("POST", "/token", chunk(40<<10), formType, "Transfer-Encoding: chunked"), 400, true},
		"a userinfo request of 1 GiB":                        {raw("POST", "/userinfo", strings.Repeat("x", 40<<10), formType, gibibyte), 400, true},
		"a sign-out of 1 GiB":                                {raw("POST", "/logout", strings.Repeat("x", 40<<10), formType, gibibyte, "Sec-Fetch-Site: same-origin"), 400, true},
		"a user id of 1 GiB":                                 {raw("POST", "/sign-in", strings.Repeat("x", 20<<10), formType, gibibyte), 400, true},
		"a passkey of 1 GiB":                                 {raw("POST", "/sign-in/passkey", `{"response":"`+strings.Repeat("x", 70<<10), jsonType, gibibyte), 400, true},
		"an enrolment of 1 GiB":                              {raw("POST", "/enrol", `{"response":"`+strings.Repeat("x", 140<<10), jsonType, gibibyte), 400, true},
		"a passkey of 30,000 levels":                         {raw("POST", "/sign-in/passkey", deep, jsonType, length(deep)), 400, false},
		"a body of 1 GiB where none belongs":                 {raw("GET", "/", "x", gibibyte), 200, true},
		"a token request in parts":                           {raw("POST", "/token", multipart, "Content-Type: multipart/form-data; boundary=x", length(multipart)), 400, false},
		"a compressed token request":                         {raw("POST", "/token", "\x1f\x8b\x08", formType, "Content-Encoding: gzip", "Content-Length: 3"), 400, false},
		"two lengths":                                        {raw("POST", "/token", "x", formType, "Content-Length: 1", "Content-Length: 2"), 400, true},
		"a token request as it should be, but for its grant": {raw("POST", "/token", "grant_type=other", formType, "Content-Length: 16"), 400, false},
		"the home page":                                      {raw("GET", "/", ""), 200, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			conn := s.dial(5 * time.Second)
			go func() { _, _ = io.WriteString(conn, tt.request) }() // as far as the server reads
			answers := bufio.NewReader(conn)
			resp, err := http.ReadResponse(answers, nil)
			if err != nil {
				t.Fatalf("answer = %v, want %d", err, tt.status)
			}
			defer func() { _ = resp.Body.Close() }()
			body, err := io.ReadAll(resp.Body)
			if resp.StatusCode != tt.status || resp.Close != tt.closed || err != nil && !tt.closed {
				t.Errorf("answer = %d, closes %t, %v, want %d, %t: %.300s", resp.StatusCode, resp.Close, err, tt.status, tt.closed, body)
			}
			if !tt.closed {
				return
			}
			if err := conn.SetReadDeadline(time.Now().Add(20 * time.Second)); err != nil { // until the server has waited for the rest
				t.Fatal(err)
			}
			if _, err := answers.ReadByte(); err == nil || os.IsTimeout(err) {
				t.Errorf("the connection after the answer: %v, want that the server closes it", err)
			}
		})
	}
}

// Who sends a byte now and then holds a connection for a while, others are served meanwhile, and then it ends.
func TestSlowRequestsEnd(t *testing.T) {
	t.Parallel()
	_, serviceURL := storetest.URLs(t)
	s := startServer(t, serveEnviron(t, serviceURL))
	for name, tt := range map[string]struct {
		begun    string
		patience time.Duration // more than the server has
	}{
		"a head without end":            {"GET / HTTP/1.1\r\nHost: id.example.org\r\nX-Slow: ", 12 * time.Second},
		"a body that is long under way": {raw("POST", "/token", "grant_type=", formType, "Content-Length: 1000"), 25 * time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for range 50 {
				if _, err := io.WriteString(s.dial(tt.patience), tt.begun); err != nil {
					t.Fatal(err)
				}
			}
			conn := s.dial(tt.patience)
			if _, err := io.WriteString(conn, tt.begun); err != nil {
				t.Fatal(err)
			}
			if status, _, _ := s.get("http://" + s.address + "/readyz"); status != http.StatusOK {
				t.Errorf("GET /readyz beside slow requests = %d, want 200", status)
			}
			ended := make(chan error)
			go func() {
				_, err := io.Copy(io.Discard, conn)
				ended <- err
			}()
			tick := time.NewTicker(250 * time.Millisecond)
			defer tick.Stop()
			for {
				select {
				case err := <-ended: // also by a reset, because what was sent last was not read
					if os.IsTimeout(err) {
						t.Errorf("the connection is open after %s, want that the server closes it", tt.patience)
					}
					return
				case <-tick.C:
					_, _ = io.WriteString(conn, "x")
				}
			}
		})
	}
}

// Only a trusted proxy is believed whom it has a request from.
func TestTrustedProxies(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		proxies, want string
	}{
		"a proxy that is trusted":     {"192.0.2.1,127.0.0.0/8", "203.0.113.9"},
		"a proxy that is not trusted": {"192.0.2.1", "127.0.0.1"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, serviceURL := storetest.URLs(t)
			s := startServer(t, append(serveEnviron(t, serviceURL), "CREDENCE_TRUSTED_PROXIES="+tt.proxies))
			conn := s.dial(10 * time.Second)
			if _, err := io.WriteString(conn, raw("GET", "/", "", "X-Forwarded-For: 198.51.100.1, 203.0.113.9")); err != nil {
				t.Fatal(err)
			}
			if event := s.logged("request"); event["address"] != tt.want {
				t.Errorf("the request is logged with address %v, want %s", event["address"], tt.want)
			}
		})
	}
}
