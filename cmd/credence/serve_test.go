package main

import (
	"bufio"
	"context"
	"crypto/tls"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/credence-id/credence/idp/directory"
	"github.com/credence-id/credence/idp/seal"
	"github.com/credence-id/credence/store"
	"github.com/credence-id/credence/store/storetest"
)

// A server is a `credence serve` in a process of its own.
type server struct {
	t                *testing.T
	cmd              *exec.Cmd
	address, metrics string
	lines            chan string // what it logs
}

// serveEnviron is the configuration of a server on a database.
func serveEnviron(t *testing.T, serviceURL string) []string {
	t.Helper()
	_, key := seal.NewKey()
	file := filepath.Join(t.TempDir(), "seal.key")
	if err := os.WriteFile(file, []byte(key), 0o600); err != nil {
		t.Fatal(err)
	}
	return []string{
		"CREDENCE_ISSUER=https://id.example.org", "CREDENCE_LISTEN=127.0.0.1:0", "CREDENCE_METRICS_LISTEN=127.0.0.1:0",
		"CREDENCE_DATABASE_URL=" + serviceURL, "CREDENCE_SEAL_KEY_FILE=" + file, "CREDENCE_TRUSTED_PROXIES=192.0.2.10",
	}
}

func startServer(t *testing.T, environ []string) *server {
	t.Helper()
	s := startProgram(t, environ, "serve")
	serving := s.logged("serving")
	s.address, s.metrics = serving["address"].(string), serving["metrics"].(string)
	return s
}

// startProgram starts a command that serves, in a process of its own.
func startProgram(t *testing.T, environ []string, args ...string) *server {
	t.Helper()
	s := &server{t: t, lines: make(chan string, 1000)}
	s.cmd = exec.CommandContext(context.WithoutCancel(t.Context()), filepath.Join(programDir(t), "credence"), args...)
	s.cmd.Env = append(os.Environ(), environ...)
	logged, err := s.cmd.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := s.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.cmd.Process.Kill() }) // unless it has stopped
	go func() {
		defer close(s.lines)
		for lines := bufio.NewScanner(logged); lines.Scan(); {
			s.lines <- lines.Text()
		}
	}()
	return s
}

// logged waits for a log event with the given message. Every line has to be one JSON object.
func (s *server) logged(message string) map[string]any {
	s.t.Helper()
	deadline := time.After(30 * time.Second)
	for {
		select {
		case line, open := <-s.lines:
			var event map[string]any
			if !open {
				s.t.Fatalf("credence serve ended before it logged %q", message)
			}
			if err := json.Unmarshal([]byte(line), &event); err != nil {
				s.t.Fatalf("credence serve logs %q, want JSON", line)
			}
			if event["msg"] == message {
				return event
			}
		case <-deadline:
			s.t.Fatalf("credence serve did not log %q within 30 s", message)
		}
	}
}

func (s *server) get(url string) (int, string, http.Header) {
	s.t.Helper()
	r, err := http.NewRequestWithContext(s.t.Context(), http.MethodGet, url, http.NoBody)
	if err != nil {
		s.t.Fatal(err)
	}
	resp, err := new(http.Client).Do(r)
	if err != nil {
		s.t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		s.t.Fatal(err)
	}
	return resp.StatusCode, string(body), resp.Header
}

func TestServe(t *testing.T) {
	t.Parallel()
	_, serviceURL := storetest.URLs(t)
	s := startServer(t, serveEnviron(t, serviceURL))

	if status, body, _ := s.get("http://" + s.address + "/readyz"); status != http.StatusOK {
		t.Errorf("GET /readyz = %d %q, want 200", status, body)
	}
	status, body, header := s.get("http://" + s.address + "/.well-known/openid-configuration")
	if status != http.StatusOK || !strings.Contains(body, `"issuer":"https://id.example.org"`) || header.Get("Strict-Transport-Security") == "" {
		t.Errorf("discovery = %d %q, want that of https://id.example.org with HSTS", status, body)
	}
	if status, _, _ := s.get("http://" + s.address + "/sign-in/simulated"); status != http.StatusNotFound {
		t.Errorf("GET /sign-in/simulated = %d, want 404: only `dev` has it", status)
	}
	event := s.logged("request") // the first: what machines fetch all day is not logged
	if event["request_id"] == "" || event["request_id"] == nil || event["route"] != "/" {
		t.Errorf("the event of a request is %v, want its id and route", event)
	}
	if _, body, _ := s.get("http://" + s.address + "/sign-in"); strings.Contains(body, "imulated") || strings.Contains(body, "Development") {
		t.Errorf("the sign-in page of `serve` speaks of simulated sign-in: %s", body)
	}
	if status, body, _ := s.get("http://" + s.metrics + "/metrics"); status != http.StatusOK || !strings.Contains(body, "credence_http_requests_total") {
		t.Errorf("GET /metrics = %d, want our counters", status)
	}
	if status, body, _ := s.get("http://" + s.metrics + "/readyz"); status != http.StatusOK {
		t.Errorf("GET /readyz beside the metrics = %d %q, want 200", status, body)
	}
	if status, _, _ := s.get("http://" + s.address + "/metrics"); status != http.StatusNotFound {
		t.Errorf("GET /metrics of the public address = %d, want 404", status)
	}
}

