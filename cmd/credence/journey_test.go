package main

import (
	"bytes"
	"context"
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/credence-id/credence/store/localpg"
	"github.com/credence-id/credence/store/storetest"
)

// A trial is a `credence dev` that runs in this process, on ports and in a directory of its own.
type trial struct {
	t              *testing.T
	dir            string
	issuer, demo   string
	enrolLink      string
	output, errors *pipe
	loaded         bool // by `credence bench`
}

// pipe keeps what a program prints.
type pipe struct {
	mu   sync.Mutex
	text bytes.Buffer
	more chan struct{}
}

func (p *pipe) Write(b []byte) (int, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	select {
	case p.more <- struct{}{}:
	default:
	}
	return p.text.Write(b)
}

func (p *pipe) String() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.text.String()
}

// startTrial starts it, and stops it when the test ends.
func startTrial(t *testing.T) *trial {
	t.Helper()
	return startTrialIn(t, reachableDir(t))
}

func startTrialIn(t *testing.T, dir string) *trial {
	t.Helper()
	d := &trial{
		t: t, dir: dir,
		output: &pipe{more: make(chan struct{}, 1)}, errors: &pipe{more: make(chan struct{}, 1)},
	}
	ctx, stop := context.WithCancel(context.WithoutCancel(t.Context()))
	root := newRootCommand(&program{now: time.Now})
	root.SetArgs([]string{
		"dev", "--data", d.dir, "--listen", "localhost:0", "--demo-listen", "127.0.0.1:0", "--metrics-listen", "127.0.0.1:0",
	})
	root.SetOut(d.output)
	root.SetErr(d.errors)
	ended := make(chan error, 1)
	go func() { ended <- root.ExecuteContext(ctx) }()
	t.Cleanup(func() {
		stop()
		if err := <-ended; err != nil {
			t.Errorf("credence dev: %v", err)
		}
	})
	deadline := time.After(time.Minute)
	for !strings.Contains(d.output.String(), "Stop with Ctrl-C") {
		select {
		case <-d.output.more:
		case err := <-ended:
			ended <- nil
			t.Fatalf("credence dev: %v\n%s", err, d.errors)
		case <-deadline:
			t.Fatalf("credence dev did not start within a minute: %s", d.errors)
		}
	}
	d.issuer = d.printed(`Issuer +(\S+)`)
	d.demo = d.printed(`Demo service +(\S+)`)
	d.enrolLink = d.printed(`(\S+/enrol\?\S+)`)
	t.Cleanup(func() {
		database, err := localpg.Running(context.WithoutCancel(t.Context()), d.dir)
		if err != nil {
			t.Errorf("find the database to check: %v", err)
			return
		}
		if d.loaded {
			storetest.CheckLoaded(t, database.OwnerURL())
		} else {
			storetest.CheckInvariants(t, database.OwnerURL())
		}
	})
	return d
}

