package onboarding_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"

	"github.com/credence-id/credence/idp/assertion"
	"github.com/credence-id/credence/idp/deed"
	"github.com/credence-id/credence/idp/oauth"
	"github.com/credence-id/credence/idp/onboarding"
	"github.com/credence-id/credence/idp/position"
	"github.com/credence-id/credence/store"
)

// keySet is a set of new keys with some ids, public or private.
func keySet(t *testing.T, private bool, ids ...string) []byte {
	t.Helper()
	set := jose.JSONWebKeySet{Keys: []jose.JSONWebKey{}}
	for _, id := range ids {
		pair, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
		must(t, err)
		k := jose.JSONWebKey{Key: pair, KeyID: id}
		if !private {
			k = k.Public()
		}
		set.Keys = append(set.Keys, k)
	}
	text, err := json.Marshal(set)
	must(t, err)
	return text
}

// keyed makes an application one with keys.
func keyed(jwks []byte, uri string) func(*onboarding.Wanted) {
	return func(w *onboarding.Wanted) {
		w.Client.Authentication, w.Client.JWKS, w.Client.JWKSURI = oauth.AuthPrivateKeyJWT, jwks, uri
	}
}

// A client with keys has no secret, and a private key is on no record.
func TestKeys(t *testing.T) {
	t.Parallel()
	d, ctx := newDesk(t), t.Context()
	first := keySet(t, false, "first")
	id, clientID := d.approved(keyed(first, ""))
	c, err := d.Store.Client(ctx, clientID)
	must(t, err)
	if set, err := oauth.ParseKeys(c.JWKS); err != nil || set.String() != "first (ES256)" || c.SecretHash != nil || c.Authentication != oauth.AuthPrivateKeyJWT {
		t.Errorf("the client = %+v, %v, %v, want its key and no secret", c, set, err)
	}
	_, err = d.Rotate(ctx, d.developer, id, 0, 0)
	refused(t, "Rotate(of a client with keys)", err, onboarding.NoSecret)

	private := keySet(t, true, "first")
	for name, w := range map[string]onboarding.Wanted{
		"a private key":      wanted(keyed(private, "")),
		"no key":             wanted(keyed(keySet(t, false), "")),
		"neither":            wanted(keyed(nil, "")),
		"both":               wanted(keyed(first, "https://ward.example.org/jwks")),
		"keys beside secret": wanted(func(w *onboarding.Wanted) { w.Client.JWKS = first }),
		"keys over http":     wanted(keyed(nil, "http://127.0.0.1/jwks")),
		"keys in an app":     wanted(keyed(nil, "org.example.app:/jwks")),
		"keys with a user":   wanted(keyed(nil, "https://me@ward.example.org/jwks")),
	} {
		_, err := d.Apply(ctx, d.developer, w)
		if mistake, ok := errors.AsType[*oauth.Mistake](err); !ok || !strings.HasPrefix(mistake.Field, "jwks") {
			t.Errorf("Apply(%s) = %v, want what is wrong with the keys", name, err)
		}
	}
	if _, err := d.Apply(ctx, d.developer, wanted(keyed(private, ""))); !errors.Is(err, assertion.ErrPrivate) {
		t.Errorf("Apply(a private key) = %v, want %v", err, assertion.ErrPrivate)
	}
	d.apply(keyed(nil, "https://ward.example.org/jwks"))

	both := keySet(t, false, "first", "second")
	seen := onboarding.KeysSeen(c)
	if err := d.ReplaceKeys(ctx, d.developer, id, seen, private); !errors.Is(err, assertion.ErrPrivate) {
		t.Errorf("ReplaceKeys(a private key) = %v, want %v", err, assertion.ErrPrivate)
	}
	if _, wrong := errors.AsType[*oauth.Mistake](d.ReplaceKeys(ctx, d.developer, id, seen, nil)); !wrong {
		t.Error("ReplaceKeys(none) = no mistake, want one")
	}
	refused(t, "ReplaceKeys(by an agent)", d.ReplaceKeys(ctx, d.agent, id, seen, both), deed.NoRight)
	refused(t, "ReplaceKeys(from elsewhere)", d.ReplaceKeys(ctx, d.elsewhere, id, seen, both), deed.AnotherOrganisation)
	won, reasons := race(t, func(int) error { return d.ReplaceKeys(ctx, d.developer, id, seen, both) })
	if won != 1 || !slices.Equal(reasons, []deed.Reason{onboarding.KeysSince}) {
		t.Errorf("replaced = %d, the others %v, want 1, [%s]", won, reasons, onboarding.KeysSince)
	}
	if c, err = d.Store.Client(ctx, clientID); err != nil || !strings.Contains(string(c.JWKS), "second") {
		t.Errorf("the client's keys = %s, %v, want both", c.JWKS, err)
	}
	secretive, _ := d.approved()
	refused(t, "ReplaceKeys(of a client with a secret)", d.ReplaceKeys(ctx, d.developer, secretive, "", both), onboarding.NoKeys)
	events, err := d.Store.AuditEvents(ctx, 0, 1000)
	must(t, err)
	i := slices.IndexFunc(events, func(e store.AuditEvent) bool { return e.Event == "client_keys_replaced" && e.Refusal == "" })
	if i < 0 || events[i].Detail["old_keys"] != "first (ES256)" || events[i].Detail["keys"] != "first (ES256), second (ES256)" {
		t.Errorf("the record of the change = %v, want the old keys and the new", events)
	}
}

