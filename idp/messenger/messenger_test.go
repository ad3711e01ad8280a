package messenger_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/mail"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/jackc/pgx/v5"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/credence-id/credence/idp/directory"
	"github.com/credence-id/credence/idp/messenger"
	"github.com/credence-id/credence/idp/seal"
	"github.com/credence-id/credence/store"
	"github.com/credence-id/credence/store/storetest"
)

func TestMain(m *testing.M) { storetest.Main(m) }

var now = time.Date(2026, time.March, 2, 9, 30, 0, 0, time.UTC)

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// post is an installation whose messages wait to be sent, a person with an address, and a clock that a test moves.
type post struct {
	t     *testing.T
	owner string
	store *store.Store
	key   seal.Key
	ana   string
	log   bytes.Buffer

	mu sync.Mutex
	at time.Time
}

func newPost(t *testing.T) *post {
	t.Helper()
	owner, service := storetest.URLs(t)
	s, err := store.Open(t.Context(), service)
	must(t, err)
	t.Cleanup(s.Close)
	key, _ := seal.NewKey()
	p := &post{t: t, owner: owner, store: s, key: key, at: now}
	p.ana = p.person("ana@example.org")
	t.Cleanup(func() { storetest.CheckInvariants(t, owner) })
	return p
}

func (p *post) clock() time.Time {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.at
}

// wait lets time pass.
func (p *post) wait(how time.Duration) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.at = p.at.Add(how)
}

func (p *post) person(address string) string {
	p.t.Helper()
	id, err := directory.AddPerson(p.t.Context(), p.store, directory.NewPerson{GivenName: "Ana", FamilyName: "Ng", Email: address}, "operator", now)
	must(p.t, err)
	return id
}

// replica is an outbox as each of several servers has one.
func (p *post) replica(carrier messenger.Carrier) *messenger.Outbox {
	p.t.Helper()
	return messenger.New(messenger.Config{
		Store: p.store, Key: p.key, Issuer: "https://id.example.org", From: &mail.Address{Name: "Registration", Address: "registration@example.org"}, Carrier: carrier, Now: p.clock,
		Log: slog.New(slog.NewTextHandler(&p.log, nil)),
	})
}

// smtp carries to a server by a URL in which {port} is its port.
func smtp(t *testing.T, s *mailServer, url string) *messenger.SMTP {
	t.Helper()
	carrier, err := messenger.ParseSMTP(strings.ReplaceAll(url, "{port}", s.port()))
	must(t, err)
	carrier.RootCAs = s.roots
	return carrier
}

// write posts messages, each in a transaction of its own.
func (p *post) write(o *messenger.Outbox, messages ...messenger.Message) {
	p.t.Helper()
	for _, m := range messages {
		must(p.t, p.store.InTx(p.t.Context(), func(tx *store.Tx) error { return o.Post(p.t.Context(), tx, m) }))
	}
}

func (p *post) hello() messenger.Message {
	return messenger.Message{Person: p.ana, Letter: messenger.AuthenticatorAdded{Authenticator: "Blue key"}}
}

// states counts the messages by what became of them.
func (p *post) states() map[string]int {
	p.t.Helper()
	states := map[string]int{}
	for _, line := range p.rows(`SELECT CASE WHEN sent_at IS NOT NULL THEN 'sent' WHEN gave_up_at IS NOT NULL THEN 'given up' ELSE 'due' END || coalesce(' ' || last_error, '') FROM message`) {
		states[line]++
	}
	return states
}

// is checks what became of the messages.
func (p *post) is(when string, want map[string]int) {
	p.t.Helper()
	if diff := cmp.Diff(want, p.states()); diff != "" {
		p.t.Errorf("messages %s (-want +got):\n%s", when, diff)
	}
}

// outcomes are the counters of a replica that are not 0.
func outcomes(t *testing.T, o *messenger.Outbox) map[string]int {
	t.Helper()
	registry := prometheus.NewRegistry()
	registry.MustRegister(o.Collectors()...)
	families, err := registry.Gather()
	must(t, err)
	counts := map[string]int{}
	for _, m := range families[0].GetMetric() {
		if v := m.GetCounter().GetValue(); v != 0 {
			counts[m.GetLabel()[0].GetValue()] = int(v)
		}
	}
	return counts
}

