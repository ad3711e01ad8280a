package main

import (
	"fmt"
	"slices"
	"testing"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/input"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
)

// A typist has a keyboard and no mouse. Wherever Tab takes her she wants to see
// that she is there (WCAG 2.2, Success Criteria 2.4.7 and 2.4.11).
type typist struct{ *browser }

// newTypist starts a browser for her, whose window is the one that has the keyboard.
func newTypist(t *testing.T) typist {
	t.Helper()
	b := newBrowser(t)
	call(b, "give the window the keyboard", emulation.SetFocusEmulationEnabled, emulation.SetFocusEmulationEnabledParams{Enabled: true})
	return typist{b}
}

// A stop is an element that the keyboard is at.
type stop struct {
	Element string
	Is      bool    // what was looked for
	Looks   bool    // other than without the keyboard
	Seen    bool    // in the window, with nothing over it
	Top     float64 // from the top of the page
	Bottom  float64
}

// eyes are what a page looks like without the keyboard, and which stops it has.
// The design system draws a radio and a checkbox beside the element itself.
const eyes = `window.eyes ??= (() => {
	const line = (style, width, colour) => style === "none" || width === "0px" || colour === "rgba(0, 0, 0, 0)" ? "" : width + colour;
	const look = e => [[e], e.labels?.length ? [e.labels[0], "::before"] : [e]].map(which => {
		const s = getComputedStyle(...which);
		return [line(s.outlineStyle, s.outlineWidth, s.outlineColor), line(s.borderTopStyle, s.borderTopWidth, s.borderTopColor), s.boxShadow, s.backgroundColor].join();
	}).join();
	const stops = [...document.querySelectorAll("a[href], button, input, select, textarea, summary")].filter(e => e.checkVisibility({visibilityProperty: true}) && !e.disabled);
	const plain = new Map(stops.filter(e => e !== document.activeElement).map(e => [e, look(e)]));
	const name = e => e.id ? "#" + e.id : (e.href ?? e.tagName);
	const of = (radio, which) => radio.form.querySelector("input[name='" + radio.name + "']" + which);
	return {
		stops: () => stops.filter(e => e.checkVisibility() && (e.type !== "radio" || e === (of(e, ":checked") ?? of(e, "")))).map(name),
		stop: selector => {
			const e = document.activeElement, s = getComputedStyle(e), box = e.getClientRects()[0] ?? new DOMRect(0, 0, 0, 0);
			const over = document.elementFromPoint(box.x + Math.min(box.width / 2, 8), box.y + box.height / 2);
			return {
				Element: e === document.body ? "" : name(e),
				Is: e.matches(selector),
				Looks: plain.has(e) ? look(e) !== plain.get(e) : s.boxShadow !== "none", // which nothing has without the keyboard, but buttons
				Seen: over !== null && (e.contains(over) || [...(e.labels ?? [])].includes(over)),
				Top: scrollY + box.top, Bottom: scrollY + box.bottom,
			};
		},
	};
})()`

// at is where the keyboard is.
func (k typist) at(selector string) stop {
	k.t.Helper()
	return do(k.browser, "where the keyboard is", chromedp.Evaluate[stop](fmt.Sprintf(`%s, eyes.stop(%s)`, eyes, quote(selector))))
}

// wants the keyboard to be at an element, and to be seen there.
func (k typist) wants(selector string) {
	k.t.Helper()
	if at := k.at(selector); !at.Is || !at.Looks || !at.Seen {
		k.t.Fatalf("the keyboard on %s is at %+v, want at %q, looking like it and seen", k.url(), at, selector)
	}
}

// pressed is a key as a keyboard sends it. What a page does when it goes down keeps the letter from whatever has the keyboard
// after that; otherwise Enter on a link to a field would send the form that the field is in.
func pressed(keys string, held ...chromedp.Modifier) chromedp.Action[chromedp.Void] {
	return chromedp.KeyEvent(keys, chromedp.KeyModifiers(held...), func(p *input.DispatchKeyEventParams) {
		if p.Type == kb.KeyDown {
			p.Type = input.DispatchKeyEventTypeRawKeyDown
		}
	})
}

// keys presses keys one after the other.
func (k typist) keys(keys string, held ...chromedp.Modifier) {
	k.t.Helper()
	do(k.browser, fmt.Sprintf("press the keys %q", keys), pressed(keys, held...))
}

// tab goes to the next stop, or with Shift to the one before.
func (k typist) tab(selector string, held ...chromedp.Modifier) stop {
	k.t.Helper()
	k.at(selector) // what the page looks like before
	k.keys(kb.Tab, held...)
	at := k.at(selector)
	if at.Element != "" && (!at.Looks || !at.Seen) {
		k.t.Errorf("the keyboard on %s does not show at %+v", k.url(), at)
	}
	return at
}

// to presses Tab until the keyboard is at an element, which it has not passed.
func (k typist) to(selector string) {
	k.t.Helper()
	var passed []string
	for len(passed) < 200 {
		at := k.tab(selector)
		if at.Is {
			return
		}
		if passed = append(passed, at.Element); at.Element == "" {
			break
		}
	}
	k.t.Fatalf("Tab on %s passes %q, and not %q", k.url(), passed, selector)
}

