package main

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/webauthn"
	"github.com/chromedp/chromedp"
)

func TestBrowserHarness(t *testing.T) {
	t.Parallel()
	here, there := stage(t)

	t.Run("fills a form and follows it to another origin", func(t *testing.T) {
		t.Parallel()
		b := newBrowser(t)
		b.open(here + "/form")
		if got, want := b.attribute("#name", "autocomplete"), "name"; got != want {
			t.Errorf("attribute(autocomplete) = %q, want %q", got, want)
		}
		if got := b.attribute("#name", "pattern"); got != "" {
			t.Errorf("attribute(pattern) = %q, want none", got)
		}
		b.fill("#name", "Someone else")
		b.fill("#name", "Zoë “Q” O'Hara")
		b.press("#night")
		b.choose("#ward", "7")
		if got, want := b.text("#chosen"), "7"; got != want {
			t.Errorf("text after choose = %q, want %q", got, want)
		}
		b.click("button")
		b.waitURL(there + "/received")
		if got, want := b.url(), there+"/received?name=Zo%C3%AB+%E2%80%9CQ%E2%80%9D+O%27Hara&shift=night&ward=7"; got != want {
			t.Errorf("url() = %q, want %q", got, want)
		}
		if got, want := b.text("h1"), "Received"; got != want {
			t.Errorf("text(h1) = %q, want %q", got, want)
		}
		if !b.exists("h1") || b.exists("#name") {
			t.Errorf("exists(h1), exists(#name) = %v, %v, want true, false", b.exists("h1"), b.exists("#name"))
		}
		b.click("a")
		b.waitURL(here + "/form")
	})

	t.Run("holds ceremonies with an authenticator", func(t *testing.T) {
		t.Parallel()
		for _, o := range []webauthn.VirtualAuthenticatorOptions{securityKey(), syncedPasskey()} {
			b := newBrowser(t)
			b.open(here + "/ceremony")
			key := b.addAuthenticator(o)
			steps := []struct {
				before func()
				button string
				want   string
			}{
				{func() {}, "#register", "registered"},
				{func() {}, "#sign-in", "signed in"},
				{func() { key.setUserVerified(false) }, "#sign-in", "NotAllowedError"},
				{func() { key.setUserVerified(true) }, "#sign-in", "signed in"},
				{func() { key.remove(); b.addAuthenticator(o) }, "#sign-in", "NotAllowedError"}, // another key, which holds nothing
			}
			for i, step := range steps {
				step.before()
				b.press(step.button)
				if got := b.text("#result"); got != step.want {
					t.Errorf("%s authenticator, step %d: text(#result) = %q, want %q", o.Transport, i, got, step.want)
				}
			}
		}
	})

	t.Run("sees barriers", func(t *testing.T) {
		t.Parallel()
		b := newBrowser(t)
		b.open(here + "/form")
		b.accessible()
		for path, want := range map[string]string{
			"/unlabelled": "at 1280 px: label: <input>",
			"/wide":       "at 320 px: the page scrolls sideways, it is 700 px wide",
		} {
			b.open(here + path)
			if got := b.barriers(); !slices.ContainsFunc(got, func(s string) bool { return strings.HasPrefix(s, want) }) {
				t.Errorf("barriers() of %s = %q, want one that begins %q", path, got, want)
			}
		}
		if got := b.takeFindings(); len(got) != 0 {
			t.Errorf("takeFindings() after axe-core ran = %q, want none", got)
		}
	})

	t.Run("sees what a page does against its policy, and what its scripts throw", func(t *testing.T) {
		t.Parallel()
		b := newBrowser(t)
		for path, want := range map[string]string{
			"/inline": "against the content security policy: script-src-elem kInlineViolation",
			"/throws": "exception in " + here + "/throws.js: Error: thrown on purpose",
		} {
			b.open(here + path)
			if got := b.takeFindings(); len(got) != 1 || !strings.HasPrefix(got[0], want) {
				t.Errorf("takeFindings() at %s = %q, want one that begins %q", path, got, want)
			}
		}
		if got, want := b.console(), `console.error: "said on purpose"`; !slices.Contains(got, want) {
			t.Errorf("console() = %q, want one that is %q", got, want)
		}
		if got := b.takeFindings(); len(got) != 0 {
			t.Errorf("takeFindings() again = %q, want none", got)
		}
	})

	t.Run("says what it waited for in vain", func(t *testing.T) {
		t.Parallel()
		b := newBrowser(t)
		b.open(here + "/form")
		b.patience = 50 * time.Millisecond
		_, err := try(b, "the moon", chromedp.Text(chromedp.CSS("#moon")))
		if !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("try = %v, want context.DeadlineExceeded", err)
		}
		for _, want := range []string{"the moon", here + "/form", "Your name"} {
			if !strings.Contains(fmt.Sprint(err), want) {
				t.Errorf("try = %v, want it to say %q", err, want)
			}
		}
		b.patience = time.Minute
	})
}