// A message goes to the address on record, in each way to speak to a mail server, and in clear or unknown to none that is
// elsewhere. 0.0.0.0 is this machine too, and not called so.
func TestMessagesAreSent(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name, url string
		set       func(*mailServer)
		taken     bool
		secured   bool
	}{
		{"in clear on this machine", "smtp://127.0.0.1:{port}", func(*mailServer) {}, true, false},
		{"by STARTTLS where it is offered", "smtp://127.0.0.1:{port}", func(s *mailServer) { s.startTLS = true }, true, true},
		{"by STARTTLS elsewhere", "smtp://0.0.0.0:{port}", func(s *mailServer) { s.startTLS = true }, true, true},
		{"not in clear elsewhere", "smtp://0.0.0.0:{port}", func(*mailServer) {}, false, false},
		{"over TLS from the beginning", "smtps://0.0.0.0:{port}", func(s *mailServer) { s.implicit = true }, true, true},
		{"not to who cannot prove the name", "smtps://0.0.0.0:{port}", func(s *mailServer) { s.implicit, s.roots = true, nil }, false, false},
		{"nor by STARTTLS", "smtp://127.0.0.1:{port}", func(s *mailServer) { s.startTLS, s.roots = true, nil }, false, false},
		{"with a password", "smtps://ana:p%40ss@0.0.0.0:{port}", func(s *mailServer) { s.implicit, s.secret = true, "\x00ana\x00p@ss" }, true, true},
		{"with a password after STARTTLS", "smtp://ana:p%40ss@0.0.0.0:{port}", func(s *mailServer) { s.startTLS, s.secret = true, "\x00ana\x00p@ss" }, true, true},
		{"not with another", "smtps://ana:pass@0.0.0.0:{port}", func(s *mailServer) { s.implicit, s.secret = true, "\x00ana\x00p@ss" }, false, false},
		{"nor without one", "smtps://0.0.0.0:{port}", func(s *mailServer) { s.implicit, s.secret = true, "\x00ana\x00p@ss" }, false, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			p, server := newPost(t), newMailServer(t)
			tt.set(server)
			server.up()
			o := p.replica(smtp(t, server, tt.url))
			p.write(o, p.hello())
			err := o.Deliver(t.Context())
			if !tt.taken {
				if err == nil && len(p.states()) == 1 && p.states()["sent"] == 1 || len(server.ids()) != 0 {
					t.Errorf("Deliver() = %v, messages %v, want it not sent", err, p.states())
				}
				return
			}
			if err != nil || len(server.taken) != 1 {
				t.Fatalf("Deliver() = %v, and %d messages were taken, want 1", err, len(server.taken))
			}
			m := server.taken[0]
			if to := m.Header.Get("To"); to != `"Ana Ng" <ana@example.org>` || server.secured[0] != tt.secured {
				t.Errorf("message to %s, over TLS %v, want it to Ana, over TLS %v", to, server.secured[0], tt.secured)
			}
			p.is("after they were sent", map[string]int{"sent": 1})
			must(t, o.Deliver(t.Context()))
			if n := len(server.ids()); n != 1 {
				t.Errorf("messages taken = %d, want 1", n)
			}
		})
	}
}

// A message is written with the act, or not at all.
func TestPost(t *testing.T) {
	t.Parallel()
	p := newPost(t)
	o := p.replica(messenger.Folder(t.TempDir()))
	undone := errors.New("undone")
	err := p.store.InTx(t.Context(), func(tx *store.Tx) error {
		must(t, o.Post(t.Context(), tx, p.hello()))
		return undone
	})
	if !errors.Is(err, undone) {
		t.Errorf("InTx() = %v, want %v", err, undone)
	}
	p.write(o, messenger.Message{Person: p.person(""), Letter: messenger.AddressChanged{}}) // who has no address
	p.write(nil, p.hello())                                                                 // where nobody is told by mail
	p.is("of nobody", map[string]int{})
	once := p.hello()
	once.Once = "it"
	before := p.hello()
	before.Address = "old@example.org"
	p.write(o, p.hello(), p.hello(), once, once, before)
	p.is("that were posted", map[string]int{"due": 4})
	want := []string{"ana@example.org", "ana@example.org", "ana@example.org", "old@example.org"}
	if diff := cmp.Diff(want, p.rows(`SELECT address FROM message ORDER BY address`)); diff != "" {
		t.Errorf("addresses (-want +got):\n%s", diff)
	}
	if got := p.rows(`SELECT kind FROM message WHERE position('Blue key'::bytea in text_sealed) > 0`); len(got) != 0 {
		t.Errorf("messages in clear = %v, want none", got)
	}
}

