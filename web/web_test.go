package web

import (
	"bytes"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/net/html"
)

func TestRenderHeaders(t *testing.T) {
	t.Parallel()
	const policy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; form-action 'self'"
	for _, test := range []struct {
		name         string
		frame        Frame
		wantPolicy   string
		wantIsolated string
	}{
		{"a page by itself", Frame{}, policy + "; base-uri 'none'; frame-ancestors 'none'", "same-origin"},
		{
			"a page of a pending request",
			Frame{FormAction: []string{"https:", "com.example.app:", "http://[::1]:8080"}},
			policy + " https: com.example.app: http://[::1]:8080; base-uri 'none'; frame-ancestors 'none'", "",
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			pages, err := New(Options{})
			if err != nil {
				t.Fatal(err)
			}
			w := httptest.NewRecorder()
			if err := pages.Render(w, http.StatusGone, &Problem{Frame: test.frame}); err != nil {
				t.Fatal(err)
			}
			if w.Code != http.StatusGone {
				t.Errorf("Render(410) = status %d, want 410", w.Code)
			}
			want := http.Header{
				"Content-Type":            {"text/html; charset=utf-8"},
				"Cache-Control":           {"no-store"},
				"Content-Language":        {"en-GB"},
				"Content-Length":          {strconv.Itoa(w.Body.Len())},
				"Content-Security-Policy": {test.wantPolicy},
				"X-Frame-Options":         {"DENY"},
				"X-Content-Type-Options":  {"nosniff"},
				"Referrer-Policy":         {"same-origin"},
				"Permissions-Policy":      {"publickey-credentials-get=(self), publickey-credentials-create=(self), camera=()"},
			}
			if test.wantIsolated != "" {
				want.Set("Cross-Origin-Opener-Policy", test.wantIsolated)
			}
			if diff := cmp.Diff(want, w.Header()); diff != "" {
				t.Errorf("Render() headers (-want +got):\n%s", diff)
			}
		})
	}
}

// The script of a page can ask for the camera only where the page is for that.
func TestRenderLetsNoOtherPageUseTheCamera(t *testing.T) {
	t.Parallel()
	for camera, want := range map[bool]string{true: "camera=(self)", false: "camera=()"} {
		page := render(t, Options{}, &Problem{Frame: Frame{Camera: camera}})
		if got := page.Header().Get("Permissions-Policy"); !strings.HasSuffix(got, ", "+want) {
			t.Errorf("Render(Camera: %t): Permissions-Policy = %q, want %s", camera, got, want)
		}
	}
}

func TestRenderRefusesFormAction(t *testing.T) {
	t.Parallel()
	pages, err := New(Options{})
	if err != nil {
		t.Fatal(err)
	}
	for _, source := range []string{
		"", "'unsafe-inline'", "*", "example.com", "https: *", "https:;script-src *", "https:\r\nX: y", "https://a.example/path", "https://a.example,b",
	} {
		w := httptest.NewRecorder()
		if err := pages.Render(w, http.StatusOK, Welcome{Frame: Frame{FormAction: []string{source}}}); err == nil {
			t.Errorf("Render(FormAction: %q) = no error, want one", source)
		}
		if w.Body.Len() != 0 || len(w.Header()) != 0 {
			t.Errorf("Render(FormAction: %q) wrote %d bytes and headers %v, want nothing", source, w.Body.Len(), w.Header())
		}
	}
}

func FuzzFormAction(f *testing.F) {
	for _, source := range []string{"https:", "http://127.0.0.1:8080", "com.example.app:", "https:; script-src *", "a:\n"} {
		f.Add(source)
	}
	f.Fuzz(func(t *testing.T, source string) {
		policy, err := contentSecurityPolicy([]string{source})
		if err != nil {
			return
		}
		if got := strings.Count(policy, ";"); got != 7 {
			t.Errorf("contentSecurityPolicy(%q) has %d directives, want 8", source, got+1)
		}
		if strings.ContainsAny(policy, "\r\n,") {
			t.Errorf("contentSecurityPolicy(%q) = %q, which is more than one policy or header", source, policy)
		}
	})
}

func TestDevelopmentIsSaidOnEveryPage(t *testing.T) {
	t.Parallel()
	const want = "Development. Anyone can sign in as anyone here (simulated sign-in). Never use with real data."
	for name, page := range pages() {
		for _, development := range []bool{true, false} {
			document, err := html.Parse(render(t, Options{Development: development}, page).Body)
			if err != nil {
				t.Fatal(err)
			}
			if got := strings.Contains(text(document), want); got != development {
				t.Errorf("Render(%s, Development: %t) says %q: %t, want %t", name, development, want, got, development)
			}
		}
	}
}

