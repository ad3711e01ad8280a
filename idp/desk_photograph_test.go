package idp_test

import (
	"bytes"
	"errors"
	"image"
	"image/jpeg"
	"image/png"
	"mime/multipart"
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/credence-id/credence/idp/audit"
	"github.com/credence-id/credence/idp/photograph"
	"github.com/credence-id/credence/idp/seal"
	"github.com/credence-id/credence/store"
)

// portrait is a picture of the given size, as a PNG.
func portrait(t *testing.T, width, height int) []byte {
	t.Helper()
	var file bytes.Buffer
	if err := png.Encode(&file, image.NewGray(image.Rect(0, 0, width, height))); err != nil {
		t.Fatal(err)
	}
	return file.Bytes()
}

// photographed takes a photograph of somebody, as the agent does at the desk.
func (p *provider) photographed(person string) {
	p.t.Helper()
	if err := p.putPhotograph(photograph.New(p.store, p.key, p.clock.Now), person); err != nil {
		p.t.Fatal(err)
	}
}

func (p *provider) putPhotograph(album *photograph.Album, person string) error {
	p.t.Helper()
	ctx := p.t.Context()
	image, err := album.Portrait(ctx, portrait(p.t, 480, 600))
	if err != nil {
		return err
	}
	return p.store.InTx(ctx, func(tx *store.Tx) error {
		detail, err := album.PutIn(ctx, tx, photograph.Photographer{PersonID: raAgent, Role: agentsRole}, person, photograph.Camera, image)
		if err != nil {
			return err
		}
		return audit.Record(ctx, tx, audit.Entry{At: p.clock.Now(), Event: audit.PhotographTaken, Actor: raAgent, Person: person, Detail: detail})
	})
}

// postImage sends the form that has a photograph, as a part of the given name.
func (b *browser) postImage(location, part string, file []byte, site string) answer {
	b.t.Helper()
	var body bytes.Buffer
	form := multipart.NewWriter(&body)
	if part != "" {
		to, err := form.CreateFormFile(part, "../../<script>.svg")
		if err != nil {
			b.t.Fatal(err)
		}
		_, _ = to.Write(file)
	}
	if err := form.Close(); err != nil {
		b.t.Fatal(err)
	}
	r, err := http.NewRequestWithContext(b.t.Context(), http.MethodPost, b.absolute(location), &body)
	if err != nil {
		b.t.Fatal(err)
	}
	r.Header.Set("Content-Type", form.FormDataContentType())
	r.Header.Set("Sec-Fetch-Site", site)
	return b.send(r)
}

// takes is where the form of a page is sent that takes a photograph.
func (a answer) takes(t *testing.T) string {
	t.Helper()
	for _, f := range a.read(t).forms {
		if f.multipart {
			return f.action
		}
	}
	t.Fatalf("%s = %d, want a form that takes a photograph: %s", a.path(), a.StatusCode, text(a.body))
	return ""
}

