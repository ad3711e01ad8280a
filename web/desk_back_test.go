package web

import (
	"regexp"
	"strings"
	"testing"
)

// back is the way back from a page of the desk: a link that ends it, to a page of the desk, which says where to.
var back = regexp.MustCompile(`<p><a href="/desk(?:/[^"]*)?" id="back">Back to [^<]+</a></p>\s*</div>\s*</div>\s*</main>`)

// Every page of the desk has one way back, and has it where all others have it. Only where the desk begins there is nothing behind, and whom
// it refuses altogether it leads nowhere.
func TestEveryDeskPageHasAWayBack(t *testing.T) {
	t.Parallel()
	for name, page := range pages() {
		template, _ := page.page()
		if !strings.HasPrefix(template, "desk-") || name == "desk-refused-stranger" {
			continue
		}
		body := render(t, Options{}, page).Body.String()
		if strings.Count(body, `id="back"`) != 1 || !back.MatchString(body) {
			t.Errorf("the page %s has not one way back at its end", name)
		}
	}
}