// In development each message is a file.
func TestFolder(t *testing.T) {
	t.Parallel()
	p, dir := newPost(t), filepath.Join(t.TempDir(), "mail")
	o := p.replica(messenger.Folder(dir))
	p.write(o, p.hello())
	must(t, o.Deliver(t.Context()))
	files, err := filepath.Glob(filepath.Join(dir, "*.eml"))
	if err != nil || len(files) != 1 {
		t.Fatalf("files = %v, %v, want one", files, err)
	}
	text, err := os.ReadFile(files[0])
	must(t, err)
	if !bytes.Contains(text, []byte("\"Blue key\" was added")) {
		t.Errorf("%s = %s, want the letter", files[0], text)
	}
}

// Replicas deliver side by side, and each message is sent once.
func TestReplicasSendEachMessageOnce(t *testing.T) {
	t.Parallel()
	const messages = 200
	p, server := newPost(t), newMailServer(t).up()
	one, other := p.replica(smtp(t, server, "smtp://127.0.0.1:{port}")), p.replica(smtp(t, server, "smtp://127.0.0.1:{port}"))
	must(t, p.store.InTx(t.Context(), func(tx *store.Tx) error {
		for range messages {
			must(t, one.Post(t.Context(), tx, p.hello()))
		}
		return nil
	}))
	var group sync.WaitGroup
	for _, o := range []*messenger.Outbox{one, other} {
		group.Go(func() {
			if err := o.Deliver(t.Context()); err != nil {
				t.Errorf("Deliver() = %v", err)
			}
		})
	}
	group.Wait()
	ids := server.ids()
	if len(ids) != messages || len(slices.Compact(ids)) != messages {
		t.Errorf("messages taken = %d, different ones %d, want %d", len(ids), len(slices.Compact(ids)), messages)
	}
	p.is("after they were sent", map[string]int{"sent": messages})
	if a, b := outcomes(t, one)["sent"], outcomes(t, other)["sent"]; a+b != messages {
		t.Errorf("counted as sent = %d and %d, want %d", a, b, messages)
	}
}

// A replica that dies with messages that it has claimed leaves them to the others, when its time is over.
func TestAReplicaDies(t *testing.T) {
	t.Parallel()
	p, server := newPost(t), newMailServer(t).up()
	o := p.replica(smtp(t, server, "smtp://127.0.0.1:{port}"))
	p.write(o, p.hello(), p.hello(), p.hello())
	ctx, kill := context.WithCancel(t.Context())
	server.answers(func(command string) string { // killed on the way, with three messages that it has claimed
		if command == "DATA" {
			kill()
		}
		return ""
	})
	if err := o.Deliver(ctx); err != nil && !errors.Is(err, context.Canceled) {
		t.Errorf("Deliver(killed) = %v", err)
	}
	server.answers(nil)
	before := len(server.ids())
	must(t, o.Deliver(t.Context())) // they are the other's still
	if n := len(server.ids()); n != before {
		t.Errorf("messages taken while they are claimed = %d, want %d", n, before)
	}
	p.wait(5 * time.Minute)
	must(t, o.Deliver(t.Context()))
	p.is("after another took over", map[string]int{"sent": 3})
	if ids := slices.Compact(server.ids()); len(ids) != 3 {
		t.Errorf("different messages = %v, want 3", ids)
	}
}

// A message that the server took without saying so is sent again, as the same.
func TestASecondMessageHasTheSameID(t *testing.T) {
	t.Parallel()
	p, server := newPost(t), newMailServer(t).up()
	server.deaf = 1
	o := p.replica(smtp(t, server, "smtp://127.0.0.1:{port}"))
	p.write(o, p.hello())
	if err := o.Deliver(t.Context()); err == nil {
		t.Error("Deliver() = no error, want one: nobody said that the message was taken")
	}
	p.is("after the server went away", map[string]int{"due unreachable": 1})
	p.wait(time.Minute)
	must(t, o.Deliver(t.Context()))
	if ids := server.ids(); len(ids) != 2 || ids[0] != ids[1] {
		t.Errorf("Message-IDs = %v, want the same twice", ids)
	}
}

