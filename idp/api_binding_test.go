package idp_test

import (
	"encoding/json"

	"github.com/credence-id/credence/idp/webauthn/webauthntest"
)

// bindingAnswer is what a program answers to the options of a binding, with a key that made its credential at an origin.
func (p *provider) bindingAnswer(options answer, key *webauthntest.Key, origin string) string {
	p.t.Helper()
	var begun struct {
		PublicKey json.RawMessage `json:"publicKey"`
		Ceremony  string          `json:"ceremony"`
	}
	if err := json.Unmarshal([]byte(options.body), &begun); err != nil || begun.Ceremony == "" {
		p.t.Fatalf("the options of a binding = %d %s, %v", options.StatusCode, options.body, err)
	}
	body, err := json.Marshal(map[string]any{"ceremony": begun.Ceremony, "response": json.RawMessage(key.Create(begun.PublicKey, origin)), "name": "Blue key"})
	if err != nil {
		p.t.Fatal(err)
	}
	return string(body)
}
