package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/mail"
	"os"

	"github.com/spf13/cobra"

	"github.com/credence-id/credence/idp"
	"github.com/credence-id/credence/idp/messenger"
	"github.com/credence-id/credence/store"
)

func newServeCommand(p *program) *cobra.Command {
	return &cobra.Command{
		Use:   "serve",
		Short: "Run the provider of a real installation",
		Long: `Run the provider of a real installation, configured by the environment:

  CREDENCE_ISSUER          its address, https
  CREDENCE_DATABASE_URL    or CREDENCE_DATABASE_URL_FILE: the database, as the service role
  CREDENCE_SEAL_KEY_FILE   the file with the key that seals signing keys
  CREDENCE_LISTEN          where it takes connections (default 127.0.0.1:8080)
  CREDENCE_METRICS_LISTEN  where Prometheus reads (default 127.0.0.1:9464)

It ends TLS itself with a certificate, which it reads again when the files change:

  CREDENCE_TLS_CERTIFICATE_FILE  the certificate for the issuer's host, with its chain, as PEM
  CREDENCE_TLS_KEY_FILE          its private key, as PEM

Without these it speaks plain text: let only a TLS proxy reach it, and name that proxy:

  CREDENCE_TRUSTED_PROXIES       addresses and networks, whose X-Forwarded-For is believed

Authenticators are judged by what FIDO publishes of their models, if that is named:

  CREDENCE_FIDO_METADATA            an https URL or a file with the blob
  CREDENCE_FIDO_METADATA_ROOT_FILE  whose signature is taken (default FIDO's)
  CREDENCE_FIDO_CERTIFICATION       which certification counts (default FIDO_CERTIFIED_L1)

Pages of other origins may use its passkeys, if they are named:

  CREDENCE_RELATED_ORIGINS       origins, separated by commas

People are told by mail what was done to their accounts, if a mail server is named:

  CREDENCE_SMTP_URL              or CREDENCE_SMTP_URL_FILE: smtps://user:password@host:465
  CREDENCE_MAIL_FROM             whom people see as the sender

Each page says at its end where people find help, unless their organisation says otherwise:

  CREDENCE_HELP_TEXT             in a sentence or two
  CREDENCE_HELP_EMAIL            the address of the help desk
  CREDENCE_HELP_TELEPHONE        its telephone number

Traces of requests go to an OpenTelemetry collector, if one is named:

  CREDENCE_OTLP_ENDPOINT         the collector's address, by OTLP/HTTP
  CREDENCE_TRACE_RATIO           which part of requests is traced, from 0 to 1 (default 1)

It sends traces of requests to an OpenTelemetry collector, if CREDENCE_OTLP_ENDPOINT names one.
The schema has to be this program's: run credence migrate up first.`,
		Example: `  CREDENCE_ISSUER=https://id.example.org CREDENCE_DATABASE_URL_FILE=/run/secrets/database \
    CREDENCE_SEAL_KEY_FILE=/run/secrets/seal.key CREDENCE_TRUSTED_PROXIES=192.0.2.10 credence serve`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return p.serve(cmd.Context()) },
	}
}

func (p *program) serve(ctx context.Context) error {
	log := slog.New(idp.RequestLog{Handler: slog.NewJSONHandler(os.Stderr, nil)})
	c, key, err := readServeConfig(p.environ)
	certificate, unusable := serveCertificate(c, p.now, log)
	if err := errors.Join(err, unusable); err != nil {
		return err
	}
	traces, err := openTraces(ctx, c.OTLPEndpoint, c.TraceRatio, log)
	if err != nil {
		return err
	}
	defer traces.flush(ctx)
	s, err := store.OpenTraced(ctx, c.DatabaseURL, traces.statements)
	if err != nil {
		return err
	}
	defer s.Close()
	if err := s.CheckSchema(ctx); err != nil {
		return err
	}
	if err := s.CheckService(ctx); err != nil {
		return err
	}
	development, err := s.Development(ctx)
	if err != nil {
		return err
	}
	if development {
		return errors.New("this database belongs to `credence dev`, whose people and secrets everybody knows: make another one for `credence serve`")
	}
	proxies, err := parseProxies(c.TrustedProxies)
	if err != nil {
		return err
	}
	source, err := c.source()
	if err != nil {
		return err
	}
	carrier, sender, err := c.mail()
	if err != nil {
		return err
	}
	if carrier == nil {
		log.InfoContext(ctx, "nobody is told anything by mail: set CREDENCE_SMTP_URL and CREDENCE_MAIL_FROM to have people told")
	}
	provider, err := idp.New(ctx, idp.Config{
		Issuer: c.Issuer, Store: s, Key: key, Now: p.clock, Log: log, TrustedProxies: proxies, Traces: traces.provider,
		Metadata: source, RelatedOrigins: relatedOrigins(c.RelatedOrigins), Mail: carrier, MailFrom: sender,
		Help: c.help(),
	})
	if err != nil {
		return err
	}
	public, err := listen(ctx, c.Listen, "CREDENCE_LISTEN")
	if err != nil {
		return err
	}
	private, err := listen(ctx, c.MetricsListen, "CREDENCE_METRICS_LISTEN")
	if err != nil {
		return errors.Join(err, public.Close())
	}
	figures, err := metrics(provider, certificate, private)
	if err != nil {
		return errors.Join(err, public.Close(), private.Close())
	}
	log.InfoContext(ctx, "serving", slog.String("issuer", c.Issuer), slog.String("address", public.Addr().String()), slog.String("metrics", private.Addr().String()))
	err = run(ctx, log, provider, site{name: "provider", handler: provider, listeners: []net.Listener{public}, certificate: certificate}, figures)
	log.InfoContext(context.WithoutCancel(ctx), "stopped")
	return err
}

// mail is who brings people messages, and from whom; nil, both, when nobody does.
func (c config) mail() (messenger.Carrier, *mail.Address, error) {
	if c.SMTPURL == "" {
		return nil, nil, nil
	}
	server, err := messenger.ParseSMTP(c.SMTPURL)
	if err != nil {
		return nil, nil, fmt.Errorf("CREDENCE_SMTP_URL: %w", err)
	}
	sender, err := mail.ParseAddress(c.MailFrom)
	if err != nil {
		return nil, nil, fmt.Errorf("CREDENCE_MAIL_FROM: %w", err)
	}
	return server, sender, nil
}
