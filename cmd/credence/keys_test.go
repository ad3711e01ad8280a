package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/credence-id/credence/store/storetest"
)

// An operator rotates the seal key as docs/operate.md says, and no server stops for it.
func TestSealKeyRotatesBesideServers(t *testing.T) {
	t.Parallel()
	const oldLine, newLine = "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff\n", "ff112233445566778899aabbccddeeff00112233445566778899aabbccddeeff\n"
	ownerURL, serviceURL := storetest.URLs(t)
	configured := func(lines ...string) []string {
		t.Helper()
		file := filepath.Join(t.TempDir(), "seal.key")
		if err := os.WriteFile(file, []byte(strings.Join(lines, "")), 0o600); err != nil {
			t.Fatal(err)
		}
		return append(serveEnviron(t, serviceURL), "CREDENCE_DATABASE_OWNER_URL="+ownerURL, "CREDENCE_SEAL_KEY_FILE="+file)
	}
	var servers []*server
	start := func(lines ...string) {
		t.Helper()
		servers = append(servers, startServer(t, configured(lines...)))
		_, want, _ := servers[0].get("http://" + servers[0].address + "/jwks")
		for i, s := range servers {
			if status, got, _ := s.get("http://" + s.address + "/readyz"); status != 200 {
				t.Errorf("GET /readyz of server %d = %d %q, want 200", i, status, got)
			}
			if _, got, _ := s.get("http://" + s.address + "/jwks"); got != want {
				t.Errorf("GET /jwks of server %d = %s, want that of the first: %s", i, got, want)
			}
		}
	}
	run := func(environ []string, args ...string) (string, error) {
		t.Helper()
		cmd := exec.CommandContext(t.Context(), filepath.Join(programDir(t), "credence"), args...)
		cmd.Env = slices.Concat(os.Environ(), environ)
		out, err := cmd.CombinedOutput()
		return string(out), err
	}
	start(oldLine)
	start(oldLine, newLine)
	start(newLine, oldLine)
	if out, err := run(configured(newLine), "serve"); err == nil || !strings.Contains(out, "sealed under another key") {
		t.Errorf("credence serve with the new line alone, too early = %q, %v, want that it says so", out, err)
	}
	if out, err := run(configured(newLine, oldLine), "keys", "reseal"); err != nil || !strings.Contains(out, "2 were sealed anew") {
		t.Errorf("credence keys reseal = %q, %v, want that both keys were sealed anew", out, err)
	}
	start(newLine)
	if out, err := run(configured(oldLine), "serve"); err == nil || !strings.Contains(out, "sealed under another key") {
		t.Errorf("credence serve with the old line alone, at the end = %q, %v, want that it says so", out, err)
	}
}
