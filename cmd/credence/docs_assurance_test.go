package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/credence-id/credence/idp/assurance"
	"github.com/credence-id/credence/idp/directory"
	"github.com/credence-id/credence/idp/evidence"
	"github.com/credence-id/credence/idp/ida"
	"github.com/credence-id/credence/idp/oauth"
	"github.com/credence-id/credence/idp/seal"
	"github.com/credence-id/credence/store"
	"github.com/credence-id/credence/store/storetest"
)

// block is the first block of a language in a document after some words.
func block(t *testing.T, document, after, language string) string {
	t.Helper()
	_, rest, found := strings.Cut(readDocument(t, document), after)
	_, rest, begins := strings.Cut(rest, "\n```"+language+"\n")
	text, _, ends := strings.Cut(rest, "```\n")
	if !found || !begins || !ends {
		t.Fatalf("%s has no block of %s after %q", document, language, after)
	}
	return text
}

// vocabularyRows are the rows about what relying parties can ask for: acr values weakest first, as discovery lists them, and
// the components of vectors.
func vocabularyRows() []string {
	row := func(t assurance.Term) string {
		return fmt.Sprintf("| `%s` | %s | %s | %s: %s |", t.Name, t.Vocabulary, takes(t), mappingWords(t.Mapping), t.Source)
	}
	supported := assurance.Supported()
	rows := make([]string, len(supported))
	for _, t := range assurance.Vocabulary() {
		switch i := slices.Index(supported, t.Name); {
		case t.Use == "acr" && i >= 0:
			rows[i] = row(t)
		case t.Use == "vector" && t.Supported:
			rows = append(rows, row(t))
		}
	}
	return rows
}

func TestAssuranceListsWhatCanBeAskedFor(t *testing.T) {
	t.Parallel()
	text := readDocument(t, "docs/assurance.md")
	_, tables, _ := strings.Cut(text, "### acr values")
	tables, _, _ = strings.Cut(tables, "## What is answered")
	if diff := cmp.Diff(vocabularyRows(), regexp.MustCompile("(?m)^\\| `.*$").FindAllString(tables, -1)); diff != "" {
		t.Errorf("the rows of docs/assurance.md differ from the vocabulary (-want +got):\n%s", diff)
	}
	if want := "now `" + assurance.PolicyVersion + "`"; !strings.Contains(text, want) {
		t.Errorf("docs/assurance.md does not say %s", want)
	}
}

// What it names of tokens, tables and metadata is there.
func TestAssuranceNamesWhatThereIs(t *testing.T) {
	t.Parallel()
	text := readDocument(t, "docs/assurance.md")
	metadata := readDocument(t, "idp/testdata/metadata.json")
	_, claims, _ := strings.Cut(text, "| said as |")
	claims, _, _ = strings.Cut(claims, "\n\n")
	for _, name := range regexp.MustCompile("`([a-z]+_[a-z_]+|acr|amr|vot|vtm|idassurancelevel)`").FindAllStringSubmatch(claims, -1) {
		if name[1] != "very_high" && !strings.Contains(metadata, `"`+name[1]+`"`) {
			t.Errorf("docs/assurance.md names the claim %s, which discovery does not", name[1])
		}
	}
	for _, name := range regexp.MustCompile("`([a-z_]+_supported)`").FindAllStringSubmatch(text, -1) {
		if !strings.Contains(metadata, `"`+name[1]+`":`) {
			t.Errorf("docs/assurance.md names %s, which is no metadata of ours", name[1])
		}
	}
	for _, name := range regexp.MustCompile(`[a-z0-9/-]+\.csv`).FindAllString(text, -1) {
		tables, err := filepath.Glob("../../idp/assurance/*.csv")
		more, err2 := filepath.Glob("../../idp/assurance/tables/*.csv")
		if err != nil || err2 != nil {
			t.Fatal(err, err2)
		}
		if !slices.ContainsFunc(append(tables, more...), func(table string) bool { return strings.HasSuffix(table, "/"+name) }) {
			t.Errorf("docs/assurance.md names %s, which is no table", name)
		}
	}
	root := newRootCommand(&program{now: time.Now})
	for _, flag := range regexp.MustCompile("(?m)^\\| `--([a-z-]+)`(?:, `--([a-z-]+)`)?").FindAllStringSubmatch(text, -1) {
		for _, name := range flag[1:] {
			if add, _, err := root.Find([]string{"client", "add"}); err != nil || name != "" && add.Flags().Lookup(name) == nil {
				t.Errorf("docs/assurance.md names --%s, which is no flag of client add: %v", name, err)
			}
		}
	}
}

