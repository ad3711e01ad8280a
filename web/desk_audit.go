package web

import "time"

// DeskAudit reads the record: what is on it about somebody, or what she did to others as an officer, or what is on it of an organisation.
type DeskAudit struct {
	Desk
	Sorting
	// Person, Of, Organisation, Event, Outcome, From and Until are what was entered. Of, Event and Outcome are of Ofs, Events and
	// Outcomes to choose from.
	Person, Of, Organisation, Event, Outcome, From, Until string
	Ofs, Events, Outcomes                                 []Option
	// Searched says that lines were looked for.
	Searched bool
	// Name is what the person is called, or the code of the organisation.
	Name  string
	Lines []AuditLine
	// NextURL leads to what follows. Empty at the end. DownloadURL is a file of CSV with up to Most lines.
	NextURL, DownloadURL string
	Most                 int
}

func (p DeskAudit) page() (string, Frame) { return "desk-audit", p.Frame }

// AuditLine is a line of the record.
type AuditLine struct {
	At time.Time
	// What is in words: "A record was looked at".
	What string
	// Refused says why it was not done, in words. Empty where it was.
	Refused string
	// By and About are people by name and user ID, or whoever else did it. About is empty where it is about nobody.
	By, About string
	// Role is in which an officer did it, and where: "Registration Authority Agent at ZX100". Empty where none did.
	Role string
	// Service is a client, Address from where it was done, and Reference that of its request. Empty where there is none.
	Service, Address, Reference string
	// Changes are what was changed, with what it was before, and Details what else the line says.
	Changes []Difference
	Details []AuditDetail
}

// AuditDetail is something that a line of the record says. URL leads to what it is; empty where nothing does.
type AuditDetail struct{ Name, Value, URL string }
