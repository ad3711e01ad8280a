package messenger_test

import (
	"bufio"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"fmt"
	"io"
	"math/big"
	"net"
	"net/mail"
	"net/textproto"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

// mailServer is a mail server that speaks as much of SMTP as ours need (RFC 5321), and keeps what it takes.
type mailServer struct {
	t        *testing.T
	address  string
	implicit bool // TLS from the beginning
	startTLS bool
	config   *tls.Config
	roots    *x509.CertPool
	secret   string // that AUTH PLAIN has to bring; "" asks for none
	silent   bool   // never says anything

	mu       sync.Mutex
	listener net.Listener
	open     map[net.Conn]bool
	reply    func(command string) string // "" leaves it to the server
	deaf     int                         // how often it goes away when it has taken a message, and never says so
	taken    []*mail.Message
	secured  []bool // whether each came over TLS
}

// newMailServer makes a server that is not yet up.
func newMailServer(t *testing.T) *mailServer {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	must(t, err)
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour), IsCA: true, BasicConstraintsValid: true,
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1), net.IPv4zero},
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	must(t, err)
	certificate, err := x509.ParseCertificate(der)
	must(t, err)
	s := &mailServer{t: t, address: "127.0.0.1:0", roots: x509.NewCertPool(), open: map[net.Conn]bool{}}
	s.roots.AddCert(certificate)
	s.config = &tls.Config{Certificates: []tls.Certificate{{Certificate: [][]byte{der}, PrivateKey: key}}, MinVersion: tls.VersionTLS12}
	t.Cleanup(s.down)
	return s
}

// up takes connections, again at the same address.
func (s *mailServer) up() *mailServer {
	s.t.Helper()
	l, err := net.Listen("tcp", s.address)
	must(s.t, err)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.listener, s.address = l, l.Addr().String()
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			s.mu.Lock()
			s.open[conn] = true
			s.mu.Unlock()
			go s.serve(conn)
		}
	}()
	return s
}

// down takes no more connections, and ends those there are.
func (s *mailServer) down() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.listener != nil {
		_ = s.listener.Close()
	}
	for conn := range s.open {
		_ = conn.Close()
	}
}

// port is where it listens.
func (s *mailServer) port() string {
	_, port, _ := net.SplitHostPort(s.address)
	return port
}

// answers sets what it replies to commands, "" being as usual.
func (s *mailServer) answers(reply func(command string) string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.reply = reply
}

// ids lists the Message-IDs of what it took, in order.
func (s *mailServer) ids() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	var ids []string
	for _, m := range s.taken {
		ids = append(ids, m.Header.Get("Message-Id"))
	}
	slices.Sort(ids)
	return ids
}

func (s *mailServer) serve(conn net.Conn) {
	defer func() { _ = conn.Close() }()
	if s.silent {
		_, _ = io.Copy(io.Discard, conn)
		return
	}
	secure, known := s.implicit, s.secret == ""
	if s.implicit {
		conn = tls.Server(conn, s.config)
	}
	r := textproto.NewReader(bufio.NewReader(conn))
	say := func(line string) { _, _ = fmt.Fprintf(conn, "%s\r\n", line) }
	say("220 mail.example.org ESMTP")
	for {
		line, err := r.ReadLine()
		if err != nil {
			return
		}
		verb, rest, _ := strings.Cut(strings.ToUpper(line), " ")
		s.mu.Lock()
		reply := ""
		if s.reply != nil {
			reply = s.reply(line)
		}
		s.mu.Unlock()
		switch {
		case reply != "":
			say(reply)
		case verb == "EHLO":
			say("250-mail.example.org")
			if s.startTLS && !secure {
				say("250-STARTTLS")
			}
			if s.secret != "" {
				say("250-AUTH PLAIN")
			}
			say("250 8BITMIME")
		case verb == "STARTTLS":
			say("220 go ahead")
			conn, secure = tls.Server(conn, s.config), true
			r = textproto.NewReader(bufio.NewReader(conn))
		case verb == "AUTH":
			_, token, _ := strings.Cut(line, "PLAIN ")
			if known = token == base64.StdEncoding.EncodeToString([]byte(s.secret)); known {
				say("235 welcome")
			} else {
				say("535 no")
			}
		case verb == "MAIL" && !known:
			say("530 authenticate first")
		case verb == "DATA":
			say("354 go ahead")
			if !s.take(r, secure) {
				return
			}
			say("250 taken")
		case verb == "QUIT":
			say("221 bye")
			return
		case verb == "MAIL" || verb == "RCPT" || verb == "RSET" || verb == "NOOP":
			say("250 ok")
		default:
			say("500 what is " + verb + " " + rest + "?")
		}
	}
}

// take reads a message, and says whether the sender is told that it was taken.
func (s *mailServer) take(r *textproto.Reader, secure bool) bool {
	m, err := mail.ReadMessage(r.DotReader())
	if err != nil {
		return false // the sender has died
	}
	body, err := io.ReadAll(m.Body)
	if err != nil {
		return false // the sender has died
	}
	m.Body = strings.NewReader(string(body))
	s.mu.Lock()
	defer s.mu.Unlock()
	s.taken, s.secured = append(s.taken, m), append(s.secured, secure)
	if s.deaf > 0 {
		s.deaf--
		return false
	}
	return true
}
