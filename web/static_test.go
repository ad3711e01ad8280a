package web

import (
	"crypto/sha256"
	"encoding/hex"
	"io"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestVendoredFilesAreAsListed(t *testing.T) {
	t.Parallel()
	readme, err := os.ReadFile("static/nhsuk/README")
	if err != nil {
		t.Fatal(err)
	}
	want := make(map[string]string)
	for _, line := range regexp.MustCompile(`(?m)^    ([0-9a-f]{64})  (\S+)$`).FindAllStringSubmatch(string(readme), -1) {
		want[line[2]] = line[1]
	}
	got := make(map[string]string)
	vendored := os.DirFS("static/nhsuk")
	err = fs.WalkDir(vendored, ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || name == "README" || name == "LICENCE" {
			return err
		}
		body, err := fs.ReadFile(vendored, name)
		sum := sha256.Sum256(body)
		got[name] = hex.EncodeToString(sum[:])
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("static/nhsuk differs from the list in its README (-README +files):\n%s", diff)
	}
}

func TestStyleSheetsAskOnlyForOurFiles(t *testing.T) {
	t.Parallel()
	pages, err := New(Options{})
	if err != nil {
		t.Fatal(err)
	}
	assets, err := pages.assets()
	if err != nil {
		t.Fatal(err)
	}
	for name, a := range assets {
		if !strings.HasSuffix(name, ".css") {
			continue
		}
		file, err := a.open(name)
		if err != nil {
			t.Fatal(err)
		}
		sheet, err := io.ReadAll(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, url := range regexp.MustCompile(`url\(["']?([^)"']*)`).FindAllStringSubmatch(string(sheet), -1) {
			if _, ok := assets[url[1]]; !ok {
				t.Errorf("%s asks for %q, which is not served", name, url[1])
			}
		}
		for _, word := range []string{"@font-face", "@import", "Frutiger", "sourceMappingURL"} {
			if strings.Contains(string(sheet), word) {
				t.Errorf("%s has %q", name, word)
			}
		}
	}
}

func TestStatic(t *testing.T) {
	t.Parallel()
	pages, err := New(Options{})
	if err != nil {
		t.Fatal(err)
	}
	assets, err := pages.assets()
	if err != nil {
		t.Fatal(err)
	}
	sheet := assets["/static/credence.css"]
	versioned, etag := sheet.url("/static/credence.css"), `"`+sheet.version+`"`
	for _, test := range []struct {
		name, method, url, ifNoneMatch string
		wantStatus                     int
		wantType, wantCache            string
	}{
		{"a versioned URL is kept for good", "GET", versioned, "", 200, "text/css; charset=utf-8", "public, max-age=31536000, immutable"},
		{"a plain URL is kept for an hour", "GET", "/static/webauthn.js", "", 200, "text/javascript; charset=utf-8", "public, max-age=3600"},
		{"another version is kept for an hour", "GET", "/static/credence.css?v=old", "", 200, "text/css; charset=utf-8", "public, max-age=3600"},
		{"an icon has its type", "GET", "/static/favicon.svg", "", 200, "image/svg+xml", "public, max-age=3600"},
		{"HEAD is answered", "HEAD", "/static/favicon.svg", "", 200, "image/svg+xml", "public, max-age=3600"},
		{"a known version is not sent again", "GET", "/static/credence.css", etag, 304, "", "public, max-age=3600"},
		{"no file", "GET", "/static/none.css", "", 404, "text/plain; charset=utf-8", ""},
		{"a directory is not listed", "GET", "/static/", "", 404, "text/plain; charset=utf-8", ""},
		{"templates are not served", "GET", "/static/../templates/layout.html", "", 404, "text/plain; charset=utf-8", ""},
		{"a note is not served", "GET", "/static/nhsuk/README", "", 404, "text/plain; charset=utf-8", ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			r := httptest.NewRequest(test.method, test.url, http.NoBody)
			r.Header.Set("If-None-Match", test.ifNoneMatch)
			w := httptest.NewRecorder()
			pages.Static().ServeHTTP(w, r)
			if w.Code != test.wantStatus {
				t.Errorf("%s %s = %d, want %d", test.method, test.url, w.Code, test.wantStatus)
			}
			for key, want := range map[string]string{
				"Content-Type": test.wantType, "Cache-Control": test.wantCache, "X-Content-Type-Options": "nosniff",
			} {
				if got := w.Header().Get(key); got != want {
					t.Errorf("%s %s: %s = %q, want %q", test.method, test.url, key, got, want)
				}
			}
		})
	}
}
