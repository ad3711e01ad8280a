package selfregistration

import "testing"

func TestMailbox(t *testing.T) {
	t.Parallel()
	for address, want := range map[string]string{
		"sarah@example.org":        "sarah@example.org",
		"Sarah@Example.ORG":        "sarah@example.org",
		"sarah+1@example.org":      "sarah@example.org",
		"sarah+1+2@example.org":    "sarah@example.org",
		"Sarah+@example.org":       "sarah@example.org",
		"+sarah@example.org":       "+sarah@example.org",
		"sarah.m@example.org":      "sarah.m@example.org",
		"sarah@example+one.org":    "sarah@example+one.org",
		"ΣARAH+detail@example.org": "σarah@example.org",
	} {
		if got := mailbox(address); got != want {
			t.Errorf("mailbox(%q) = %q, want %q", address, got, want)
		}
	}
}
