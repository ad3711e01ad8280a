package idp_test

import (
	"cmp"
	"encoding/json"
	"iter"
	"maps"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"
)

// Whatever stands for an id in an address of the desk or the API, or in a list's, is none, and nothing fails by it.
func TestNothingFailsByAnAddress(t *testing.T) {
	t.Parallel()
	p := newProvider(t)
	hole := regexp.MustCompile(`\{[a-z_]+\}`)
	browser, _ := p.atDesk(raManager, "/desk")
	g := program{p, p.description(), p.officerToken(p.browser(), raManager, apiScopes, "smartcard")}
	routes := map[string]func(method, address string) answer{}
	for _, route := range pageRoutes() {
		if strings.Contains(route, " /desk/") {
			routes[route] = func(method, address string) answer {
				if method == http.MethodGet {
					return browser.get(address)
				}
				return browser.post(address, url.Values{"reason": {"x"}})
			}
		}
	}
	for path, operations := range g.Paths {
		for method := range operations {
			routes[strings.ToUpper(method)+" "+path] = func(method, address string) answer {
				r, err := http.NewRequestWithContext(t.Context(), method, issuer+address, http.NoBody)
				if err != nil {
					t.Fatal(err)
				}
				r.Header.Set("Authorization", "Bearer "+g.token)
				r.Header.Set("If-Match", `"1"`)
				return browser.send(r)
			}
		}
	}
	fine := 0
	for route, send := range routes {
		method, path, _ := strings.Cut(route, " ")
		for _, hostile := range []string{"%00", "%ff", "a%00b", "%E2%80%AE", "99999999999999999999"} {
			addresses := []string{hole.ReplaceAllString(path, hostile)}
			if method == http.MethodGet {
				addresses = append(addresses, addresses[0]+"?after="+hostile)
			}
			for _, address := range addresses {
				switch a := send(method, address); {
				case a.StatusCode >= http.StatusInternalServerError:
					t.Errorf("%s %s = %d, want that it is refused or passed over", method, address, a.StatusCode)
				case a.StatusCode == http.StatusOK:
					fine++
				}
			}
		}
	}
	if fine == 0 {
		t.Error("no list is shown after what is no row, want the first page")
	}
}

// Nothing that a program sends fails: each text of each body, and each number of a version, as nobody would send it who means well.
func TestNothingFailsByWhatProgramsSend(t *testing.T) {
	t.Parallel()
	p := newProvider(t)
	fill, bodies, matches := p.apiSubjects()
	bodies["proposeMerge"] = `{"duplicate":"x","kept":"x","reason":"x"}`
	officer := p.programs()(raManager)
	hostile := []any{"\x00", "x", strings.Repeat("x", 70_000), "9999-12-31T23:59:59-14:00", "9999-12-31", "000000000000", "😀\u202e", "00000000-0000-0000-0000-000000000000"}
	for pattern, operations := range officer.Paths {
		for method, operation := range operations {
			if operation.Body == nil || operation.Body.pictured() {
				continue
			}
			subject := fill[operation.Name]
			if subject == nil {
				subject = fill[""]
			}
			var headers []string
			if match := matches[operation.Name]; match != "" {
				headers = []string{"If-Match", match}
			}
			var body any
			if err := json.Unmarshal([]byte(cmp.Or(bodies[operation.Name], `{"reason":"x"}`)), &body); err != nil {
				t.Fatal(err)
			}
			for changed := range eachText(body, hostile) {
				text, err := json.Marshal(changed)
				if err != nil {
					t.Fatal(err)
				}
				if a := officer.call(strings.ToUpper(method), pattern, subject, string(text), headers...); a.StatusCode >= http.StatusInternalServerError {
					t.Errorf("%s %s %.300s = %d %.300s", method, pattern, text, a.StatusCode, a.body)
				}
			}
		}
	}
}

// eachText is an object of JSON with each of its texts, all but each, and all of them, as each of others.
func eachText(value any, others []any) iter.Seq[any] {
	return func(yield func(any) bool) {
		members, is := value.(map[string]any)
		if !is {
			return
		}
		for _, other := range others {
			all := maps.Clone(members)
			for name, member := range members {
				if _, text := member.(string); text {
					all[name] = other
				}
			}
			if !yield(all) {
				return
			}
			for name, member := range members {
				one, others := maps.Clone(members), maps.Clone(all)
				one[name], others[name] = all[name], member
				if !yield(one) || !yield(others) {
					return
				}
			}
		}
	}
}
