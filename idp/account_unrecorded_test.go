package idp_test

import (
	"html"
	"net/http"
	"net/url"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/credence-id/credence/idp/webauthn/webauthntest"
)

// Nothing that somebody does to her own account, and no recovery, is done that cannot be recorded; when it can be, it is done.
func TestNoActOfAPersonWithoutItsRecord(t *testing.T) {
	t.Parallel()
	p, _ := inEarnest(t, mailTo(t.TempDir()))
	phone := webauthntest.NewPasskey()
	p.keyOf(oneRole, "phone", phone)
	p.keyOf(oneRole, "lost", webauthntest.NewPasskey())
	p.keyOf(oneRole, "old", webauthntest.NewPasskey())
	b, codes := p.signedInWith(phone), p.signedInWith(phone).recoveryCodes()
	of := func(name, what string) string {
		return "/account/authenticators/" + p.authenticatorCalled(name) + "/" + what
	}
	named := of("phone", "name")
	removes, loses := b.get(of("old", "remove")), b.get(of("lost", "lost"))
	action := func(page answer) string {
		return html.UnescapeString(formAction(t, page.body, "/account/authenticators/"))
	}
	for _, act := range []struct {
		name string
		do   func() answer
	}{
		{"another name", func() answer { return b.post(named, url.Values{"name": {"telephone"}}) }},
		{"a removal", func() answer { return b.post(action(removes), nil) }},
		{"a loss", func() answer { return b.post(action(loses), nil) }},
		{"a recovery", func() answer {
			return p.browser().post("/recover", url.Values{"username": {oneRole}, "code": {codes[0]}})
		}},
		{"recovery codes", func() answer { return b.post("/account/recovery/new", nil) }},
		{"the end of other sessions", func() answer { return b.post("/account/sessions/end", nil) }},
	} {
		p.exec(`REVOKE INSERT ON audit_event FROM credence_service`)
		before := p.state()
		if a := act.do(); a.StatusCode != http.StatusInternalServerError {
			t.Errorf("%s that cannot be recorded = %d to %q, want 500", act.name, a.StatusCode, a.Header.Get("Location"))
		}
		if diff := cmp.Diff(before, p.state()); diff != "" {
			t.Errorf("%s that cannot be recorded has happened (-before +after):\n%s", act.name, diff)
		}
		p.exec(`GRANT INSERT ON audit_event TO credence_service`)
		if a := act.do(); a.StatusCode >= http.StatusBadRequest || cmp.Equal(before, p.state()) {
			t.Errorf("%s that is recorded = %d to %q, want it done", act.name, a.StatusCode, a.Header.Get("Location"))
		}
	}
}
