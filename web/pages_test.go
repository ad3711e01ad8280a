package web

import (
	"encoding/json"
	"flag"
	"maps"
	"net/http/httptest"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/net/html"
)

var update = flag.Bool("update", false, "rewrite the golden files")

// pages are all pages, by the name of their golden file.
func pages() map[string]Page {
	signedOut := Frame{RequestID: "7ZQK3M5TXA"}
	signedIn := Frame{RequestID: "7ZQK3M5TXA", SignedInAs: "Amara Okafor"}
	pending := Frame{RequestID: "7ZQK3M5TXA", FormAction: []string{"https:", "http://127.0.0.1:8080"}}
	pendingSignedIn := pending
	pendingSignedIn.SignedInAs = "Amara Okafor"
	nurse := Role{
		ID: "555200000101", Name: "Nurse Access Role", Organisation: "Riverside General Hospital", OrganisationCode: "RX001",
		Activities: []string{"Read a summary record", "Prescribe from a protocol"},
	}
	roles := []Role{
		nurse,
		{ID: "555200000102", Name: "Clinical Practitioner Access Role", Organisation: "Hilltop Surgery", OrganisationCode: "Y00002"},
	}
	manyRoles := slices.Concat(roles, []Role{
		{ID: "555200000103", Name: "Midwife Access Role", Organisation: "Riverside General Hospital", OrganisationCode: "RX001"},
		{ID: "555200000104", Name: "Nurse Access Role", Organisation: "Hilltop Surgery", OrganisationCode: "Y00002"},
		{ID: "555200000105", Name: "Registration Authority Agent", Organisation: "Riverside General Hospital", OrganisationCode: "RX001"},
		{ID: "555200000106", Name: "Bank Nurse", Organisation: "An agency without a code"},
	})
	key := Authenticator{
		Name: "Blue key on my lanyard", Kind: "Security key",
		AddedAt:    time.Date(2026, time.March, 2, 9, 5, 0, 0, time.UTC),
		LastUsedAt: time.Date(2026, time.November, 22, 8, 55, 0, 0, time.UTC),
	}
	unused := Authenticator{Name: "Phone", Kind: "Passkey", AddedAt: time.Date(2026, time.November, 21, 16, 0, 0, 0, time.UTC)}
	get := Ceremony{
		Options: json.RawMessage(`{"challenge":"dGhlIGNoYWxsZW5nZQ","rpId":"localhost","userVerification":"required"}`),
		Finish:  "/sign-in/finish?state=abc&x=1",
	}
	create := Ceremony{
		Options: json.RawMessage(`{"challenge":"dGhlIGNoYWxsZW5nZQ","rp":{"id":"localhost","name":"Credence"},` +
			`"user":{"id":"YW1hcmE","name":"555100000001","displayName":"Amara Okafor"},"pubKeyCredParams":[{"type":"public-key","alg":-7}]}`),
		Finish: "/enrol/finish?token=abc",
	}
	people := []SimulatedPerson{
		{"Amara Okafor", "555100000001", "R8000 Clinical Practitioner, level 3, high", "/sign-in/simulated?state=abc&username=555100000001"},
		{"Bram de Vries", "555100000002", "No role, level 2, medium", "/sign-in/simulated?state=abc&username=555100000002"},
	}
	methods := []Option{
		{Value: "smartcard", Label: "Smartcard (level 3)"},
		{Value: "security-key", Label: "Security key (level 3)"},
		{Value: "passkey", Label: "Passkey (level 2)"},
		{Value: "totp", Label: "Password and code from an app (level 2)"},
		{Value: "password", Label: "Password (level 1)"},
	}
	setPassword := SetPassword{
		Frame: signedOut, PostURL: "/enrol/password?token=abc&offer=def", PersonName: "Amara Okafor", UserID: "555100000001", Shortest: 15, Longest: 256,
		Key: "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ", App: "otpauth://totp/Credence:555100000001?secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ&issuer=Credence", OtherURL: "/enrol?token=abc",
	}
	all := map[string]Page{
		"sign-in": SignIn{
			Frame: pending, PostURL: "/sign-in?state=abc", ClientName: "Ward Notes", PasswordURL: "/sign-in/password?state=abc",
			Ceremony: get, SimulatedURL: "/sign-in/simulated?state=abc", Cancelable: true,
		},
		"sign-in-alone":    SignIn{Frame: signedOut, PostURL: "/sign-in?state=abc", Ceremony: get, RecoverURL: "/recover"},
		"sign-in-username": SignIn{Frame: pending, PostURL: "/sign-in?state=abc", ClientName: "Ward Notes", Username: "555100000001", Ceremony: get, Cancelable: true},
		"sign-in-error": SignIn{
			Frame: Frame{Errors: []FieldError{{"username", "Enter your user ID, which is 12 digits long"}}}, PostURL: "/sign-in?state=abc", Username: "5551", Ceremony: get,
		},
		"step-up": SignIn{
			Frame: pendingSignedIn, PostURL: "/sign-in/step-up?state=abc", ClientName: "Ward Notes", Username: "555100000001", Ceremony: get, Cancelable: true,
			Needs: "at level 3", StepUp: &StepUp{Has: "at level 2", Takes: "Level 3 takes a key that cannot be copied.", With: []string{"Blue key", "Work laptop"}, CanContinue: true},
		},
		"step-up-simulated": SignIn{
			Frame: pendingSignedIn, PostURL: "/sign-in/step-up?state=abc", Username: "555100000001", SimulatedURL: "/sign-in/simulated?state=abc", Cancelable: true,
			Needs: "at level 3, with a smartcard", StepUp: &StepUp{Has: "at level 1"},
		},
		"unmet": Unmet{
			Frame: pendingSignedIn, PostURL: "/sign-in/unmet?state=abc", ClientName: "Ward Notes", Cancelable: true, Authenticator: "at level 3",
			Takes: "Level 3 takes a key that cannot be copied.",
			Identity: &IdentityGap{
				Needs: "high", Has: "medium", Rank: "the third of four levels",
				Ways: [][]string{{"Bring your passport again: the desk has to read its chip."}, {"Bring a birth certificate.", "Have your face compared with your photo."}},
			},
		},
		"unmet-identity":      Unmet{Frame: pendingSignedIn, PostURL: "/sign-in/unmet?state=abc", Identity: &IdentityGap{Needs: "low", Rank: "the lowest of four levels"}},
		"unmet-authenticator": Unmet{Frame: pendingSignedIn, PostURL: "/sign-in/unmet?state=abc", ClientName: "Ward Notes", Authenticator: "at level 3", Takes: "Level 3 takes a key that cannot be copied.", Cancelable: true},
		"password-sign-in":    PasswordSignIn{Frame: pending, PostURL: "/sign-in/password?state=abc", OtherURL: "/sign-in?state=abc", ClientName: "Ward Notes", Cancelable: true},
		"password-sign-in-error": PasswordSignIn{
			Frame: Frame{Errors: []FieldError{{"", "We could not sign you in"}, {"password", "Enter your password"}}}, PostURL: "/sign-in/password?state=abc",
			OtherURL: "/sign-in?state=abc", Username: "555100000001",
		},
		"set-password": setPassword,
		"set-password-error": func() Page {
			page := setPassword
			page.Errors = []FieldError{{"password", "Enter a password of at least 15 characters"}}
			return page
		}(),
		"simulated": Simulated{Frame: pending, PostURL: "/sign-in/simulated?state=abc", ClientName: "Ward Notes", People: people, Methods: methods, Cancelable: true},
		"simulated-error": Simulated{
			Frame:   Frame{Errors: []FieldError{{"username", "There is no person with user ID 555100000009"}}},
			PostURL: "/sign-in/simulated?state=abc", People: people, Username: "555100000009", Methods: methods, Method: "passkey",
		},
		"role-choice": RoleChoice{Frame: pendingSignedIn, PostURL: "/sign-in/role?state=abc", ClientName: "Ward Notes", Roles: roles, Selected: nurse.ID, Cancelable: true},
		"role-choice-error": RoleChoice{
			Frame: Frame{SignedInAs: "Amara Okafor", Errors: []FieldError{{"role", "Choose a role"}}}, PostURL: "/sign-in/role?state=abc", Roles: roles,
		},
		"role-choice-many":     RoleChoice{Frame: signedIn, PostURL: "/sign-in/role?state=abc", Roles: manyRoles},
		"role-choice-search":   RoleChoice{Frame: signedIn, PostURL: "/sign-in/role?state=abc", ClientName: "Ward Notes", Roles: manyRoles, Search: "nurse RX0", Cancelable: true},
		"role-choice-no-match": RoleChoice{Frame: signedIn, PostURL: "/sign-in/role?state=abc", Roles: manyRoles, Search: "surgeon"},
		"no-role":              NoRole{Frame: pendingSignedIn, PostURL: "/sign-in/role?state=abc", ClientName: "Ward Notes", CanContinue: true, Cancelable: true},
		"no-role-refused":      NoRole{Frame: signedIn, PostURL: "/sign-in/role?state=abc", ClientName: "Ward Notes"},
		"no-role-unnamed":      NoRole{Frame: pendingSignedIn, PostURL: "/sign-in/role?state=abc", Cancelable: true},
		"enrol":                Enrol{Frame: signedOut, PersonName: "Amara Okafor", SuggestedName: "My security key", Ceremony: create, PasswordURL: "/enrol/password?token=abc"},
		"enrol-keys":           Enrol{Frame: signedOut, PersonName: "Amara Okafor", SuggestedName: "My security key", Ceremony: create},
		"enrol-code":           EnrolCode{Frame: signedOut, PostURL: "/enrol/code?token=abc"},
		"enrol-code-wrong":     EnrolCode{Frame: Frame{Errors: []FieldError{{Field: "code", Message: "Enter the 8 digits that you were told. After 5 wrong codes the link stops working"}}}, PostURL: "/enrol/code?token=abc"},
		"enrolled":             Enrolled{Frame: signedOut, Authenticator: unused, ContinueURL: "/sign-in"},
		"enrolled-password":    Enrolled{Frame: signedOut, Authenticator: unused, Password: true, ContinueURL: "/sign-in"},
		"recover":              Recover{Frame: signedOut},
		"recover-wrong":        Recover{Frame: Frame{Errors: []FieldError{{Message: "This recovery code does not work. Check it and your user ID. Each code works once, and new codes replace the old ones"}}}, Username: "555100000001"},
		"recovery-sent":        RecoverySent{Frame: signedOut},
		"self-register":        SelfRegister{Frame: signedOut, Organisation: "Riverside General Hospital", PostURL: "/register/RX001"},
		"self-register-wrong": SelfRegister{
			Frame:        Frame{Errors: []FieldError{{"given_name", "Enter your given name, of up to 100 characters"}, {"email", "Enter your email address, such as ada@example.org"}}},
			Organisation: "Riverside General Hospital", PostURL: "/register/RX001", FamilyName: "Okafor", Email: "amara",
		},
		"self-registration-sent":    SelfRegistrationSent{Frame: signedOut},
		"self-registration-confirm": SelfRegistrationConfirm{Frame: signedOut, Name: "Amara Okafor", Email: "amara@example.org", Organisation: "Riverside General Hospital", PostURL: "/register/confirm?token=abc"},
		"self-registration-known":   SelfRegistrationKnown{Frame: signedOut},
		"welcome":                   Welcome{Frame: signedOut, SignInURL: "/sign-in"},
		"home": Home{
			Frame: signedIn, Name: "Amara Okafor", UserID: "555100000001", IdentityAssurance: "High: identity proved in person",
			Method: "Security key", AuthenticatorAssurance: "Level 3: a key that cannot be copied",
			AuthenticatedAt: time.Date(2026, time.November, 22, 8, 55, 0, 0, time.UTC),
			Role:            &nurse, OtherRoles: roles[1:], Authenticators: []Authenticator{key, unused},
			ChangeRoleURL: "/role", DeskURL: "/desk", SignOutURL: "/logout", SignOutEverywhereURL: "/logout/everywhere",
			Signals: json.RawMessage(`{"rpId":"id.example.org","userId":"aGFuZGxl","name":"555100000001","displayName":"Amara Okafor","allAcceptedCredentialIds":["AQID"]}`),
		},
		"home-bare": Home{
			Frame: Frame{SignedInAs: "Bram de Vries"}, Name: "Bram de Vries", UserID: "555100000002", IdentityAssurance: "Medium", Method: "Password",
			AuthenticatorAssurance: "Level 1", AuthenticatedAt: time.Date(2026, time.July, 1, 12, 0, 0, 0, time.UTC),
			SignOutURL: "/logout", SignOutEverywhereURL: "/logout/everywhere",
		},
		"levels": Levels{
			Frame: signedIn,
			Identity: IdentityLevel{
				Level: "High", Profile: "H1A", Also: "M1A, M1C", IAL: "2", Policy: "gpg45-0.5/2026-11", Today: "medium",
				Scores:     []Score{{"Strength of the passport", 4, "It is of the kind passport.", 12}, {"Activity over time", 0, "No record shows activity for long enough.", 1}},
				MoreScores: 3,
				Next: []NextLevel{
					{"high", [][]string{{"Bring your passport again: the desk has to read its chip."}, {"Have your face compared with your photo.", "The desk has to check your details against records of fraud."}}},
					{"very high", [][]string{{"Bring your passport again: the desk has to see that it was not cancelled, lost or stolen."}}},
				},
			},
			SignIn: SignInLevel{"3: the strongest", "Security key", "The key cannot be copied.", time.Date(2026, time.November, 22, 8, 55, 0, 0, time.UTC)},
			Authenticators: []AuthenticatorLevel{
				{"Blue key on my lanyard", "Security key", "level 3: the strongest", []string{"Its key cannot be copied."}, true},
				{"Phone", "Passkey", "you cannot sign in with it", []string{"Use another one.", "Its key can be copied."}, false},
			},
			Elsewhere: []Elsewhere{{"eIDAS", "Substantial", "Our policy"}, {"NHS login, identity", "P0", "Published"}},
		},
		"levels-asserted": Levels{
			Frame: signedIn, Identity: IdentityLevel{Level: "Medium", Asserted: true},
			SignIn: SignInLevel{"1: basic", "Password", "You used one thing.", time.Date(2026, time.November, 22, 8, 55, 0, 0, time.UTC)},
		},
		"levels-none": Levels{
			Frame: signedIn, Identity: IdentityLevel{Level: "None: your identity has not been proved"},
			SignIn: SignInLevel{"1: basic", "Password", "You used one thing.", time.Date(2026, time.November, 22, 8, 55, 0, 0, time.UTC)},
		},
		"sign-out-confirm": SignOutConfirm{Frame: signedIn, ClientName: "Ward Notes", StayURL: "/"},
		"signed-out":       SignedOut{Frame: signedOut, SignInURL: "/sign-in"},
		"problem": &Problem{
			Frame: signedOut, Status: 410, Title: "This link has expired",
			Message: "An enrolment link works once, for 24 hours.", Next: "Ask your registration authority for a new one.",
		},
		"problem-retry": &Problem{
			Frame: signedOut, Status: 429, Title: "Wait a minute, then try again",
			Message: "This did not work, and too many other links have failed.", Next: "If you see this again, tell your help desk the reference below.", Retry: true,
		},
		"problem-developer": &Problem{
			Frame: signedOut, Status: 400, Title: "There is a problem with the service you came from",
			Message: "It sent you here with a request that we cannot accept.", Next: "Go back and try again, or tell the people who run the service.",
			Code: "invalid_request", Description: "The redirect_uri is not registered for this client.",
		},
	}
	maps.Copy(all, deskPages())
	maps.Copy(all, accountPages())
	maps.Copy(all, deskPeoplePages())
	maps.Copy(all, breakGlassPages())
	maps.Copy(all, deskIntroductionPages())
	maps.Copy(all, deskEvidencePages())
	maps.Copy(all, deskMeetingPages())
	maps.Copy(all, deskAuthenticatorPages())
	maps.Copy(all, deskCreatePages())
	maps.Copy(all, deskLifecyclePages())
	maps.Copy(all, deskClientPages())
	maps.Copy(all, deskReviewPages())
	maps.Copy(all, deskBulkPages())
	maps.Copy(all, deskGlancePages())
	maps.Copy(all, deskPolicyPages())
	maps.Copy(all, deskAuditPages())
	maps.Copy(all, deskRetentionPages())
	return all
}

