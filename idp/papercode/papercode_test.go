package papercode_test

import (
	"regexp"
	"testing"

	"github.com/credence-id/credence/idp/papercode"
)

func TestParse(t *testing.T) {
	t.Parallel()
	const code = "OIBDEFGHIJKLMN23"
	for text, want := range map[string]string{
		code: code, "OIBD-EFGH-IJKL-MN23": code, "oibd efgh\tijkl mn23": code, "018D-EFGH-IJKL-MN23": code,
		"": "", "OIBD-EFGH-IJKL-MN2": "", "OIBD-EFGH-IJKL-MN234": "", "OIBD-EFGH-IJKL-MN29": "", "OIBD-EFGH-IJKL-MN2é": "", "OIBDEFGHIJKLMN2\xff": "",
	} {
		if got, ok := papercode.Parse(text, 16); got != want || ok != (want != "") {
			t.Errorf("Parse(%q, 16) = %q, %v, want %q", text, got, ok, want)
		}
	}
}

func FuzzParse(f *testing.F) {
	f.Add("ABCD-EFGH-IJKL-MN23")
	f.Add("abcd efgh ijkl mn01")
	whole := regexp.MustCompile(`^[A-Z2-7]{16}$`)
	f.Fuzz(func(t *testing.T, text string) {
		code, ok := papercode.Parse(text, 16)
		if ok != (code != "") || ok && !whole.MatchString(code) {
			t.Fatalf("Parse(%q, 16) = %q, %v", text, code, ok)
		}
		if again, ok := papercode.Parse(code, 16); code != "" && (!ok || again != code) {
			t.Errorf("Parse(%q, 16) = %q, %v, want the same", code, again, ok)
		}
	})
}

// What is written is read.
func TestInGroups(t *testing.T) {
	t.Parallel()
	for _, size := range []int{16, papercode.Longest} {
		code := papercode.New(size)
		if got, ok := papercode.Parse(papercode.InGroups(code), size); !ok || got != code || papercode.New(size) == code {
			t.Errorf("Parse(InGroups(%q)) = %q, %v, want the same", code, got, ok)
		}
	}
	if got := papercode.InGroups("ABCDEFGHIJ"); got != "ABCD-EFGH-IJ" {
		t.Errorf("InGroups() = %q", got)
	}
}
