package idp_test

import (
	"bytes"
	"maps"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// allowed is the architecture: for each package, the packages of this module
// it may import. A new edge is a design decision and is made here first.
var allowed = map[string][]string{
	"cmd/credence":          {"*"}, // the program may import every room
	"cmd/credence/bench":    {"idp/assurance", "idp/audit", "idp/authority", "idp/directory", "idp/oauth", "idp/seal", "store"},
	"cmd/credence/wardlist": {},

	"idp":                       {"idp/unusual", "idp/breakglass", "idp/outbound", "idp/assertion", "idp/selfregistration", "idp/photograph", "idp/meeting", "idp/onboarding", "idp/lifecycle", "idp/messenger", "idp/trace", "idp/api", "idp/account", "idp/desk", "idp/office", "idp/position", "idp/authority", "idp/evidence", "idp/oauth", "idp/signin", "idp/registration", "idp/webauthn", "idp/password", "idp/session", "idp/directory", "idp/keys", "idp/throttle", "idp/audit", "idp/seal", "idp/retention", "idp/sweep", "store", "web"},
	"idp/oauth":                 {"idp/assertion", "idp/poll", "idp/trace", "idp/evidence", "idp/ida", "idp/signin", "idp/session", "idp/directory", "idp/assurance", "idp/keys", "idp/throttle", "idp/seal", "idp/audit", "store", "web"},
	"idp/signin":                {"idp/trace", "idp/evidence", "idp/webauthn", "idp/password", "idp/session", "idp/directory", "idp/assurance", "idp/throttle", "idp/seal", "idp/audit", "store", "web"},
	"idp/breakglass":            {"idp/deed", "idp/messenger", "idp/position", "idp/signin", "idp/session", "idp/authority", "idp/directory", "idp/assurance", "idp/papercode", "idp/throttle", "idp/audit", "store", "web"},
	"idp/registration":          {"idp/papercode", "idp/messenger", "idp/authority", "idp/evidence", "idp/webauthn", "idp/password", "idp/session", "idp/directory", "idp/assurance", "idp/throttle", "idp/seal", "idp/audit", "store", "web"},
	"idp/selfregistration":      {"idp/registration", "idp/messenger", "idp/directory", "idp/throttle", "idp/audit", "store", "web"},
	"idp/api":                   {"idp/breakglass", "idp/throttle", "idp/deed", "idp/retention", "idp/photograph", "idp/webauthn", "idp/meeting", "idp/onboarding", "idp/registration", "idp/lifecycle", "idp/oauth", "idp/office", "idp/authority", "idp/position", "idp/evidence", "idp/directory", "idp/assurance", "idp/strictjson", "idp/audit", "store"},
	"idp/account":               {"idp/registration", "idp/meeting", "idp/evidence", "idp/signin", "idp/webauthn", "idp/session", "idp/directory", "idp/assurance", "idp/audit", "store", "web"},
	"idp/desk":                  {"idp/deed", "idp/unusual", "idp/retention", "idp/breakglass", "idp/webauthn", "idp/registration", "idp/photograph", "idp/meeting", "idp/oauth", "idp/onboarding", "idp/lifecycle", "idp/office", "idp/authority", "idp/position", "idp/evidence", "idp/signin", "idp/session", "idp/directory", "idp/assurance", "idp/audit", "store", "web"},
	"idp/webauthn":              {"idp/poll", "idp/trace", "idp/webauthn/metadata", "idp/assurance", "idp/seal", "idp/audit", "store"},
	"idp/webauthn/metadata":     {},
	"idp/webauthn/webauthntest": {},
	"idp/password":              {"idp/totp", "idp/assurance", "idp/seal", "idp/audit", "store"},
	"idp/totp":                  {},
	"idp/session":               {"idp/trace", "idp/assurance", "idp/audit", "store"},
	"idp/directory":             {"idp/poll", "idp/evidence", "idp/assurance", "idp/seal", "idp/audit", "store"},
	"idp/office":                {"idp/lifecycle", "idp/deed", "idp/registration", "idp/unusual", "idp/photograph", "idp/meeting", "idp/authority", "idp/position", "idp/evidence", "idp/directory", "idp/assurance", "idp/audit", "store", "idp/webauthn"},
	"idp/meeting":               {"idp/deed", "idp/messenger", "idp/position", "idp/directory", "idp/seal", "idp/audit", "store", "idp/authority"},
	"idp/messenger":             {"idp/audit", "idp/seal", "store", "web"},
	"idp/onboarding":            {"idp/messenger", "idp/deed", "idp/assertion", "idp/outbound", "idp/oauth", "idp/authority", "idp/position", "idp/directory", "idp/assurance", "idp/audit", "store"},
	"idp/lifecycle":             {"idp/deed", "idp/messenger", "idp/position", "idp/authority", "idp/directory", "idp/evidence", "idp/audit", "store"},
	"idp/deed":                  {"idp/assurance", "idp/authority", "idp/directory", "idp/audit", "store"},
	"idp/position":              {"idp/deed", "idp/poll", "idp/messenger", "idp/authority", "idp/directory", "idp/audit", "store"},
	"idp/photograph":            {"idp/seal", "idp/audit", "store"},
	"idp/evidence":              {"idp/messenger", "idp/strictjson", "idp/ida", "idp/assurance", "idp/seal", "idp/audit", "store"},
	"idp/keys":                  {"idp/poll", "idp/seal", "idp/audit", "store"},
	"idp/throttle":              {"idp/poll", "idp/seal", "idp/audit", "store"},
	"idp/assertion":             {"idp/outbound"},
	"idp/outbound":              {},
	"idp/audit":                 {"store"},
	"idp/sweep":                 {"idp/poll", "store"},
	"idp/unusual":               {"idp/poll", "idp/audit", "store"},
	"idp/retention":             {"idp/deed", "idp/poll", "idp/directory", "idp/evidence", "idp/audit", "store"},
	"idp/assurance":             {},
	"idp/authority":             {},
	"idp/ida":                   {},
	"idp/papercode":             {},
	"idp/poll":                  {},
	"idp/seal":                  {},
	"idp/strictjson":            {},
	"idp/trace":                 {},

	"store":           {"migrations"},
	"store/localpg":   {},
	"store/storetest": {"idp/assurance", "store", "store/localpg", "migrations"},
	"migrations":      {},
	"web":             {},
}

func TestImports(t *testing.T) {
	t.Parallel()
	const module = "github.com/credence-id/credence/"
	list := exec.CommandContext(t.Context(), "go", "list", "-f", `{{.ImportPath}} {{join .Imports " "}}`, module+"...")
	list.Stderr = t.Output()
	out, err := list.Output()
	if err != nil {
		t.Fatalf("go list: %v", err)
	}
	unseen := maps.Clone(allowed)
	for line := range strings.Lines(string(out)) {
		fields := strings.Fields(line)
		pkg := strings.TrimPrefix(fields[0], module)
		delete(unseen, pkg)
		want, ok := allowed[pkg]
		if !ok {
			t.Errorf("package %s is not in the architecture", pkg)
		}
		for _, edge := range want {
			if edge != "*" && !slices.Contains(fields[1:], module+edge) {
				t.Errorf("%s may import %s, and does not", pkg, edge)
			}
		}
		for _, imp := range fields[1:] {
			if imp, ours := strings.CutPrefix(imp, module); ours && !slices.Contains(want, imp) && !slices.Contains(want, "*") {
				t.Errorf("%s may not import %s", pkg, imp)
			}
		}
	}
	for pkg := range unseen {
		t.Errorf("package %s is in the architecture but not in the module", pkg)
	}
}

// The tour names every room, in the order in which they import each other, and every module that the program is built on.
func TestArchitecture(t *testing.T) {
	t.Parallel()
	tour, err := os.ReadFile("../ARCHITECTURE.md")
	if err != nil {
		t.Fatal(err)
	}
	place := map[string]int{"idp/webauthn/webauthntest": len(tour)} // which stands in the line of webauthn
	for _, at := range regexp.MustCompile(`(?m)^((?:cmd|idp|store|web|migrations)[a-z/]*)/ `).FindAllSubmatchIndex(tour, -1) {
		place[string(tour[at[2]:at[3]])] = at[0]
	}
	for room, edges := range allowed {
		if _, ok := place[room]; !ok {
			t.Errorf("ARCHITECTURE.md does not name %s", room)
		}
		for _, edge := range edges {
			if edge != "*" && place[edge] < place[room] {
				t.Errorf("ARCHITECTURE.md has %s above %s, which imports it", edge, room)
			}
		}
	}
	for room := range place {
		if _, ok := allowed[room]; !ok {
			t.Errorf("ARCHITECTURE.md names %s, which is no room", room)
		}
	}

	modules, err := os.ReadFile("../go.mod")
	if err != nil {
		t.Fatal(err)
	}
	_, table, _ := strings.Cut(string(tour), "\n## Dependencies\n")
	for _, m := range regexp.MustCompile(`(?m)^\t(\S+) v[^/\n]*$`).FindAllStringSubmatch(string(modules), -1) {
		name := strings.TrimPrefix(regexp.MustCompile(`/v\d+$`).ReplaceAllString(m[1], ""), "github.com/")
		if !strings.Contains(table, name) && !strings.Contains(table, path.Base(name)) {
			t.Errorf("ARCHITECTURE.md does not say why there is %s", m[1])
		}
	}
}

// The desk and the API parse, ask the rooms below them, and render: they read no rows themselves.
func TestDeskAndAPIReadNoRows(t *testing.T) {
	t.Parallel()
	for _, room := range []string{"desk", "api"} {
		files, err := filepath.Glob(room + "/*.go")
		if err != nil || len(files) == 0 {
			t.Fatalf("Glob(%s) = %v, %v", room, files, err)
		}
		for _, name := range files {
			source, err := os.ReadFile(name)
			if err != nil {
				t.Fatal(err)
			}
			if bytes.Contains(source, []byte("h.Store")) {
				t.Errorf("%s reads the store, which a room below it should", name)
			}
		}
	}
}