// hostile returns each page type with every text in it replaced by one that breaks out of a page that does not escape.
func hostile() map[string]Page {
	all := make(map[string]Page)
	for key, p := range pages() {
		name, _ := p.page()
		if key != name {
			continue
		}
		v := reflect.ValueOf(p)
		pointer := v.Kind() == reflect.Pointer
		changed := reflect.New(reflect.Indirect(v).Type())
		changed.Elem().Set(reflect.Indirect(v))
		if name == "desk-policy" { // one page for all: each shows it alike
			changed.Elem().FieldByName("Meanwhile").Set(reflect.ValueOf(new(Meanwhile)))
		}
		poison(changed.Elem(), "")
		if !pointer {
			changed = changed.Elem()
		}
		all["hostile-"+name], _ = reflect.TypeAssert[Page](changed)
	}
	return all
}

const script = `"'></textarea></title><script>alert(1)</script><img src=x onerror=alert(1)>{{.}}`

func poison(v reflect.Value, field string) {
	switch v.Kind() {
	case reflect.String:
		if v.Type() == reflect.TypeFor[Language]() {
			return // chooses a page, and is never written
		}
		if strings.HasSuffix(field, "URL") {
			v.SetString("javascript:alert(1)//" + script)
		} else {
			v.SetString(script)
		}
	case reflect.Bool:
		v.SetBool(true)
	case reflect.Struct:
		if v.Type() == reflect.TypeFor[time.Time]() {
			return
		}
		for f, value := range v.Fields() {
			if f.Name == "FormAction" || f.Name == "Meanwhile" && value.IsNil() { // the former is refused, see TestRenderRefusesFormAction
				continue
			}
			poison(value, f.Name)
		}
	case reflect.Slice:
		if v.Type() == reflect.TypeFor[json.RawMessage]() {
			quoted, _ := json.Marshal(map[string]string{"challenge": script})
			v.SetBytes(quoted)
			return
		}
		v.Set(reflect.MakeSlice(v.Type(), 7, 7)) // not shared with the ordinary page
		for i := range v.Len() {
			poison(v.Index(i), field)
		}
	case reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		poison(v.Elem(), field)
	default:
	}
}