// While the server is away it is tried again, later each time; when it is back, the messages arrive.
func TestTheServerIsAwayAndComesBack(t *testing.T) {
	t.Parallel()
	p, server := newPost(t), newMailServer(t).up()
	o := p.replica(smtp(t, server, "smtp://127.0.0.1:{port}"))
	p.write(o, p.hello())
	server.down()
	for _, wait := range []time.Duration{time.Minute, 2 * time.Minute, 4 * time.Minute} {
		if err := o.Deliver(t.Context()); err == nil {
			t.Errorf("Deliver(while the server is away) = no error, want one")
		}
		p.wait(wait - time.Microsecond)
		if err := o.Deliver(t.Context()); err != nil {
			t.Errorf("Deliver(before the wait is over) = %v, want nothing tried", err)
		}
		p.wait(time.Microsecond)
	}
	server.up()
	must(t, o.Deliver(t.Context()))
	p.is("after the server came back", map[string]int{"sent unreachable": 1})
	if diff := cmp.Diff(map[string]int{"failed": 3, "sent": 1}, outcomes(t, o)); diff != "" {
		t.Errorf("counters (-want +got):\n%s", diff)
	}
}

// After two days nobody tries any more, and the record says so, once.
func TestGivingUp(t *testing.T) {
	t.Parallel()
	p, server := newPost(t), newMailServer(t).up()
	o := p.replica(smtp(t, server, "smtp://127.0.0.1:{port}"))
	p.write(o, p.hello())
	server.down()
	tries := 0
	for ; p.states()["due unreachable"]+p.states()["due"] > 0 && tries < 100; tries++ {
		if err := o.Deliver(t.Context()); err == nil {
			t.Fatal("Deliver(while the server is away) = no error, want one")
		}
		p.wait(6 * time.Hour)
	}
	p.is("after two days", map[string]int{"given up unreachable": 1})
	if tries != 9 {
		t.Errorf("attempts six hours apart = %d, want 9: the last after 48 hours", tries)
	}
	want := []string{"messenger " + p.ana + " authenticator_added unreachable"}
	if diff := cmp.Diff(want, p.rows(`SELECT actor || ' ' || person_id || ' ' || (detail->>'kind') || ' ' || (detail->>'why') FROM audit_event WHERE event = 'message_given_up'`)); diff != "" {
		t.Errorf("record (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(map[string]int{"failed": 8, "given_up": 1}, outcomes(t, o)); diff != "" {
		t.Errorf("counters (-want +got):\n%s", diff)
	}
}

// What the server says of a message decides whether it is tried again; what it says of us does not count against the message.
func TestRefusals(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name, to, command, reply string
		want                     string
		fails                    bool
	}{
		{"an address that is not there", "", "RCPT", "550 5.1.1 no such user ana@example.org", "given up refused", false},
		{"a mailbox that is full", "", "RCPT", "452 4.2.2 ana@example.org is full", "due deferred", false},
		{"a message that is not wanted", "", "DATA", "554 5.7.1 spam", "given up refused", false},
		{"a server that is busy", "", "DATA", "451 4.3.2 later", "due deferred", false},
		{"a sender who is not known", "", "MAIL", "553 5.7.1 who are you?", "due unreachable", true},
		{"a greeting that is refused", "", "EHLO", "554 go away", "due unreachable", true},
		{"an address that is none", "ana@example.org, eve@example.org", "", "", "given up address_invalid", false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			p, server := newPost(t), newMailServer(t).up()
			server.answers(func(command string) string {
				if tt.command != "" && strings.HasPrefix(command, tt.command) {
					return tt.reply
				}
				if tt.command == "EHLO" && strings.HasPrefix(command, "HELO") {
					return tt.reply
				}
				return ""
			})
			o := p.replica(smtp(t, server, "smtp://127.0.0.1:{port}"))
			m := p.hello()
			m.Address = tt.to
			p.write(o, m)
			if err := o.Deliver(t.Context()); (err != nil) != tt.fails {
				t.Errorf("Deliver() = %v, want an error: %v", err, tt.fails)
			}
			p.is("after that", map[string]int{tt.want: 1})
			if strings.Contains(p.log.String(), "@example.org") {
				t.Errorf("log = %s, want no address in it", p.log.String())
			}
			server.answers(nil)
			p.wait(time.Minute)
			must(t, o.Deliver(t.Context()))
			if sent := p.states()["sent "+strings.TrimPrefix(tt.want, "due ")]; strings.HasPrefix(tt.want, "due") != (sent == 1) {
				t.Errorf("messages after the server's mind changed = %v", p.states())
			}
		})
	}
}

