package main

import (
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

func TestDemo(t *testing.T) {
	t.Parallel()
	provider := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		issuer := "http://localhost:" + r.Host[strings.LastIndex(r.Host, ":")+1:]
		if err := json.NewEncoder(w).Encode(map[string]any{
			"issuer": issuer, "authorization_endpoint": issuer + "/authorize", "token_endpoint": issuer + "/token", "jwks_uri": issuer + "/jwks",
			"userinfo_endpoint": issuer + "/userinfo", "end_session_endpoint": issuer + "/logout",
			"response_types_supported": []string{"code"}, "subject_types_supported": []string{"public"}, "id_token_signing_alg_values_supported": []string{"RS256"},
		}); err != nil {
			t.Error(err)
		}
	}))
	t.Cleanup(provider.Close)
	issuer := strings.Replace(provider.URL, "127.0.0.1", "localhost", 1)
	s := startProgram(t, nil, "demo", "--issuer", issuer, "--client-id", "ward-list", "--client-secret-file", file(t, "canary\n"), "--listen", "127.0.0.1:0")
	url, ok := s.logged("serving")["url"].(string)
	if !ok {
		t.Fatal("credence demo does not log its URL")
	}
	if status, body, _ := s.get(url + "/"); status != http.StatusOK || !strings.Contains(body, "ard list") {
		t.Errorf("GET / of the demo = %d %q, want the ward list", status, body)
	}
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url+"/sign-in", http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	resp, err := (&http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}).Do(r)
	if err != nil {
		t.Fatal(err)
	}
	_ = resp.Body.Close()
	location, err := resp.Location()
	if err != nil || !strings.HasPrefix(location.String(), issuer+"/authorize?") || location.Query().Get("client_id") != "ward-list" || location.Query().Get("redirect_uri") != url+"/callback" {
		t.Errorf("GET /sign-in leads to %v, %v, want %s/authorize for ward-list and back to %s", location, err, issuer, url)
	}
	if err := ready(t.Context(), url+"/"); err != nil {
		t.Errorf("ready(%s/) = %v, want nil", url, err)
	}
	if err := s.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	for line := range s.lines {
		if strings.Contains(line, "canary") {
			t.Errorf("credence demo logs its secret: %s", line)
		}
	}
	if err := s.cmd.Wait(); err != nil {
		t.Errorf("credence demo ended with %v, want status 0", err)
	}
}

func TestDemoRefuses(t *testing.T) {
	t.Parallel()
	good := []string{"demo", "--issuer=http://localhost:8080", "--client-id=ward-list"}
	for name, test := range map[string]struct {
		args   []string
		status int
		want   string
	}{
		"no client":                          {[]string{"--client-id="}, 2, "register the demo with credence client add"},
		"a provider over a network in clear": {[]string{"--issuer=http://id.example.org"}, 2, "want https://"},
		"itself over a network in clear":     {[]string{"--listen=:8081"}, 2, `--url "http://:8081"`},
		"an address that is none":            {[]string{"--listen=8081", "--url=http://127.0.0.1:8081"}, 2, "want host:port"},
		"a secret that is not there":         {[]string{"--client-secret-file=" + filepath.Join(t.TempDir(), "absent")}, 1, "read client secret"},
		"a file without a secret":            {[]string{"--client-secret-file=" + file(t, "\n")}, 1, "is empty"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			cmd := exec.CommandContext(t.Context(), filepath.Join(programDir(t), "credence"), append(good, test.args...)...)
			cmd.Env = os.Environ()
			out, err := cmd.CombinedOutput()
			if err == nil || cmd.ProcessState.ExitCode() != test.status || !strings.Contains(string(out), test.want) {
				t.Errorf("credence %v = %q, %v, want status %d and %q", test.args, out, err, test.status, test.want)
			}
		})
	}
}

// What a health check says it says by its exit status.
func TestReady(t *testing.T) {
	t.Parallel()
	status := http.StatusOK
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/readyz" {
			t.Errorf("credence ready asks for %s, want /readyz", r.URL)
		}
		w.WriteHeader(status)
	}))
	address := strings.TrimPrefix(server.URL, "http://")
	ask := func() int {
		root := newRootCommand(&program{environ: []string{"CREDENCE_METRICS_LISTEN=" + address}})
		root.SetArgs([]string{"ready"})
		return execute(context.WithoutCancel(t.Context()), root)
	}
	if got := ask(); got != 0 {
		t.Errorf("credence ready of a server that is = %d, want 0", got)
	}
	for _, status = range []int{http.StatusServiceUnavailable, http.StatusSeeOther} {
		if got := ask(); got != 1 {
			t.Errorf("credence ready of a server that answers %d = %d, want 1", status, got)
		}
	}
	server.Close()
	if got := ask(); got != 1 {
		t.Errorf("credence ready of no server = %d, want 1", got)
	}
}