// seeded is the database of `credence dev`, and the environment of a command that works on it.
func seeded(t *testing.T) (s *store.Store, key seal.Key, environ []string) {
	t.Helper()
	owner, service := storetest.URLs(t)
	key, line := seal.NewKey()
	file := filepath.Join(t.TempDir(), "seal.key")
	if err := os.WriteFile(file, []byte(line), 0o600); err != nil {
		t.Fatal(err)
	}
	s, err := store.Open(t.Context(), owner)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	if err := directory.Seed(t.Context(), s, key, time.Now()); err != nil {
		t.Fatal(err)
	}
	if err := s.MarkDevelopment(t.Context(), time.Now()); err != nil {
		t.Fatal(err)
	}
	client := oauth.Registration{ID: "demo-secret", Name: "Demo (client with a secret)", RedirectURIs: []string{"http://127.0.0.1/callback"}}
	if err := oauth.EnsureClient(t.Context(), s, client, "a secret of some length", "test", time.Now()); err != nil {
		t.Fatal(err)
	}
	return s, key, []string{"CREDENCE_DATABASE_URL=" + service, "CREDENCE_SEAL_KEY_FILE=" + file, "CREDENCE_ISSUER=http://localhost:8080"}
}

// typed runs a command line and returns what it prints.
func typed(t *testing.T, environ []string, stdin string, args ...string) string {
	t.Helper()
	var out bytes.Buffer
	root := newRootCommand(&program{environ: environ, now: time.Now})
	root.SetArgs(args)
	root.SetIn(strings.NewReader(stdin))
	root.SetOut(&out)
	if err := root.ExecuteContext(t.Context()); err != nil {
		t.Fatalf("credence %s: %v", strings.Join(args, " "), err)
	}
	return out.String()
}

func TestAssuranceExamplesAreWhatIsPrinted(t *testing.T) {
	t.Parallel()
	s, key, environ := seeded(t)

	const document = "docs/assurance.md"
	command := strings.Fields(block(t, document, "### Finding out why", "sh"))
	if diff := cmp.Diff(block(t, document, "In a database of `credence dev` it prints", "text"), typed(t, environ, "", command[1:]...)); diff != "" {
		t.Errorf("what %s prints (-%s +got):\n%s", command, document, diff)
	}

	_, person, _ := strings.Cut(readDocument(t, document), "With the person ")
	desk, err := evidence.New(s, key, time.Now)
	if err != nil {
		t.Fatal(err)
	}
	held, err := desk.Verified(t.Context(), person[:12])
	if err != nil {
		t.Fatal(err)
	}
	asked, err := ida.ParseClaims(block(t, document, "## Verified claims", "json"))
	if err != nil {
		t.Fatal(err)
	}
	selected, err := asked.UserInfo.Select(held, time.Now())
	if err != nil {
		t.Fatal(err)
	}
	encoded, err := json.Marshal(selected)
	if err != nil {
		t.Fatal(err)
	}
	var got, want any
	if err := json.Unmarshal(encoded, &got); err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal([]byte(block(t, document, "has userinfo answer", "json")), &want); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("the verified claims (-%s +got):\n%s", document, diff)
	}
}

func TestREADMEEvaluates(t *testing.T) {
	t.Parallel()
	input := regexp.MustCompile(`echo '(.*)' \|\s*bin/credence (assurance evaluate)`).FindStringSubmatch(block(t, "README.md", "## Assurance", "sh"))
	if input == nil {
		t.Fatal("the README evaluates nothing")
	}
	var got, want any
	if err := json.Unmarshal([]byte(typed(t, nil, input[1], strings.Fields(input[2])...)), &got); err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal([]byte(block(t, "README.md", "## Assurance", "json")), &want); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("the answer (-README +got):\n%s", diff)
	}
}
