package web

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"path"
	"strings"
	"time"
)

// asset is a file under static, which the program carries and which therefore never changes while it runs.
type asset struct {
	translated  []byte // nil: the file is served as it is
	contentType string
	version     string // from its content
}

// readAssets reads the files under static that a browser needs, by URL path. A script that says something is there once more in
// each other language.
func readAssets(spoken map[Language]Words) (map[string]asset, error) {
	// Not mime.TypeByExtension: it asks the machine.
	contentTypes := map[string]string{
		".css": "text/css; charset=utf-8",
		".js":  "text/javascript; charset=utf-8",
		".svg": "image/svg+xml",
	}
	assets := make(map[string]asset)
	err := fs.WalkDir(files, "static", func(name string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		contentType, ok := contentTypes[path.Ext(name)]
		if d.IsDir() || !ok {
			return nil
		}
		body, err := files.ReadFile(name) // a copy
		if err != nil {
			return err
		}
		add := func(name string, body, translated []byte) {
			sum := sha256.Sum256(body)
			assets["/"+name] = asset{translated, contentType, hex.EncodeToString(sum[:8])}
		}
		if path.Ext(name) != ".js" || !marked.Match(body) {
			add(name, body, nil)
			return nil
		}
		for language, words := range spoken {
			text, err := words.Translate(string(body))
			if err != nil {
				return fmt.Errorf("translate script %q: %w", name, err)
			}
			add(inLanguage(name, language), []byte(text), []byte(text))
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("read static files: %w", err)
	}
	return assets, nil
}

// inLanguage is the path of a file in a language: "/static/webauthn.cy.js".
func inLanguage(name string, l Language) string {
	if l == English {
		return name
	}
	ext := path.Ext(name)
	return strings.TrimSuffix(name, ext) + "." + string(l) + ext
}

// url is where a page finds the asset that has this path. The version in it lets browsers keep the file for good, and makes them ask for
// the next one.
func (a asset) url(path string) string { return path + "?v=" + a.version }

// open opens the asset that has this path.
func (a asset) open(path string) (io.ReadSeeker, error) {
	if a.translated != nil {
		return bytes.NewReader(a.translated), nil
	}
	file, err := files.Open(strings.TrimPrefix(path, "/"))
	if err != nil {
		return nil, fmt.Errorf("open static file: %w", err)
	}
	return file.(io.ReadSeeker), nil //nolint:forcetypeassert // as package embed says
}

// Static serves the files that pages need, under /static/.
func (p *Pages) Static() http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("X-Content-Type-Options", "nosniff")
		assets, err := p.assets()
		if err != nil {
			http.Error(w, "the files cannot be read", http.StatusInternalServerError)
			return
		}
		a, ok := assets[r.URL.Path]
		if !ok {
			http.NotFound(w, r)
			return
		}
		h.Set("Content-Type", a.contentType)
		h.Set("ETag", `"`+a.version+`"`)
		if r.URL.Query().Get("v") == a.version {
			h.Set("Cache-Control", "public, max-age=31536000, immutable")
		} else {
			h.Set("Cache-Control", "public, max-age=3600") // what the style sheet asks for itself
		}
		// An SVG opened by itself is a document, and must not run script either.
		h.Set("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'")
		body, err := a.open(r.URL.Path)
		if err != nil {
			http.Error(w, "the file cannot be read", http.StatusInternalServerError)
			return
		}
		http.ServeContent(w, r, r.URL.Path, time.Time{}, body)
	})
}
