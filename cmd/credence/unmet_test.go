package main

import (
	"net/url"
	"strings"
	"testing"
)

// TestJourneyUnmet is somebody whose identity is proved too little for a service, and who signed in too weakly: the page says
// which levels it takes, what she is to bring to a desk, in words that need no guide, and lets her go back.
func TestJourneyUnmet(t *testing.T) {
	t.Parallel()
	d := startTrial(t)
	const student = "656005750110"
	b := newBrowser(t)
	b.open(d.issuer + "/authorize?" + url.Values{
		"client_id": {"demo"}, "redirect_uri": {d.demo + "/callback"}, "response_type": {"code"}, "scope": {"openid"}, "state": {"a state of some length"},
		"code_challenge": {strings.Repeat("x", 43)}, "code_challenge_method": {"S256"},
		"claims": {`{"id_token":{"acr":{"essential":true,"value":"urn:acr.login.gov:verified-facial-match-required"}}}`},
	}.Encode())
	b.click("#simulated-link")
	b.fill("#username", student)
	b.choose("#method", "password")
	b.click("#login-submit")
	b.waitURL(d.issuer + "/sign-in/unmet")
	b.want("h1", "You need to prove your identity")
	b.want("main", "high, the third of four levels")
	b.want("main", "Go to a registration desk")
	b.want("main", "Have your face compared with the photo of")
	b.want("#authenticator-needed", "at level 2")
	b.want("main", "Level 2 takes two things")
	if words := strings.ToLower(b.text("main")); strings.Contains(words, "score") || strings.Contains(words, "validity") {
		t.Errorf("the page speaks of scores: %s", words)
	}
	b.screenshot("unmet")
	b.accessible()
	b.click("#levels")
	b.want("#missing", "Bring another proof of who you are")
	b.want("#elsewhere", "Our policy")
	b.screenshot("levels-low")
	b.accessible()
}
