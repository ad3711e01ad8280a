package idp_test

import (
	"context"
	"go/ast"
	"go/parser"
	source "go/token"
	"io/fs"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/credence-id/credence/idp/audit"
	"github.com/credence-id/credence/idp/desk"
	"github.com/credence-id/credence/idp/office"
)

// changes are the events that change something there was: their lines have what it was and what it is.
const changes = "changes"

// told says of each event that its line has the old and the new values, or why there are none.
func told() map[audit.Event]string {
	const nothing, anew, ends, reads = "nothing is changed", "it is made anew", "it ends, and was in force before: the event says both", "somebody looked"
	return map[audit.Event]string{
		audit.SignedIn: nothing, audit.RoleChosen: "the session has the role before", audit.CodeIssued: anew, audit.TokenIssued: anew, audit.UserinfoRead: reads, audit.SessionEnded: ends,
		audit.Enrolled: anew, audit.PersonAdded: anew, audit.SelfRegistrationAsked: anew, audit.SelfRegistered: anew, audit.EnrolmentLinkMade: anew, audit.RecoveryCodesMade: anew, audit.AccountCodeMade: anew,
		audit.MeetingBegun: anew, audit.OrganisationAdded: anew, audit.RoleGranted: anew, audit.ClientAdded: anew, audit.RequestAsked: anew, audit.PersonIntroduced: anew, audit.ReviewOpened: anew,
		audit.BreakGlassSealed: anew, audit.BreakGlassAsked: anew, audit.BreakGlassJoined: anew, audit.BreakGlassOpened: anew, audit.Bootstrapped: anew, audit.ClientApplied: anew, audit.MergeProposed: anew,
		audit.EvidenceProposed: anew, audit.RetentionHeld: anew,

		audit.PersonDisabled: ends, audit.PersonEnabled: "access was stopped before: the event says both", audit.EnrolmentLinkCancelled: ends, audit.RecoveryCodesDropped: ends, audit.Recovered: "a code is spent",
		audit.ClientDisabled: ends, audit.ClientSecretEnded: ends, audit.ReviewClosed: ends, audit.RetentionReleased: ends, audit.RequestLapsed: ends, audit.IntroductionLapsed: ends, audit.MessageGivenUp: ends,
		audit.ModelDropped: "what it was is in its line", audit.PolicyCleared: "what it was is in its line", audit.PersonErased: "what it was is to be gone", audit.RetentionRun: "what it was is to be gone",
		audit.BreakGlassSigned: "nobody had signed for it before", audit.AccountCodeGiven: "a code is spent", audit.MeetingConfirmed: "a code is spent",
		audit.ClientSecretRotated: "a secret is nowhere", audit.PhotographTaken: "a photograph is sealed",
		audit.EvidenceResealed: "what is said stays", audit.SecretsResealed: "what is said stays", audit.PhotographsResealed: "what is said stays", audit.KeyResealed: "what is said stays",
		audit.CatalogueImported: "its codes are thousands: how many were added, renamed and retired is in its line", audit.ClientCheckBegun: nothing, audit.ClientChecked: nothing, audit.LimitReached: nothing,
		audit.RequestBulk: "each request has its line", audit.DeskOpened: reads, audit.PersonSearched: reads, audit.PersonViewed: reads, audit.AuditRead: reads, audit.DataDownloaded: reads,
		audit.KeyRotated: "the first has none before it", audit.MetadataTaken: "the first has none before it", audit.ModelVouchedFor: "the first has none before it", audit.PolicySet: "the first has none before it",
		audit.ClientUpdated: "only what differs has an old value",

		audit.LanguageChosen: changes, audit.PersonCorrected: changes, audit.PersonClosed: changes, audit.PersonReopened: changes, audit.PersonLeft: changes, audit.MergeDecided: changes,
		audit.AuthenticatorRevoked: changes, audit.AuthenticatorSuspended: changes, audit.AuthenticatorResumed: changes, audit.AuthenticatorLost: changes, audit.AuthenticatorFound: changes,
		audit.AuthenticatorReturned: changes, audit.AuthenticatorRenamed: changes, audit.EvidenceRecorded: changes, audit.EvidenceDecided: changes, audit.EvidenceWithdrawn: changes,
		audit.IdentityRecomputed: changes, audit.OrganisationPolicySet: changes, audit.RoleEnded: changes, audit.RoleChanged: changes, audit.AttestationJudged: changes, audit.PositionProposed: changes,
		audit.PositionApproved: changes, audit.PositionClosed: changes, audit.RequestOwned: changes, audit.RequestDecided: changes, audit.IntroductionEnded: changes, audit.ReviewDecided: changes,
		audit.BreakGlassEnded: changes, audit.ClientDecided: changes, audit.ClientKeysReplaced: changes,
	}
}

// wantRecordTold wants each line that a test wrote to be told whole: a refusal in words, and what was changed with what it was.
func (p *provider) wantRecordTold() {
	p.t.Helper()
	lines, err := p.owner.AuditEvents(context.Background(), 0, 10_000)
	if err != nil {
		p.t.Error(err)
	}
	of := told()
	for _, line := range lines {
		if line.Refusal != "" {
			if !worded(line.Refusal) {
				p.t.Errorf("%s is refused as %q, which has no words", line.Event, line.Refusal)
			}
			continue
		}
		if values, _ := office.ValuesOf(line); of[audit.Event(line.Event)] == changes && len(values) == 0 && line.Detail["change"] == "" {
			p.t.Errorf("the line of %s says nothing of what was changed: %v", line.Event, line.Detail)
		}
	}
}

