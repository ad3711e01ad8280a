package main

import (
	"encoding/csv"
	"fmt"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/credence-id/credence/idp/authority"
)

const registrationDocument = "docs/registration.md"

// carried are the rows of a table of rights that the program carries, after its titles.
func carried(t *testing.T, name string) [][]string {
	t.Helper()
	r := csv.NewReader(strings.NewReader(readDocument(t, "idp/authority/"+name)))
	r.Comment = '#'
	rows, err := r.ReadAll()
	if err != nil || len(rows) < 2 {
		t.Fatalf("read %s: %d rows, %v, want some", name, len(rows), err)
	}
	return rows[1:]
}

// The tables about officers, rights and separation are those that the program decides by.
func TestRegistrationListsWhoMayDoWhat(t *testing.T) {
	t.Parallel()
	said := map[string]string{
		"-": "-", "full": "yes", "request": "asks", "assignable": "assignable",
		"anywhere": "anybody", "person": "her organisation and below, or no organisation", "organisation": "her organisation and below", "below": "below her organisation",
	}
	var want []string
	for _, row := range carried(t, "officers.csv") {
		want = append(want, fmt.Sprintf("| `%s` | `%s` | %s |", row[0], row[1], row[2]))
	}
	for _, row := range carried(t, "rights.csv") {
		cells := each(slices.Concat(row[3:len(row)-1], row[1:2]), func(cell string) string { return said[cell] })
		want = append(want, fmt.Sprintf("| `%s` | %s | %s |", row[0], strings.Join(cells, " | "), row[len(row)-1]))
	}
	for _, row := range carried(t, "separation.csv") {
		want = append(want, fmt.Sprintf("| `%s` | `%s` | %s |", row[0], row[1], row[2]))
	}
	_, tables, _ := strings.Cut(readDocument(t, registrationDocument), "## Who may do what")
	tables, _, _ = strings.Cut(tables, "### Finding out")
	if diff := cmp.Diff(want, regexp.MustCompile("(?m)^\\| `.*$").FindAllString(tables, -1)); diff != "" {
		t.Errorf("the rows of %s differ from the tables (-want +got):\n%s", registrationDocument, diff)
	}
	for _, refusal := range []authority.Refusal{authority.NoRight, authority.OwnPerson, authority.AnotherOrganisation, authority.OwnRequest, authority.OwnOrganisation, authority.AboveOwn} {
		if !strings.Contains(tables, "`"+string(refusal)+"`") {
			t.Errorf("%s does not explain the refusal %s", registrationDocument, refusal)
		}
	}
}

func TestRegistrationExampleIsWhatIsPrinted(t *testing.T) {
	t.Parallel()
	_, _, environ := seeded(t)
	command := strings.Fields(block(t, registrationDocument, "### Finding out", "sh"))
	if diff := cmp.Diff(block(t, registrationDocument, "In a database of `credence dev` it prints", "text"), typed(t, environ, "", command[1:]...)); diff != "" {
		t.Errorf("what %s prints (-%s +got):\n%s", strings.Join(command, " "), registrationDocument, diff)
	}
}

// The table of messages has each letter that there is, and no other.
func TestRegistrationListsWhatPeopleAreTold(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("../../idp/messenger/letters/*.txt")
	if err != nil || len(files) == 0 {
		t.Fatalf("letters = %v, %v, want some", files, err)
	}
	want := each(files, func(file string) string { return strings.TrimSuffix(filepath.Base(file), ".txt") })
	_, section, _ := strings.Cut(readDocument(t, registrationDocument), "## What people are told")
	var got []string
	for _, row := range regexp.MustCompile("(?m)^\\| `([a-z_]+)` \\| [^|]+ \\| [^|]+ \\|$").FindAllStringSubmatch(section, -1) {
		got = append(got, row[1])
	}
	slices.Sort(got)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("the table of %s differs from the letters (-letters +table):\n%s", registrationDocument, diff)
	}
}