func render(t *testing.T, o Options, page Page) *httptest.ResponseRecorder {
	t.Helper()
	pages, err := New(o)
	if err != nil {
		t.Fatalf("New(%+v) = %v, want no error", o, err)
	}
	w := httptest.NewRecorder()
	if err := pages.Render(w, 200, page); err != nil {
		t.Fatalf("Render(%T) = %v, want no error", page, err)
	}
	return w
}

func TestPagesAreGolden(t *testing.T) {
	t.Parallel()
	version := regexp.MustCompile(`\?v=[0-9a-f]{16}`)
	all := pages()
	maps.Copy(all, hostile())
	for name, page := range all {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := version.ReplaceAllString(render(t, Options{}, page).Body.String(), "?v=VERSION")
			file := filepath.Join("testdata", name+".html")
			if *update {
				if err := os.WriteFile(file, []byte(got), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(string(want), got); diff != "" {
				t.Errorf("Render(%s) differs from %s; -update rewrites it (-want +got):\n%s", name, file, diff)
			}
		})
	}
	t.Run("no golden file is left over", func(t *testing.T) {
		t.Parallel()
		goldens, err := filepath.Glob("testdata/*.html")
		if err != nil {
			t.Fatal(err)
		}
		for _, file := range goldens {
			if name := strings.TrimSuffix(filepath.Base(file), ".html"); all[name] == nil {
				t.Errorf("%s is the golden file of no page", file)
			}
		}
	})
}

