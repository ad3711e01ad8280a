package main

import (
	"bytes"
	"fmt"
	"image"
	"image/png"
	"os"
	"path/filepath"
	"testing"

	"github.com/chromedp/chromedp"
)

// TestJourneyDeskPhotograph is how an officer takes a photograph: with the camera of the computer, and then from a file.
func TestJourneyDeskPhotograph(t *testing.T) {
	t.Parallel()
	d := startTrial(t)
	const agent, person = "656005750117", "656005750113"
	b := newBrowser(t, chromedp.Flag("use-fake-device-for-media-stream", true), chromedp.Flag("use-fake-ui-for-media-stream", true))
	b.atDesk(d, agent, "/desk/people/"+person)
	b.click("#photograph")
	b.want("h1", "Photograph of Jory Emptage-Vale")
	b.want("#taken", "There is none on record")
	b.see("desk-photograph-none")
	b.press("#start")
	b.text("#shoot") // waits for it
	b.want("#camera-status", "The camera is on")
	b.see("desk-photograph-camera")
	b.accessible()
	b.press("#shoot")
	b.text("#still")
	b.want("#camera-status", "Taken")
	b.see("desk-photograph-taken")
	b.accessible()
	b.click("#keep")
	b.want("h1", "Jory Emptage-Vale")
	b.shows("#portrait")
	b.see("desk-person-photograph")
	b.click("#photograph")
	b.want("#taken", "Taken at the desk by Bartholomew Keykeeper")
	b.shows("#current")

	dir := t.TempDir()
	drawing, note := filepath.Join(dir, "drawing.png"), filepath.Join(dir, "note.png")
	m := image.NewGray(image.Rect(0, 0, 900, 600))
	for i := range m.Pix {
		m.Pix[i] = uint8(i / 900 % 251)
	}
	var file bytes.Buffer
	if err := png.Encode(&file, m); err != nil {
		t.Fatal(err)
	}
	for name, body := range map[string][]byte{drawing: file.Bytes(), note: []byte("not a picture")} {
		if err := os.WriteFile(name, body, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	b.attach("#upload", note)
	b.click("#keep")
	b.want("#error-summary", "it has to be a JPEG or a PNG")
	b.see("desk-photograph-error")
	b.attach("#upload", drawing)
	b.click("#keep")
	b.shows("#portrait")
	b.click("#photograph")
	b.want("#taken", "Handed in as a file by Bartholomew Keykeeper")
	b.see("desk-photograph")
}

// attach puts a file into a form.
func (b *browser) attach(selector, file string) {
	b.t.Helper()
	do(b, fmt.Sprintf("attach a file to %q", selector), chromedp.SetUploadFiles(chromedp.CSS(selector), []string{file}))
}

// shows wants a photograph to be there and to have loaded.
func (b *browser) shows(selector string) {
	b.t.Helper()
	do(b, fmt.Sprintf("see %q", selector), chromedp.Poll[chromedp.Void](fmt.Sprintf(`document.querySelector(%s)?.naturalWidth === 480`, quote(selector))))
}
