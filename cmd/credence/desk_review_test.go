package main

import (
	"regexp"
	"testing"
	"time"
)

// student is a position of the hospital that a sponsor gives at once, and whom she has given it.
func (d *trial) student(people ...string) (position string) {
	d.t.Helper()
	position = d.position("Student", "--assignable")
	d.ask(position, people...)
	return position
}

// position is one that two officers have made.
func (d *trial) position(name string, flags ...string) string {
	d.t.Helper()
	made := d.command(append([]string{"position", "add", "--as", "656005750119", "--role", "656014119001", "--organisation", "ZX100", "--name", name, "--job-role", "S8000:G8000:R8004", "--reason", "Term begins", "--json"}, flags...)...)
	id := regexp.MustCompile(`[0-9]{12}`).FindString(made)
	d.command("position", "approve", id, "--version", "1", "--as", "656005750116", "--role", "656014116001")
	return id
}

// ask is a sponsor who asks that people be given a position.
func (d *trial) ask(position string, people ...string) {
	d.t.Helper()
	for _, person := range people {
		d.command("request", "ask", "--as", "656005750118", "--role", "656014118001", "--person", person, "--position", position, "--reason", "Starts on Monday")
	}
}

// TestJourneyDeskReview is a review of who holds positions: a manager opens it, and another officer certifies one position and
// removes another.
func TestJourneyDeskReview(t *testing.T) {
	t.Parallel()
	d := startTrial(t)
	const manager, advanced = "656005750116", "656005750119"
	d.student("656005750113", "656005750114", "656005750107")
	b := newBrowser(t)
	b.atDesk(d, manager, "/desk/reviews")
	b.want("#none", "no review")
	b.see("desk-reviews-none")
	b.click("#new")
	b.fill("#organisation", "ZX100")
	b.press("#removes-yes")
	b.see("desk-review-form")
	b.click("#open")
	b.want("#error-summary", "reason")
	b.see("desk-review-form-error")
	b.fill("#due", time.Now().AddDate(0, 1, 0).Format("2/1/2006"))
	b.fill("#reason", "Each November")
	b.click("#open")
	b.want("#warning", "What nobody certifies is removed")
	review := b.url()
	b.see("desk-review")
	b.open(d.issuer + "/desk")
	b.want("#reviews", "1 is open")
	b.see("desk-review-due")

	b.atDesk(d, advanced, "/desk/reviews")
	b.see("desk-reviews")
	b.open(review)
	b.click("#certify")
	b.want("#error-summary", "Tick what you certify or remove")
	b.see("desk-review-error")
	b.press("#entries .nhsuk-checkboxes__input")
	b.click("#remove")
	b.want("#progress", "2") // are left
	b.see("desk-review-some")
	b.click("#certify-all")
	b.want("#none", "Nothing is left to decide")
	b.want("#progress", "Finished")
	b.choose("#show", "all")
	b.click("#filter")
	b.want("#entries", "Certified by Crispin Seconder")
	b.see("desk-review-all")
}
