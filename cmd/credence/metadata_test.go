package main

import (
	"context"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"
	"github.com/rogpeppe/go-internal/testscript"

	"github.com/credence-id/credence/idp/webauthn/metadata"
	"github.com/credence-id/credence/idp/webauthn/webauthntest"
	"github.com/credence-id/credence/store"
)

func TestDownload(t *testing.T) {
	t.Parallel()
	elsewhere := httptest.NewServer(http.NotFoundHandler())
	t.Cleanup(elsewhere.Close)
	mux := http.NewServeMux()
	mux.HandleFunc("/blob", func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("blob")) })
	mux.Handle("/moved", http.RedirectHandler("/blob", http.StatusFound))
	mux.Handle("/clear", http.RedirectHandler(elsewhere.URL, http.StatusFound))
	mux.Handle("/round", http.RedirectHandler("/round", http.StatusFound))
	mux.HandleFunc("/huge", func(w http.ResponseWriter, _ *http.Request) {
		for range 30 {
			_, _ = w.Write(make([]byte, 1<<20))
		}
	})
	over := make(chan struct{}) // the slow one answers nobody before, also when who asked has gone
	mux.HandleFunc("/slow", func(http.ResponseWriter, *http.Request) { <-over })
	server := httptest.NewTLSServer(mux)
	t.Cleanup(server.Close)
	t.Cleanup(func() { close(over) })
	client := metadataClient()
	client.Transport = server.Client().Transport
	for _, tt := range []struct {
		path   string
		length int
		want   string // of the error
	}{
		{"/blob", 4, ""},
		{"/moved", 4, ""},
		{"/huge", metadata.MaxSize + 1, ""}, // which is refused as too long
		{"/nothing", 0, "404 Not Found"},
		{"/clear", 0, "it leads to http://"},
		{"/round", 0, "it leads to https://"},
	} {
		got, err := download(t.Context(), client, server.URL+tt.path)
		if len(got) != tt.length || (err == nil) != (tt.want == "") || err != nil && !strings.Contains(err.Error(), tt.want) {
			t.Errorf("download(%s) = %d bytes, %v, want %d, %q", tt.path, len(got), err, tt.length, tt.want)
		}
	}
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if _, err := download(ctx, client, server.URL+"/slow"); err == nil {
		t.Error("download(/slow) succeeded")
	}
	if client.Timeout == 0 || client.Timeout > time.Minute {
		t.Errorf("a download may take %s, want a minute at most", client.Timeout)
	}
	if _, err := download(t.Context(), metadataClient(), server.URL+"/blob"); err == nil {
		t.Error("download(from a server that nobody certified) succeeded")
	}
}

func TestSource(t *testing.T) {
	t.Parallel()
	none, err := config{}.source()
	if err != nil || none.Fetch != nil {
		t.Errorf("source() of nothing = %+v, %v, want none", none, err)
	}
	blob, p := file(t, "blob"), webauthntest.NewPublisher("mds.example.org")
	from, err := config{FIDOMetadata: blob, FIDOMetadataRootFile: file(t, string(webauthntest.PEM(p.Root))), FIDOCertification: "FIDO_CERTIFIED_L2"}.source()
	if err != nil || from.Trust == nil || from.Minimum != 3 || from.Every != 0 {
		t.Fatalf("source() of a file = %+v, %v, want it", from, err)
	}
	if got, err := from.Fetch(t.Context()); err != nil || string(got) != "blob" {
		t.Errorf("Fetch() = %q, %v, want the file", got, err)
	}
	if err := os.Remove(blob); err != nil {
		t.Fatal(err)
	}
	if _, err := from.Fetch(t.Context()); err == nil {
		t.Error("Fetch() of a file that is gone succeeded")
	}
	if daily, err := (config{FIDOMetadata: "https://mds3.fidoalliance.org/"}).source(); err != nil || daily.Every != 24*time.Hour || daily.Fetch == nil {
		t.Errorf("source() of a URL = %+v, %v, want one that is asked daily", daily, err)
	}
	for root, want := range map[string]string{filepath.Join(t.TempDir(), "absent"): "CREDENCE_FIDO_METADATA_ROOT_FILE: open", file(t, "x"): "there is no certificate in it"} {
		if _, err := (config{FIDOMetadataRootFile: root}).source(); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("source() with roots in %s = %v, want %q", root, err, want)
		}
	}
}

// publishMetadata has the script's database go by metadata of a model, whose AAGUID it puts into $AAGUID, and writes
// roots.pem, the roots of that model, and publisher.pem, whom to trust.
func publishMetadata(t *testing.T, ts *testscript.TestScript) {
	t.Helper()
	s, err := store.Open(t.Context(), ts.Getenv("CREDENCE_DATABASE_URL"))
	ts.Check(err)
	defer s.Close()
	model, publisher := webauthntest.NewModel(uuid.MustParse("11111111-2222-4333-8444-555555555555")), webauthntest.NewPublisher("mds.example.org")
	next := time.Date(2026, time.March, 1, 0, 0, 0, 0, time.UTC)
	ts.Check(s.PutMetadata(t.Context(), store.Metadata{
		Number: 7, NextUpdate: next, Blob: publisher.Blob(7, next, model.Certified()), FetchedAt: next, CheckedAt: next,
	}))
	ts.Setenv("AAGUID", model.AAGUID.String())
	ts.Check(os.WriteFile(ts.MkAbs("roots.pem"), webauthntest.PEM(model.Root), 0o600))
	ts.Check(os.WriteFile(ts.MkAbs("publisher.pem"), webauthntest.PEM(publisher.Root), 0o600))
}

func TestRelatedOrigins(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		list string
		want []string
	}{
		{"", nil},
		{"https://a.example", []string{"https://a.example"}},
		{" https://a.example ,https://b.example", []string{"https://a.example", "https://b.example"}},
	} {
		if diff := cmp.Diff(tt.want, relatedOrigins(tt.list)); diff != "" {
			t.Errorf("relatedOrigins(%q) (-want +got):\n%s", tt.list, diff)
		}
	}
}
