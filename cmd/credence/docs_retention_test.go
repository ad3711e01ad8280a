package main

import (
	"cmp"
	"fmt"
	"regexp"
	"strings"
	"testing"

	diff "github.com/google/go-cmp/cmp"

	"github.com/credence-id/credence/idp/retention"
)

// The table of what is kept for how long is that of the rules which the program runs.
func TestOperateListsWhatIsKept(t *testing.T) {
	t.Parallel()
	rules, err := retention.Rules()
	if err != nil {
		t.Fatal(err)
	}
	want := each(rules, func(r retention.Rule) string {
		return fmt.Sprintf("| `%s` | %s | %s | %s | %s |", r.Name, r.Record, r.Kept(), cmp.Or(r.Taken, "the record goes altogether"), r.Basis)
	})
	_, section, _ := strings.Cut(readDocument(t, "docs/operate.md"), "\n## Retention\n")
	section, _, _ = strings.Cut(section, "\n## ")
	if d := diff.Diff(want, regexp.MustCompile("(?m)^\\| `.*$").FindAllString(section, -1)); d != "" {
		t.Errorf("the rows of docs/operate.md differ from the rules (-want +got):\n%s", d)
	}
}
