package assurance_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/credence-id/credence/idp/assurance"
)

func TestEvaluateRefusesWhatTheGuideDoesNotHave(t *testing.T) {
	t.Parallel()
	p := policy(t)
	pieces := func(n int) string { return strings.TrimSuffix(strings.Repeat("2/2 + ", n), " + ") }
	kind := func(kind string) assurance.Scores {
		return assurance.Scores{Evidence: []assurance.Evidence{{Kind: kind, Strength: 1}}}
	}
	for _, tt := range []struct {
		bad, good assurance.Scores
		want      string
	}{
		{scores("0/2", 0, 0, 0), scores("1/2", 0, 0, 0), "evidence 1: strength is 0: want 1 to 4"},
		{scores("2/2 + 5/2", 0, 0, 0), scores("2/2 + 4/2", 0, 0, 0), "evidence 2: strength is 5: want 1 to 4"},
		{scores("2/-1", 0, 0, 0), scores("2/0", 0, 0, 0), "evidence 1: validity is -1: want 0 to 4"},
		{scores("2/5", 0, 0, 0), scores("2/4", 0, 0, 0), "evidence 1: validity is 5: want 0 to 4"},
		{scores("", -1, 0, 0), scores("", 0, 0, 0), "activity is -1: want 0 to 4"},
		{scores("", 5, 0, 0), scores("", 4, 0, 0), "activity is 5: want 0 to 4"},
		{scores("", 0, -1, 0), scores("", 0, 0, 0), "fraud is -1: want 0 to 3"},
		{scores("", 0, 4, 0), scores("", 0, 3, 0), "fraud is 4: want 0 to 3"},
		{scores("", 0, 0, -1), scores("", 0, 0, 0), "verification is -1: want 0 to 4"},
		{scores("", 0, 0, 5), scores("", 0, 0, 4), "verification is 5: want 0 to 4"},
		{scores(pieces(101), 0, 0, 0), scores(pieces(100), 0, 0, 0), "evidence has 101 pieces: want at most 100"},
		{kind(strings.Repeat("x", 101)), kind(strings.Repeat("x", 100)), "evidence 1: kind is "},
		{kind(" passport"), kind("passport"), `evidence 1: kind is " passport": want`},
		{kind("pass\x1bport"), kind("pass port"), `evidence 1: kind is "pass\x1bport": want`},
		{kind("pass\u200bport"), kind("pässport"), "evidence 1: kind is "},
		{kind("pass\xffport"), kind("PASSPORT"), "evidence 1: kind is "},
	} {
		if r, err := p.Evaluate(tt.bad); err == nil || !strings.HasPrefix(err.Error(), tt.want) {
			t.Errorf("Evaluate(%+v) = %+v, %v, want %s", tt.bad, r, err, tt.want)
		}
		if _, err := p.Evaluate(tt.good); err != nil {
			t.Errorf("Evaluate(%+v) = %v, want a result", tt.good, err)
		}
	}
}

func TestParseScores(t *testing.T) {
	t.Parallel()
	for document, want := range map[string]assurance.Scores{
		`{"evidence":[{"strength":4,"validity":3,"kind":"passport"},{"strength":3,"validity":2}],"activity":0,"fraud":1,"verification":3}`: {
			Evidence: []assurance.Evidence{{Kind: "passport", Strength: 4, Validity: 3}, {Strength: 3, Validity: 2}}, Fraud: 1, Verification: 3,
		},
		"{\n\"verification\" : 9 , \"evidence\" : [ ] }\n": {Evidence: []assurance.Evidence{}, Verification: 9},
		`{}`: {},
	} {
		got, err := assurance.ParseScores([]byte(document))
		if err != nil {
			t.Errorf("ParseScores(%s) = %v, want scores", document, err)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("ParseScores(%s) (-want +got):\n%s", document, diff)
		}
	}
	for document, want := range map[string]string{
		"":                         "want one JSON object: unexpected end of JSON input",
		"evidence":                 "want one JSON object: invalid character 'e' looking for beginning of value",
		`{"fraud":1`:               "want one JSON object: unexpected end of JSON input",
		`{"fraud":1,}`:             "want one JSON object: invalid character '}'",
		`{"fraud":1} {"fraud":1}`:  "want one JSON object: invalid character '{' after top-level value",
		`{"fraud":01}`:             "want one JSON object: invalid character '1'",
		"{\"fraud\":1,\"\xff\":1}": "want JSON in UTF-8",
		`[]`:                       "want an object",
		`null`:                     "want an object",
		`1`:                        "want an object",
		`{"fruad":1}`:              `"fruad": no such member: want evidence, activity, fraud, verification`,
		`{"` + strings.Repeat("x", 1000) + `":1}`: `"` + strings.Repeat("x", 60) + `...": no such member`,
		`{"Fraud":1}`:                                       `"Fraud": no such member`,
		`{"fraud":1,"fraud":2}`:                             `"fraud" stands twice`,
		`{"fraud":1,"fr\u0061ud":1}`:                        `"fraud" stands twice`,
		`{"fraud":null}`:                                    `"fraud": want a whole number`,
		`{"fraud":"1"}`:                                     `"fraud": want a whole number`,
		`{"fraud":1.5}`:                                     `"fraud": want a whole number`,
		`{"fraud":1e0}`:                                     `"fraud": want a whole number`,
		`{"fraud":99999999999999999999}`:                    `"fraud": want a whole number`,
		`{"fraud":[1]}`:                                     `"fraud": want a whole number`,
		`{"fraud":true}`:                                    `"fraud": want a whole number`,
		`{"evidence":null}`:                                 `"evidence": want a list`,
		`{"evidence":{}}`:                                   `"evidence": want a list`,
		`{"evidence":[{"strength":1},4]}`:                   `"evidence": 2: want an object`,
		`{"evidence":[{"strength":1,"score":1}]}`:           `"evidence": 1: "score": no such member: want kind, strength, validity`,
		`{"evidence":[{}]}`:                                 `"evidence": 1: strength is missing: want 1 to 4`,
		`{"evidence":[{"strength":1},{"validity":1}]}`:      `"evidence": 2: strength is missing: want 1 to 4`,
		`{"evidence":[{"strength":1,"strength":1}]}`:        `"evidence": 1: "strength" stands twice`,
		`{"evidence":[{"strength":1,"kind":null}]}`:         `"evidence": 1: "kind": want text`,
		`{"evidence":[{"strength":1,"kind":["passport"]}]}`: `"evidence": 1: "kind": want text`,
	} {
		if got, err := assurance.ParseScores([]byte(document)); err == nil || !strings.HasPrefix(err.Error(), want) {
			t.Errorf("ParseScores(%s) = %+v, %v, want %s", document, got, err, want)
		}
	}
}

