package webauthn

import (
	"slices"

	"github.com/go-webauthn/webauthn/protocol"
)

// hints tells the browser which kind of authenticator it will be, when all that may answer are of one kind: WebAuthn
// Level 3, Section 5.8.7. Transports are the browser's own word, so nothing but what it offers first follows from it.
func hints(allowed []protocol.CredentialDescriptor) []protocol.PublicKeyCredentialHints {
	all := func(kind ...protocol.AuthenticatorTransport) bool {
		return len(allowed) > 0 && !slices.ContainsFunc(allowed, func(d protocol.CredentialDescriptor) bool {
			return len(d.Transport) == 0 || slices.ContainsFunc(d.Transport, func(t protocol.AuthenticatorTransport) bool { return !slices.Contains(kind, t) })
		})
	}
	switch {
	case all(protocol.USB, protocol.NFC, protocol.BLE, protocol.SmartCard):
		return []protocol.PublicKeyCredentialHints{protocol.PublicKeyCredentialHintSecurityKey}
	case all(protocol.Internal):
		return []protocol.PublicKeyCredentialHints{protocol.PublicKeyCredentialHintClientDevice}
	}
	return nil
}

// hints tells the browser of somebody whose organisations want keys that cannot be copied, or whose model is known, what
// those are in: security keys, or the computer itself. A phone elsewhere has synchronised ones.
func (m *Models) hints(organisations []string) []protocol.PublicKeyCredentialHints {
	policies := m.current.Load().policies
	if !slices.ContainsFunc(organisations, func(code string) bool {
		p := policies[code]
		return p.DeviceBound || p.Attestation || len(p.Allowed) > 0
	}) {
		return nil
	}
	return []protocol.PublicKeyCredentialHints{protocol.PublicKeyCredentialHintSecurityKey, protocol.PublicKeyCredentialHintClientDevice}
}
