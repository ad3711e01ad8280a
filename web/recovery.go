package web

import "time"

// Recover asks somebody who cannot use what she signs in with for a recovery code.
type Recover struct {
	Frame
	Username string
}

func (p Recover) page() (string, Frame) { return "recover", p.Frame }

// RecoverySent says that the link with which she adds something to sign in with is on its way to the address on record.
type RecoverySent struct{ Frame }

func (p RecoverySent) page() (string, Frame) { return "recovery-sent", p.Frame }

// AccountRecovery says how many recovery codes somebody has.
type AccountRecovery struct {
	Account
	Left   int
	MadeAt time.Time
	// Codes are those that were made just now, and are never shown again.
	Codes []string
	// NewURL and LostURL are where she makes new codes and reports hers lost. NewURL is empty where no address is known to which a
	// link could be sent.
	NewURL, LostURL string
}

func (p AccountRecovery) page() (string, Frame) { return "account-recovery", p.Frame }

// AccountRecoveryChange asks whether codes are to be made, or reported lost.
type AccountRecoveryChange struct {
	Account
	Left int
	// Lost says that they are reported lost, Weak that she signed in too weakly to make any.
	Lost, Weak       bool
	PostURL, ListURL string
}

func (p AccountRecoveryChange) page() (string, Frame) { return "account-recovery-change", p.Frame }
