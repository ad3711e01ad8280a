package main

import (
	"encoding/csv"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/credence-id/credence/idp/evidence"
)

// The kinds of documents that are said to carry numbers are those of the table, and each reason to withdraw is explained.
func TestAssuranceListsKindsWithNumbers(t *testing.T) {
	t.Parallel()
	r := csv.NewReader(strings.NewReader(readDocument(t, "idp/assurance/tables/kinds.csv")))
	r.Comment = '#'
	rows, err := r.ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	var numbered []string
	for _, row := range rows {
		if row[4] == "yes" {
			numbered = append(numbered, row[1])
		}
	}
	text := readDocument(t, "docs/assurance.md")
	_, list, _ := strings.Cut(text, "carry a number of their own")
	list, _, _ = strings.Cut(list, ". Of all others")
	var said []string
	for _, kind := range regexp.MustCompile("`([a-z_]+)`").FindAllStringSubmatch(list, -1) {
		said = append(said, kind[1])
	}
	if diff := cmp.Diff(numbered, said); diff != "" {
		t.Errorf("kinds with numbers in docs/assurance.md (-table +said):\n%s", diff)
	}
	for _, reason := range evidence.Reasons() {
		if !strings.Contains(text, "`"+string(reason)+"`") {
			t.Errorf("docs/assurance.md does not say what becomes of a document that was withdrawn as %s", reason)
		}
	}
}
