package evidence_test

import (
	"encoding/json"
	"errors"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/credence-id/credence/idp/evidence"
)

func TestParse(t *testing.T) {
	t.Parallel()
	for text, says := range map[string]string{
		`{"type": "document"}`:                  "",
		` [{"type": "document"}] `:              "",
		``:                                      "want a JSON object",
		`[]`:                                    "0 pieces",
		`null`:                                  "0 pieces",
		`"passport"`:                            "want a JSON object",
		`{"type": "document"} {}`:               "want a JSON object",
		`[{}] 1`:                                "more after it",
		`{"strength": 4}`:                       `unknown field "strength"`,
		`{"subject": "a digest"}`:               "want a JSON object",
		`{"checks": [{"score": 4}]}`:            `unknown field "score"`,
		`[` + strings.Repeat(`{},`, 20) + `{}]`: "21 pieces",
		strings.Repeat(" ", evidence.MaxInput) + `{}`: "more than 262144 bytes",
	} {
		_, err := evidence.Parse([]byte(text))
		if says == "" && err != nil || says != "" && (!errors.Is(err, evidence.ErrInvalid) || !strings.Contains(err.Error(), says)) {
			t.Errorf("Parse(%.40s) = %v, want %q", text, err, says)
		}
	}
}

func FuzzParse(f *testing.F) {
	text, err := os.ReadFile("testdata/h1a.json")
	if err != nil {
		f.Fatal(err)
	}
	f.Add(text)
	f.Add([]byte(`{"type": "document", "subject": {"given_name": "Sam"}}`))
	f.Fuzz(func(t *testing.T, text []byte) {
		list, err := evidence.Parse(text)
		if err != nil {
			return
		}
		again, err := json.Marshal(list)
		must(t, err)
		same, err := evidence.Parse(again)
		if err != nil {
			return // it grew longer than may be
		}
		if diff := cmp.Diff(list, same, cmpopts.EquateEmpty()); diff != "" {
			t.Errorf("Parse(what was parsed) differs (-first +second):\n%s", diff)
		}
	})
}
