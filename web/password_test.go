package web

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/net/html"
	"rsc.io/qr"
)

// The picture has the modules of the code, and its margin: none is lost or moved when it is drawn as lines.
func TestQRCode(t *testing.T) {
	t.Parallel()
	page := SetPassword{App: "otpauth://totp/Credence:555100000001?secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ&issuer=Credence"}
	drawn, err := page.Code()
	if err != nil {
		t.Fatal(err)
	}
	want, err := qr.Encode(page.App, qr.M)
	if err != nil {
		t.Fatal(err)
	}
	dark := map[[2]int]bool{}
	for line := range strings.SplitSeq(strings.TrimSuffix(drawn.Path, "z"), "z") {
		var x, y, right, left int
		if _, err := fmt.Sscanf(line, "M%d %dh%dv1h-%d", &x, &y, &right, &left); err != nil || right != left {
			t.Fatalf("line %q of the path: %v", line, err)
		}
		for i := range right {
			dark[[2]int{x + i, y}] = true
		}
	}
	if drawn.Size != want.Size+8 { // ISO/IEC 18004: four modules at each side
		t.Errorf("size = %d, want %d", drawn.Size, want.Size+8)
	}
	for y := range drawn.Size {
		for x := range drawn.Size {
			if got, want := dark[[2]int{x, y}], want.Black(x-4, y-4); got != want {
				t.Errorf("module %d, %d is dark: %t, want %t", x, y, got, want)
			}
		}
	}
	if page.App = strings.Repeat("x", 5000); t.Failed() {
		return
	}
	if _, err := page.Code(); err == nil {
		t.Error("Code(of more than fits) = nil, want an error")
	}
}

// A password manager saves a password with whose it is and fills it in again: HTML, autofill. Neither page needs script.
func TestPasswordPagesAreFilledIn(t *testing.T) {
	t.Parallel()
	all := pages()
	for name, want := range map[string][]string{
		"set-password":     {"username", "new-password", "one-time-code"},
		"password-sign-in": {"username", "current-password", "one-time-code"},
	} {
		document, err := html.Parse(render(t, Options{}, all[name]).Body)
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for n := range document.Descendants() {
			if n.Data == "input" {
				got = append(got, attribute(n, "autocomplete"))
			}
			if n.Data == "script" {
				t.Errorf("%s has a script", name)
			}
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("autocomplete of %s (-want +got):\n%s", name, diff)
		}
	}
}
