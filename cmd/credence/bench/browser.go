package bench

import (
	"bufio"
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// patience is how long an answer may take.
const patience = 10 * time.Second

// site is the server as a browser reaches it.
type site struct {
	issuer  string
	url     *url.URL
	address string // where it was reached first
	tls     *tls.Config
}

// newSite finds the server. A name can have several addresses, of which not all answer: the first one that does is kept.
func newSite(ctx context.Context, issuer string, roots *x509.CertPool) (*site, error) {
	u, err := url.Parse(issuer)
	if err != nil {
		return nil, fmt.Errorf("issuer: %w", err)
	}
	s := &site{issuer: issuer, url: u, address: u.Host}
	port := "80"
	if u.Scheme == "https" {
		s.tls = &tls.Config{ServerName: u.Hostname(), RootCAs: roots, NextProtos: []string{"http/1.1"}, MinVersion: tls.VersionTLS12}
		port = "443"
	}
	if u.Port() == "" {
		s.address = net.JoinHostPort(u.Hostname(), port)
	}
	conn, err := s.dial(ctx)
	_, untrusted := errors.AsType[x509.UnknownAuthorityError](err)
	switch {
	case errors.Is(err, syscall.ECONNREFUSED):
		return nil, fmt.Errorf("reach %s: %w: start the server first", issuer, err)
	case untrusted:
		return nil, fmt.Errorf("reach %s: %w: name the directory of `credence dev --https` with --data, or the file of the authority with SSL_CERT_FILE", issuer, err)
	case err != nil:
		return nil, fmt.Errorf("reach %s: %w", issuer, err)
	}
	s.address = conn.RemoteAddr().String()
	return s, conn.Close()
}

func (s *site) dial(ctx context.Context) (net.Conn, error) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	if s.tls != nil {
		return (&tls.Dialer{Config: s.tls}).DialContext(ctx, "tcp", s.address)
	}
	return new(net.Dialer).DialContext(ctx, "tcp", s.address)
}

// browser is one user agent: a connection that stays open, and cookies. It costs little, because it runs on the machine that it
// measures: net/http's client would take as long as the server. It is not safe for concurrent use.
type browser struct {
	site    *site
	conn    net.Conn
	reader  *bufio.Reader
	request bytes.Buffer
	body    bytes.Buffer
	cookies []*http.Cookie
}

// answer is a response; its body is there until the next request.
type answer struct {
	status   int
	location string // on this site without its scheme and host
	header   http.Header
	body     []byte
}

// message is a request.
type message struct {
	method, target string
	kind           string // of the body; "" when there is none
	body           []byte
	authorization  string
}

func (b *browser) get(ctx context.Context, target string) (answer, error) {
	return b.send(ctx, message{method: http.MethodGet, target: target})
}

func (b *browser) post(ctx context.Context, target, kind string, body []byte) (answer, error) {
	return b.send(ctx, message{method: http.MethodPost, target: target, kind: kind, body: body})
}

// send sends a request and reads the answer whole. Redirects are for the caller to follow.
func (b *browser) send(ctx context.Context, m message) (answer, error) {
	a, err := b.exchange(ctx, m)
	if err != nil {
		b.close()
		return answer{}, fmt.Errorf("%s %s: %w", m.method, pathOf(m.target), err)
	}
	return a, nil
}

func (b *browser) exchange(ctx context.Context, m message) (answer, error) {
	if err := b.connect(ctx); err != nil {
		return answer{}, err
	}
	if err := b.conn.SetDeadline(time.Now().Add(patience)); err != nil {
		return answer{}, err
	}
	b.write(m)
	if _, err := b.request.WriteTo(b.conn); err != nil {
		return answer{}, err
	}
	resp, err := http.ReadResponse(b.reader, nil)
	if err != nil {
		return answer{}, err
	}
	defer func() { _ = resp.Body.Close() }()
	const most = 1 << 20
	b.body.Reset()
	if _, err := b.body.ReadFrom(http.MaxBytesReader(nil, resp.Body, most)); err != nil {
		return answer{}, err
	}
	if resp.Close {
		b.close()
	}
	b.keep(resp.Cookies())
	location := resp.Header.Get("Location")
	return answer{resp.StatusCode, strings.TrimPrefix(location, b.site.issuer), resp.Header, b.body.Bytes()}, nil
}

func (b *browser) connect(ctx context.Context) error {
	if b.conn != nil {
		return nil
	}
	conn, err := b.site.dial(ctx)
	if err != nil {
		return err
	}
	b.conn = conn
	if b.reader == nil {
		b.reader = bufio.NewReaderSize(nil, 16<<10)
	}
	b.reader.Reset(conn)
	return nil
}

// write makes a request of HTTP/1.1: RFC 9112, Section 2.1.
func (b *browser) write(m message) {
	b.request.Reset()
	header := func(parts ...string) {
		for _, part := range parts {
			b.request.WriteString(part)
		}
		b.request.WriteString("\r\n")
	}
	header(m.method, " ", m.target, " HTTP/1.1")
	header("Host: ", b.site.url.Host)
	for i, c := range b.cookies {
		if i == 0 {
			b.request.WriteString("Cookie: ")
		} else {
			b.request.WriteString("; ")
		}
		b.request.WriteString(c.Name + "=" + c.Value)
	}
	if len(b.cookies) > 0 {
		header()
	}
	if m.authorization != "" {
		header("Authorization: ", m.authorization)
	}
	if m.kind != "" {
		header("Sec-Fetch-Site: same-origin")
		header("Content-Type: ", m.kind)
		header("Content-Length: ", strconv.Itoa(len(m.body)))
	}
	header()
	b.request.Write(m.body)
}

// keep keeps cookies. There is one host, and all its cookies are for all its paths.
func (b *browser) keep(cookies []*http.Cookie) {
	for _, c := range cookies {
		b.drop(c.Name)
		if c.MaxAge >= 0 {
			b.cookies = append(b.cookies, c)
		}
	}
}

func (b *browser) drop(name string) {
	for i, c := range b.cookies {
		if c.Name == name {
			b.cookies = append(b.cookies[:i], b.cookies[i+1:]...)
			return
		}
	}
}

// forget makes it a browser that has never been here, on the same connection.
func (b *browser) forget() { b.cookies = b.cookies[:0] }

func (b *browser) close() {
	if b.conn != nil {
		_ = b.conn.Close() // nothing is waited for
		b.conn = nil
	}
}

// pathOf is what of an address may be shown: what travels sealed in it may not.
func pathOf(target string) string {
	path, _, _ := strings.Cut(target, "?")
	return path
}