func TestBrowserScreenshot(t *testing.T) {
	here, _ := stage(t)
	b := newBrowser(t)
	b.open(here + "/form")
	dir := filepath.Join(t.TempDir(), "shots")

	t.Setenv("CREDENCE_SCREENSHOTS", "")
	b.screenshot("form")
	if _, err := os.Stat(dir); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("screenshot without a directory: %v", err)
	}

	t.Setenv("CREDENCE_SCREENSHOTS", dir)
	b.screenshot("form")
	got, err := os.ReadFile(filepath.Join(dir, "form.png"))
	if err != nil {
		t.Fatal(err)
	}
	if want := "image/png"; http.DetectContentType(got) != want {
		t.Errorf("form.png is %s, want %s", http.DetectContentType(got), want)
	}
}

// The engine is the one that was published, as testdata/axe/README.md says.
func TestAxeIsAsPublished(t *testing.T) {
	t.Parallel()
	readme, err := os.ReadFile("testdata/axe/README.md")
	if err != nil {
		t.Fatal(err)
	}
	if sum := fmt.Sprintf("%x", sha256.Sum256([]byte(axe))); !strings.Contains(string(readme), sum) {
		t.Errorf("axe.min.js has the SHA-256 %s, which testdata/axe/README.md does not name", sum)
	}
}

// stage serves small pages at two origins of localhost: the only name that is a
// secure context, and so has WebAuthn, without TLS.
func stage(t *testing.T) (here, there string) {
	t.Helper()
	origin := func(h http.Handler) string {
		l, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "localhost:0")
		if err != nil {
			t.Fatal(err)
		}
		s := httptest.NewUnstartedServer(h)
		_ = s.Listener.Close()
		s.Listener = l
		s.Start()
		t.Cleanup(s.Close)
		return fmt.Sprintf("http://localhost:%d", l.Addr().(*net.TCPAddr).Port)
	}
	pages := http.NewServeMux()
	there = origin(pages)
	here = origin(pages)

	serve := func(path, mediaType, body string) {
		pages.HandleFunc("GET "+path, func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Security-Policy", "default-src 'none'; script-src 'self'; style-src 'self'; form-action 'self' "+there)
			w.Header().Set("Content-Type", mediaType)
			_, _ = fmt.Fprint(w, body)
		})
	}
	html := func(path, body string) {
		serve(path, "text/html; charset=utf-8", `<!doctype html><html lang="en"><meta name="viewport" content="width=device-width">`+
			`<title>Stage</title><link rel="stylesheet" href="/stage.css"><main>`+body+`</main></html>`)
	}
	html("/form", `<h1>Form</h1><form method="post">
		<p><label for="name">Your name</label> <input id="name" name="name" autocomplete="name" value="Nobody">
		<div class="radio"><input type="radio" id="night" name="shift" value="night"><label for="night">Night</label></div>
		<p><label for="ward">Ward</label> <select id="ward" name="ward"><option value="6">Six<option value="7">Seven</select>
		<p id="chosen"></p><button>Send</button></form><script src="/form.js"></script>`)
	html("/received", `<h1>Received</h1><a href="`+here+`/form">Again</a>`)
	html("/ceremony", `<h1>Ceremony</h1><button id="register">Register</button> <button id="sign-in">Sign in</button>
		<p id="result"></p><script src="/ceremony.js"></script>`)
	html("/unlabelled", `<h1>Unlabelled</h1><input>`)
	html("/wide", `<h1>Wide</h1><div class="wide">Wide</div>`)
	html("/inline", `<h1>Inline</h1><script>document.title = "run"</script>`)
	html("/throws", `<h1>Throws</h1><script src="/throws.js"></script>`)
	// The radio is drawn by its label, as the NHS design system does it.
	serve("/stage.css", "text/css", `body { margin: 0 } .wide { width: 700px }
		.radio { position: relative; height: 48px } .radio input { position: absolute; width: 44px; height: 44px; margin: 0; opacity: 0 }
		.radio label { padding-left: 48px } .radio label::before { content: ""; position: absolute; left: 0; width: 40px; height: 40px; border: 2px solid }`)
	serve("/form.js", "text/javascript", `
		document.querySelector("#ward").addEventListener("change", e => { document.querySelector("#chosen").textContent = e.target.value })`)
	serve("/throws.js", "text/javascript", `console.error("said on purpose"); throw new Error("thrown on purpose")`)
	serve("/ceremony.js", "text/javascript", `
		const result = document.querySelector("#result"), challenge = new Uint8Array(32), timeout = 10000
		const on = (selector, ceremony, done) => document.querySelector(selector).addEventListener("click", () => {
			result.hidden = true
			ceremony().then(() => done, e => e.name).then(text => { result.textContent = text; result.hidden = false })
		})
		on("#register", () => navigator.credentials.create({publicKey: {
			challenge, timeout, rp: {name: "Stage"}, user: {id: new Uint8Array(8), name: "n", displayName: "n"},
			pubKeyCredParams: [{type: "public-key", alg: -7}],
			authenticatorSelection: {residentKey: "required", userVerification: "required"},
		}}), "registered")
		on("#sign-in", () => navigator.credentials.get({publicKey: {challenge, timeout, userVerification: "required"}}), "signed in")`)
	pages.HandleFunc("POST /form", func(w http.ResponseWriter, r *http.Request) {
		if err := r.ParseForm(); err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		http.Redirect(w, r, there+"/received?"+r.PostForm.Encode(), http.StatusSeeOther)
	})
	return here, there
}
