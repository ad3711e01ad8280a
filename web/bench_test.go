package web

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"
)

// The sign-in page is rendered with each sign-in. What travels sealed in its addresses is as long as it is in life.
func BenchmarkRenderSignIn(b *testing.B) {
	pages, err := New(Options{})
	if err != nil {
		b.Fatal(err)
	}
	state := strings.Repeat("aB3-", 300)
	page := SignIn{
		Frame:   Frame{RequestID: "7ZQK3M5TXA", FormAction: []string{"https:"}},
		PostURL: "/sign-in?state=" + state, ClientName: "Ward Notes", Cancelable: true,
		Ceremony: Ceremony{
			Options: json.RawMessage(`{"challenge":"dGhlIGNoYWxsZW5nZSBpcyBvZiAzMiBieXRlcyAgICA","timeout":300000,"rpId":"localhost","userVerification":"required"}`),
			Finish:  "/sign-in/passkey?ceremony=" + strings.Repeat("aB3-", 50) + "&state=" + state,
		},
	}
	b.ReportAllocs()
	for b.Loop() {
		if err := pages.Render(unread{http.Header{}}, http.StatusOK, page); err != nil {
			b.Fatal(err)
		}
	}
}

// unread is a response that nobody reads.
type unread struct{ header http.Header }

func (u unread) Header() http.Header       { return u.header }
func (unread) Write(b []byte) (int, error) { return len(b), nil }
func (unread) WriteHeader(int)             {}
