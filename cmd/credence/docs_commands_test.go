package main

import (
	"encoding/csv"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// The table of acts has each call of the API, with the pages of the desk that are for the same, and the commands, which there are;
// or why there is none. Each command that is an officer's is in it.
func TestAPIDocumentListsCommands(t *testing.T) {
	t.Parallel()
	text := readDocument(t, "docs/api.md")
	rows, err := csv.NewReader(strings.NewReader(readDocument(t, "idp/testdata/desk_api.csv"))).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	pages := map[string][]string{}
	for _, row := range rows[1:] {
		for call := range strings.SplitSeq(row[1], "; ") {
			pages[call] = append(pages[call], "`"+row[0]+"`")
		}
	}
	var want, got []string
	for _, call := range regexp.MustCompile("(?m)^\\| `([^`]+)` \\| ([^|]+) \\|$").FindAllStringSubmatch(text, -1) {
		if pages[call[1]] == nil {
			pages[call[1]] = []string{"-"}
		}
		want = append(want, fmt.Sprintf("| %s | %s | `%s` |", call[2], strings.Join(pages[call[1]], ", "), call[1]))
	}
	_, table, _ := strings.Cut(text, "| act | desk | API | command |\n|---|---|---|---|\n")
	known, named := everyCommand(newRootCommand(&program{now: time.Now})), []string{}
	for line := range strings.Lines(table) {
		row := regexp.MustCompile("^(.+ \\|) (none: [^|]+|`credence [a-z-]+ [a-z-]+`(?:, `credence [a-z-]+ [a-z-]+`)*) \\|\n$").FindStringSubmatch(line)
		if row == nil {
			t.Errorf("docs/api.md has %q, which names no command, and does not say why", line)
			continue
		}
		got = append(got, row[1])
		for _, name := range regexp.MustCompile("`([^`]+)`").FindAllStringSubmatch(row[2], -1) {
			named = append(named, name[1])
			if c := known[name[1]]; c == nil || c.HasSubCommands() {
				t.Errorf("docs/api.md names %s, which is no command", name[1])
			}
		}
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("the table of docs/api.md differs from what there is (-calls and pages +table):\n%s", diff)
	}
	for path, c := range known {
		if c.Flag("as") != nil && !slices.Contains(named, path) {
			t.Errorf("docs/api.md does not say which call %s is", path)
		}
	}
}
