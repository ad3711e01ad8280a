package desk

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

// No cell of a report is a formula to a spreadsheet, and what is none stays as it is.
func TestCells(t *testing.T) {
	t.Parallel()
	got := cells("=1+1", "+44", "-1", "@SUM(A1)", "\t=1", "\r=1", "\n=1", "", "Ng, Ana", "a=1", "656005750113", "'=1")
	want := []string{"'=1+1", "'+44", "'-1", "'@SUM(A1)", "'\t=1", "'\r=1", "'\n=1", "", "Ng, Ana", "a=1", "656005750113", "'=1"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("cells() differs (-want +got):\n%s", diff)
	}
}