// A message that is sealed under a lost key holds up no other.
func TestAMessageThatCannotBeOpened(t *testing.T) {
	t.Parallel()
	p, server := newPost(t), newMailServer(t).up()
	o := p.replica(smtp(t, server, "smtp://127.0.0.1:{port}"))
	p.write(o, p.hello())
	p.key, _ = seal.NewKey()
	o = p.replica(smtp(t, server, "smtp://127.0.0.1:{port}"))
	p.write(o, p.hello())
	must(t, o.Deliver(t.Context()))
	p.is("of which one is unreadable", map[string]int{"sent": 1, "given up unreadable": 1})
}

// Run sends what is due at once, says once that the server is away, and ends with its context, also while a server says
// nothing.
func TestRunDelivery(t *testing.T) {
	t.Parallel()
	p, server := newPost(t), newMailServer(t)
	server.silent = true
	o := p.replica(smtp(t, server.up(), "smtp://127.0.0.1:{port}"))
	p.write(o, p.hello())
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- o.RunDelivery(ctx) }()
	tick, deadline := time.NewTicker(time.Millisecond), time.After(30*time.Second)
	defer tick.Stop()
	for connected := false; !connected; {
		select {
		case <-tick.C:
			server.mu.Lock()
			connected = len(server.open) > 0
			server.mu.Unlock()
		case <-deadline:
			t.Fatal("after 30 s nobody has connected to the mail server")
		}
	}
	cancel()
	if err := <-done; err != nil {
		t.Errorf("RunDelivery() = %v, want no error when its context ends", err)
	}
	p.is("that were not sent", map[string]int{"due": 1})
	var nobody *messenger.Outbox
	if err := errors.Join(nobody.RunDelivery(t.Context()), nobody.RunReminders(t.Context())); err != nil {
		t.Errorf("Run(nobody is told by mail) = %v", err)
	}
}

func TestParseSMTP(t *testing.T) {
	t.Parallel()
	for address, taken := range map[string]bool{
		"smtps://mail.example.org":                     true,
		"smtp://mail.example.org:587":                  true,
		"smtps://ana:s3cret@mail.example.org:465":      true,
		"smtps://ana%40example.org:s3cret@[::1]:465":   true,
		"mail.example.org:465":                         false,
		"https://ana:s3cret@mail.example.org":          false,
		"smtps://ana:s3cret@mail.example.org/":         false,
		"smtps://ana:s3cret@mail.example.org:x":        false,
		"smtps://ana:s3cret@mail.example.org:0":        false,
		"smtps://ana:s3cret@mail.example.org:65536":    false,
		"smtps://ana:s3cret@mail.example.org?tls=none": false,
		"smtps://ana:s3cret@":                          false,
		"smtps://ana@mail.example.org":                 false,
		"smtps://:s3cret@mail.example.org":             false,
		"smtps://ana:%zzs3cret@mail.example.org":       false,
	} {
		_, err := messenger.ParseSMTP(address)
		if (err == nil) != taken || strings.Contains(fmt.Sprint(err), "s3cret") {
			t.Errorf("ParseSMTP(%s) = %v, want it taken: %v, and no password in the error", address, err, taken)
		}
	}
}

// rows are what a statement of one column yields, read as the owner.
func (p *post) rows(sql string) []string {
	p.t.Helper()
	conn, err := pgx.Connect(p.t.Context(), p.owner)
	must(p.t, err)
	defer func() { _ = conn.Close(context.WithoutCancel(p.t.Context())) }()
	found, err := conn.Query(p.t.Context(), sql)
	must(p.t, err)
	list, err := pgx.CollectRows(found, pgx.RowTo[string])
	must(p.t, err)
	return list
}
