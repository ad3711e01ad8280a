package idp_test

import (
	"encoding/json"
	"html"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	xhtml "golang.org/x/net/html"

	"github.com/credence-id/credence/idp/webauthn/webauthntest"
)

// filter is what the form of a list sends as the page has it, or nil where it has none.
func (a answer) filter(t *testing.T) url.Values {
	t.Helper()
	doc, err := xhtml.Parse(strings.NewReader(a.body))
	if err != nil {
		t.Fatal(err)
	}
	var sends url.Values
	for form := range doc.Descendants() {
		if form.Data != "form" || attribute(form, "role") != "search" {
			continue
		}
		sends = url.Values{}
		for n := range form.Descendants() {
			switch name := attribute(n, "name"); {
			case n.Data == "select":
				sends.Set(name, chosen(n))
			case n.Data == "input" && (attribute(n, "type") != "radio" || has(n, "checked")):
				sends.Set(name, attribute(n, "value"))
			}
		}
	}
	return sends
}

// chosen is the option of a select that is, or the first of them.
func chosen(s *xhtml.Node) string {
	first, found := "", false
	for n := range s.Descendants() {
		switch {
		case n.Data != "option":
		case has(n, "selected"):
			return attribute(n, "value")
		case !found:
			first, found = attribute(n, "value"), true
		}
	}
	return first
}