// reachableDir is a directory of the test's own that PostgreSQL's account can pass through.
func reachableDir(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	for _, path := range []string{filepath.Dir(dir), dir} {
		if err := os.Chmod(path, 0o711); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// printed finds what `dev` printed.
func (d *trial) printed(pattern string) string {
	d.t.Helper()
	found := regexp.MustCompile(pattern).FindStringSubmatch(d.output.String())
	if found == nil {
		d.t.Fatalf("credence dev did not print %q: %s", pattern, d.output)
	}
	return found[1]
}

// command runs another command on the same database, as an operator would beside it.
func (d *trial) command(args ...string) string {
	d.t.Helper()
	var out bytes.Buffer
	root := newRootCommand(&program{now: time.Now})
	root.SetArgs(append(args, "--data", d.dir))
	root.SetOut(&out)
	root.SetErr(&out)
	if err := root.ExecuteContext(d.t.Context()); err != nil {
		d.t.Fatalf("credence %s: %v: %s", strings.Join(args, " "), err, &out)
	}
	return out.String()
}

// enrol adds an authenticator that is plugged in to the person whom a link is for.
func (b *browser) enrol(link, name string) {
	b.t.Helper()
	b.open(link)
	b.fill("#authenticator-name", name)
	b.screenshot("enrol")
	b.accessible()
	b.click("#enrol-submit")
	if got := b.text("#authenticators"); !strings.Contains(got, name) {
		b.t.Errorf("the page after the enrolment lists %q, want %q in it", got, name)
	}
	b.screenshot("enrolled")
	b.accessible()
}

// decisions are what the ward list decided: whether its list may be seen, and whether medicines may be prescribed.
func (b *browser) decisions() string {
	b.t.Helper()
	return fmt.Sprintf("view %s, prescribe %s", b.attribute("#decision-view", "data-permitted"), b.attribute("#decision-prescribe", "data-permitted"))
}

func (b *browser) want(selector, words string) {
	b.t.Helper()
	if got := b.text(selector); !strings.Contains(got, words) {
		b.t.Errorf("%s of %s says %q, want %q in it", selector, b.url(), got, words)
	}
}

// TestJourneyFirstSignIn is the first thing that people do with Credence: from an enrolment link to a service that
// permits and denies on the claims of their sign-in.
func TestJourneyFirstSignIn(t *testing.T) {
	t.Parallel()
	d := startTrial(t)
	const nurse, expired = "656005750104", "656005750114" // the one with two roles to choose from, the other's role has expired

	b := newBrowser(t)
	key := b.addAuthenticator(securityKey())

	b.enrol(d.enrolLink, "Blue key")
	b.open(d.enrolLink)
	b.want("h1", "This link does not work") // it was spent
	b.screenshot("link-spent")
	b.accessible()

	b.open(d.demo)
	b.accessible()
	b.click("#sign-in")
	b.want("#client-name", "Ward list")
	b.screenshot("sign-in")
	b.accessible()
	b.click("#passkey-sign-in")
	b.want("h1", "Choose your role")
	b.screenshot("role-choice")
	b.accessible()
	b.press("#role-656014452101")
	b.click("#role-submit")
	b.waitURL(d.demo)
	if got, want := b.decisions(), "view true, prescribe false"; got != want {
		t.Errorf("decisions for a person without the activity to prescribe = %s, want %s", got, want)
	}
	b.want("#claim-sub", nurse)
	b.want("#claim-authenticator_assurance_level", "2")
	b.want("#claim-organisation", "Y51")
	b.want("#claim-role", "S8001:G8002:R8008")
	b.screenshot("ward-list")
	b.accessible()

	// The session goes on: another sign-in asks nothing, and the role can be changed.
	b.click("#change-role")
	b.want("h1", "Choose your role")
	b.press("#role-656005754108")
	b.click("#role-submit")
	b.waitURL(d.demo)
	b.want("#claim-organisation", "X09")
	b.open(d.issuer)
	b.want("#active-role", "X09")
	b.screenshot("home")
	b.accessible()
	b.click("#levels")
	b.want("#identity", "H1A")
	b.want("#sign-in-level", "2: strong")
	b.want("#authenticator-levels", "Blue key")
	b.screenshot("levels")
	b.accessible()
	b.click("#home")
	b.click("#sign-out")
	b.want("h1", "You have signed out")
	b.screenshot("signed-out")
	b.accessible()
	b.open(d.demo)
	b.click("#check-access") // what was granted in the session ended with it
	b.want("h1", "withdrawn")

	// Identifier-first: whoever types the user id is offered the key of that person.
	b.open(d.demo)
	b.click("#sign-in")
	b.fill("#username", nurse)
	b.click("#username-submit")
	b.want("#current-username", nurse)
	b.screenshot("sign-in-identified")
	b.accessible()
	b.click("#passkey-sign-in")
	b.press("#role-656014452101")
	b.click("#role-submit")
	b.waitURL(d.demo)
	b.click("#sign-out") // by the service, which shows the ID token: nobody is asked
	b.waitURL(d.demo + "/signed-out")

	// A passkey that is on this device offers itself while the page loads.
	key.remove()
	passkey := b.addAuthenticator(syncedPasskey())
	b.enrol(enrolLink(t, d.command("person", "enrol-link", nurse)), "My phone")
	b.open(d.demo)
	b.click("#sign-in")
	b.waitURL(d.issuer + "/sign-in/role")
	b.press("#role-656014452101")
	b.click("#role-submit")
	b.waitURL(d.demo)
	b.want("#claim-sub", nurse)
	b.want("#claim-amr", "pop")

	// To sign in again is enough for a service that has her role: the script of the page itself leads there.
	b.open(d.demo + "/sign-in?again=1")
	b.waitURL(d.demo)
	b.want("#claim-organisation", "Y51")

	// Whoever does not prove to be the one is not let in.
	b.click("#sign-out")
	b.waitURL(d.demo + "/signed-out")

	// Disabled in the middle of it: the service, the session and the next sign-in end at once.
	b.open(d.demo)
	b.click("#sign-in")
	b.waitURL(d.issuer + "/sign-in/role")
	b.press("#role-656014452101")
	b.click("#role-submit")
	b.waitURL(d.demo)
	d.command("person", "disable", nurse)
	b.click("#check-access")
	b.want("h1", "withdrawn")
	passkey.setUserVerified(false) // so that the page waits instead of trying
	b.open(d.issuer)
	b.want("#sign-in", "Sign in") // nobody is signed in here
	passkey.setUserVerified(true)
	b.open(d.issuer + "/sign-in")
	b.want("[role=alert]", "could not sign you in")
	b.screenshot("sign-in-refused")
	b.accessible()
	passkey.remove()

	// A person whose only role has expired signs in, is told, and goes on without one.
	b.addAuthenticator(securityKey())
	b.enrol(enrolLink(t, d.command("person", "enrol-link", expired)), "Old key")
	b.open(d.demo)
	b.click("#sign-in")
	b.click("#passkey-sign-in")
	b.want("h1", "You have no current role")
	b.screenshot("no-role")
	b.accessible()
	b.click("#continue-without-role")
	b.waitURL(d.demo)
	if got, want := b.decisions(), "view false, prescribe false"; got != want {
		t.Errorf("decisions for a person without a role = %s, want %s", got, want)
	}
	b.screenshot("ward-list-denied")
	if b.exists("#claim-role") {
		t.Errorf("the token of a person whose role has expired has a role: %s", b.text("#claim-role"))
	}
}

// enrolLink is the address in what a command printed.
func enrolLink(t *testing.T, printed string) string {
	t.Helper()
	for word := range strings.FieldsSeq(printed) {
		if u, err := url.Parse(word); err == nil && u.Path == "/enrol" {
			return word
		}
	}
	t.Fatalf("no enrolment link in %q", printed)
	return ""
}

// TestJourneySimulatedSignIn is what the developer of a service does: sign in as anyone, without an authenticator, and
// see the difference that roles and levels make.
func TestJourneySimulatedSignIn(t *testing.T) {
	t.Parallel()
	d := startTrial(t)
	b := newBrowser(t)

	b.open(d.demo)
	b.click("#sign-in")
	b.click("#simulated-link")
	b.screenshot("simulated")
	b.accessible()
	b.click("a[href*='username=656005750108']") // a GP, who signs in with a smartcard
	b.click("#login-submit")
	b.waitURL(d.demo)
	if got, want := b.decisions(), "view true, prescribe true"; got != want {
		t.Errorf("decisions for a GP at level 3 = %s, want %s", got, want)
	}
	b.want("#claim-amr", "simulated")

	b.click("#sign-in-again")
	b.click("#simulated-link")
	b.fill("#username", "656005750108")
	b.choose("#method", "totp")
	b.click("#login-submit")
	b.waitURL(d.demo)
	if got, want := b.decisions(), "view true, prescribe false"; got != want {
		t.Errorf("decisions for a GP at level 2 = %s, want %s", got, want)
	}
	b.screenshot("ward-list-level-2")

	b.click("#sign-in-again")
	b.click("#login-cancel")
	b.want("#error", "access_denied")
	b.screenshot("ward-list-cancelled")
	b.accessible()

	// Many roles can be searched.
	b.open(d.demo)
	b.click("#sign-in-again")
	b.click("#simulated-link")
	b.fill("#username", "656005750115")
	b.click("#login-submit")
	b.fill("#role-search", "a")
	b.screenshot("role-search")
	b.accessible()
	b.click("#role-search-submit")
	b.want("#role-search-result", "of 7 roles")

	// What is wrong in the request of a service is told to the person and to its developer, and nobody is sent away.
	b.open(d.issuer + "/authorize?client_id=demo&redirect_uri=https://attacker.example/")
	b.want("h1", "You cannot sign in from here")
	b.screenshot("problem")
	b.accessible()
	b.open(d.issuer + "/nowhere")
	b.want("h1", "Page not found")
	b.accessible()
}

// TestREADMECurl runs the commands of the README as they stand there, against an issuer of its own.
func TestREADMECurl(t *testing.T) {
	t.Parallel()
	readme, err := os.ReadFile("../../README.md")
	if err != nil {
		t.Fatal(err)
	}
	_, after, _ := strings.Cut(string(readme), "<!-- TestREADMECurl runs this block. -->\n```sh\n")
	script, _, found := strings.Cut(after, "```")
	const issuer = "issuer=http://localhost:8080\n"
	if !found || !strings.HasPrefix(script, issuer) {
		t.Fatalf("the README has no block that begins with %q", issuer)
	}
	d := startTrial(t)
	sh := exec.CommandContext(t.Context(), "sh", "-eu", "-c", strings.Replace(script, issuer, "issuer="+d.issuer+"\n", 1))
	sh.Env = append(os.Environ(), "TMPDIR="+t.TempDir())
	out, err := sh.CombinedOutput()
	if err != nil || !strings.HasPrefix(string(out), `{"sub":"656005750108","name":"Gwil Hawthornby"`) {
		t.Errorf("the commands of the README print %q, %v, want the userinfo of a GP", out, err)
	}
}
