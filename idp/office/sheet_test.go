package office_test

import (
	"strings"
	"testing"

	"github.com/credence-id/credence/idp/office"
)

// No cell of a report is a formula to a spreadsheet, and what is none stays as it is.
func TestWriteSheet(t *testing.T) {
	t.Parallel()
	var got strings.Builder
	err := office.WriteSheet(&got, [][]string{{"=1+1", "+44", "-1", "@SUM(A1)", "\t=1", "\r=1", "\n=1"}, {"＝1", "＋44", "－1", "＠SUM(A1)"}, {"Łucja", ""}, {"", "Ng, Ana", "a=1", "656005750113", "'=1"}})
	want := "'=1+1,'+44,'-1,'@SUM(A1),'\t=1,\"'=1\",\"'\r\n=1\"\r\n'＝1,'＋44,'－1,'＠SUM(A1)\r\nŁucja,\r\n,\"Ng, Ana\",a=1,656005750113,'=1\r\n"
	if err != nil || got.String() != want {
		t.Errorf("WriteSheet() = %q, %v, want %q", got.String(), err, want)
	}
}
