package registration_test

import (
	"regexp"
	"testing"

	"github.com/credence-id/credence/idp/registration"
)

func TestParseRecoveryCode(t *testing.T) {
	t.Parallel()
	const code = "OIBDEFGHIJKLMN23"
	for text, want := range map[string]string{
		code: code, "OIBD-EFGH-IJKL-MN23": code, "oibd efgh\tijkl mn23": code, "018D-EFGH-IJKL-MN23": code,
		"": "", "OIBD-EFGH-IJKL-MN2": "", "OIBD-EFGH-IJKL-MN234": "", "OIBD-EFGH-IJKL-MN29": "", "OIBD-EFGH-IJKL-MN2é": "", "OIBDEFGHIJKLMN2\xff": "",
	} {
		if got, ok := registration.ParseRecoveryCode(text); got != want || ok != (want != "") {
			t.Errorf("ParseRecoveryCode(%q) = %q, %v, want %q", text, got, ok, want)
		}
	}
}

func FuzzParseRecoveryCode(f *testing.F) {
	f.Add("ABCD-EFGH-IJKL-MN23")
	f.Add("abcd efgh ijkl mn01")
	whole := regexp.MustCompile(`^[A-Z2-7]{16}$`)
	f.Fuzz(func(t *testing.T, text string) {
		code, ok := registration.ParseRecoveryCode(text)
		if ok != (code != "") || ok && !whole.MatchString(code) {
			t.Fatalf("ParseRecoveryCode(%q) = %q, %v", text, code, ok)
		}
		if again, ok := registration.ParseRecoveryCode(code); code != "" && (!ok || again != code) {
			t.Errorf("ParseRecoveryCode(%q) = %q, %v, want the same", code, again, ok)
		}
	})
}