// Whatever is read is what encoding/json reads, which is laxer; it survives being written; and its result can be written.
func FuzzParseScores(f *testing.F) {
	p := policy(f)
	for _, seed := range []string{
		`{"evidence":[{"strength":4,"validity":3,"kind":"passport"},{"strength":3,"validity":2}],"activity":0,"fraud":1,"verification":3}`,
		`{"evidence":[],"activity":5}`, `{"evidence":[{"strength":1,"kind":"\ud800"}]}`, `{}`, `[]`, `{"fraud":1,"fraud":2}`, "{",
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, document []byte) {
		s, err := assurance.ParseScores(document)
		if err != nil {
			return
		}
		var lax assurance.Scores
		if err := json.Unmarshal(document, &lax); err != nil {
			t.Fatalf("ParseScores(%q) = %+v, and encoding/json says %v", document, s, err)
		}
		if diff := cmp.Diff(lax, s); diff != "" {
			t.Fatalf("ParseScores(%q) (-encoding/json +got):\n%s", document, diff)
		}
		r, err := p.Evaluate(s)
		if err != nil {
			return
		}
		if !r.Level.Known() || (r.Level == assurance.IdentityNone) != (len(r.Profiles) == 0) || (r.Level == assurance.IdentityVeryHigh) != (len(r.Next) == 0) {
			t.Fatalf("Evaluate(%+v) = %+v, want a level, with profiles that grant it and ways to the next", s, r)
		}
	})
}

// The result is written as programs expect it: lists are never null.
func TestResultAsJSON(t *testing.T) {
	t.Parallel()
	p := policy(t)
	for _, tt := range []struct {
		s    assurance.Scores
		want string
	}{
		{scores("4/4", 0, 0, 4), `{"level":"very_high","profiles":["L1B","M1C","H1C","V1D"],"best":"V1D","policy_version":"gpg45-0.5/2026-11","next":[]}`},
		{assurance.Scores{}, `{"level":"none","profiles":[],"best":"","policy_version":"gpg45-0.5/2026-11","next":[{"level":"low","profile":"L1B","missing":["`},
	} {
		got, err := json.Marshal(evaluate(t, p, tt.s))
		if err != nil || !strings.HasPrefix(string(got), tt.want) {
			t.Errorf("the result of %+v is written as %s, %v, want %s", tt.s, got, err, tt.want)
		}
	}
}

// evaluated are scores of no, two and six pieces.
func evaluated() []assurance.Scores {
	return []assurance.Scores{{}, scores("4/3 + 3/2", 0, 1, 3), scores("4/3 + 3/2 + 2/2 + 2/2 + 3/1 + 1/1", 1, 1, 2)}
}

// Evaluating allocates little, whatever machine it is on: nearly all of it is the result.
func TestEvaluateAllocatesLittle(t *testing.T) { //nolint:paralleltest // what others allocate would be counted
	p := policy(t)
	for i, s := range evaluated() {
		most := []float64{11, 8, 12}[i]
		if got := testing.AllocsPerRun(100, func() { _, _ = p.Evaluate(s) }); got > most {
			t.Errorf("Evaluate(%d pieces) allocates %v times, want at most %v", len(s.Evidence), got, most)
		}
	}
}

func BenchmarkEvaluate(b *testing.B) {
	p := policy(b)
	for _, s := range evaluated() {
		b.Run(fmt.Sprintf("%d pieces", len(s.Evidence)), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, err := p.Evaluate(s); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
