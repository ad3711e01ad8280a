package api

import (
	"encoding/json"
	"errors"
	"reflect"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// Whatever is sent, it is read as it was written or refused as a problem: what was read says the same when it is written again.
func FuzzDecode(f *testing.F) {
	for _, seed := range []string{
		`{"kind":"passport","number":"1","subject":{"given_name":"Ada"},"checks":[{"method":"vpip","facts":["physical"],"activity":{"policy":"none","since":"2020-01-01"}}]}`,
		`{}`, `{"kind":null}`, `{"checks":[null]}`, `{"kind":"a","kind":"b"}`, `{"Kind":"a"}`, `[]`, `{"checks":{}}`, "{\"kind\":\"\xff\"}", `{"kind":"\ud800"}`, `{} {}`,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		var in piece
		if err := decode(text, &in); err != nil {
			if p, is := errors.AsType[*Problem](err); !is || p.Status != 400 {
				t.Errorf("decode(%q) = %v, want a problem", text, err)
			}
			return
		}
		written, err := json.Marshal(in)
		if err != nil {
			t.Fatal(err)
		}
		var again piece
		if err := decode(written, &again); err != nil {
			t.Fatalf("decode(%s) = %v, want nil", written, err)
		}
		rewritten, err := json.Marshal(again)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(string(written), string(rewritten)); diff != "" {
			t.Errorf("%q is read otherwise when it is written again (-once +twice):\n%s", text, diff)
		}
	})
}

// Two shapes of one name would be described as one.
func TestShapesHaveNamesOfTheirOwn(t *testing.T) {
	t.Parallel()
	s := &schemas{definitions: object{}, types: map[string]reflect.Type{}}
	type Piece struct{}
	s.of(reflect.TypeFor[piece]())
	if s.err != nil {
		t.Errorf("one shape: %v, want nil", s.err)
	}
	s.of(reflect.TypeFor[Piece]())
	if s.err == nil {
		t.Error("two shapes called Piece: no error, want one")
	}
}
