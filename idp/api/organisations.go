package api

import (
	"maps"
	"slices"
	"time"

	"github.com/credence-id/credence/idp/assurance"
	"github.com/credence-id/credence/idp/directory"
)

type glance struct {
	Organisation   string    `json:"organisation"`
	Name           string    `json:"name"`
	At             time.Time `json:"at"`
	Waiting        []figure  `json:"waiting" doc:"What is your business, and waits for somebody."`
	Expiring       []int     `json:"expiring_roles,omitempty" doc:"Of positions, week by week from now on."`
	SignIns        []signIns `json:"sign_ins,omitempty" doc:"Day by day, the last of them today. Left out: you may not see which."`
	UnusualSignIns *int64    `json:"unusual_sign_ins,omitempty" doc:"Left out: you may not see which."`
}

// figure is how much waits of what, counted up to office.MostCounted.
type figure struct {
	Of      string     `json:"of" doc:"Such as requests or positions."`
	Count   int        `json:"count" doc:"Up to 1000."`
	FirstAt *time.Time `json:"first_at,omitempty" doc:"Since when the first of it waits; of reviews, when the first is due."`
}

type signIns struct {
	Day   string `json:"day" format:"date"`
	Count int    `json:"count"`
}

func (h *Handler) readGlance(c call, _ nothing) (glance, error) {
	g, err := h.Glance(c.Context(), c.officer, c.PathValue("organisation"))
	if err != nil {
		return glance{}, err
	}
	shown := glance{Organisation: g.Organisation, Name: g.Name, At: g.At.UTC(), Waiting: []figure{}, UnusualSignIns: g.Unusual}
	for _, of := range slices.Sorted(maps.Keys(g.Doing)) {
		shown.Waiting = append(shown.Waiting, figure{string(of), int(g.Doing[of].Count), utc(g.Doing[of].FirstAt)})
	}
	for _, n := range g.Expiring {
		shown.Expiring = append(shown.Expiring, int(n))
	}
	for _, day := range g.SignIns {
		shown.SignIns = append(shown.SignIns, signIns{day.Day.Format(time.DateOnly), int(day.SignIns)})
	}
	return shown, nil
}

type policy struct {
	DeskLevel        int    `json:"desk_level,omitempty" doc:"At which its officers sign in: 2 or 3. Left out: as above."`
	SecondChecker    bool   `json:"second_checker,omitempty" doc:"Evidence waits until another officer confirms it."`
	SelfRegistration bool   `json:"self_registration,omitempty" doc:"People register themselves."`
	HelpText         string `json:"help_text,omitempty"`
	HelpEmail        string `json:"help_email,omitempty"`
	HelpTelephone    string `json:"help_telephone,omitempty"`
}

func policyOf(p directory.Policy) policy {
	return policy{int(p.DeskLevel), p.SecondChecker, p.SelfRegistration, p.Help.Text, p.Help.Email, p.Help.Telephone}
}

type policyStated struct {
	Organisation string `json:"organisation"`
	Name         string `json:"name"`
	Own          policy `json:"own" doc:"What the organisation says itself."`
	Holds        policy `json:"holds" doc:"What holds there, with what those above it say."`
}

func (h *Handler) readPolicy(c call, _ nothing) (policyStated, error) {
	stated, err := h.Policy(c.Context(), c.officer, c.PathValue("organisation"))
	if err != nil {
		return policyStated{}, err
	}
	c.tag(stated.Version)
	return policyStated{stated.Code, stated.Name, policyOf(stated.Own), policyOf(stated.Holds())}, nil
}

type policyWanted struct {
	policy

	Reason string `json:"reason" doc:"For the record."`
}

func (h *Handler) setPolicy(c call, in policyWanted) (policyStated, error) {
	seen, err := c.version()
	if err != nil {
		return policyStated{}, err
	}
	stated, err := h.Policy(c.Context(), c.officer, c.PathValue("organisation"))
	if err != nil {
		return policyStated{}, err
	}
	err = h.SetPolicy(c.Context(), c.officer, directory.PolicyChange{
		Organisation: stated.Code, Reason: in.Reason, Seen: seen,
		Policy: directory.Policy{
			DeskLevel: assurance.AuthenticatorLevel(in.DeskLevel), SecondChecker: in.SecondChecker, SelfRegistration: in.SelfRegistration,
			Help: directory.Help{Text: in.HelpText, Email: in.HelpEmail, Telephone: in.HelpTelephone},
		},
	})
	if err != nil {
		return policyStated{}, err
	}
	return h.readPolicy(c, nothing{})
}
