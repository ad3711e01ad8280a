package desk

import (
	"cmp"
	"errors"
	"io"
	"net/http"
	"strings"

	"github.com/credence-id/credence/idp/authority"
	"github.com/credence-id/credence/idp/deed"
	"github.com/credence-id/credence/idp/position"
	"github.com/credence-id/credence/web"
)

const bulkPath = "/desk/requests/bulk"

// bulk is the form for a file of requests.
func (h *Handler) bulk(w http.ResponseWriter, r *http.Request, o officer) error {
	if err := h.may(r.Context(), o, authority.Subject{Path: []string{o.Organisation}}, authority.RequestPosition); err != nil {
		return err
	}
	return h.Pages.Render(w, http.StatusOK, web.DeskBulk{Desk: h.desk(r, o), PostURL: o.form(bulkPath)})
}

// askBulk takes that form: it shows what would come of each line, or has done what was shown. What was shown is in the address
// to which the form is then posted.
func (h *Handler) askBulk(w http.ResponseWriter, r *http.Request, o officer) error {
	if err := h.may(r.Context(), o, authority.Subject{Path: []string{o.Organisation}}, authority.RequestPosition); err != nil {
		return err
	}
	text, err := sentBulk(w, r)
	if err != nil {
		return &web.Problem{
			Status: http.StatusBadRequest, Title: "We could not read what you sent",
			Message: "The form did not arrive whole, or has more than 256 KB.", Next: "Go back and try again.",
		}
	}
	page := web.DeskBulk{Desk: h.desk(r, o), PostURL: o.form(bulkPath), Text: text}
	rows, err := position.ParseBulk([]byte(text))
	if err != nil {
		page.Errors, page.Wrong = []web.FieldError{{Field: "text", Message: "Mend what is wrong with the lines, or select another file"}}, strings.Split(err.Error(), "\n")
		return h.Pages.Render(w, http.StatusBadRequest, page)
	}
	seen := r.URL.Query().Get("seen")
	b, err := h.Positions.AskAll(r.Context(), o.Acting(), rows, seen)
	if err != nil {
		return err
	}
	page.Given, page.Asked, page.Refused, page.Done, page.Changed = b.Given, b.Asked, b.Refused, b.Done, seen != "" && !b.Done
	people, positions, err := h.BulkNames(r.Context(), o.Officer, b)
	if err != nil {
		return err
	}
	for _, e := range b.Effects {
		shown := bulkEffect(e, b.Done)
		shown.PersonName, shown.PositionName = people[e.Person], positions[e.Position]
		page.Effects = append(page.Effects, shown)
	}
	if b.Refused == 0 {
		page.ApplyURL = o.form(bulkPath, "seen", b.Seal)
	}
	return h.Pages.Render(w, http.StatusOK, page)
}

func bulkEffect(e position.BulkEffect, done bool) web.BulkEffect {
	shown := web.BulkEffect{Line: e.Line, PersonID: e.Person, PositionID: e.Position, Effect: "Waits for another officer"}
	refusal, refused := errors.AsType[*deed.Refusal](e.Refusal)
	switch {
	case refused:
		shown.Refused, shown.Effect = true, refusal.Sentence()
	case e.Refusal != nil:
		shown.Refused, shown.Effect = true, capital(strings.ReplaceAll(e.Refusal.Error(), "\n", "; "))
	case e.Answer.Role != "":
		shown.Effect = "Given at once, because a sponsor alone decides for this position"
	}
	if done {
		shown.URL = "/desk/requests/" + e.Answer.Request.String()
	}
	return shown
}

// sentBulk reads the lines of a form: those of its file, or else those that were typed.
func sentBulk(w http.ResponseWriter, r *http.Request) (string, error) {
	r.Body = web.Body(w, r, 2*position.LargestBulk+64<<10) // a file and the lines of another, and what parts them
	parts, err := r.MultipartReader()
	if err != nil {
		return "", err
	}
	sent := make(map[string]string)
	for {
		part, err := parts.NextPart()
		if errors.Is(err, io.EOF) {
			return cmp.Or(sent["file"], sent["text"]), nil
		}
		if err != nil {
			return "", err
		}
		body, err := io.ReadAll(part)
		if err != nil {
			return "", err
		}
		sent[part.FormName()] = string(body)
	}
}