func TestEveryTemplateHasAPage(t *testing.T) {
	t.Parallel()
	p, err := New(Options{})
	if err != nil {
		t.Fatal(err)
	}
	var got, want []string
	for name := range hostile() {
		got = append(got, strings.TrimPrefix(name, "hostile-"))
	}
	for name := range p.templates {
		want = append(want, name.page)
	}
	sorted := cmp.Transformer("sort", func(s []string) map[string]bool {
		set := make(map[string]bool)
		for _, name := range s {
			set[name] = true
		}
		return set
	})
	if diff := cmp.Diff(want, got, sorted); diff != "" {
		t.Errorf("pages under test differ from templates/pages (-templates +tested):\n%s", diff)
	}
}

// TestStructure holds every page to what a keyboard, a screen reader and the content security policy need.
func TestStructure(t *testing.T) {
	t.Parallel()
	all := pages()
	maps.Copy(all, hostile())
	for name, page := range all {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			document, err := html.Parse(render(t, Options{Development: true}, page).Body)
			if err != nil {
				t.Fatal(err)
			}
			_, frame := page.page()
			ids, labels := make(map[string]int), make(map[string]bool)
			count := make(map[string]int)
			for n := range document.Descendants() {
				if n.Type != html.ElementNode {
					continue
				}
				count[n.Data]++
				ids[attribute(n, "id")]++
				labels[attribute(n, "for")] = n.Data == "label" || labels[attribute(n, "for")]
				for _, a := range n.Attr {
					if strings.HasPrefix(a.Key, "on") || a.Key == "style" {
						t.Errorf("<%s %s=%q> is inline script or style", n.Data, a.Key, a.Val)
					}
					if strings.HasPrefix(a.Val, "javascript:") {
						t.Errorf("<%s %s=%q> runs script", n.Data, a.Key, a.Val)
					}
				}
			}
			for _, once := range []string{"h1", "title", "main", "header", "footer"} {
				if count[once] != 1 {
					t.Errorf("page has %d <%s>, want 1", count[once], once)
				}
			}
			for n := range document.Descendants() {
				if n.Type != html.ElementNode {
					continue
				}
				switch n.Data {
				case "html":
					if got := attribute(n, "lang"); got != "en-GB" {
						t.Errorf("lang = %q, want en-GB", got)
					}
				case "title":
					if got, want := strings.HasPrefix(text(n), "Error: "), len(frame.Errors) > 0; got != want {
						t.Errorf("title %q starts with Error: %t, want %t", text(n), got, want)
					}
				case "script":
					if n.FirstChild != nil || !strings.HasPrefix(attribute(n, "src"), "/static/") {
						t.Errorf("<script src=%q> is inline or from elsewhere", attribute(n, "src"))
					}
				case "style", "iframe", "base":
					t.Errorf("page has a <%s>", n.Data)
				case "img":
					if src := attribute(n, "src"); !strings.HasPrefix(src, "/static/") && (!strings.HasPrefix(src, "/desk/") || !strings.HasSuffix(src, "/photograph.jpg")) && src != "#ZgotmplZ" { // which is what a hostile one becomes
						t.Errorf("<img src=%q> is from elsewhere", attribute(n, "src"))
					}
				case "input", "select", "textarea":
					if attribute(n, "type") == "hidden" {
						t.Errorf("hidden field %q", attribute(n, "name"))
					}
					if !labels[attribute(n, "id")] {
						t.Errorf("<%s id=%q> has no label", n.Data, attribute(n, "id"))
					}
				case "form":
					if searches := attribute(n, "method") == "get" && attribute(n, "role") == "search"; attribute(n, "method") != "post" && !searches {
						t.Errorf("<form id=%q method=%q> neither posts nor searches", attribute(n, "id"), attribute(n, "method"))
					}
				case "button":
					if kind := attribute(n, "type"); kind != "submit" && (kind != "button" || !frame.Camera) || attribute(n, "id") == "" { // only the camera needs script
						t.Errorf("button %q has type %q and id %q, want submit and an id", text(n), attribute(n, "type"), attribute(n, "id"))
					}
				}
				for id := range strings.FieldsSeq(attribute(n, "aria-describedby")) {
					if ids[id] == 0 && !strings.HasPrefix(name, "hostile-") {
						t.Errorf("aria-describedby %q names nothing", id)
					}
				}
				if target, ok := strings.CutPrefix(attribute(n, "href"), "#"); ok && ids[target] == 0 && !strings.HasPrefix(name, "hostile-") {
					t.Errorf("<a href=#%s> leads nowhere", target)
				}
			}
			for id, n := range ids {
				if id != "" && n > 1 && !strings.HasPrefix(name, "hostile-") {
					t.Errorf("%d elements have id %q", n, id)
				}
			}
		})
	}
}