// worded says whether a refusal has words of its own.
func worded(reason string) bool {
	return desk.RefusalWords(reason) != strings.ReplaceAll(reason, "_", " ")
}

// Each event that there is changes something, with its old and new values, or is named with why it has none.
func TestEachEventSaysWhatItChanged(t *testing.T) {
	t.Parallel()
	of, there := told(), 0
	for _, event := range reasonsOf(t, "audit/audit.go", func(kind string) bool { return kind == "Event" }) {
		there++
		if of[audit.Event(event)] == "" {
			t.Errorf("the event %s: want it to have old and new values, or why it has none", event)
		}
	}
	if there != len(of) {
		t.Errorf("%d events are told of, want the %d that there are", len(of), there)
	}
}

// Each reason of a refusal that the sources name has words.
func TestEachRefusalHasWords(t *testing.T) {
	t.Parallel()
	found := 0
	want := func(file string, list []string) {
		for _, reason := range list {
			found++
			if !worded(reason) {
				t.Errorf("%s: the refusal %s has no words", file, reason)
			}
		}
	}
	err := filepath.WalkDir(".", func(path string, _ fs.DirEntry, err error) error {
		room := filepath.Dir(path)
		if err != nil || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
			return err
		}
		switch room {
		case "assertion", "api": // of clients, in the log; and of what is not on record
			return nil
		case "evidence": // whose reasons are why it is withdrawn
		default:
			want(path, reasonsOf(t, path, func(kind string) bool { return kind == "Reason" || kind == "Refusal" || kind == "deed.Reason" }))
		}
		if path == filepath.Join("webauthn", "webauthn.go") || path == filepath.Join("password", "password.go") || path == filepath.Join("password", "rules.go") {
			want(path, reasonsOf(t, path, func(kind string) bool { return kind == "" }))
		}
		want(path, refusedAs(t, path))
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if found < 130 {
		t.Errorf("found %d reasons, want all", found)
	}
}

// snake is how a reason is written.
var snake = regexp.MustCompile(`^[a-z]+(_[a-z]+)*$`)

// reasonsOf are the texts of a file's constants of some types, "" being none, that are written as reasons are.
func reasonsOf(t *testing.T, path string, of func(kind string) bool) (list []string) {
	t.Helper()
	file, err := parser.ParseFile(source.NewFileSet(), path, nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	for _, d := range file.Decls {
		group, is := d.(*ast.GenDecl)
		if !is || group.Tok != source.CONST {
			continue
		}
		for _, s := range group.Specs {
			spec := s.(*ast.ValueSpec) //nolint:forcetypeassert // what constants are
			if len(spec.Values) != 1 || !of(typeOf(spec.Type)) {
				continue
			}
			list = append(list, written(spec.Values[0])...)
		}
	}
	return list
}

// typeOf is a type as it is written.
func typeOf(e ast.Expr) string {
	switch e := e.(type) {
	case *ast.Ident:
		return e.Name
	case *ast.SelectorExpr:
		return typeOf(e.X) + "." + e.Sel.Name
	}
	return ""
}

// written is a text that is written as reasons are, or none.
func written(e ast.Expr) []string {
	literal, is := e.(*ast.BasicLit)
	if !is || literal.Kind != source.STRING {
		return nil
	}
	if text, err := strconv.Unquote(literal.Value); err == nil && snake.MatchString(text) {
		return []string{text}
	}
	return nil
}

// refusedAs are the texts that a file gives to what is named a refusal.
func refusedAs(t *testing.T, path string) (list []string) {
	t.Helper()
	file, err := parser.ParseFile(source.NewFileSet(), path, nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	ast.Inspect(file, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.KeyValueExpr:
			if typeOf(n.Key) == "Refusal" {
				list = append(list, written(n.Value)...)
			}
		case *ast.FuncDecl:
			if name := strings.ToLower(n.Name.Name); name == "fallen" || strings.HasPrefix(name, "refuses") {
				list = append(list, returned(n)...)
			}
		case *ast.CompositeLit:
			if typeOf(n.Type) == "fatal" {
				for _, e := range n.Elts {
					list = append(list, written(e)...)
				}
			}
		case *ast.AssignStmt:
			for i, to := range n.Lhs {
				if name := typeOf(to); len(n.Rhs) == len(n.Lhs) && (name == "refusal" || strings.HasSuffix(name, ".Refusal")) {
					list = append(list, written(n.Rhs[i])...)
				}
			}
		}
		return true
	})
	return list
}

// returned are the texts that a function returns.
func returned(of *ast.FuncDecl) (list []string) {
	ast.Inspect(of, func(n ast.Node) bool {
		if r, is := n.(*ast.ReturnStmt); is {
			for _, result := range r.Results {
				list = append(list, written(result)...)
			}
		}
		return true
	})
	return list
}
