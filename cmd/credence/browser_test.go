package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/audits"
	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/cdproto/webauthn"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
)

// A browser is one person at one computer: a Chromium of its own, with an empty
// profile and one tab. Its methods do what the person does and wait for what
// the person would wait for. If that does not come, the test ends there and
// says what was awaited, on which page, and what the page said instead.
//
// A script exception, or anything a page does against its own content security
// policy, is a finding: it fails the test at its end, unless the test has taken
// the findings before.
type browser struct {
	t        *testing.T
	ctx      context.Context //nolint:containedctx // to chromedp the context is the browser
	patience time.Duration   // of one wait

	mu       sync.Mutex // guards what listen writes down
	findings []string
	messages []string
}

// newBrowser starts a browser, with what it is to have beside, that closes when the test ends.
func newBrowser(t *testing.T, beside ...chromedp.ExecAllocatorOption) *browser {
	t.Helper()
	b := &browser{t: t, patience: time.Minute}
	home := t.TempDir()
	options := append([]chromedp.ExecAllocatorOption{
		chromedp.ExecPath(chromium(t)),
		chromedp.Env("HOME=" + home),
		chromedp.UserDataDir(filepath.Join(home, "profile")),
		chromedp.Flag("disable-component-update", true),
		chromedp.Flag("disable-gpu", true),
		chromedp.Flag("disable-quic", true),
	}, beside...)
	if os.Geteuid() == 0 {
		options = append(options, chromedp.NoSandbox) // Chromium has no sandbox for root
	}

	// The test's own context ends before its cleanups, where the browser still
	// has to hand over its last findings. What a browser does is bounded one
	// wait at a time, and its life only by that of the tests.
	var cancel context.CancelFunc
	b.ctx, cancel = chromedp.NewContext(context.WithoutCancel(t.Context()), chromedp.WithAllocatorOptions(options...), chromedp.WithListener(b.listen))
	t.Cleanup(cancel)
	if _, err := chromedp.Call(b.ctx, audits.Enable, cdp.Empty{}); err != nil {
		t.Fatalf("start browser: %v", err)
	}
	t.Cleanup(b.close)
	b.resize(desktop, 900)
	return b
}

// The widths at which every page must work: a computer on a ward, and the
// narrowest column of WCAG 2.2, Success Criterion 1.4.10 (Reflow).
const (
	desktop = 1280
	column  = 320
)

func chromium(t *testing.T) string {
	t.Helper()
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome"} {
		if path, err := exec.LookPath(name); err == nil {
			return path
		}
	}
	t.Fatal("there is no chromium in PATH: install it, or run make test, which does")
	return ""
}

func (b *browser) close() {
	for _, finding := range b.takeFindings() {
		b.t.Errorf("finding of the browser: %s", finding)
	}
	ctx, cancel := context.WithTimeout(b.ctx, b.patience)
	defer cancel()
	if err := chromedp.Cancel(ctx); err != nil {
		b.t.Errorf("close browser: %v", err)
	}
}

// open types an address.
func (b *browser) open(url string) {
	b.t.Helper()
	do(b, "open "+url, chromedp.Navigate(url))
}

// follow clicks the first link of a list. The headings of a table may be links as well.
func (b *browser) follow(list string) {
	b.t.Helper()
	b.click(fmt.Sprintf("%[1]s tbody a, %[1]s:not(table) a", list))
}

// click follows a link or sends a form, and waits for the page it leads to.
func (b *browser) click(selector string) {
	b.t.Helper()
	leave(b, fmt.Sprintf("click %q", selector), chromedp.Click(chromedp.CSS(selector)))
}

// leave does what leads to another page, and waits until that has loaded,
// through whatever redirects and origins. A page that sends itself on by script
// is where it ends; waitURL goes further.
func leave[T any](b *browser, how string, action chromedp.Action[T]) {
	b.t.Helper()
	do(b, how+" and wait for the next page",
		chromedp.Func(func(ctx context.Context, t *chromedp.Target) error {
			before, err := document(ctx, t)
			if err != nil {
				return err
			}
			if _, err := action(ctx, t); err != nil {
				return err
			}
			return until(ctx, func() bool {
				now, err := document(ctx, t)
				return err == nil && now != before && loaded(ctx, t)
			})
		}))
}

// press clicks what does not lead to another page at once: a radio, a checkbox,
// or a button that a script waits for.
func (b *browser) press(selector string) {
	b.t.Helper()
	do(b, fmt.Sprintf("press %q", selector), chromedp.Click(chromedp.CSS(selector)))
}

