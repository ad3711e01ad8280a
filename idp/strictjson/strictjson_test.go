package strictjson_test

import (
	"encoding/json"
	"testing"

	"github.com/credence-id/credence/idp/strictjson"
)

// What is read by other rules is an object, as it was written; what is around it is read strictly.
func TestUnmarshalTakesObjectsAsTheyAre(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		`{"raw":{"a":[1,{"a":1}],"b":null},"name":"x"}`: `{"a":[1,{"a":1}],"b":null}`, `{"name":"x","raw":{}}`: `{}`, `{"name":"x"}`: ``,
		`{"raw":{"a":1},"raw":{},"name":"x"}`: `-`, `{"raw":{"a":1},"other":1}`: `-`, `{"raw":[1]}`: `-`, `{"raw":"{}"}`: `-`, `{"raw":null}`: `-`, `{"raw":{}`: `-`, `{"raw":{},"name":1}`: `-`,
		`{"raw":{}} {}`: `-`, `{"raw":{"a"}}`: `-`,
	} {
		var in struct {
			Raw  json.RawMessage `json:"raw"`
			Name string          `json:"name"`
		}
		err := strictjson.Unmarshal([]byte(text), &in)
		if got := string(in.Raw); (err == nil) != (want != "-") || err == nil && got != want {
			t.Errorf("Unmarshal(%s) = %q, %v, want %q", text, got, err, want)
		}
	}
}
