package main

import (
	"bytes"
	"context"
	"io"
	"mime/quotedprintable"
	"net/mail"
	"os"
	"path/filepath"
	"regexp"
	"testing"
	"time"
)

// meetingCode waits for the message of `dev` that has the code of a meeting.
func meetingCode(t *testing.T, d *trial) (code string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	read := func() bool {
		files, err := filepath.Glob(filepath.Join(d.dir, "mail", "*.eml"))
		if err != nil {
			t.Fatal(err)
		}
		for _, file := range files {
			raw, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			message, err := mail.ReadMessage(bytes.NewReader(raw))
			if err != nil || message.Header.Get("Subject") != "Your code for a meeting by video" {
				continue
			}
			body, err := io.ReadAll(quotedprintable.NewReader(message.Body))
			if err != nil {
				t.Fatal(err)
			}
			code = regexp.MustCompile(`(?m)^[0-9]{4} [0-9]{4}\b`).FindString(string(body))
		}
		return code != ""
	}
	if err := until(ctx, read); err != nil {
		t.Fatalf("no message has come with the code of a meeting: %v", err)
	}
	return code
}

// TestJourneyDeskMeeting is how an officer meets somebody by video: the person finds the code in her mail and on her own pages,
// reads it aloud, and what is checked then counts for what it is.
func TestJourneyDeskMeeting(t *testing.T) {
	t.Parallel()
	d := startTrial(t)
	const agent, person = "656005750117", "656005750113"
	b, own := newBrowser(t), newBrowser(t)
	b.atDesk(d, agent, "/desk/people/"+person+"/evidence")
	b.click("#meet")
	b.want("h1", "Meet Jory Emptage-Vale by video")
	b.see("desk-meeting-new")
	b.click("#begin")
	b.want("h1", "Ask Jory Emptage-Vale for the code")
	b.see("desk-meeting")

	own.atDesk(d, person, "/account")
	own.want("main", "Bartholomew Keykeeper at Larkmere Hospital (invented) meets you by video")
	own.see("account-meeting")
	code := meetingCode(t, d)
	own.want("main", code)

	b.fill("#code", "0000 0000")
	b.click("#confirm")
	b.want("#error-summary", "This is not the code")
	b.want("#left", "After 4 wrong codes")
	b.see("desk-meeting-error")
	b.fill("#code", code)
	b.click("#confirm")
	b.want("#confirmed", "The code is right")
	b.see("desk-meeting-confirmed")
	b.click("#record")
	b.want("h1", "Record evidence of Jory Emptage-Vale by video")
	b.see("desk-evidence-video-kinds")
	b.click(`a[href$="kind=driving_permit"]`)
	b.want("#video", "You meet the person by video")
	b.see("desk-evidence-video-form")
	b.fill("#given_name", "Jory")
	b.fill("#family_name", "Emptage-Vale")
	b.fill("#number", "EMPTA753116JM9IJ")
	b.fill("#trained_by", "Some Training Body")
	for _, fact := range []string{"visible", "original_document", "specialist_training", "refreshed_three_yearly"} {
		b.press("#vri-" + fact)
	}
	b.click("#record")
	b.want("#error-summary", "Tick that you met the person")
	b.press("#declared-video")
	b.click("#record")
	b.want("h1", "Recorded: driving licence of Jory Emptage-Vale")
	b.click("#back")
	b.want("#evidence", "live on video, after a code was read back")
	b.want("#until", "You meet Jory Emptage-Vale by video")
	b.see("desk-evidence-video")
}