// fill types value into a field in place of what it holds.
func (b *browser) fill(selector, value string) {
	b.t.Helper()
	field := chromedp.CSS(selector)
	do(b, fmt.Sprintf("fill %q", selector), chromedp.Steps(
		chromedp.Focus(field, chromedp.NodeVisible),
		chromedp.Evaluate[chromedp.Void](`document.activeElement.select()`),
		chromedp.KeyEvent(kb.Delete),
		chromedp.SendKeys(field, value),
	))
}

// choose takes the option of a select that has this value.
func (b *browser) choose(selector, value string) {
	b.t.Helper()
	do(b, fmt.Sprintf("choose %q in %q", value, selector), chromedp.Steps(
		chromedp.SetValue(chromedp.CSS(selector), value),
		chromedp.Evaluate[chromedp.Void](fmt.Sprintf(`document.querySelector(%s).dispatchEvent(new Event("change", {bubbles: true}))`, quote(selector))),
	))
}

// text waits until the element shows and reads it.
func (b *browser) text(selector string) string {
	b.t.Helper()
	return do(b, fmt.Sprintf("text of %q", selector), chromedp.Text(chromedp.CSS(selector), chromedp.NodeVisible))
}

// attribute waits for the element. An attribute that it lacks is empty.
func (b *browser) attribute(selector, name string) string {
	b.t.Helper()
	return do(b, fmt.Sprintf("attribute %s of %q", name, selector), chromedp.AttributeValue(chromedp.CSS(selector), name)).Value
}

// exists reports whether the page has the element now.
func (b *browser) exists(selector string) bool {
	b.t.Helper()
	return do(b, fmt.Sprintf("whether there is %q", selector),
		chromedp.Evaluate[bool](fmt.Sprintf(`document.querySelector(%s) !== null`, quote(selector))))
}

// url is the address of the page.
func (b *browser) url() string {
	b.t.Helper()
	return do(b, "address", chromedp.Location())
}

// waitURL waits for a loaded page whose address begins with prefix.
func (b *browser) waitURL(prefix string) {
	b.t.Helper()
	do(b, "a page at "+prefix, chromedp.Func(func(ctx context.Context, t *chromedp.Target) error {
		return until(ctx, func() bool {
			url, err := chromedp.Location()(ctx, t)
			return err == nil && strings.HasPrefix(url, prefix) && loaded(ctx, t)
		})
	}))
}

// resize gives the window another size, in CSS pixels.
func (b *browser) resize(width, height int64) {
	b.t.Helper()
	do(b, "resize", chromedp.EmulateViewport(width, height))
}

// screenshot writes the whole page to name.png in the directory that
// CREDENCE_SCREENSHOTS names, if it names one.
func (b *browser) screenshot(name string) {
	b.t.Helper()
	dir := os.Getenv("CREDENCE_SCREENSHOTS")
	if dir == "" {
		return
	}
	png := do(b, "screenshot", chromedp.FullScreenshot(100))
	if err := os.MkdirAll(dir, 0o755); err != nil {
		b.t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, name+".png"), png, 0o644); err != nil {
		b.t.Fatal(err)
	}
}

// takeFindings returns the findings since the last call, and forgets them.
func (b *browser) takeFindings() []string {
	b.t.Helper()
	// What the page did before it answers has been reported before the answer.
	do(b, "an answer of the page", chromedp.Evaluate[chromedp.Void](`0`))
	b.mu.Lock()
	defer b.mu.Unlock()
	taken := b.findings
	b.findings = nil
	return taken
}

// console returns what the developer tools' console would show.
func (b *browser) console() []string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return slices.Clone(b.messages)
}

// listen is called between two messages from the browser, so it only takes notes.
func (b *browser) listen(event any) {
	b.mu.Lock()
	defer b.mu.Unlock()
	switch e := event.(type) {
	case *audits.EventIssueAdded:
		if csp := e.Issue.Details.ContentSecurityPolicyIssueDetails; csp != nil {
			b.findings = append(b.findings, fmt.Sprintf("against the content security policy: %s %s %s", csp.ViolatedDirective, csp.ContentSecurityPolicyViolationType, csp.BlockedURL))
		}
	case *runtime.EventExceptionThrown:
		b.findings = append(b.findings, fmt.Sprintf("exception in %s: %s", e.ExceptionDetails.URL, said(e.ExceptionDetails.Exception)))
	case *runtime.EventConsoleAPICalled:
		b.messages = append(b.messages, fmt.Sprintf("console.%s: %s", e.Type, said(e.Args...)))
	case *log.EventEntryAdded:
		b.messages = append(b.messages, fmt.Sprintf("%s %s: %s %s", e.Entry.Source, e.Entry.Level, e.Entry.Text, e.Entry.URL))
	}
}

// said is the text of script values: of an error its stack, of a string itself.
func said(values ...*runtime.RemoteObject) string {
	var words []string
	for _, v := range values {
		if v != nil {
			words = append(words, strings.TrimSpace(v.Description+" "+string(v.Value)))
		}
	}
	return strings.Join(words, " ")
}