// A request that has begun when the server is told to stop is answered, and the server then ends with status 0.
func TestServeStopsGracefully(t *testing.T) {
	t.Parallel()
	_, serviceURL := storetest.URLs(t)
	s := startServer(t, serveEnviron(t, serviceURL))

	conn, err := new(net.Dialer).DialContext(t.Context(), "tcp", s.address)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close() }()
	const head = "POST /token HTTP/1.1\r\nHost: id.example.org\r\nContent-Type: application/x-www-form-urlencoded\r\n" +
		"Expect: 100-continue\r\nContent-Length: 16\r\nConnection: close\r\n\r\n"
	if _, err := io.WriteString(conn, head); err != nil {
		t.Fatal(err)
	}
	answers := bufio.NewReader(conn)
	if line, err := answers.ReadString('\n'); err != nil || !strings.Contains(line, "100 Continue") {
		t.Fatalf("answer to the head of a request = %q, %v, want that it may continue", line, err)
	}
	if err := s.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	for { // until it takes no new connections, it has not begun to stop
		c, err := new(net.Dialer).DialContext(t.Context(), "tcp", s.address)
		if err != nil {
			break
		}
		_ = c.Close()
	}
	if _, err := io.WriteString(conn, "grant_type=other"); err != nil {
		t.Fatal(err)
	}
	rest, err := io.ReadAll(answers)
	if err != nil || !strings.Contains(string(rest), "unsupported_grant_type") {
		t.Errorf("answer to the request that ran = %q, %v, want the whole answer", rest, err)
	}
	s.logged("stopped")
	if err := s.cmd.Wait(); err != nil {
		t.Errorf("credence serve ended with %v, want status 0", err)
	}
}

// Slow and oversized requests end early: they must not hold a connection.
func TestServeLimitsRequests(t *testing.T) {
	t.Parallel()
	_, serviceURL := storetest.URLs(t)
	s := startServer(t, serveEnviron(t, serviceURL))
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://"+s.address+"/", http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("X-Large", strings.Repeat("x", 64<<10))
	resp, err := (&http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{MinVersion: tls.VersionTLS12}}}).Do(r)
	if err != nil {
		t.Fatal(err)
	}
	_ = resp.Body.Close()
	if resp.StatusCode != http.StatusRequestHeaderFieldsTooLarge {
		t.Errorf("a request with 64 KiB of headers = %d, want 431", resp.StatusCode)
	}
	conn, err := new(net.Dialer).DialContext(t.Context(), "tcp", s.address)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close() }()
	if _, err := io.WriteString(conn, "GET / HTTP/1.1\r\nHost: "); err != nil {
		t.Fatal(err)
	}
	if err := conn.SetReadDeadline(time.Now().Add(time.Minute)); err != nil {
		t.Fatal(err)
	}
	if _, err := io.ReadAll(conn); err != nil {
		t.Errorf("a request whose head never ends: %v, want that the server closes the connection", err)
	}
}

