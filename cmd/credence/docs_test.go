package main

import (
	"errors"
	"log/slog"
	"maps"
	"net/mail"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus"
	"gopkg.in/yaml.v3"

	"github.com/credence-id/credence/idp"
	"github.com/credence-id/credence/idp/messenger"
	"github.com/credence-id/credence/idp/seal"
	"github.com/credence-id/credence/idp/throttle"
	"github.com/credence-id/credence/store/storetest"
)

// What the documents for operators say is what the program has.

func readDocument(t *testing.T, name string) string {
	t.Helper()
	b, err := os.ReadFile("../../" + name)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// exportedMetrics are the names of our metrics, of `credence serve` with a certificate.
func exportedMetrics(t *testing.T) []string {
	t.Helper()
	key, _ := seal.NewKey()
	p := &program{now: time.Now}
	provider, err := idp.New(t.Context(), idp.Config{
		Issuer: "https://id.example.org", Store: storetest.New(t), Key: key, Now: p.clock, Log: slog.New(slog.DiscardHandler),
		Mail: messenger.Folder(t.TempDir()), MailFrom: new(mail.Address),
	})
	if err != nil {
		t.Fatal(err)
	}
	name := regexp.MustCompile(`fqName: "([^"]*)"`)
	names := map[string]bool{}
	for _, c := range slices.Concat(provider.Collectors(), new(certificate).Collectors()) {
		described := make(chan *prometheus.Desc)
		go func() {
			defer close(described)
			c.Describe(described)
		}()
		for d := range described {
			names[name.FindStringSubmatch(d.String())[1]] = true
		}
	}
	return slices.Sorted(maps.Keys(names))
}

// Each metric has its row in the table, and no other name stands in the document but those of roles and databases.
func TestOperateExplainsEveryMetric(t *testing.T) {
	t.Parallel()
	text, exported := readDocument(t, "docs/operate.md"), exportedMetrics(t)
	var explained []string
	for _, row := range regexp.MustCompile("(?m)^\\| `(credence_[a-z_]+)").FindAllStringSubmatch(text, -1) {
		explained = append(explained, row[1])
	}
	slices.Sort(explained)
	if diff := cmp.Diff(exported, explained); diff != "" {
		t.Errorf("metrics in the table of docs/operate.md differ (-exported +explained):\n%s", diff)
	}
	known := append(slices.Clone(exported), "credence_owner", "credence_service", "credence_auditor", "credence_drill")
	for _, name := range regexp.MustCompile(`\bcredence_[a-z_]+`).FindAllString(text, -1) {
		if !slices.Contains(known, name) && !slices.Contains(known, strings.TrimSuffix(name, "_bucket")) {
			t.Errorf("docs/operate.md names %s, which is no metric", name)
		}
	}
}

// Each alert says what is wrong and where on the page to read on, and each link within a page has its heading.
func TestOperateLeadsSomewhere(t *testing.T) {
	t.Parallel()
	text := readDocument(t, "docs/operate.md")
	headings := map[string]bool{}
	for _, heading := range regexp.MustCompile("(?m)^#+ (.*)$").FindAllStringSubmatch(text, -1) {
		plain := regexp.MustCompile(`[^a-z0-9 -]`).ReplaceAllString(strings.ToLower(heading[1]), "")
		headings[strings.ReplaceAll(plain, " ", "-")] = true
	}
	for _, link := range regexp.MustCompile(`\]\((?:operate\.md)?#([^)]*)\)`).FindAllStringSubmatch(text+readDocument(t, "docs/install.md"), -1) {
		if !headings[link[1]] {
			t.Errorf("a link leads to #%s, which is no heading", link[1])
		}
	}
	_, rules, found := strings.Cut(text, "<!-- credence.rules.yml -->\n```yaml\n")
	rules, _, ends := strings.Cut(rules, "```")
	var parsed struct {
		Groups []struct {
			Rules []struct {
				Alert               string
				Expr                string
				Labels, Annotations map[string]string
			}
		}
	}
	if err := yaml.Unmarshal([]byte(rules), &parsed); err != nil || !found || !ends || len(parsed.Groups) != 1 || len(parsed.Groups[0].Rules) == 0 {
		t.Fatalf("rules = %+v, %v, want a group of some", parsed, err)
	}
	for _, r := range parsed.Groups[0].Rules {
		heading, ours := strings.CutPrefix(r.Annotations["runbook_url"], "https://github.com/credence-id/credence/blob/main/docs/operate.md#")
		if !ours || !headings[heading] || r.Annotations["summary"] == "" || r.Expr == "" || !slices.Contains([]string{"page", "ticket"}, r.Labels["severity"]) {
			t.Errorf("alert %s = %+v, want a severity, a summary and a heading of this page", r.Alert, r)
		}
	}
}

// Each limit has its row in the table.
func TestOperateExplainsEveryLimit(t *testing.T) {
	t.Parallel()
	text := readDocument(t, "docs/operate.md")
	for _, l := range []throttle.Limit{
		throttle.SignInAddress, throttle.SignInClient, throttle.SignInPerson, throttle.SignInPassword, throttle.EnrolmentAddress, throttle.RecoveryPerson, throttle.TokenClient, throttle.TokenAddress,
	} {
		if !strings.Contains(text, "\n| `"+string(l)+"` | ") {
			t.Errorf("docs/operate.md does not explain the limit %s", l)
		}
	}
}

func TestDocumentsNameSettingsThatExist(t *testing.T) {
	t.Parallel()
	known := testSettings()
	for _, s := range new(config).settings() {
		known = append(known, s.name)
		if s.secret {
			known = append(known, s.name+fileSuffix)
		}
	}
	for _, document := range []string{"README.md", "docs/install.md", "docs/operate.md", "docs/assurance.md", "docs/registration.md"} {
		for _, name := range regexp.MustCompile(`\bCREDENCE_[A-Z_]+`).FindAllString(readDocument(t, document), -1) {
			if !slices.Contains(known, name) {
				t.Errorf("%s names %s, which is no setting", document, name)
			}
		}
	}
}

// Every command in the blocks for a shell names a command, with flags that it has and as many arguments as it takes.
func TestDocumentedCommandsCanBeTyped(t *testing.T) {
	t.Parallel()
	block := regexp.MustCompile("(?ms)^ *```sh\n(.*?)^ *```$")
	typed := regexp.MustCompile(`(?m)(?:^\s*|\$\(|[|;&]\s*)(?:[A-Z_]+=\S+ +)*(?:bin/)?credence((?: +[^)\n|;&>#]*)?)`)
	word := regexp.MustCompile(`"[^"]*"|[^ "]+`)
	for _, document := range []string{"README.md", "docs/install.md", "docs/operate.md", "docs/assurance.md", "docs/registration.md"} {
		found := 0
		for _, sh := range block.FindAllStringSubmatch(readDocument(t, document), -1) {
			for _, line := range typed.FindAllStringSubmatch(strings.ReplaceAll(sh[1], "\\\n", " "), -1) {
				found++
				root := newRootCommand(&program{now: time.Now})
				cmd, args, err := root.Find(word.FindAllString(line[1], -1))
				if err == nil && cmd.HasSubCommands() {
					err = errors.New("it names no command")
				}
				if err == nil {
					err = cmd.ParseFlags(args)
				}
				if err == nil {
					err = errors.Join(cmd.ValidateRequiredFlags(), cmd.ValidateArgs(cmd.Flags().Args()))
				}
				if err != nil {
					t.Errorf("%s has %q: %v", document, strings.TrimSpace(line[0]), err)
				}
			}
		}
		if found == 0 {
			t.Errorf("%s has no command, want some", document)
		}
	}
}