func TestTimesAreLocal(t *testing.T) {
	t.Parallel()
	page := Home{AuthenticatedAt: time.Date(2026, time.July, 1, 12, 4, 0, 0, time.UTC)}
	for _, test := range []struct {
		location *time.Location
		want     string
	}{
		{nil, "1 July 2026 at 12:04pm UTC"},
		{time.FixedZone("BST", 3600), "1 July 2026 at 1:04pm BST"},
	} {
		if body := render(t, Options{Location: test.location}, page).Body.String(); !strings.Contains(body, test.want) {
			t.Errorf("Render(Home, Location: %v) does not say %q", test.location, test.want)
		}
	}
}

// TestComponentsMatchTheDesignSystem compares our components with what nhsuk-frontend's own templates print for the same input.
// testdata/nhsuk-fixtures.json is taken from components/*/fixtures.json of the package.
func TestComponentsMatchTheDesignSystem(t *testing.T) {
	t.Parallel()
	raw, err := os.ReadFile("testdata/nhsuk-fixtures.json")
	if err != nil {
		t.Fatal(err)
	}
	var fixtures map[string]string
	if err := json.Unmarshal(raw, &fixtures); err != nil {
		t.Fatal(err)
	}
	pages, err := New(Options{})
	if err != nil {
		t.Fatal(err)
	}
	for fixture, test := range map[string]struct {
		component string
		data      any
	}{
		"input: width": {"input", field{ID: "input-width", Name: "example", Type: "text", Label: "20 character width", Width: "20"}},
		"input: with error message, without heading": {"input", field{
			ID: "with-error-message", Name: "example", Type: "text", Width: "10", InputMode: "numeric",
			Label: "What is your NHS number?", Error: "Enter NHS number",
		}},
		"select: without heading": {"select", field{ID: "without-heading", Name: "example", Label: "Sort by", Options: []Option{
			{Value: "published", Label: "Recently published"},
			{Value: "updated", Label: "Recently updated"},
			{Value: "views", Label: "Most views"},
			{Value: "comments", Label: "Most comments"},
		}}},
		"select: with error message and hint, without heading": {"select", field{
			ID: "with-hint-error", Name: "example", Label: "Choose location",
			Hint: "This can be different to where you went before", Error: "Select a location",
			Options: []Option{
				{Value: "choose", Label: "Choose location"},
				{Value: "eastmidlands", Label: "East Midlands"},
				{Value: "eastofengland", Label: "East of England"},
				{Value: "london", Label: "London"},
				{Value: "northeast", Label: "North East"},
				{Value: "northwest", Label: "North West"},
				{Value: "southeast", Label: "South East"},
				{Value: "southwest", Label: "South West"},
				{Value: "westmidlands", Label: "West Midlands"},
				{Value: "yorkshire", Label: "Yorkshire and the Humber"},
			},
		}},
		"error-summary: with multiple errors": {"error-summary", []FieldError{
			{"example-first-name", "Enter your first name"}, {"example-last-name", "Enter your last name"},
		}},
		"error-summary: without error link": {"error-summary", []FieldError{{"", "Invalid username or password"}}},
	} {
		t.Run(fixture, func(t *testing.T) {
			t.Parallel()
			problem, err := pages.templates[version{"problem", English}]()
			if err != nil {
				t.Fatal(err)
			}
			var b bytes.Buffer
			if err := problem.ExecuteTemplate(&b, test.component, test.data); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(shape(t, fixtures[fixture]), shape(t, b.String())); diff != "" {
				t.Errorf("component %q differs from the design system (-theirs +ours):\n%s", test.component, diff)
			}
		})
	}
}

// shape returns the elements and texts of a fragment, without what only nhsuk-frontend's script or our own needs.
func shape(t *testing.T, fragment string) []string {
	t.Helper()
	document, err := html.Parse(strings.NewReader(fragment))
	if err != nil {
		t.Fatal(err)
	}
	var lines []string
	for n := range document.Descendants() {
		switch n.Type {
		case html.ElementNode:
			line := n.Data
			for _, key := range []string{
				"class", "id", "for", "name", "type", "value", "role", "href", "selected", "inputmode", "spellcheck", "aria-describedby",
			} {
				if v := attribute(n, key); v != "" && v != "error-summary" {
					line += " " + key + "=" + v
				}
			}
			lines = append(lines, line)
		case html.TextNode:
			if s := strings.TrimSpace(n.Data); s != "" {
				lines = append(lines, s)
			}
		default:
		}
	}
	return lines
}

func TestFieldRefusesMistakes(t *testing.T) {
	t.Parallel()
	for _, pairs := range [][]string{{"id"}, {"colour", "red"}} {
		if f, err := newField(nil, pairs...); err == nil {
			t.Errorf("newField(%q) = %+v, want an error", pairs, f)
		}
	}
}
