package web

// DeskPolicy says how an organisation has its work done, and by whose word, and lets an officer change what it says of its own.
type DeskPolicy struct {
	Desk
	// Organisation is the name, and Code the code.
	Organisation, Code string
	Settings           []PolicySetting
	// PostURL is what the form posts to. Empty where the officer may change nothing. CanRelax says that she may make it less
	// strict, too.
	PostURL  string
	CanRelax bool
	// What the form has. Levels are the choices for the level.
	Levels                                     []Option
	Level                                      string
	SecondChecker, SelfRegistration            []Option
	HelpText, HelpEmail, HelpTelephone, Reason string
}

func (p DeskPolicy) page() (string, Frame) { return "desk-policy", p.Frame }

// PolicySetting is one thing that a policy says.
type PolicySetting struct {
	Name, Value string
	// From says in words by whose word it holds.
	From string
}
