package desk

import (
	"cmp"
	"errors"
	"net/http"
	"net/url"
	"strconv"

	"github.com/credence-id/credence/idp/assurance"
	"github.com/credence-id/credence/idp/authority"
	"github.com/credence-id/credence/idp/deed"
	"github.com/credence-id/credence/idp/directory"
	"github.com/credence-id/credence/idp/office"
	"github.com/credence-id/credence/web"
)

func policyPath(organisation string) string {
	return organisationsPath + "/" + organisation + "/policy"
}

// policy says how an organisation has its work done.
func (h *Handler) policy(w http.ResponseWriter, r *http.Request, o officer) error {
	stated, err := h.Policy(r.Context(), o.Officer, r.PathValue("code"))
	if err != nil {
		return err
	}
	return h.Pages.Render(w, http.StatusOK, h.policyPage(r, o, stated, stated.Own))
}

// policyPage is what holds, and the form, filled in with a policy. Its address says which version it is for.
func (h *Handler) policyPage(r *http.Request, o officer, stated directory.Stated, entered directory.Policy) web.DeskPolicy {
	page := web.DeskPolicy{Desk: h.desk(r, o), Organisation: stated.Name, Code: stated.Code, Settings: settings(stated)}
	here := authority.Subject{Path: stated.Path()}
	if !h.can(o, here, authority.SetPolicy) {
		return page
	}
	page.PostURL, page.CanRelax = o.form(policyPath(stated.Code), "seen", strconv.Itoa(stated.Version)), h.can(o, here, authority.RelaxPolicy)
	page.Level, page.Levels = inherit, levels(stated.Above.DeskLevel)
	if entered.DeskLevel != 0 {
		page.Level = entered.DeskLevel.String()
	}
	page.SecondChecker = []web.Option{{Value: "yes", Label: "Another officer has to confirm it", Checked: entered.SecondChecker}}
	page.SelfRegistration = []web.Option{{Value: "yes", Label: "People can register themselves here", Checked: entered.SelfRegistration}}
	page.HelpText, page.HelpEmail, page.HelpTelephone = entered.Help.Text, entered.Help.Email, entered.Help.Telephone
	return page
}

// inherit is what the form has for what an organisation leaves to those above it.
const inherit = "inherit"

func levels(above assurance.AuthenticatorLevel) []web.Option {
	return []web.Option{
		{Value: "3", Label: "At level 3", Hint: "With a key that cannot be copied, such as a security key or smartcard that is approved for it"},
		{Value: "2", Label: "At level 2", Hint: "With two things, such as a passkey, or a password with a code"},
		{Value: inherit, Label: "As above: at level " + above.String()},
	}
}

// setPolicy changes what an organisation says.
func (h *Handler) setPolicy(w http.ResponseWriter, r *http.Request, o officer) error {
	f, err := web.Form(w, r, mostForm)
	if err != nil {
		return err
	}
	stated, err := h.Policy(r.Context(), o.Officer, r.PathValue("code"))
	if err != nil {
		return err
	}
	change := directory.PolicyChange{Organisation: stated.Code, Policy: policyOf(f), Reason: web.OneLine(f.Get("reason"))}
	if change.Seen, err = strconv.Atoi(r.URL.Query().Get("seen")); err != nil {
		change.Seen = -1 // which none ever was
	}
	err = h.SetPolicy(r.Context(), o.Officer, change)
	if err == nil {
		return web.SeeOther(w, r, policyPath(stated.Code))
	}
	wrong, err := policyMistakes(err)
	if err != nil {
		return err
	}
	if stated, err = h.Policy(r.Context(), o.Officer, stated.Code); err != nil { // as it is by now
		return err
	}
	page := h.policyPage(r, o, stated, change.Policy)
	page.Errors, page.Reason, page.HelpText = wrong, f.Get("reason"), f.Get(directory.HelpText)
	if change.Seen != stated.Version {
		names, err := h.Names(r.Context(), stated.ChangedBy)
		if err != nil {
			return err
		}
		done := office.Done{By: cmp.Or(names[stated.ChangedBy], stated.ChangedBy), At: stated.ChangedAt}
		page.Meanwhile = meanwhile(done, since(stated, change.Policy)...)
	}
	return h.Pages.Render(w, http.StatusBadRequest, page)
}

// policyOf reads what was entered. A level that the form does not have is none that there is, so it is refused.
func policyOf(f url.Values) directory.Policy {
	level, err := strconv.Atoi(f.Get(directory.DeskLevel))
	switch {
	case f.Get(directory.DeskLevel) == inherit:
		level = 0
	case err != nil || level == 0:
		level = -1
	}
	return directory.Policy{
		DeskLevel: assurance.AuthenticatorLevel(level), SecondChecker: f.Get(directory.SecondChecker) == "yes", SelfRegistration: f.Get(directory.SelfRegistration) == "yes",
		Help: directory.Help{
			Text: web.OneLine(f.Get(directory.HelpText)), Email: web.OneLine(f.Get(directory.HelpEmail)), Telephone: web.OneLine(f.Get(directory.HelpTelephone)),
		},
	}
}

func policyMistakes(err error) ([]web.FieldError, error) {
	if refusal, refused := errors.AsType[*deed.Refusal](err); refused && refusal.Reason == deed.ChangedSince {
		return []web.FieldError{{Message: "Somebody else has changed this since: see the difference, and send yours again if it is right."}}, nil
	}
	return mistakes(err, map[string]string{
		directory.DeskLevel:     "Select how officers sign in",
		directory.HelpText:      "Enter where people find help in up to 500 characters",
		directory.HelpEmail:     "Enter an email address, such as help@example.org",
		directory.HelpTelephone: "Enter a telephone number in digits, such as 0113 496 0000",
		"reason":                "Change something, and enter a reason of up to 500 characters",
	})
}

// since is what is on record and differs from what was entered.
func since(stated directory.Stated, entered directory.Policy) (list []web.Difference) {
	values := func(s directory.Setting) []string {
		if s.Value == "" {
			return nil
		}
		return []string{settingValue(s)}
	}
	is := entered.Settings()
	for i, was := range stated.Own.Settings() {
		if was.Value != is[i].Value {
			list = append(list, web.Difference{Name: settingName(was.Name), Was: values(was), Is: values(is[i])})
		}
	}
	return list
}

// settings says for people what holds at an organisation, and by whose word.
func settings(stated directory.Stated) (list []web.PolicySetting) {
	for i, s := range stated.Holds().Settings() {
		code, name := stated.SaidBy(i)
		from := "Inherited from " + name + " (" + code + ")"
		switch code {
		case "":
			from = "No organisation says anything about it"
		case stated.Code:
			from = "Said by this organisation itself"
		}
		list = append(list, web.PolicySetting{Name: settingName(s.Name), Value: settingValue(s), From: from})
	}
	return list
}

func settingName(name string) string {
	return map[string]string{
		directory.DeskLevel:        "Officers sign in",
		directory.SecondChecker:    "Evidence waits for a second officer",
		directory.SelfRegistration: "People can register themselves",
		directory.HelpText:         "Help",
		directory.HelpEmail:        "Email address of the help desk",
		directory.HelpTelephone:    "Telephone number of the help desk",
	}[name]
}

func settingValue(s directory.Setting) string {
	switch s.Name {
	case directory.DeskLevel:
		return "At level " + s.Value
	case directory.SecondChecker, directory.SelfRegistration:
		return map[string]string{"yes": "Yes", "": "No"}[s.Value]
	}
	return cmp.Or(s.Value, "Not said")
}
