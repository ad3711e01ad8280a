package main

import (
	"bytes"
	"errors"
	"fmt"
	"image"
	"image/jpeg"
	"log/slog"
	"os"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/rogpeppe/go-internal/testscript"

	"github.com/credence-id/credence/idp/assurance"
	"github.com/credence-id/credence/idp/authority"
	"github.com/credence-id/credence/idp/breakglass"
	"github.com/credence-id/credence/idp/deed"
	"github.com/credence-id/credence/idp/evidence"
	"github.com/credence-id/credence/idp/seal"
	"github.com/credence-id/credence/idp/throttle"
	"github.com/credence-id/credence/store"
)

// What scripts find in a database that people do at a page, and no command does.

// onScript opens the script's database, as the service role.
func onScript(t *testing.T, ts *testscript.TestScript) *store.Store {
	t.Helper()
	s, err := store.Open(t.Context(), ts.Getenv("CREDENCE_DATABASE_URL"))
	ts.Check(err)
	t.Cleanup(s.Close)
	return s
}

// prove proves the identity of people to level high.
func prove(t *testing.T, ts *testscript.TestScript, people []string) {
	t.Helper()
	owner, err := pgx.Connect(t.Context(), ts.Getenv("CREDENCE_DATABASE_OWNER_URL"))
	ts.Check(err)
	defer func() { ts.Check(owner.Close(t.Context())) }()
	_, err = owner.Exec(t.Context(), `UPDATE person SET identity_level = 'high' WHERE id = ANY($1)`, people)
	ts.Check(err)
}

// openGlass has two people, whose identity is proved, open break-glass at an organisation, and puts its id into $OPENING.
func openGlass(t *testing.T, ts *testscript.TestScript, organisation, first, second string) {
	t.Helper()
	ctx, now := t.Context(), func() time.Time { return time.Now().UTC().Truncate(time.Microsecond) }
	s := onScript(t, ts)
	rules, err := authority.New()
	ts.Check(err)
	key, _ := seal.NewKey()
	log := slog.New(slog.DiscardHandler)
	glass := breakglass.New(breakglass.Config{Store: s, Rules: rules, Throttle: throttle.New(s, key, now, log), Now: now, Log: log})
	sealed, err := breakglass.Seal(ctx, s, organisation, "operator", now())
	ts.Check(err)
	id, err := glass.Ask(ctx, deed.Acting{Person: first}, breakglass.Code{Organisation: organisation, Text: sealed.First}, "Nobody is there")
	ts.Check(err)
	_, err = glass.Join(ctx, deed.Acting{Person: second}, breakglass.Code{Organisation: organisation, Text: sealed.Second})
	ts.Check(err)
	ts.Check(glass.Open(ctx, deed.Acting{Person: second}, id))
	ts.Setenv("OPENING", id.String())
}

// proposeEvidence has an officer check a piece of evidence of a person, which waits for a second one, and puts its id into $PROPOSAL.
func proposeEvidence(t *testing.T, ts *testscript.TestScript, person, officer, role string) {
	t.Helper()
	ctx, s := t.Context(), onScript(t, ts)
	text, err := os.ReadFile(ts.Getenv("CREDENCE_SEAL_KEY_FILE"))
	ts.Check(err)
	key, err := seal.ParseKey(string(bytes.TrimSpace(text)))
	ts.Check(err)
	desk, err := evidence.New(s, key, time.Now)
	ts.Check(err)
	about, err := s.Identity(ctx, person)
	ts.Check(err)
	piece := evidence.Piece{
		Piece: assurance.Piece{
			Type: assurance.Document, Kind: "bank_statement",
			Checks: []assurance.Check{{Method: assurance.PhysicalInspection, At: time.Now().UTC(), Facts: []assurance.Fact{"physical"}}},
		},
		Subject: evidence.Subject{GivenName: about.GivenName, FamilyName: about.FamilyName}, Declared: evidence.InPerson,
	}
	ts.Check(s.InTx(ctx, func(tx *store.Tx) error {
		change, refusal, err := desk.ProposeIn(ctx, tx, evidence.Checker{PersonID: officer, Role: role}, "ZX100", person, piece)
		if err == nil && (refusal != nil || !change.Awaits) {
			err = errors.Join(refusal, fmt.Errorf("what came of the evidence is %+v, want that it waits", change))
		}
		return err
	}))
	waiting, err := s.EvidenceProposalsOf(ctx, person, 1)
	ts.Check(err)
	ts.Setenv("PROPOSAL", waiting[0].ID.String())
}

// takePicture writes a picture to a file.
func takePicture(ts *testscript.TestScript, _ bool, args []string) {
	var picture bytes.Buffer
	ts.Check(jpeg.Encode(&picture, image.NewRGBA(image.Rect(0, 0, 600, 750)), nil))
	ts.Check(os.WriteFile(ts.MkAbs(args[0]), picture.Bytes(), 0o600))
}
