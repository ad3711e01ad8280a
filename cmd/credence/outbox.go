package main

import (
	"context"

	"github.com/credence-id/credence/idp"
	"github.com/credence-id/credence/idp/directory"
	"github.com/credence-id/credence/idp/messenger"
	"github.com/credence-id/credence/store"
)

// outbox is where a command leaves what people are to be told of it, for a server to send; nil, when the servers send no mail.
func (p *program) outbox(ctx context.Context, s *store.Store) (*messenger.Outbox, error) {
	c, err := readConfig(p.environ)
	if err != nil || c.SMTPURL == "" || p.data != "" {
		return nil, err
	}
	carrier, sender, err := c.mail()
	if err != nil {
		return nil, err
	}
	key, err := p.sealKey()
	if err != nil {
		return nil, err
	}
	issuer, err := p.issuer()
	if err != nil {
		return nil, err
	}
	policies := directory.NewPolicies(c.help())
	if err := policies.Load(ctx, s); err != nil {
		return nil, err
	}
	return idp.NewOutbox(idp.Config{Store: s, Key: key, Issuer: issuer, Mail: carrier, MailFrom: sender, Now: p.clock}, policies), nil
}

// help is where whoever is not known finds help, or whose organisation does not say.
func (c config) help() directory.Help {
	return directory.Help{Text: c.HelpText, Email: c.HelpEmail, Telephone: c.HelpTelephone}
}
