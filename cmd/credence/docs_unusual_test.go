package main

import (
	"regexp"
	"strings"
	"testing"

	diff "github.com/google/go-cmp/cmp"

	"github.com/credence-id/credence/idp/unusual"
)

// The table of what makes a sign-in unusual is that of the rules which the program applies.
func TestRegistrationListsWhatIsUnusual(t *testing.T) {
	t.Parallel()
	want := each(unusual.Rules(), func(r unusual.Rule) string { return "| `" + string(r.Reason) + "` |" })
	_, section, _ := strings.Cut(readDocument(t, "docs/registration.md"), "\n### Unusual sign-ins\n")
	section, _, _ = strings.Cut(section, "\n### ")
	if d := diff.Diff(want, regexp.MustCompile("(?m)^\\| `[a-z_]+` \\|").FindAllString(section, -1)); d != "" {
		t.Errorf("the rows of docs/registration.md differ from the rules (-want +got):\n%s", d)
	}
}