// The readiness check says how many keys can be used, and which lacks what.
func TestCheckTriesKeys(t *testing.T) {
	t.Parallel()
	d, ctx := newDesk(t), t.Context()
	answer, contentType := []byte(nil), "application/json"
	service := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/jwks" {
			return
		}
		w.Header().Set("Content-Type", contentType)
		if answer == nil {
			w.WriteHeader(http.StatusNotFound)
		}
		_, _ = w.Write(answer)
	}))
	t.Cleanup(service.Close)
	id := d.apply(func(w *onboarding.Wanted) {
		w.Environment, w.Client.RedirectURIs = onboarding.Development, []string{service.URL + "/callback"}
	}, keyed(nil, service.URL+"/jwks"))
	for _, test := range []struct {
		name, contentType string
		answer            []byte
		ok                bool
		found             string
	}{
		{"two keys", "application/jwk-set+json", keySet(t, false, "a", "b"), true, "Keys that can be used: 2, which are a (ES256), b (ES256)."},
		{"one without a kid", "application/json", keySet(t, false, "a", ""), true, "Keys that can be used: 1, which are a (ES256). Not used: key 2 has no kid, which each of several keys needs."},
		{"none", "application/json", keySet(t, false), false, "Keys that can be used: 0."},
		{"two of one kid", "application/json", keySet(t, false, "a", "a"), false, `two keys of the set have the id "a"`},
		{"a private key", "application/json", keySet(t, true, "a"), false, "a private or secret key in it"},
		{"what is no set", "application/json", []byte("<html>"), false, "not a JSON Web Key Set"},
		{"a page", "text/html", []byte("<html>"), false, `the type "text/html"`},
		{"nothing", "application/json", nil, false, "It answered 404"},
		{"too much", "application/json", []byte(strings.Repeat(" ", 100<<10)), false, "more than a key set takes"},
		{"many words", "application/json", keySet(t, false, strings.Repeat("Ω", 100), strings.Repeat("<", 190), strings.Repeat(">", 190), strings.Repeat("&", 190), strings.Repeat("'", 190), strings.Repeat(`"`, 190), ""), true, "Keys that can be used: 6"},
	} {
		answer, contentType = test.answer, test.contentType
		d.wait(2 * time.Minute)
		must(t, d.Check(ctx, d.developer, id))
		check, err := d.LastCheck(ctx, id)
		must(t, err)
		if len(check.Findings) != 2 || check.Passed != test.ok || !strings.Contains(check.Findings[1].Found, test.found) || (check.Findings[1].Fix == "") != test.ok || len([]rune(check.Findings[1].Found)) > 1000 {
			t.Errorf("Check(%s) = %+v, want %t, and %q of its keys", test.name, check.Findings, test.ok, test.found)
		}
	}
	registered := d.apply(func(w *onboarding.Wanted) {
		w.Environment, w.Client.RedirectURIs = onboarding.Development, []string{service.URL + "/callback"}
	}, keyed(keySet(t, false, "a"), ""))
	must(t, d.Check(ctx, d.developer, registered))
	if check, err := d.LastCheck(ctx, registered); err != nil || !check.Passed || !strings.Contains(check.Findings[1].Found, "1, which are a (ES256)") {
		t.Errorf("Check(registered keys) = %+v, %v, want that they can be used", check, err)
	}
}