// An officer takes a photograph and then another; whoever may see the person sees it, and that is on record.
func TestDeskPhotographs(t *testing.T) {
	t.Parallel()
	p := newProvider(t)
	of := "/desk/people/" + noRole
	b, page := p.atDesk(raAgent, of)
	if strings.Contains(page.body, `id="portrait"`) || !strings.Contains(page.body, of+`/photograph"`) {
		t.Errorf("the page of who has no photograph shows one, or leads to none: %s", text(page.body))
	}
	if a := b.get(of + "/photograph.jpg"); a.StatusCode != http.StatusNotFound {
		t.Errorf("the photograph of who has none = %d, want 404", a.StatusCode)
	}
	page = b.get(of + "/photograph")
	if !strings.Contains(page.words(t), "There is none on record") || !strings.Contains(page.Header.Get("Permissions-Policy"), "camera=(self)") {
		t.Errorf("the form = %s with %q, want that there is none, and the camera", text(page.body), page.Header.Get("Permissions-Policy"))
	}
	if got := b.get(of).Header.Get("Permissions-Policy"); !strings.Contains(got, "camera=()") {
		t.Errorf("the page of the person lets its script ask for %q, want no camera", got)
	}

	for _, way := range []string{"camera", "upload"} {
		if a := b.rest(b.postImage(b.get(of+"/photograph").takes(t), way, portrait(t, 800, 600), "same-origin")); a.StatusCode != http.StatusOK || a.path() != of || !strings.Contains(a.body, `<img class="credence-photograph credence-photograph--small" id="portrait" src="`+of+`/photograph.jpg"`) {
			t.Fatalf("to take a photograph by %s = %d %s %s, want the page of the person with it", way, a.StatusCode, a.path(), text(a.body))
		}
		actor, about, detail := p.line("photograph_taken")
		delete(detail, "photograph")
		if diff := cmp.Diff(map[string]string{"way": way, "officer": raAgent, "officer_role": agentsRole}, detail); actor != raAgent || about != noRole || diff != "" {
			t.Errorf("the record says %q took that of %q (-want +got):\n%s", actor, about, diff)
		}
	}
	if words := b.get(of + "/photograph").words(t); !strings.Contains(words, "Handed in as a file by Bartholomew Keykeeper") {
		t.Errorf("the form = %s, want who took the one on record", words)
	}
	if got := p.count(`SELECT count(*) FROM photograph WHERE person_id = $1 AND replaced_at IS NOT NULL`, noRole); got != 1 {
		t.Errorf("photographs that were replaced = %d, want the first", got)
	}

	sponsor, _ := p.atDesk(raSponsor, "/desk")
	a := sponsor.get(of + "/photograph.jpg")
	m, err := jpeg.Decode(strings.NewReader(a.body))
	if err != nil || m.Bounds().Size() != image.Pt(480, 600) {
		t.Errorf("the photograph = %d %v, want a JPEG of 480 by 600", a.StatusCode, err)
	}
	for name, want := range map[string]string{
		"Content-Type": "image/jpeg", "Cache-Control": "no-store", "X-Content-Type-Options": "nosniff", "Cross-Origin-Resource-Policy": "same-origin",
		"Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
	} {
		if got := a.Header.Get(name); got != want {
			t.Errorf("%s of the photograph = %q, want %q", name, got, want)
		}
	}
	actor, about, detail := p.line("person_viewed")
	if diff := cmp.Diff(map[string]string{"officer": raSponsor, "officer_role": sponsorsRole, "of": "photograph"}, detail); actor != raSponsor || about != noRole || diff != "" {
		t.Errorf("the record says %q saw %q (-want +got):\n%s", actor, about, diff)
	}
	if got := p.count(`SELECT count(*) FROM photograph WHERE position('\xffd8ff'::bytea IN image_sealed) = 1`); got != 0 {
		t.Error("a photograph rests as it is, want it sealed")
	}
}

// What cannot be kept is refused on the form, and what is on record stays.
func TestDeskSaysWhatIsWrongWithAPhotograph(t *testing.T) {
	t.Parallel()
	p := newProvider(t)
	p.photographed(noRole)
	of := "/desk/people/" + noRole + "/photograph"
	b, _ := p.atDesk(raAgent, of)
	for _, test := range []struct {
		name, part string
		file       []byte
		words      string
	}{
		{"nothing", "", nil, "there was none"},
		{"another part", "photo", portrait(t, 480, 600), "there was none"},
		{"no file", "upload", nil, "there is nothing in it"},
		{"an SVG", "upload", []byte("<svg onload='alert(1)'/>"), "it has to be a JPEG or a PNG"},
		{"a small picture", "camera", portrait(t, 100, 100), "too small"},
		{"too many bytes", "upload", make([]byte, photograph.MaxUpload+1), "longer than 8 MB"},
	} {
		a := b.postImage(of, test.part, test.file, "same-origin")
		if a.StatusCode != http.StatusBadRequest || !strings.Contains(a.body, `<a href="#upload">Select another photograph: `) || !strings.Contains(a.words(t), test.words) {
			t.Errorf("%s = %d %s, want a mistake: %s", test.name, a.StatusCode, text(a.body), test.words)
		}
	}
	if a := b.post(of, with(nil)); a.StatusCode != http.StatusBadRequest {
		t.Errorf("a form without parts = %d, want 400", a.StatusCode)
	}
	if a := b.postImage(of, "upload", portrait(t, 480, 600), "cross-site"); a.StatusCode != http.StatusForbidden {
		t.Errorf("a photograph from another site = %d, want 403", a.StatusCode)
	}
	if got := p.count(`SELECT count(*) FROM photograph`); got != 1 {
		t.Errorf("photographs = %d, want the one there was", got)
	}
	if a := b.postImage(b.get(of).takes(t), "upload", portrait(t, 480, 600), "same-origin"); a.StatusCode != http.StatusSeeOther {
		t.Errorf("a photograph in order = %d, want it kept", a.StatusCode)
	}
}