func TestServeRefuses(t *testing.T) {
	t.Parallel()
	refused := func(t *testing.T, environ []string, want string) {
		t.Helper()
		cmd := exec.CommandContext(t.Context(), filepath.Join(programDir(t), "credence"), "serve")
		cmd.Env = append(os.Environ(), environ...)
		out, err := cmd.CombinedOutput()
		if err == nil || !strings.Contains(string(out), want) {
			t.Errorf("credence serve = %q, %v, want an error that says %q", out, err, want)
		}
	}
	t.Run("a database without our tables", func(t *testing.T) {
		t.Parallel()
		_, serviceURL := storetest.Empty(t)
		refused(t, serveEnviron(t, serviceURL), "credence migrate up")
	})
	t.Run("the database of credence dev", func(t *testing.T) {
		t.Parallel()
		ownerURL, serviceURL := storetest.URLs(t)
		owner, err := store.Open(t.Context(), ownerURL)
		if err != nil {
			t.Fatal(err)
		}
		defer owner.Close()
		if err := owner.MarkDevelopment(t.Context(), time.Now()); err != nil {
			t.Fatal(err)
		}
		refused(t, serveEnviron(t, serviceURL), "belongs to `credence dev`")
	})
	t.Run("a role that may change the audit record", func(t *testing.T) {
		t.Parallel()
		ownerURL, _ := storetest.URLs(t)
		refused(t, serveEnviron(t, ownerURL), "may change the audit record")
	})
	t.Run("signing keys that were sealed under another key", func(t *testing.T) {
		t.Parallel()
		_, serviceURL := storetest.URLs(t)
		first := startServer(t, serveEnviron(t, serviceURL))
		if err := first.cmd.Process.Signal(syscall.SIGTERM); err != nil {
			t.Fatal(err)
		}
		first.logged("stopped")
		refused(t, serveEnviron(t, serviceURL), "start with the seal key of this database")
	})
}

func TestDevRefusesAddressesThatOthersReach(t *testing.T) {
	t.Parallel()
	for _, address := range []string{"0.0.0.0:8080", ":8080", "[::]:8080", "192.0.2.1:8080", "example.org:8080", "localhost", "localhost:70000"} {
		for _, flag := range []string{"--listen", "--demo-listen", "--metrics-listen"} {
			cmd := exec.CommandContext(t.Context(), filepath.Join(programDir(t), "credence"), "dev", flag, address, "--data", filepath.Join(t.TempDir(), "none"))
			out, err := cmd.CombinedOutput()
			if err == nil || !strings.Contains(string(out), "localhost") || cmd.ProcessState.ExitCode() != 2 {
				t.Errorf("credence dev %s %s = %q, %v, want a usage error that names localhost", flag, address, out, err)
			}
		}
	}
}

// A database that holds anything and was not made by `dev` is somebody's.
func TestDevLeavesOtherDatabasesAlone(t *testing.T) {
	t.Parallel()
	ownerURL, serviceURL := storetest.URLs(t)
	owner, err := store.Open(t.Context(), ownerURL)
	if err != nil {
		t.Fatal(err)
	}
	defer owner.Close()
	if err := directory.AddOrganisation(t.Context(), owner, store.Organisation{Code: "ZZ1", Name: "Somebody's"}, "test", time.Now()); err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), filepath.Join(programDir(t), "credence"), "dev")
	cmd.Dir = reachableDir(t)
	cmd.Env = append(os.Environ(), "CREDENCE_DATABASE_URL="+serviceURL, "CREDENCE_DATABASE_OWNER_URL="+ownerURL)
	out, err := cmd.CombinedOutput()
	if err == nil || !strings.Contains(string(out), "not made by `credence dev`") {
		t.Errorf("credence dev on somebody's database = %q, %v, want that it is left alone", out, err)
	}
	if marked, err := owner.Development(t.Context()); err != nil || marked {
		t.Errorf("the database is marked: %t, %v, want that it is not", marked, err)
	}
	if people, err := owner.People(t.Context(), "", 10); err != nil || len(people) > 0 {
		t.Errorf("people = %v, %v, want none", people, err)
	}
}

// The second run finds what the first left, with the same people and no second of anything; and while one runs, another
// is refused.
func TestDevAgain(t *testing.T) { //nolint:tparallel // one run after the other
	t.Parallel()
	var people [2]string
	dir := reachableDir(t)
	for i := range people {
		t.Run("run", func(t *testing.T) { //nolint:paralleltest // one after the other
			d := startTrialIn(t, dir)
			people[i] = d.command("person", "list", "--json")
			root := newRootCommand(&program{now: time.Now})
			root.SetArgs([]string{"dev", "--data", dir, "--listen", "localhost:0", "--demo-listen", "127.0.0.1:0", "--metrics-listen", "127.0.0.1:0"})
			root.SetOut(io.Discard)
			root.SetErr(io.Discard)
			if err := root.ExecuteContext(t.Context()); err == nil {
				t.Error("a second credence dev in the same directory started, want it refused")
			}
			if url := d.command("db", "url"); !strings.HasPrefix(url, "postgres") {
				t.Errorf("credence db url = %q, want a URL", url)
			}
		})
	}
	if people[0] != people[1] || !strings.Contains(people[0], "656005750115") {
		t.Errorf("people of the second run = %s, want those of the first: %s", people[1], people[0])
	}
}