// TestHostileTextStaysText renders text that would break out of a page, and expects it whole, as text.
func TestHostileTextStaysText(t *testing.T) {
	t.Parallel()
	for name, page := range hostile() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			body := render(t, Options{}, page).Body.String()
			if strings.Contains(body, "<script>") || strings.Contains(body, "<img src=x") {
				t.Errorf("Render(%s) writes hostile text as markup", name)
			}
			if strings.Contains(body, `"javascript:`) {
				t.Errorf("Render(%s) links to script", name)
			}
		})
	}
}

func attribute(n *html.Node, key string) string {
	for _, a := range n.Attr {
		if a.Key == key {
			return a.Val
		}
	}
	return ""
}

func text(n *html.Node) string {
	var b strings.Builder
	for d := range n.Descendants() {
		if d.Type == html.TextNode {
			b.WriteString(d.Data)
		}
	}
	return strings.Join(strings.Fields(b.String()), " ")
}

func TestRoleChoiceSearch(t *testing.T) {
	t.Parallel()
	page := RoleChoice{Roles: []Role{
		{ID: "1", Name: "Nurse Access Role", Organisation: "Riverside General Hospital", OrganisationCode: "RX001"},
		{ID: "2", Name: "Nurse Access Role", Organisation: "Hilltop Surgery", OrganisationCode: "Y00002"},
		{ID: "3", Name: "Bank Nurse", Organisation: "An agency without a code"},
	}}
	for _, test := range []struct {
		search string
		want   []string
	}{
		{"", []string{"1", "2", "3"}},
		{"  ", []string{"1", "2", "3"}},
		{"NURSE", []string{"1", "2", "3"}},
		{"surgery nurse", []string{"2"}},
		{"rx0", []string{"1"}},
		{"surgeon", nil},
	} {
		page.Search = test.search
		var got []string
		for _, o := range page.Options() {
			got = append(got, o.Value)
		}
		if diff := cmp.Diff(test.want, got); diff != "" {
			t.Errorf("RoleChoice{Search: %q}.Options() (-want +got):\n%s", test.search, diff)
		}
	}
}