// Nobody takes her own photograph, or that of somebody who works elsewhere; whoever may not find people sees none.
func TestDeskPhotographsOnlyWhomTheOfficerMay(t *testing.T) {
	t.Parallel()
	p := newProvider(t)
	p.photographed(noRole)
	elsewhere := p.newOfficer("ZX200", "S8000:G8000:R8001")
	agent, _ := p.atDesk(raAgent, "/desk")
	sponsor, _ := p.atDesk(raSponsor, "/desk")
	for _, test := range []struct {
		name   string
		b      *browser
		person string
		status int
		words  string
	}{
		{"herself", agent, raAgent, http.StatusForbidden, "about yourself"},
		{"who works elsewhere", agent, elsewhere, http.StatusForbidden, "neither at the organisation"},
		{"in a role for something else", sponsor, noRole, http.StatusForbidden, "does not let you do this"},
		{"nobody", agent, "656005750999", http.StatusNotFound, "There is nothing here"},
		{"what is no person", agent, "x", http.StatusNotFound, "There is nothing here"},
	} {
		of := "/desk/people/" + test.person + "/photograph"
		if a := test.b.get(of); a.StatusCode != test.status || !strings.Contains(a.words(t), test.words) {
			t.Errorf("%s: GET = %d %s, want %d with %q", test.name, a.StatusCode, text(a.body), test.status, test.words)
		}
		if a := test.b.postImage(of, "upload", portrait(t, 480, 600), "same-origin"); a.StatusCode != test.status {
			t.Errorf("%s: POST = %d %s, want %d", test.name, a.StatusCode, text(a.body), test.status)
		}
	}
	if a := agent.get("/desk/people/x/photograph.jpg"); a.StatusCode != http.StatusNotFound {
		t.Errorf("the photograph of what is no person = %d, want 404", a.StatusCode)
	}
	if a := p.browser().get("/desk/people/" + noRole + "/photograph.jpg"); a.path() != "/sign-in" && !strings.Contains(a.body, "/sign-in") || strings.HasPrefix(a.body, "\xff\xd8") {
		t.Errorf("the photograph for nobody = %d %s, want the sign-in page", a.StatusCode, a.path())
	}
	if got := p.count(`SELECT count(*) FROM photograph`); got != 1 {
		t.Errorf("photographs = %d, want the one there was", got)
	}
}

// Photographs are sealed anew under another line of the seal key, also those that were replaced; what no line opens is told.
func TestPhotographsAreSealedAnew(t *testing.T) {
	t.Parallel()
	p, ctx := newProvider(t), t.Context()
	_, old := seal.NewKey()
	_, fresh := seal.NewKey()
	album := func(lines ...string) *photograph.Album {
		key, err := seal.ParseKey(strings.Join(lines, "\n"))
		if err != nil {
			t.Fatal(err)
		}
		return photograph.New(p.owner, key, p.clock.Now)
	}
	for _, person := range []string{noRole, noRole, oneRole} {
		if err := p.putPhotograph(album(old), person); err != nil {
			t.Fatal(err)
		}
	}
	if got, total, err := album(fresh).Reseal(ctx, "operator"); !errors.Is(err, seal.ErrSeal) || got != 0 || total != 3 {
		t.Errorf("Reseal(without the old line) = %d of %d, %v, want 0 of 3 and %v", got, total, err, seal.ErrSeal)
	}
	for _, want := range []int{3, 0} {
		if got, total, err := album(fresh, old).Reseal(ctx, "operator"); err != nil || got != want || total != 3 {
			t.Errorf("Reseal() = %d of %d, %v, want %d of 3", got, total, err, want)
		}
	}
	if image, err := album(fresh).Of(ctx, noRole); err != nil || !bytes.HasPrefix(image, []byte("\xff\xd8")) {
		t.Errorf("Of(with the new line alone) = %d bytes, %v, want the photograph", len(image), err)
	}
	if _, err := album(old).Of(ctx, noRole); !errors.Is(err, seal.ErrSeal) {
		t.Errorf("Of(with the old line alone) = %v, want %v", err, seal.ErrSeal)
	}
	if got := p.audited("photographs_resealed"); len(got) != 1 {
		t.Errorf("the record has %q, want one line", got)
	}
	p.exec(`UPDATE photograph SET person_id = $1 WHERE person_id = $2`, sevenRoles, oneRole)
	if _, err := album(fresh).Of(ctx, sevenRoles); !errors.Is(err, seal.ErrSeal) {
		t.Errorf("Of(whom it does not show) = %v, want %v", err, seal.ErrSeal)
	}
}