// What somebody signs in with, her open enrolment links and her sessions go on page by page, in either order, each of them once: at the desk,
// by API and at her account. So does by what her identity is proved.
func TestWhatAPersonHasIsPaged(t *testing.T) {
	t.Parallel()
	p := newProvider(t)
	his := webauthntest.New()
	p.enrol(oneRole, his)
	her := p.signedInWith(his)
	now := p.clock.Now()
	p.exec(`INSERT INTO authenticator (id, person_id, name, kind, credential_id, public_key, sign_count, aaguid, transports, backup_eligible, backup_state, attestation_format, attestation_object, client_data, created_at, state, revoked_at)
		SELECT gen_random_uuid(), $1, 'Key ' || n || '.', 'passkey', sha256(n::text::bytea), 'public', 0, gen_random_uuid(), '{}', true, true, 'none', 'object', '{}', $2::timestamptz + n / 9 * interval '1 s',
			CASE WHEN n % 2 = 0 THEN 'active' ELSE 'lost' END, CASE WHEN n % 2 = 1 THEN $2::timestamptz END FROM generate_series(1, 45) n`, oneRole, now)
	p.exec(`INSERT INTO enrolment_link (id, hash, person_id, created_at, expires_at)
		SELECT gen_random_uuid(), sha256(n::text::bytea), $1, $2::timestamptz + n / 9 * interval '1 s', $2::timestamptz + interval '1 day' FROM generate_series(1, 45) n`, oneRole, now)
	p.exec(`INSERT INTO session (id, cookie_hash, person_id, authenticator_level, methods, authenticated_at, created_at, idle_at, expires_at)
		SELECT gen_random_uuid(), sha256(n::text::bytea), $1, 2, '{pop}', $2::timestamptz - n / 9 * interval '1 s', $2::timestamptz - interval '1 hour', $2::timestamptz + interval '1 hour', $2::timestamptz + interval '2 hours' FROM generate_series(1, 44) n`, oneRole, now)
	p.exec(`INSERT INTO audit_event (at, event, refusal, actor, person_id, client_id, request_id, address, detail)
		SELECT created_at, 'enrolled', '', person_id, person_id, '', '', '', jsonb_build_object('authenticator', id) FROM authenticator WHERE name LIKE 'Key %'`)
	p.exec(`INSERT INTO audit_event (at, event, refusal, actor, person_id, client_id, session_id, request_id, address, detail)
		SELECT authenticated_at, 'signed_in', '', person_id, person_id, '', id, '', '', '{}' FROM session WHERE created_at < $1`, now.Add(-time.Minute))
	p.exec(`INSERT INTO evidence (id, person_id, type, kind, facts, process_id, recorded_at, recorded_by, withdrawn_at, withdrawn_by, withdrawn_reason)
		SELECT gen_random_uuid(), $1, type, kind, facts || jsonb_build_object('issuer', 'Issuer ' || n || '.'), gen_random_uuid(), $2::timestamptz + n / 9 * interval '1 s', 'operator:test', $2, 'operator:test', 'superseded'
		FROM (SELECT type, kind, facts FROM evidence WHERE person_id = $1 LIMIT 1) e, generate_series(1, 45) n`, oneRole, now)
	p.exec(`INSERT INTO audit_event (at, event, refusal, actor, person_id, client_id, request_id, address, detail)
		SELECT recorded_at, event, '', recorded_by, person_id, '', '', '', jsonb_build_object('evidence', id, 'level_before', 'none', 'level', 'high')
		FROM evidence, unnest(ARRAY['evidence_recorded', 'evidence_withdrawn']) event WHERE recorded_by = 'operator:test'`)
	manager, _ := p.atDesk(raManager, "/desk")
	g := program{p, p.description(), p.officerToken(p.browser(), raManager, apiScopes, "smartcard")}
	of := "/desk/people/" + oneRole + "/authenticators"
	for _, list := range []struct {
		b          *browser
		path, next string
		row        *regexp.Regexp
		want       int
	}{
		{manager, of, "next", regexp.MustCompile(`>(Key [0-9]+\.)</dt>`), 45},
		{manager, of + "?sort=-at", "next", regexp.MustCompile(`>(Key [0-9]+\.)</dt>`), 45},
		{manager, of, "next-links", regexp.MustCompile(`/link/([0-9a-f-]+)\?`), 45},
		{her, "/account/authenticators", "next", regexp.MustCompile(`>(Key [0-9]+\.)</dt>`), 45},
		{her, "/account/authenticators?sort=-at", "next", regexp.MustCompile(`>(Key [0-9]+\.)</dt>`), 45},
		{her, "/account", "next", regexp.MustCompile(`>(Issuer [0-9]+\.)<`), 45},
		{her, "/account?sort=-at", "next", regexp.MustCompile(`>(Issuer [0-9]+\.)<`), 45},
		{manager, "/desk/people/" + oneRole + "/evidence?sort=-at", "next", regexp.MustCompile(`(Issuer [0-9]+\.)`), 45},
		{her, "/account/sessions", "next", regexp.MustCompile(`id="end-([0-9a-f-]+)"`), 44},
		{her, "/account/sessions?sort=at", "next", regexp.MustCompile(`id="end-([0-9a-f-]+)"`), 44},
	} {
		seen, rows, pages := map[string]bool{}, 0, 0
		for path := list.path; path != "" && pages < 9; pages++ {
			a := list.b.get(path)
			for _, row := range list.row.FindAllStringSubmatch(a.body, -1) {
				seen[row[1]] = true
				rows++
			}
			next := regexp.MustCompile(`<a href="([^"]*)" id="` + list.next + `">`).FindStringSubmatch(a.body)
			if path = ""; next != nil {
				path = html.UnescapeString(next[1])
			}
		}
		if len(seen) != list.want || rows != list.want || pages < 2 {
			t.Errorf("GET %s has %d rows on %d pages, %d of them once, want %d on some", list.path, rows, pages, len(seen), list.want)
		}
	}
	for _, list := range []string{"authenticators", "enrolment-links"} {
		for _, order := range []string{"at", "-at"} {
			seen := map[string]bool{}
			path := "/api/people/" + oneRole + "/" + list + "?order=" + order
			for range 9 {
				var shown struct {
					Items []struct{ ID string }
					Next  string
				}
				if a := g.call(http.MethodGet, path, nil, ""); a.StatusCode != http.StatusOK || json.Unmarshal([]byte(a.body), &shown) != nil {
					t.Fatalf("GET %s = %d %s, want a page", path, a.StatusCode, a.body)
				}
				for _, item := range shown.Items {
					if seen[item.ID] {
						t.Errorf("GET %s has %s again", path, item.ID)
					}
					seen[item.ID] = true
				}
				if path = shown.Next; path == "" {
					break
				}
			}
			if len(seen) < 45 {
				t.Errorf("the %s of a person by %s, page by page = %d, want 45", list, order, len(seen))
			}
		}
	}
	// What can be no id, or is somebody else's, does no harm.
	for _, after := range []string{"%00", "x", "01935c5e-7a70-7000-8000-000000000001", strings.Repeat("9", 400)} {
		for _, path := range []string{"/account/authenticators?sort=%00&after=", "/account/sessions?sort=-name&after=", "/account?sort=x&after="} {
			if a := her.get(path + after); a.StatusCode != http.StatusOK {
				t.Errorf("GET %s%.40s = %d, want 200", path, after, a.StatusCode)
			}
		}
		if a := manager.get(of + "?after_link=" + after + "&after=" + after); a.StatusCode != http.StatusOK {
			t.Errorf("GET %s after %.40s = %d, want 200", of, after, a.StatusCode)
		}
	}
}

func attribute(n *xhtml.Node, name string) string {
	for _, a := range n.Attr {
		if a.Key == name {
			return a.Val
		}
	}
	return ""
}

func has(n *xhtml.Node, name string) bool {
	for _, a := range n.Attr {
		if a.Key == name {
			return true
		}
	}
	return false
}
