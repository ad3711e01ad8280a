package idp

import (
	"encoding/json"
	"fmt"
	"net/http"
)

// wellKnown adds the documents by which browsers and password managers find out about passkeys here: A Well-Known URL for
// Relying Party Passkey Endpoints (W3C), and WebAuthn Level 3, Section 5.11.1, which is there only when there are related
// origins. A new passkey begins with a link from the registration authority: the page of the account says so.
func (s *server) wellKnown(issuer string, relatedOrigins []string) error {
	documents := map[string]any{"passkey-endpoints": map[string]string{"enroll": issuer + "/", "manage": issuer + "/"}}
	if len(relatedOrigins) > 0 {
		documents["webauthn"] = map[string][]string{"origins": relatedOrigins}
	}
	for name, content := range documents {
		document, err := json.Marshal(content)
		if err != nil {
			return fmt.Errorf("encode %s: %w", name, err)
		}
		s.handle("GET /.well-known/"+name, func(w http.ResponseWriter, _ *http.Request) error {
			w.Header().Set("Content-Type", "application/json")
			w.Header().Set("Cache-Control", "public, max-age=60")
			w.Header().Set("Access-Control-Allow-Origin", "*") // nothing here is secret
			w.Header().Set("X-Content-Type-Options", "nosniff")
			_, _ = w.Write(document) // a client that is gone needs no answer
			return nil
		})
	}
	return nil
}
