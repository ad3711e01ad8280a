package web

import "strings"

// Help is where people find help. Each page has it at its end, beside the reference: at the same place everywhere, as WCAG 2.2,
// Success Criterion 3.2.6 asks, so that whoever is refused anything finds it.
type Help struct {
	// Text says it in a sentence or two. Email and Telephone stand in links: whoever fills them in has checked their form.
	Text, Email, Telephone string
}

// Dialled is the telephone number as its link has it: RFC 3966, Section 3.
func (h Help) Dialled() string { return strings.ReplaceAll(h.Telephone, " ", "") }
