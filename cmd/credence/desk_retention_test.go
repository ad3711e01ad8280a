package main

import (
	"strings"
	"testing"
	"time"
)

// TestJourneyDeskRetention is a manager who reads for how long what is kept, and what was erased.
func TestJourneyDeskRetention(t *testing.T) {
	t.Parallel()
	d := startTrial(t)
	within(t, 30*time.Second, "the daily run ends", func() bool { // which began with the server
		return strings.Contains(d.command("retention", "reports", "--json"), `"ended_at": "`)
	})
	d.command("retention", "run")
	b := newBrowser(t)
	b.atDesk(d, "656005750116", "/desk/retention")
	b.want("h1", "Retention")
	b.want("#rules", "6 years after the profile was closed")
	b.want("#runs", "operator:")
	b.see("desk-retention")
	b.click("#runs tbody tr:last-child a")
	b.want("#run", "The numbers are of the run of")
	b.want("#runs", "The daily run")

	b.atDesk(d, "656005750117", "/desk/retention")
	b.want("h1", "You cannot do this in your role")
}
