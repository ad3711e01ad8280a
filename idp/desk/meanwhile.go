package desk

import (
	"errors"
	"slices"
	"time"

	"github.com/credence-id/credence/idp/deed"
	"github.com/credence-id/credence/idp/office"
	"github.com/credence-id/credence/idp/position"
	"github.com/credence-id/credence/web"
)

// meanwhile is what another officer did since a page was opened, beside what was entered in its form: of pages whose forms can be sent once.
func meanwhile(done office.Done, differences ...web.Difference) *web.Meanwhile {
	return &web.Meanwhile{By: done.By, At: done.At, Differences: differences}
}

// beside is what is on record now beside what was entered.
func beside(name, now, entered string) web.Difference {
	return web.Difference{Name: name, Was: some(now), Is: some(entered)}
}

// decidedMeanwhile is a decision that another officer took, beside the one that was entered.
func decidedMeanwhile(d web.Decision, state, entered, reason string) *web.Meanwhile {
	return &web.Meanwhile{By: d.ByName, At: d.At, Differences: []web.Difference{beside("Decision", state, entered), beside("Reason", d.Reason, reason)}}
}

// verdictEntered says for people which decision was entered.
func verdictEntered(withdraw bool, verdict string) string {
	if withdraw {
		return "Withdraw"
	}
	return map[position.Verdict]string{position.Approve: "Approve", position.Refuse: "Refuse"}[position.Verdict(verdict)]
}

// momentWords is the day of a moment that the record has, and lastDayWords the last day before it; "" is none.
func momentWords(text string) string {
	at, err := time.Parse(time.RFC3339, text)
	if err != nil {
		return ""
	}
	return at.Format("2 January 2006")
}

func lastDayWords(text string) string {
	at, err := time.Parse(time.RFC3339, text)
	if err != nil {
		return ""
	}
	return at.Add(-time.Second).Format("2 January 2006")
}

// refusedAs says whether an error is a refusal for one of some reasons.
func refusedAs(err error, reasons ...deed.Reason) bool {
	refusal, refused := errors.AsType[*deed.Refusal](err)
	return refused && slices.Contains(reasons, refusal.Reason)
}
