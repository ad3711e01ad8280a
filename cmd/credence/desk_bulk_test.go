package main

import (
	"os"
	"path/filepath"
	"testing"
)

// TestJourneyDeskBulk is a file of requests: a sponsor sees what would come of each line, mends it, and has all of it done.
func TestJourneyDeskBulk(t *testing.T) {
	t.Parallel()
	d := startTrial(t)
	const sponsor, titles = "656005750118", "person,position,starts,expires,reason\n"
	student := d.student()
	b := newBrowser(t)
	b.atDesk(d, sponsor, "/desk/requests")
	b.click("#bulk")
	b.see("desk-bulk-form")
	b.fill("#text", "person,position\n")
	b.click("#look")
	b.want("#wrong", "its titles are")
	b.see("desk-bulk-error")

	file := filepath.Join(t.TempDir(), "students.csv")
	for _, upload := range []struct{ lines, see string }{
		{"656005750113," + student + ",,30/11/2030,Starts on Monday\n" + sponsor + "," + student + ",,,Starts on Monday\n", "desk-bulk-refused"},
		{"656005750113," + student + ",,30/11/2030,Starts on Monday\n656005750114," + student + ",,,Starts on Monday\n", "desk-bulk"},
	} {
		if err := os.WriteFile(file, []byte(titles+upload.lines), 0o600); err != nil {
			t.Fatal(err)
		}
		b.attach("#file", file)
		b.click("#look")
		b.want("#preview", "Nothing has been done yet")
		b.want("#effects", "Given at once")
		b.see(upload.see)
	}
	b.click("#apply")
	b.want("#done", "2 given at once")
	b.see("desk-bulk-done")
	b.click("#effects a")
	b.want("h1", "Student")
}
