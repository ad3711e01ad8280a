package idp_test

import (
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