// types goes to a field and types into it, in place of what it holds.
func (k typist) types(selector, text string) {
	k.t.Helper()
	k.to(selector)
	k.keys(text)
}

// enter presses Enter where the keyboard is, and waits for the next page.
func (k typist) enter() {
	k.t.Helper()
	leave(k.browser, "press Enter", pressed(kb.Enter))
}

// goes goes to a link or button and presses Enter.
func (k typist) goes(selector string) {
	k.t.Helper()
	k.to(selector)
	k.enter()
}

// walks goes through the whole page and back. Tab comes to everything there is
// once, down the page, and out at its end (WCAG 2.2, Success Criteria 2.1.2 and 2.4.3).
func (k typist) walks() {
	k.t.Helper()
	want := do(k.browser, "the stops of the page", chromedp.Evaluate[[]string](eyes+`, eyes.stops()`))
	var down, up []string
	var before stop
	for range len(want) + 1 {
		at := k.tab("*")
		if at.Element == "" {
			break
		}
		if at.Bottom < before.Top {
			k.t.Errorf("Tab on %s goes up from %+v to %+v", k.url(), before, at)
		}
		down, before = append(down, at.Element), at
	}
	if !slices.Equal(down, want) {
		k.t.Errorf("Tab on %s comes to\n%q, want\n%q", k.url(), down, want)
	}
	for range want {
		up = append(up, k.tab("*", chromedp.ModifierShift).Element)
	}
	if slices.Reverse(up); !slices.Equal(up, want) {
		k.t.Errorf("Shift and Tab on %s comes to, in the end first,\n%q, want\n%q", k.url(), up, want)
	}
	k.tab("*", chromedp.ModifierShift)
}

// TestJourneyKeyboard is an officer who has no mouse. She signs in, finds nobody, puts a person on record, records a passport,
// mistaken at first, and approves a request.
func TestJourneyKeyboard(t *testing.T) {
	t.Parallel()
	d := startTrial(t)
	d.vouchForVirtualKeys()
	const agent, person = "656005750117", "656005750113"
	d.ask(d.position("Ward nurse"), "656005750114", person)
	k := newTypist(t)
	k.addAuthenticator(securityKey())
	k.open(enrolLink(t, d.command("person", "enrol-link", agent)))
	k.walks()
	k.types("#authenticator-name", "Blue key")
	k.enter()
	k.want("#authenticators", "Blue key")
	d.command("authenticator", "recompute", "--apply") // when the server judged it, it may not have known of the model yet

	k.open(d.issuer + "/desk")
	k.walks()
	k.goes("#passkey-sign-in")
	k.waitURL(d.issuer + "/desk")
	k.walks()

	// The first stop leads past the navigation.
	k.tab(".nhsuk-skip-link")
	k.wants(".nhsuk-skip-link")
	k.keys(kb.Enter)
	if at := k.tab("main *"); !at.Is {
		t.Errorf("the stop after the skip link is %+v, want one in the main part", at)
	}
	k.wants("#q")
	k.keys("Zoë Quist")
	k.enter()
	k.want("#none", "Nobody was found")
	k.walks()
	k.goes("#create")

	// What is wrong is where she is next, and leads to the field.
	k.goes("#look")
	k.wants("#error-summary")
	k.to(`#error-summary a[href="#given_name"]`)
	k.keys(kb.Enter)
	k.wants("#given_name")
	k.keys("Zoë")
	k.types("#family_name", "Quist")
	k.types("#date_of_birth", "1/2/1985")
	k.enter()
	k.want("#none", "Nobody on record is like the person")
	k.goes("#create")
	k.want("h1", "Zoë Quist")
	k.walks()

	k.goes("#prove")
	k.goes("#add")
	k.goes(`a[href$="kind=passport"]`)
	k.walks()
	k.types("#given_name", "Zoe")
	k.types("#family_name", "Quist")
	k.types("#number", "707777707")
	k.types("#expires_on", "1/3/2036")
	k.to("#feature-biometric_chip")
	k.keys(" ")
	k.to("#vcrypt-cryptographic")
	k.keys(" ")
	k.to("#declared-in_person")
	k.keys(" ")
	k.goes("#record")
	k.wants("#error-summary")
	k.want("#error-summary", "These given names are not the ones on record")
	k.to(`#error-summary a`)
	k.keys(kb.Enter)
	k.wants("#given_name")
	k.keys("a", chromedp.ModifierCtrl)
	k.keys("Zoë")
	k.enter()
	k.want("h1", "Recorded: passport of Zoë Quist")

	k.to(`nav a[href="/desk/requests"]`)
	k.enter()
	k.walks()
	k.to("#sort")
	k.keys(kb.ArrowDown)
	k.goes("#filter")
	if got := k.attribute("#requests th[aria-sort]", "aria-sort"); got != "descending" {
		t.Errorf("the order after ArrowDown = %q, want descending", got)
	}
	k.goes("#requests tbody a")
	k.walks()
	k.to("#verdict-approved")
	k.keys(kb.ArrowDown)
	k.wants("#verdict-refused")
	k.keys(kb.ArrowUp)
	k.wants("#verdict-approved")
	k.types("#reason", "As asked")
	k.goes("#decide")
	k.want("#request", "Approved")
	k.to("#header-sign-out")
	k.enter()
	k.want("h1", "You have signed out")
}