// An authenticator is a security key or the lock of a device, attached to the
// one tab of a browser and touched by an untiring finger.
type authenticator struct {
	browser *browser
	id      webauthn.AuthenticatorID
}

// securityKey describes a key on a USB port, whose credentials never leave it.
func securityKey() webauthn.VirtualAuthenticatorOptions {
	return webauthn.VirtualAuthenticatorOptions{
		Protocol:                    webauthn.AuthenticatorProtocolCtap2,
		Ctap2version:                webauthn.Ctap2versionCtap21,
		Transport:                   webauthn.AuthenticatorTransportUsb,
		HasResidentKey:              true,
		HasUserVerification:         true,
		IsUserVerified:              true,
		AutomaticPresenceSimulation: true,
	}
}

// syncedPasskey describes a device whose credentials are kept in a cloud.
func syncedPasskey() webauthn.VirtualAuthenticatorOptions {
	o := securityKey()
	o.Transport = webauthn.AuthenticatorTransportInternal
	o.DefaultBackupEligibility = true
	o.DefaultBackupState = true
	return o
}

// addAuthenticator attaches an authenticator. Without one every ceremony waits
// for its own time to run out.
func (b *browser) addAuthenticator(o webauthn.VirtualAuthenticatorOptions) authenticator {
	b.t.Helper()
	call(b, "simulate authenticators", webauthn.Enable, webauthn.EnableParams{})
	added := call(b, "add an authenticator", webauthn.AddVirtualAuthenticator, webauthn.AddVirtualAuthenticatorParams{Options: &o})
	return authenticator{b, added.AuthenticatorID}
}

// setUserVerified decides whether the next PINs and fingerprints are right.
func (a authenticator) setUserVerified(verified bool) {
	a.browser.t.Helper()
	call(a.browser, "set user verification", webauthn.SetUserVerified, webauthn.SetUserVerifiedParams{AuthenticatorID: a.id, IsUserVerified: verified})
}

// remove unplugs the authenticator for good.
func (a authenticator) remove() {
	a.browser.t.Helper()
	call(a.browser, "remove an authenticator", webauthn.RemoveVirtualAuthenticator, webauthn.RemoveVirtualAuthenticatorParams{AuthenticatorID: a.id})
}

// do runs an action, or ends the test.
func do[T any](b *browser, awaited string, action chromedp.Action[T]) T {
	b.t.Helper()
	v, err := try(b, awaited, action)
	if err != nil {
		b.t.Fatal(err)
	}
	return v
}

// call runs a command of the DevTools protocol, or ends the test.
func call[P, R any](b *browser, awaited string, command cdp.Command[P, R], params P) R {
	b.t.Helper()
	return do(b, awaited, func(ctx context.Context, t *chromedp.Target) (R, error) {
		return cdp.Call(ctx, t, command, params)
	})
}

// try runs an action for as long as patience lasts. Its error describes the scene.
func try[T any](b *browser, awaited string, action chromedp.Action[T]) (T, error) {
	ctx, cancel := context.WithTimeout(b.ctx, b.patience)
	defer cancel()
	v, err := chromedp.Run(ctx, action)
	if err == nil {
		return v, nil
	}

	ctx, cancel = context.WithTimeout(b.ctx, time.Second)
	defer cancel()
	scene, sceneErr := chromedp.Run(ctx, chromedp.Evaluate[string](`location + "\n" + (document.body?.innerText ?? "").slice(0, 600)`))
	if sceneErr != nil {
		scene = fmt.Sprintf("(unknown: %v)", sceneErr)
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	return v, fmt.Errorf("awaited: %s: %w\nfindings: %q\nconsole: %q\npage: %s", awaited, err, b.findings, b.messages, scene)
}

// until asks again and again until the answer is yes.
func until(ctx context.Context, holds func() bool) error {
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for !holds() {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-tick.C:
		}
	}
	return nil
}

// document identifies the document in the tab: a redirect or a reload makes
// another, a change within the page does not.
func document(ctx context.Context, t *chromedp.Target) (cdp.LoaderID, error) {
	tree, err := cdp.Call(ctx, t, page.GetFrameTree, cdp.Empty{})
	if err != nil {
		return "", err
	}
	return tree.FrameTree.Frame.LoaderID, nil
}

// loaded reports whether the document and its scripts are there. A document on
// its way out gives no answer, and so is not.
func loaded(ctx context.Context, t *chromedp.Target) bool {
	state, err := chromedp.Evaluate[string](`document.readyState`)(ctx, t)
	return err == nil && state == "complete"
}

// quote writes s as a JavaScript string.
func quote(s string) string {
	b, err := json.Marshal(s)
	if err != nil {
		panic(err) // no string fails to encode
	}
	return string(b)
}
