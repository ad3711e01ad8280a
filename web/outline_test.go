package web

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// What is filled into an outline is the page that the template prints, whatever stands in it, also when the outline was printed
// for somebody else.
func TestOutline(t *testing.T) {
	t.Parallel()
	pages, err := New(Options{Help: Help{Text: "Ask the desk on floor 2."}})
	if err != nil {
		t.Fatal(err)
	}
	plain := SignIn{
		Frame: Frame{RequestID: "7ZQK3M5TXA", FormAction: []string{"https:"}}, PostURL: "/sign-in?state=abc", ClientName: "Ward Notes",
		Ceremony: Ceremony{Options: json.RawMessage(`{"challenge":"dGhl","timeout":300000}`), Finish: "/sign-in/passkey?ceremony=x&state=abc"}, PasswordURL: "/sign-in/password?state=abc",
	}
	shown := []SignIn{plain}
	for _, value := range []string{"another", `"><script>alert('&amp;')</script>`} {
		shown = append(shown, eachChanged(t, plain, value)...)
	}
	for range 2 { // the second time from what was kept
		for i, page := range shown {
			answer := httptest.NewRecorder()
			if err := pages.Render(answer, http.StatusOK, page); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(printed(t, pages, page), answer.Body.String()); diff != "" {
				t.Errorf("page %d, %+v (-printed +filled in):\n%s", i, page, diff)
			}
		}
	}
	if kept := pages.outlines.printed.Len(); kept >= len(shown) {
		t.Errorf("%d outlines of %d pages, want fewer: some differ in nothing but what is filled in", kept, len(shown))
	}
}

// eachChanged is a page with each of its fields another in turn. A field of a kind that it does not know fails.
func eachChanged(t *testing.T, page SignIn, value string) []SignIn {
	t.Helper()
	var changed []SignIn
	var walk func(path []int, typ reflect.Type)
	walk = func(path []int, typ reflect.Type) {
		if typ.Kind() == reflect.Struct && typ != reflect.TypeFor[FieldError]() {
			for i := range typ.NumField() {
				walk(append(slices.Clip(path), i), typ.Field(i).Type)
			}
			return
		}
		another := page
		field := reflect.ValueOf(&another).Elem().FieldByIndex(path)
		switch it := field.Addr().Interface().(type) {
		case *json.RawMessage:
			*it = json.RawMessage(fmt.Sprintf(`{"challenge":%q}`, value))
		case *Language:
			*it = Welsh
		case *[]string:
			*it = []string{"http:"}
		case *[]FieldError:
			*it = []FieldError{{Field: "username", Message: "Enter your user ID"}}
		case **Meanwhile:
			*it = &Meanwhile{By: value}
		case **StepUp:
			*it = &StepUp{Has: value}
		case *bool:
			*it = !*it
		case *string:
			if strings.HasPrefix(*it, "/") || strings.HasSuffix(reflect.TypeOf(page).FieldByIndex(path).Name, "URL") {
				value = "/sign-in?" + url.Values{"state": {value}, "x": {"1"}}.Encode()
			}
			*it = value
		default:
			t.Fatalf("field %v of the sign-in page is a %v: say here how to change it, and think of its outline", path, typ)
		}
		changed = append(changed, another)
	}
	walk(nil, reflect.TypeFor[SignIn]())
	return changed
}

// printed is a page as its template prints it.
func printed(t *testing.T, pages *Pages, page SignIn) string {
	t.Helper()
	language := page.Language
	if language == "" {
		language = English
	}
	parsed, err := pages.templates[version{"sign-in", language}]()
	if err != nil {
		t.Fatal(err)
	}
	var body strings.Builder
	if err := parsed.Execute(&body, page); err != nil {
		t.Fatal(err)
	}
	return body.String()
}
