package messenger

import (
	"bytes"
	"cmp"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"net"
	"net/netip"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	gomail "github.com/wneessen/go-mail"

	"github.com/credence-id/credence/idp/seal"
)

// SMTP carries messages to a mail server (RFC 5321, RFC 6409), over TLS: from the beginning (RFC 8314), or by STARTTLS (RFC
// 3207). Only one on this machine may have none.
type SMTP struct {
	RootCAs *x509.CertPool // whose certificates are taken; nil is those of the machine

	host           string
	port           int
	implicit       bool // TLS from the beginning
	user, password string
}

// ParseSMTP reads the URL of a mail server: smtps://user:password@host:port, or smtp:// for STARTTLS. Without a user nobody
// signs in there. It never quotes the URL, which holds a password.
func ParseSMTP(address string) (*SMTP, error) {
	u, err := url.Parse(address)
	if err != nil || u.Scheme != "smtp" && u.Scheme != "smtps" || u.Hostname() == "" || u.Path != "" || u.RawQuery != "" || u.Fragment != "" {
		return nil, errors.New("want smtps://user:password@host:465 or smtp://user:password@host:587, with what is special in the password percent-encoded")
	}
	s := &SMTP{host: u.Hostname(), port: 587, implicit: u.Scheme == "smtps", user: u.User.Username()}
	s.password, _ = u.User.Password()
	if s.implicit {
		s.port = 465
	}
	if u.Port() != "" {
		if s.port, err = strconv.Atoi(u.Port()); err != nil || s.port < 1 || s.port > 65535 {
			return nil, errors.New("want a port from 1 to 65535")
		}
	}
	if (s.user == "") != (s.password == "") {
		return nil, errors.New("want both a user and a password, or neither")
	}
	return s, nil
}

// here says whether the mail server is on this machine.
func (s *SMTP) here() bool {
	address, err := netip.ParseAddr(s.host)
	return s.host == "localhost" || err == nil && address.IsLoopback()
}

// Carry implements [Carrier].
func (s *SMTP) Carry(ctx context.Context, m *gomail.Msg) error {
	config := &tls.Config{ServerName: s.host, MinVersion: tls.VersionTLS12, RootCAs: s.RootCAs}
	conn, err := s.dial(ctx, config)
	if err != nil {
		return err
	}
	defer func() { _ = conn.Close() }() // the library leaves it open when it does not like the greeting
	stop := context.AfterFunc(ctx, func() { _ = conn.Close() })
	defer stop()
	client, err := gomail.NewClient(s.host, s.options(conn, config)...)
	if err != nil {
		return err
	}
	err = client.DialAndSendWithContext(ctx, m)
	if m.IsDelivered() {
		return nil // whatever went wrong with the farewell
	}
	return cmp.Or(replied(err), err)
}

func (s *SMTP) dial(ctx context.Context, config *tls.Config) (net.Conn, error) {
	address := net.JoinHostPort(s.host, strconv.Itoa(s.port))
	if s.implicit {
		return (&tls.Dialer{Config: config}).DialContext(ctx, "tcp", address)
	}
	return new(net.Dialer).DialContext(ctx, "tcp", address)
}

func (s *SMTP) options(conn net.Conn, config *tls.Config) []gomail.Option {
	policy := gomail.TLSMandatory
	switch {
	case s.implicit:
		policy = gomail.NoTLS // more of it
	case s.here():
		policy = gomail.TLSOpportunistic
	}
	options := []gomail.Option{
		gomail.WithTimeout(sendDeadline), gomail.WithTLSPolicy(policy), gomail.WithTLSConfig(config),
		gomail.WithDialContextFunc(func(context.Context, string, string) (net.Conn, error) { return conn, nil }),
	}
	if s.user != "" {
		// Neither is used without TLS, but on this machine.
		options = append(options, gomail.WithOpportunisticSMTPAuth(gomail.SMTPAuthPlain, gomail.SMTPAuthLogin), gomail.WithUsername(s.user), gomail.WithPassword(s.password))
	}
	return options
}

// Folder writes each message to a file of its own, in a directory: for development.
type Folder string

// Carry implements [Carrier].
func (f Folder) Carry(_ context.Context, m *gomail.Msg) error {
	var text bytes.Buffer
	if _, err := m.WriteTo(&text); err != nil {
		return err
	}
	if err := os.MkdirAll(string(f), 0o700); err != nil {
		return err
	}
	id, _, _ := strings.Cut(strings.TrimPrefix(m.GetMessageID(), "<"), "@")
	return os.WriteFile(filepath.Join(string(f), id+".eml"), text.Bytes(), 0o600)
}

// Reasons why a message was not sent, as the outbox keeps them.
const (
	unreachable    = "unreachable"     // no server, or one that we do not trust, or that does not trust us
	deferred       = "deferred"        // the server asks for it later
	refused        = "refused"         // the server takes no such message, or not for this address
	addressInvalid = "address_invalid" // no server would
	unreadable     = "unreadable"      // it is sealed under a key that is lost
)

// replyError is what a server replied to a message, without its words, which may name people.
type replyError struct{ code int }

func (e *replyError) Error() string { return "the mail server replied " + strconv.Itoa(e.code) }

// replied is the reply that refuses this message or its address, and not us: RFC 5321, Section 4.2.1. There may be none.
func replied(err error) error {
	refusal, ok := errors.AsType[*gomail.SendError](err)
	if !ok || refusal.ErrorCode() == 0 {
		return nil
	}
	switch refusal.Reason {
	case gomail.ErrSMTPRcptTo, gomail.ErrSMTPData, gomail.ErrSMTPDataClose:
		return &replyError{refusal.ErrorCode()}
	default:
		return nil
	}
}

// reason is why a message was not sent, and whether it is of no use to try again.
func reason(err error) (why string, hopeless bool) {
	if errors.Is(err, errAddress) {
		return addressInvalid, true
	}
	if errors.Is(err, seal.ErrSeal) {
		return unreadable, true
	}
	if reply, ok := errors.AsType[*replyError](err); ok {
		if reply.code >= 500 {
			return refused, true
		}
		return deferred, false
	}
	return unreachable, false
}
