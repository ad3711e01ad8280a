package api

import (
	"slices"

	"github.com/credence-id/credence/idp/assurance"
	"github.com/credence-id/credence/idp/directory"
	"github.com/credence-id/credence/idp/evidence"
)

type proof struct {
	Identity evidence.Outcome    `json:"identity" doc:"How well it is proved."`
	Note     string              `json:"note,omitempty" doc:"What the levels do not say."`
	Missing  []gap               `json:"missing,omitempty" doc:"What the levels take that are not reached."`
	Items    []evidence.Recorded `json:"items"`
	Next     string              `json:"next,omitempty" doc:"The address of the next page, when there is one."`
}

type gap struct {
	Level assurance.IdentityLevel `json:"level"`
	Ways  [][]string              `json:"ways" doc:"The shortest ways there, the easiest first, and all that each still takes."`
}

func (h *Handler) listEvidence(c call, in oldestFirst) (proof, error) {
	p, err := h.Proof(c.Context(), c.officer, c.PathValue("person"), in.order(), in.id())
	if err != nil {
		return proof{}, err
	}
	shown := proof{Identity: p.Explained.Recorded, Note: p.Explained.Note, Items: p.List}
	if p.More {
		shown.Next = c.following(true, p.List[len(p.List)-1].ID)
	}
	for _, level := range assurance.IdentityLevels() {
		ways, err := p.Explained.Advice(level, nil)
		if err != nil {
			return proof{}, err
		}
		if level.AtMost(p.Explained.Recorded.Level) != level && len(ways) > 0 {
			shown.Missing = append(shown.Missing, gap{level, ways})
		}
	}
	return shown, nil
}

// piece is a piece of evidence that an officer has checked. Who did, when and where follows from her.
type piece struct {
	Kind         string              `json:"kind" doc:"Such as passport or current_account."`
	Number       string              `json:"number,omitempty"`
	Issuer       string              `json:"issuer,omitempty"`
	Country      string              `json:"country,omitempty" doc:"Of the issuer: three letters of ISO 3166-1."`
	Jurisdiction string              `json:"jurisdiction,omitempty" doc:"Of the issuer: ISO 3166-2."`
	Features     []assurance.Feature `json:"features,omitempty"`
	IssuedOn     string              `json:"issued_on,omitempty" format:"date"`
	ExpiresOn    string              `json:"expires_on,omitempty" format:"date"`
	Subject      evidence.Subject    `json:"subject" doc:"Whom it names."`
	Checks       []checkMade         `json:"checks"`
	Declared     evidence.Meeting    `json:"declared" enum:"in_person by_video" doc:"How the officer met the person, whose originals she declares to have seen."`
	MeetingID    string              `json:"meeting,omitempty" doc:"The meeting by video, which was confirmed."`
	AccountCode  string              `json:"account_code,omitempty" doc:"Of who registered herself and is proved to less than level medium: the digits that her account shows her, and that she reads aloud. Each works once."`
}

type checkMade struct {
	Method       assurance.CheckMethod `json:"method"`
	Failed       bool                  `json:"failed,omitempty" doc:"It was done, and its result is no."`
	Facts        []assurance.Fact      `json:"facts,omitempty" doc:"What it established."`
	Organisation string                `json:"organisation,omitempty" doc:"Whose record was asked."`
	TrainedBy    string                `json:"trained_by,omitempty" doc:"The specialist body, with the fact specialist_training."`
	Activity     *assurance.Activity   `json:"activity,omitempty" doc:"That a record shows."`
}

func (h *Handler) recordEvidence(c call, in piece) (evidence.Change, error) {
	kinds := assurance.Kinds()
	i := slices.IndexFunc(kinds, func(k assurance.Kind) bool { return k.Name == in.Kind })
	if i < 0 {
		return evidence.Change{}, &directory.InvalidError{Field: "kind", Want: "a kind that is known"}
	}
	given := evidence.Piece{
		Piece: assurance.Piece{
			Type: kinds[i].Type, Kind: in.Kind, Country: in.Country, Jurisdiction: in.Jurisdiction, Features: in.Features, IssuedOn: in.IssuedOn, ExpiresOn: in.ExpiresOn,
		},
		Subject: in.Subject, Number: in.Number, Issuer: in.Issuer, Declared: in.Declared, MeetingID: in.MeetingID, AccountCode: in.AccountCode,
	}
	for _, k := range in.Checks {
		given.Checks = append(given.Checks, assurance.Check{
			Method: k.Method, Failed: k.Failed, Facts: k.Facts, Organisation: k.Organisation, TrainedBy: k.TrainedBy, Activity: k.Activity,
		})
	}
	return h.Prove(c.Context(), c.officer, c.PathValue("person"), given)
}

type evidenceReason struct {
	Reason evidence.Reason `json:"reason" enum:"forged mistaken superseded"`
}

func (h *Handler) withdrawEvidence(c call, in evidenceReason) (evidence.Change, error) {
	_, _, change, err := h.TakeBack(c.Context(), c.officer, c.PathValue("person"), c.PathValue("evidence"), in.Reason)
	return change, err
}
