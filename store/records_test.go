package store

import (
	"strconv"
	"testing"

	"github.com/google/uuid"
)

func TestRecordsAreBounded(t *testing.T) {
	t.Parallel()
	var r records
	version := uuid.New()
	r.put("asked for", record{Version: version})
	for i := range 10 * recordsKept {
		r.put(strconv.Itoa(i), record{Version: version})
		if _, ok := r.get("asked for", version); !ok {
			t.Fatalf("get(a record that is asked for) after %d others = nothing, want it kept", i+1)
		}
		if n := len(r.younger) + len(r.older); n > 2*recordsKept {
			t.Fatalf("records keeps %d, want at most %d", n, 2*recordsKept)
		}
	}
	if _, ok := r.get("0", version); ok {
		t.Error("get(a record that nobody asked for) = found, want it forgotten")
	}
	if _, ok := r.get("asked for", uuid.New()); ok {
		t.Error("get(another version) = found, want nothing")
	}
}
