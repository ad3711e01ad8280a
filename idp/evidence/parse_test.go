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
		`{"type": "document"}`:             "",
		` [{"type": "document"}] `:         "",
		``:                                 "want a JSON object",
		`[]`:                               "0 pieces",
		`null`:                             "0 pieces",
		`"passport"`:                       "want a JSON object",
		`{"type": "document"} {}`:          "more after it",
		`[{}] 1`:                           "more after it",
		"{\"kind\": \"\xff\"}":             "want it in UTF-8",
		`{"strength": 4}`:                  "the name that ends at byte 11 is not known",
		`{"subject": "a digest"}`:          "the value of subject at byte 22: want an object",
		`{"kind": 3}`:                      "the value of kind at byte 10: want text",
		`{"kind": ["passport"]}`:           "the value of kind at byte 10: want text",
		`{"features": "photocard"}`:        "the value of features at byte 24: want a list",
		`{"features": [{}]}`:               "the value of features at byte 15: want text",
		`{"checks": [3]}`:                  "the value of checks at byte 13: want an object",
		`{"checks": [{"failed": "no"}]}`:   "the value of failed at byte 27: want true or false",
		`{"checks": [{"at": {}}]}`:         "the value of at at byte 20: want a time such as 2026-09-14T10:31:00Z",
		`{"kind": null, "checks": [null]}`: "",
		`{"checks": [{"at": "2026-09-14T10:31:00\u005a"}]}`: "want a time such as 2026-09-14T10:31:00Z",
		`{"checks": [{"score": 4}]}`:                        "the name that ends at byte 20 is not known there: want one of id, method, failed, at, organisation, checker, trained_by, facts, questions, activity",
		`{"Number": "1"}`:                                   "the name that ends at byte 9 is not known",
		`{"method": "data"}`:                                "the name that ends at byte 9 is not known there: want one of id, type, kind, ", // it is of a check
		`{"kind": "a", "kind": "b"}`:                        "kind comes twice in one object, the second time at byte 20",
		`[{"kind": "a"}, {"kind": "b"}]`:                    "",
		`{"checks": [{"at": "yesterday"}]}`:                 "the value of at at byte 30: want a time such as 2026-09-14T10:31:00Z",
		`{"checks": [{"at": 1}]}`:                           "the value of at at byte 20: want a time such as 2026-09-14T10:31:00Z",
		`{"checks": [{"at": "2026-09-14T10:31:00Z", "questions": [{"dynamic": true}], "activity": {"since": "2020-01-01"}}]}`: "",
		strings.Repeat(`[`, 10):                       "want a JSON object, or an array of them, at byte 2",
		`[` + strings.Repeat(`{},`, 20) + `{}]`:       "21 pieces",
		strings.Repeat(" ", evidence.MaxInput) + `{}`: "more than 262144 bytes",
	} {
		_, err := evidence.Parse([]byte(text))
		if says == "" && err != nil || says != "" && (!errors.Is(err, evidence.ErrInvalid) || !strings.Contains(err.Error(), says) || strings.Contains(err.Error(), "json: ")) {
			t.Errorf("Parse(%.40s) = %v, want %q", text, err, says)
		}
	}
}

// A number may stand in the wrong place, so an error has nothing of what was handed in.
func TestParseRepeatsNothing(t *testing.T) {
	t.Parallel()
	for _, text := range []string{
		`{"123456789": 1}`, `{"checks": [{"123456789": 1}]}`, `{"number": 123456789}`, `{"number": {"number": 123456789}}`, `{"type" 123456789}`,
		`{"checks": [{"at": "123456789"}]}`, `{"checks": [{"at": 123456789}]}`, `{"checks": [{"failed": 123456789}]}`, `{"checks": 123456789}`, `123456789`,
		`{"number": "123456789", "number": "123456789"}`, `{} 123456789`, `{"number": "123456789`,
	} {
		if _, err := evidence.Parse([]byte(text)); err == nil || strings.Contains(err.Error(), "123456789") {
			t.Errorf("Parse(%s) = %v, want an error without the number", text, err)
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
