package main

import (
	"encoding/json"
	"maps"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/credence-id/credence/idp/assurance"
	"github.com/credence-id/credence/idp/evidence"
)

// What a desk can hand in, it can read in the help: every word of the tables, and every member.
func TestEvidenceHelpHasEveryWord(t *testing.T) {
	t.Parallel()
	said := map[string]bool{}
	for _, word := range regexp.MustCompile(`[a-z0-9_]+`).FindAllString(evidenceForm(), -1) {
		said[word] = true
	}
	var words []string
	for _, k := range assurance.Kinds() {
		words = append(words, k.Name)
		for _, f := range k.Features {
			words = append(words, string(f))
		}
	}
	for _, m := range assurance.MethodUses() {
		words = append(words, string(m.Method))
		if m.Meaning == "" || len(m.Types) == 0 {
			t.Errorf("MethodUses() says of %s %q, for %v, want what it is and for what", m.Method, m.Meaning, m.Types)
		}
	}
	for _, f := range assurance.Facts() {
		words = append(words, string(f))
	}
	if len(words) < 100 {
		t.Fatalf("there are %d words, want those of the tables", len(words))
	}
	full := evidence.Piece{Subject: evidence.Subject{Birthdate: "1972-04-09"}, Number: "1", Issuer: "x"}
	full.Piece = assurance.Piece{
		Country: "GBR", Jurisdiction: "GB-NIR", Features: []assurance.Feature{"x"}, IssuedOn: "x", ExpiresOn: "x",
		Checks: []assurance.Check{{
			Failed: true, At: time.Unix(1, 0), Organisation: "x", Checker: "x", TrainedBy: "x", Facts: []assurance.Fact{"x"},
			Questions: []assurance.Question{{Dynamic: true, MultipleChoice: true}}, Activity: new(assurance.Activity{}),
		}},
	}
	text, err := json.Marshal(full)
	if err != nil {
		t.Fatal(err)
	}
	for _, member := range regexp.MustCompile(`"([a-z_]+)":`).FindAllStringSubmatch(string(text), -1) {
		if member[1] != "id" { // it is given
			words = append(words, member[1])
		}
	}
	for _, word := range words {
		if !said[word] {
			t.Errorf("the help of evidence add does not say %s", word)
		}
	}
}

// The examples of the help can be recorded as they are, and the same ones again are said to be on record.
func TestEvidenceHelpExamplesCanBeRecorded(t *testing.T) {
	t.Parallel()
	_, _, environ := seeded(t)
	const jory = "656005750113"
	list := strings.Split(strings.TrimSpace(evidenceExamples), "\n\n")
	pieces, err := evidence.Parse([]byte("[" + strings.Join(list, ",") + "]"))
	if err != nil {
		t.Fatal(err)
	}
	types := map[assurance.PieceType]bool{}
	for _, p := range pieces {
		types[p.Type] = true
	}
	if want := []assurance.PieceType{"document", "electronic_record", "vouch"}; !slices.Equal(slices.Sorted(maps.Keys(types)), want) {
		t.Errorf("the examples are of types %v, want %v", types, want)
	}
	for _, again := range []bool{false, true} {
		for _, example := range list {
			var change evidence.Change
			if err := json.Unmarshal([]byte(typed(t, environ, example, "evidence", "add", jory, "--json")), &change); err != nil {
				t.Fatal(err)
			}
			if len(change.Evidence) != 1 || (len(change.Known) == 1) != again || !again && change.After.Level == "none" {
				t.Errorf("evidence add of %s = %+v, want it recorded, known: %t", example, change, again)
			}
		}
	}
}