// What is found about the most and longest addresses that there can be is kept.
func TestCheckOfManyLongAddresses(t *testing.T) {
	t.Parallel()
	d, ctx := newDesk(t), t.Context()
	long := func(i int) string {
		return fmt.Sprintf("https://no-such-name.invalid/%d?", i) + strings.Repeat("&", 980)
	}
	id := d.apply(func(w *onboarding.Wanted) {
		w.Client.RedirectURIs = nil
		for i := range 20 {
			w.Client.RedirectURIs = append(w.Client.RedirectURIs, long(i))
			w.Client.PostLogoutRedirectURIs = append(w.Client.PostLogoutRedirectURIs, long(i))
		}
	})
	must(t, d.Check(ctx, d.developer, id))
	check, err := d.LastCheck(ctx, id)
	must(t, err)
	if !check.Ended || len(check.Findings) != 40 || check.Findings[39].URI != long(19) {
		t.Errorf("LastCheck() = %d findings, want all 40", len(check.Findings))
	}
}

// What goes live is decided above, or by the operator where nothing is above; and has a name of its own.
func TestLiveIsDecidedAbove(t *testing.T) {
	t.Parallel()
	d, ctx := newDesk(t), t.Context()
	service := httptest.NewServer(http.NotFoundHandler())
	t.Cleanup(service.Close)
	ready := func(by, approver deed.Acting, organisation, name string) func(*onboarding.Wanted) {
		t.Helper()
		form := wanted(app(service.URL+"/callback"), func(w *onboarding.Wanted) { w.Organisation, w.Client.Name = organisation, name })
		integration, err := d.Apply(ctx, by, form)
		must(t, err)
		_, err = d.Decide(ctx, approver, integration, position.Approve, "Yes")
		must(t, err)
		must(t, d.Check(ctx, by, integration))
		return func(w *onboarding.Wanted) {
			*w = form
			w.Follows, w.Environment = integration, onboarding.Live
		}
	}
	apply := func(by deed.Acting, change func(*onboarding.Wanted)) (uuid.UUID, error) {
		return d.Apply(ctx, by, wanted(change))
	}
	bedside := ready(d.developer, d.advanced, hospital, "Bedside app")
	live, err := apply(d.developer, bedside)
	must(t, err)
	_, err = d.Decide(ctx, d.advanced, live, position.Approve, "Yes")
	refused(t, "Decide(by a colleague)", err, onboarding.NotAbove)
	_, err = d.DecideAsOperator(ctx, "root@host", live, position.Approve, "Yes")
	refused(t, "DecideAsOperator(below another organisation)", err, onboarding.NotOperators)
	_, err = d.Decide(ctx, d.manager, live, position.Approve, "Yes")
	must(t, err)

	// Of the organisation at the top, where nobody is above.
	second := d.officer(board, "S0080:G0450:R5080")
	top := ready(d.manager, second, board, "Board papers")
	live, err = apply(d.manager, top)
	must(t, err)
	_, err = d.Decide(ctx, second, live, position.Approve, "Yes")
	refused(t, "Decide(by a colleague at the top)", err, onboarding.NotAbove)
	client, err := d.DecideAsOperator(ctx, "root@host", live, position.Approve, "Yes")
	if a, read := d.Store.ClientApplication(ctx, live); err != nil || read != nil || a.State != "approved" || *a.ClientID != client || a.DecidedBy != nil {
		t.Errorf("DecideAsOperator() = %q, %v, and the application %+v, want it approved by nobody at the desk", client, err, a)
	}
	_, err = d.DecideAsOperator(ctx, "root@host", live, position.Refuse, "No")
	refused(t, "DecideAsOperator(again)", err, onboarding.NotOpen)
	open := d.apply()
	_, err = d.DecideAsOperator(ctx, "root@host", open, position.Approve, "Yes")
	refused(t, "DecideAsOperator(of integration)", err, onboarding.NotOperators)

	// A name that is like that of another organisation, or of what it has live, is refused, however it is written.
	for _, name := range []string{"bedside  APP", "Bedside-App", "\uff22edside app", "Hospital"} { // the letter B of another width
		_, err = apply(d.elsewhere, ready(d.elsewhere, d.manager, surgery, name))
		refused(t, "Apply(for live as "+name+")", err, onboarding.NameTaken)
	}
	_, err = apply(d.developer, ready(d.developer, d.advanced, hospital, "Bedside app"))
	must(t, err)
	_, err = apply(d.elsewhere, ready(d.elsewhere, d.manager, surgery, "Surgery"))
	must(t, err)
	_, _, err = oauth.AddClient(ctx, d.Store, oauth.Registration{Name: "Pharmacy", RedirectURIs: []string{"https://a.example.org/"}}, "operator", d.clock())
	must(t, err)
	_, err = apply(d.elsewhere, ready(d.elsewhere, d.manager, surgery, "pharmacy"))
	refused(t, "Apply(for live with the name of what the operator registered)", err, onboarding.NameTaken)

	// Two that apply for one name at two organisations: the second to be approved is refused.
	one, err := apply(d.developer, ready(d.developer, d.advanced, hospital, "Stores"))
	must(t, err)
	two, err := apply(d.elsewhere, ready(d.elsewhere, d.manager, surgery, "stores"))
	must(t, err)
	won, reasons := race(t, func(i int) error {
		_, err := d.Decide(ctx, d.manager, []uuid.UUID{one, two}[i%2], position.Approve, "Yes")
		return err
	})
	slices.Sort(reasons)
	if won != 1 || cmp.Diff([]deed.Reason{onboarding.NotOpen, onboarding.NameTaken}, reasons) != "" {
		t.Errorf("of one name approved = %d, the others %v, want 1", won, reasons)
	}
	alike, err := d.Store.SameNames(context.WithoutCancel(ctx), "BEDSIDE APP", surgery)
	must(t, err)
	if len(alike) == 0 || alike[0].OrganisationCode != hospital {
		t.Errorf("SameNames() = %+v, want what the hospital has", alike)
	}
}

// One person has so many open applications and no more, whatever is sent at once.
func TestOpenApplicationsAreBounded(t *testing.T) {
	t.Parallel()
	d, ctx := newDesk(t), t.Context()
	for range 45 {
		d.apply()
	}
	won, reasons := race(t, func(int) error {
		_, err := d.Apply(ctx, d.developer, wanted())
		return err
	})
	if won != 5 || !slices.Equal(reasons, []deed.Reason{onboarding.TooMany}) {
		t.Errorf("applications beside 45 = %d, the others %v, want 5", won, reasons)
	}
	_, err := d.Apply(ctx, d.other, wanted())
	must(t, err)
}
