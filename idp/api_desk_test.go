package idp_test

import (
	"encoding/csv"
	"net/http"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/credence-id/credence/idp/api"
	"github.com/credence-id/credence/idp/breakglass"
	"github.com/credence-id/credence/idp/desk"
)

// What officers do and see in a browser they do and see by programs: each page and form of the desk and of break-glass has a row in
// testdata/desk_api.csv, with the routes of the API that are for the same, or why there is none.
func TestEveryActOfTheDeskIsInTheAPI(t *testing.T) {
	t.Parallel()
	file, err := os.Open("testdata/desk_api.csv")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = file.Close() }()
	rows, err := csv.NewReader(file).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	routes := func(mount func(func(string, func(http.ResponseWriter, *http.Request) error))) (list []string) {
		mount(func(pattern string, _ func(http.ResponseWriter, *http.Request) error) { list = append(list, pattern) })
		return list
	}
	programs := routes(new(api.Handler).Mount)
	listed, pages := []string{}, slices.Concat(routes(new(desk.Handler).Mount), routes(new(breakglass.Handler).Mount))
	for _, row := range rows[1:] {
		listed = append(listed, row[0])
		if !slices.Contains(pages, row[0]) {
			t.Errorf("%s is no page: take its row out", row[0])
		}
		for route := range strings.SplitSeq(row[1], "; ") {
			why, none := strings.CutPrefix(route, "none: ")
			if !none && !slices.Contains(programs, route) || none && why == "" {
				t.Errorf("%s: %q is no route of the API", row[0], route)
			}
		}
	}
	for _, page := range pages {
		if !slices.Contains(listed, page) {
			t.Errorf("%s has no row: which route of the API is for the same, or why is there none?", page)
		}
	}
	if !slices.IsSorted(listed) || len(slices.Compact(listed)) != len(rows)-1 {
		t.Error("the rows are not in order, each once")
	}
}
