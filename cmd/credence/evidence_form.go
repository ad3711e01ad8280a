package main

import (
	"fmt"
	"slices"
	"strings"

	"github.com/credence-id/credence/idp/assurance"
)

// evidenceForm says in which form evidence is handed in: every word of it is of the tables that it is judged by.
func evidenceForm() string {
	var b strings.Builder
	b.WriteString(`Record evidence of who a person is, and compute the level anew from all that is on record.

The evidence is JSON on standard input or in a file: one piece, or an array of them, which
are recorded together or not at all. A piece has

  type      document, electronic_record or vouch
  kind      one of those below
  subject   whom it names: given_name, family_name and birthdate. It has to be this person
  number    of the document or record, in letters A to Z and digits; it rests sealed
  issuer    its name; country (GBR) and jurisdiction (GB-NIR) beside it
  features  those below, where it has any
  issued_on, expires_on
  checks    at least one, each with
              method        one of those below
              at            when it was done
              organisation  that answers for it, or whose record was asked
              checker       who did it
              facts         what it established, of those below
              trained_by    who trained the checker, with the fact specialist_training
              failed        true, when its result was no
              questions     of kbv, those answered rightly: quality (low, medium or high), dynamic,
                            multiple_choice
              activity      of data, what a record shows: since, and policy, by which the
                            organisation had checked her (none, published,
                            money_laundering_regulations, physical_or_biometric_official)

A piece that is on record already, word for word, is not recorded again. A document that is on
record for another person is refused, and so is one that was withdrawn as forged.
`)
	writeKinds(&b)
	b.WriteString("\nMethods of checks, what they are for, and the facts that each can establish\n")
	for _, m := range assurance.MethodUses() {
		fmt.Fprintf(&b, "\n  %-7s %s (%s)\n", m.Method, m.Meaning, joined(m.Types))
		writeWords(&b, "          ", each(m.Facts, func(f assurance.Fact) string { return string(f) }))
	}
	b.WriteString("\nFacts: it is on record that\n\n")
	for _, f := range assurance.Facts() {
		fmt.Fprintf(&b, "  %-31s %s\n", f, f.Meaning())
	}
	b.WriteString("\nA passport, an electronic record, and somebody who vouches\n")
	b.WriteString(evidenceExamples)
	return b.String()
}

// writeKinds lists the kinds of each type: those that have to have a number, and the others.
func writeKinds(b *strings.Builder) {
	kinds := assurance.Kinds()
	name := func(k assurance.Kind) string { return k.Name }
	for _, part := range []struct {
		title string
		of    assurance.PieceType
		only  func(assurance.Kind) bool
	}{
		{"Kinds of documents that have to have a number", assurance.Document, func(k assurance.Kind) bool { return k.Numbered }},
		{"Kinds of documents that may have one", assurance.Document, func(k assurance.Kind) bool { return !k.Numbered }},
		{"Kinds of electronic records, which may have one", assurance.ElectronicRecord, func(assurance.Kind) bool { return true }},
		{"Kinds of vouches, which may have one", assurance.Vouch, func(assurance.Kind) bool { return true }},
	} {
		of := slices.DeleteFunc(slices.Clone(kinds), func(k assurance.Kind) bool { return k.Type != part.of || !part.only(k) })
		fmt.Fprintf(b, "\n%s\n\n", part.title)
		writeWords(b, "  ", each(of, name))
	}
	b.WriteString("\nFeatures that kinds can have\n\n")
	for _, k := range kinds {
		if len(k.Features) > 0 {
			fmt.Fprintf(b, "  %-28s %s\n", k.Name, joined(k.Features))
		}
	}
}

// writeWords writes words with commas between them, in lines that are not too long.
func writeWords(b *strings.Builder, indent string, words []string) {
	line := indent
	for i, word := range words {
		if i < len(words)-1 {
			word += ","
		}
		if len(line)+len(word) > 96 && line != indent {
			fmt.Fprintln(b, strings.TrimRight(line, " "))
			line = indent
		}
		line += word + " "
	}
	if line != indent {
		fmt.Fprintln(b, strings.TrimRight(line, " "))
	}
}

func joined[T ~string](words []T) string {
	return strings.Join(each(words, func(w T) string { return string(w) }), ", ")
}

// evidenceExamples is one piece of each type.
const evidenceExamples = `
  {"type": "document", "kind": "passport", "number": "123456789", "issuer": "HM Passport Office",
   "country": "GBR", "features": ["biometric_chip"], "issued_on": "2021-03-02", "expires_on": "2031-03-02",
   "subject": {"given_name": "Jory", "family_name": "Emptage-Vale", "birthdate": "1972-04-09"},
   "checks": [
     {"method": "vcrypt", "at": "2026-09-14T10:31:00Z", "organisation": "Example Trust ID Desk",
      "checker": "desk 2", "facts": ["cryptographic"]},
     {"method": "pvp", "at": "2026-09-14T10:36:00Z", "organisation": "Example Trust ID Desk",
      "checker": "desk 2", "trained_by": "Example Document School",
      "facts": ["specialist_training", "refreshed_yearly", "adequate_light", "unaltered_photo",
                "masks_considered", "eyes_visible"]}]}

  {"type": "electronic_record", "kind": "current_account", "number": "12-34-56 12345678",
   "issuer": "Example Bank", "country": "GBR",
   "subject": {"given_name": "Jory", "family_name": "Emptage-Vale"},
   "checks": [
     {"method": "data", "at": "2026-09-14T10:40:00Z", "organisation": "Example Bank",
      "facts": ["authoritative_source", "authoritative_match", "identity_theft_check",
                "impersonation_risk_check", "mortality_check", "synthetic_identity_check"],
      "activity": {"policy": "money_laundering_regulations", "since": "2015-06-01"}}]}

  {"type": "vouch", "kind": "written_attestation", "issuer": "Example Parish Council",
   "country": "GBR", "issued_on": "2026-09-01",
   "subject": {"given_name": "Jory", "family_name": "Emptage-Vale"},
   "checks": [
     {"method": "vpip", "at": "2026-09-14T10:45:00Z", "organisation": "Example Trust ID Desk",
      "checker": "desk 2", "facts": ["physical", "original_document"]}]}`