// TestSignOutIsOnEveryPageOfASession looks for the one button that a person at a shared computer must always find.
func TestSignOutIsOnEveryPageOfASession(t *testing.T) {
	t.Parallel()
	signedIn := Frame{SignedInAs: "Amara Okafor"}
	elsewhere := Frame{SignedInAs: "Amara Okafor", SignOutURL: "/elsewhere"}
	for _, test := range []struct {
		name string
		page Page
		want string // what the button posts to; empty for no button
	}{
		{"a choice of role", RoleChoice{Frame: signedIn}, "/logout"},
		{"nothing to choose", NoRole{Frame: signedIn}, "/logout"},
		{"a problem", &Problem{Frame: signedIn}, "/logout"},
		{"a page that says where to", NoRole{Frame: elsewhere}, "/elsewhere"},
		{"the home page, which always says where to", Home{Frame: signedIn, SignOutURL: "/logout"}, "/logout"},
		{"the question itself", SignOutConfirm{Frame: signedIn}, ""},
		{"a page of nobody's session", NoRole{}, ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			document, err := html.Parse(render(t, Options{}, test.page).Body)
			if err != nil {
				t.Fatal(err)
			}
			var got string
			for n := range document.Descendants() {
				if attribute(n, "id") == "header-sign-out" {
					got = attribute(n.Parent, "action")
				}
			}
			if got != test.want {
				t.Errorf("Render(%T): #header-sign-out posts to %q, want %q", test.page, got, test.want)
			}
		})
	}
}

func TestProblemIsAnError(t *testing.T) {
	t.Parallel()
	var err error = &Problem{Status: 404, Title: "Page not found"}
	if got, want := err.Error(), "404 Page not found"; got != want {
		t.Errorf("Problem.Error() = %q, want %q", got, want)
	}
}
