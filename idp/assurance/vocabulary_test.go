package assurance_test

import (
	"encoding/csv"
	"encoding/json"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/credence-id/credence/idp/assurance"
)

// What people reach, by the facts of their sign-ins.
var (
	nobody       = assurance.Reached{}
	byPassword   = by(assurance.Factor{Method: assurance.Password})
	byCode       = by(assurance.Factor{Method: assurance.TOTP})
	bySoftware   = by(assurance.Factor{Method: assurance.Certificate})
	byUnverified = by(assurance.Factor{Method: assurance.Passkey})
	byTOTP       = by(assurance.Factor{Method: assurance.Password}, assurance.Factor{Method: assurance.TOTP})
	byMessage    = by(assurance.Factor{Method: assurance.Password}, assurance.Factor{Method: assurance.SMS})
	byPasskey    = by(assurance.Factor{Method: assurance.Passkey, UserVerified: true})
	byUncertain  = by(assurance.Factor{Method: assurance.SecurityKey, UserVerified: true, DeviceBound: true, Attested: true})
	byKey        = by(assurance.Factor{Method: assurance.SecurityKey, UserVerified: true, DeviceBound: true, Attested: true, Approved: true})
	byKeyAndWord = by(assurance.Factor{Method: assurance.Password}, assurance.Factor{Method: assurance.SecurityKey, DeviceBound: true, Attested: true, Approved: true})
	bySmartcard  = by(assurance.Factor{Method: assurance.Smartcard, UserVerified: true, Approved: true})
)

func by(factors ...assurance.Factor) assurance.Reached {
	a := assurance.Authentication{Factors: factors}
	return assurance.Reached{Authenticator: a.Level(), AMR: a.AMR()}
}

func proved(r assurance.Reached, l assurance.IdentityLevel) assurance.Reached {
	r.Identity = l
	return r
}

// The table as text: each cell is one that the program reads.
func TestVocabularyTable(t *testing.T) {
	t.Parallel()
	raw, err := os.ReadFile("vocabulary.csv")
	if err != nil {
		t.Fatal(err)
	}
	r := csv.NewReader(strings.NewReader(string(raw)))
	r.Comment = '#'
	rows, err := r.ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	columns := []string{
		"name", "use", "vocabulary", "order", "authenticator", "amr", "methods", "phishing_resistant", "hardware_bound", "identity", "mapping", "source",
	}
	if diff := cmp.Diff(columns, rows[0]); diff != "" {
		t.Fatalf("columns differ (-want +got):\n%s", diff)
	}
	registered := strings.Fields("face fpt geo hwk iris kba mca mfa otp pin pop pwd rba retina sc sms swk tel user vbm wia") // RFC 8176, Section 2
	methods := []assurance.Method{assurance.Smartcard, assurance.SecurityKey, assurance.Passkey, assurance.Certificate, assurance.TOTP, assurance.Password}
	vocabularies := map[string][]string{
		"acr":    {"cis2", "eap", "gsa", "login.gov", "credence", "credence-identity"},
		"vector": {"rfc8485", "one-login", "nhs-login"},
		"level":  {"eidas"},
	}
	seen := map[string]bool{}
	for _, cells := range rows[1:] {
		row := map[string]string{}
		for i, c := range cells {
			row[columns[i]] = c
			if strings.ContainsAny(c, `",`) || c != strings.TrimSpace(c) {
				t.Errorf("%v: cell %q: want it without quotes, commas and spaces around it", cells, c)
			}
		}
		for column, want := range map[string][]string{
			"vocabulary":         vocabularies[row["use"]],
			"authenticator":      {"", "1", "2", "3", "never"},
			"phishing_resistant": {"", "yes"},
			"hardware_bound":     {"", "yes"},
			"identity":           {"", "low", "medium", "high", "very_high"},
			"mapping":            {"published", "policy"},
		} {
			if !slices.Contains(want, row[column]) {
				t.Errorf("%v: %s is %q, want one of %q", cells, column, row[column], want)
			}
		}
		if row["name"] == "" || strings.Contains(row["name"], " ") || row["source"] == "" {
			t.Errorf("%v: want a name of one word, and a source", cells)
		}
		if id := row["use"] + row["vocabulary"] + row["name"]; seen[id] || (row["use"] == "acr" && seen["acr"+row["name"]]) {
			t.Errorf("%v: the name is there twice", cells)
		} else {
			seen[id], seen["acr"+row["name"]] = true, row["use"] == "acr"
		}
		if takes := row["amr"] + row["phishing_resistant"] + row["hardware_bound"]; takes != "" && row["authenticator"] == "" {
			t.Errorf("%v: it takes something of a sign-in, and no level", cells)
		}
		if _, isUse := vocabularies[cells[3]]; isUse || strings.HasPrefix(row["name"], "#") {
			t.Errorf("%v: it could be read as another row", cells)
		}
		if row["authenticator"] == "never" && row["amr"]+row["methods"]+row["phishing_resistant"]+row["hardware_bound"]+row["identity"] != "" {
			t.Errorf("%v: it takes something, and is never met", cells)
		}
		amr, how := strings.Fields(row["amr"]), strings.Fields(row["methods"])
		if len(amr) != len(how) {
			t.Errorf("%v: amr %q and methods %q: want methods for each value", cells, amr, how)
		}
		for _, v := range amr {
			if !slices.Contains(registered, v) {
				t.Errorf("%v: amr %q is not registered", cells, v)
			}
		}
		for _, group := range how {
			for m := range strings.SplitSeq(group, "|") {
				if !slices.Contains(methods, assurance.Method(m)) {
					t.Errorf("%v: method %q is not known", cells, m)
				}
			}
		}
	}
	terms := assurance.Vocabulary()
	if len(terms) != len(rows)-1 {
		t.Fatalf("Vocabulary() = %d terms, want the %d of the table", len(terms), len(rows)-1)
	}
	for i, cells := range rows[1:] { // the table is in the order of use, so the terms are in the order of the table
		level, order := cells[4], cells[3]
		got := []string{
			terms[i].Name, terms[i].Use, terms[i].Vocabulary, strconv.Itoa(terms[i].Order), strconv.Itoa(int(terms[i].Authenticator)),
			strconv.FormatBool(terms[i].Supported), string(terms[i].Identity), terms[i].Mapping, terms[i].Source,
		}
		want := []string{
			cells[0], cells[1], cells[2], zero(order), zero(strings.TrimSuffix(level, "never")),
			strconv.FormatBool(level != "never"), cells[9], cells[10], cells[11],
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("Vocabulary()[%d] differs from the table (-want +got):\n%s", i, diff)
		}
	}
}

func zero(number string) string {
	if number == "" {
		return "0"
	}
	return number
}

// Every name, and who meets it.
func TestTerms(t *testing.T) {
	t.Parallel()
	anybody := []assurance.Reached{nobody, byPassword, byCode, bySoftware, byUnverified, byTOTP, byMessage, byPasskey, byUncertain, byKey, byKeyAndWord, bySmartcard}
	aal1, aal2, aal3 := anybody[1:], anybody[5:], anybody[9:]
	phr := []assurance.Reached{bySoftware, byUnverified, byPasskey, byUncertain, byKey, byKeyAndWord, bySmartcard}
	hardware := phr[3:]
	low, medium := proved(byPasskey, assurance.IdentityLow), proved(byPasskey, assurance.IdentityMedium)
	high, veryHigh := proved(byPasskey, assurance.IdentityHigh), proved(byPasskey, assurance.IdentityVeryHigh)
	everybody := append(slices.Clone(anybody), low, medium, high, veryHigh, proved(byPassword, assurance.IdentityHigh))
	for _, tt := range []struct {
		trustmark assurance.Trustmark // "": an acr value
		name      string
		want      []assurance.Reached
	}{
		{"", "AAL1_ANY", append(slices.Clone(aal1), everybody[12:]...)},
		{"", "AAL1_USERPASS", []assurance.Reached{byPassword, byTOTP, byMessage, byKeyAndWord, everybody[16]}},
		{"", "AAL2_ANY", append(slices.Clone(aal2), everybody[12:16]...)},
		{"", "AAL2_OR_AAL3_ANY", append(slices.Clone(aal2), everybody[12:16]...)},
		{"", "AAL2_TOTP", []assurance.Reached{byTOTP}},
		{"", "AAL2_NHSMAIL", nil},
		{"", "AAL3_ANY", aal3},
		{"", "AAL3_FIDO2", []assurance.Reached{byKey, byKeyAndWord}},
		{"", "AAL3_SMARTCARD", []assurance.Reached{bySmartcard}},
		{"", "AAL3_CIS2_SMARTCARD", nil},
		{"", "AAL3_N3_SMARTCARD", nil},
		{"", "AAL3_IOS", nil},
		{"", "phr", append(slices.Clone(phr), everybody[12:16]...)},
		{"", "phrh", hardware},
		{"", "urn:gov:gsa:ac:classes:sp:PasswordProtectedTransport:duo", append(slices.Clone(aal2), everybody[12:16]...)},
		{"", "http://idmanagement.gov/ns/assurance/aal/2", append(slices.Clone(aal2), everybody[12:16]...)},
		{"", "http://idmanagement.gov/ns/assurance/aal/2?phishing_resistant=true", append(slices.Clone(phr[2:]), everybody[12:16]...)},
		{"", "http://idmanagement.gov/ns/assurance/aal/2?hspd12=true", nil},
		{"", "urn:acr.login.gov:auth-only", append(slices.Clone(aal2), everybody[12:16]...)},
		{"", "urn:acr.login.gov:verified", everybody[13:16]},
		{"", "urn:acr.login.gov:verified-facial-match-preferred", everybody[13:16]},
		{"", "urn:acr.login.gov:verified-facial-match-required", everybody[14:16]},
		{"", "urn:credence:acr:aal1", append(slices.Clone(aal1), everybody[12:]...)},
		{"", "urn:credence:acr:aal2", append(slices.Clone(aal2), everybody[12:16]...)},
		{"", "urn:credence:acr:aal2-phr", append(slices.Clone(phr[2:]), everybody[12:16]...)},
		{"", "urn:credence:acr:aal3", aal3},
		{"", "urn:credence:acr:identity:low", everybody[12:]},
		{"", "urn:credence:acr:identity:medium", everybody[13:]},
		{"", "urn:credence:acr:identity:high", everybody[14:]},
		{"", "urn:credence:acr:identity:very_high", everybody[15:16]},

		{assurance.RFC8485, "P0", everybody},
		{assurance.RFC8485, "P1", everybody[12:]},
		{assurance.RFC8485, "P2", everybody[13:]},
		{assurance.RFC8485, "P3", nil},
		{assurance.RFC8485, "C0", nil},
		{assurance.RFC8485, "Ca", nil},
		{assurance.RFC8485, "Cb", nil},
		{assurance.RFC8485, "Cc", []assurance.Reached{byPassword, byTOTP, byMessage, byKeyAndWord, everybody[16]}},
		{assurance.RFC8485, "Cd", []assurance.Reached{byCode, byTOTP}},
		{assurance.RFC8485, "Ce", append(slices.Clone(phr), everybody[12:16]...)},
		{assurance.RFC8485, "Cf", hardware},
		{assurance.RFC8485, "Cg", nil},
		{assurance.RFC8485, "Cc.Cd", []assurance.Reached{byTOTP}},
		{assurance.RFC8485, "Ma", everybody},
		{assurance.RFC8485, "Mb", nil},
		{assurance.RFC8485, "Mc", nil},
		{assurance.RFC8485, "Aa", everybody},
		{assurance.RFC8485, "Ab", everybody},
		{assurance.RFC8485, "Ac", everybody},
		{assurance.RFC8485, "Ad", nil},
		{assurance.RFC8485, "P2.Ce.Cf.Ma.Ac", nil},
		{assurance.RFC8485, "Ac.Ce.P2", everybody[13:16]},

		{assurance.OneLogin, "Cl", append(slices.Clone(aal1), everybody[12:]...)},
		{assurance.OneLogin, "Cl.Cm", append(slices.Clone(aal2), everybody[12:16]...)},
		{assurance.OneLogin, "Cl.P0", append(slices.Clone(aal1), everybody[12:]...)},
		{assurance.OneLogin, "Cl.Cm.P1", everybody[12:16]},
		{assurance.OneLogin, "P2.Cl.Cm", everybody[13:16]},
		{assurance.OneLogin, "Cl.Cm.P3", everybody[14:16]},

		{assurance.NHSLogin, "P0", everybody},
		{assurance.NHSLogin, "P5", everybody[14:]}, // not GPG 45 medium: assurance.md, Section 4.2
		{assurance.NHSLogin, "P9", everybody[14:]},
		{assurance.NHSLogin, "Cp", []assurance.Reached{byPassword, byTOTP, byMessage, byKeyAndWord, everybody[16]}},
		{assurance.NHSLogin, "P0.Cp.Cd", nil},
		{assurance.NHSLogin, "P0.Cp.Ck", []assurance.Reached{byTOTP}},
		{assurance.NHSLogin, "P0.Cm", append(slices.Clone(phr[2:]), everybody[12:16]...)},
		{assurance.NHSLogin, "P9.Cm", everybody[14:16]},
	} {
		var got []assurance.Reached
		for _, r := range everybody {
			d := assurance.Demand{Values: []string{tt.name}, Essential: true}
			if tt.trustmark != "" {
				d = assurance.Demand{Vectors: []string{tt.name}, Trustmark: tt.trustmark, Essential: true}
			}
			if d.Satisfied(r) {
				got = append(got, r)
			}
		}
		if diff := cmp.Diff(tt.want, got); diff != "" {
			t.Errorf("%s %s is met by (-want +got):\n%s", tt.trustmark, tt.name, diff)
		}
	}
}

// Where an order is published, what meets a name meets every one before it.
func TestPublishedOrder(t *testing.T) {
	t.Parallel()
	terms := assurance.Vocabulary()
	for i, weaker := range terms {
		for _, stronger := range terms[i+1:] {
			if weaker.Order == 0 || stronger.Order == 0 || weaker.Vocabulary != stronger.Vocabulary || weaker.Name[0] != stronger.Name[0] || weaker.Use != "acr" {
				continue
			}
			if weaker.Order >= stronger.Order {
				t.Errorf("%s is listed before %s, and its order is %d after %d", weaker.Name, stronger.Name, weaker.Order, stronger.Order)
			}
			for r := range allReached() {
				if essential(stronger.Name).Satisfied(r) && !essential(weaker.Name).Satisfied(r) {
					t.Errorf("%+v meets %s and not %s", r, stronger.Name, weaker.Name)
				}
			}
		}
	}
}

func TestVector(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name                   string
		reached                assurance.Reached
		rfc8485, oneLogin, nhs string
		eidas                  string
	}{
		{"nobody", nobody, "P0.Ma.Ac", "P0", "P0", ""},
		{"a password", byPassword, "P0.Cc.Ma.Ac", "Cl.P0", "P0.Cp", ""},
		{"a code", byCode, "P0.Cd.Ma.Ac", "Cl.P0", "P0", ""},
		{"a passkey that did not verify her", byUnverified, "P0.Ce.Ma.Ac", "Cl.P0", "P0", ""},
		{"a password and a byCode, proved low", proved(byTOTP, assurance.IdentityLow), "P1.Cc.Cd.Ma.Ac", "Cl.Cm.P1", "P0.Cp.Ck", "low"},
		{"a byPasskey, proved medium", proved(byPasskey, assurance.IdentityMedium), "P2.Ce.Ma.Ac", "Cl.Cm.P2", "P0.Cm", "substantial"},
		{"a byPassword, proved medium", proved(byPassword, assurance.IdentityMedium), "P2.Cc.Ma.Ac", "Cl.P0", "P0.Cp", "low"},
		{"a byPasskey, proved high", proved(byPasskey, assurance.IdentityHigh), "P2.Ce.Ma.Ac", "Cl.Cm.P3", "P9.Cm", "substantial"},
		{"a security byKey, proved high", proved(byKey, assurance.IdentityHigh), "P2.Ce.Cf.Ma.Ac", "Cl.Cm.P3", "P9.Cm", "high"},
		{"a bySmartcard, proved very high", proved(bySmartcard, assurance.IdentityVeryHigh), "P2.Ce.Cf.Ma.Ac", "Cl.Cm.P3", "P9.Cm", "high"},
		{"a bySmartcard, not proved", proved(bySmartcard, assurance.IdentityNone), "P0.Ce.Cf.Ma.Ac", "Cl.Cm.P0", "P0.Cm", ""},
		{"a level that there is not", proved(bySmartcard, "highest"), "P0.Ce.Cf.Ma.Ac", "Cl.Cm.P0", "P0.Cm", ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			for trustmark, want := range map[assurance.Trustmark]string{
				assurance.RFC8485: tt.rfc8485, assurance.OneLogin: tt.oneLogin, assurance.NHSLogin: tt.nhs, "": "", "someone-else": "",
			} {
				if got := trustmark.Vector(tt.reached); got != want {
					t.Errorf("%q.Vector() = %q, want %q", trustmark, got, want)
				}
				proofing := ""
				if i := strings.Index(want, "P"); i >= 0 {
					proofing = want[i : i+2]
				}
				if got := trustmark.Proofing(tt.reached); got != proofing {
					t.Errorf("%q.Proofing() = %q, want %q", trustmark, got, proofing)
				}
				if want == "" || want == "P0" && trustmark == assurance.OneLogin {
					continue // nobody
				}
				if _, err := assurance.ParseVectors(trustmark, `["`+want+`"]`); err != nil {
					t.Errorf("%q.Vector() = %q, which cannot be asked for: %v", trustmark, want, err)
				}
				asked := assurance.Demand{Vectors: []string{want}, Trustmark: trustmark, Essential: true}
				if !asked.Satisfied(tt.reached) {
					t.Errorf("%q.Vector() = %q, which is not met by whom it is true of", trustmark, want)
				}
			}
			if got := tt.reached.EIDAS(); got != tt.eidas {
				t.Errorf("EIDAS() = %q, want %q", got, tt.eidas)
			}
		})
	}
}

// What was reached has the names of each vocabulary, of an order the highest alone.
func TestTermsReached(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name    string
		reached assurance.Reached
		want    string
	}{
		{"nobody", nobody, "rfc8485:P0 rfc8485:Ma rfc8485:Ac one-login:P0 nhs-login:P0"},
		{"a password, not proved", byPassword, "cis2:AAL1_ANY cis2:AAL1_USERPASS credence:urn:credence:acr:aal1 " +
			"rfc8485:P0 rfc8485:Cc rfc8485:Ma rfc8485:Ac one-login:Cl one-login:P0 nhs-login:P0 nhs-login:Cp"},
		{"a passkey, proved high", proved(byPasskey, assurance.IdentityHigh), "cis2:AAL1_ANY cis2:AAL2_ANY cis2:AAL2_OR_AAL3_ANY eap:phr " +
			"gsa:urn:gov:gsa:ac:classes:sp:PasswordProtectedTransport:duo gsa:http://idmanagement.gov/ns/assurance/aal/2 gsa:http://idmanagement.gov/ns/assurance/aal/2?phishing_resistant=true " +
			"login.gov:urn:acr.login.gov:auth-only login.gov:urn:acr.login.gov:verified login.gov:urn:acr.login.gov:verified-facial-match-preferred login.gov:urn:acr.login.gov:verified-facial-match-required " +
			"credence:urn:credence:acr:aal2-phr credence-identity:urn:credence:acr:identity:high " +
			"rfc8485:P2 rfc8485:Ce rfc8485:Ma rfc8485:Ac one-login:Cl.Cm one-login:P3 nhs-login:P9 nhs-login:Cm eidas:substantial"},
	} {
		var got []string
		for _, term := range tt.reached.Terms() {
			got = append(got, term.Vocabulary+":"+term.Name)
		}
		if diff := cmp.Diff(strings.Fields(tt.want), got); diff != "" {
			t.Errorf("Terms() of %s (-want +got):\n%s", tt.name, diff)
		}
	}
	for r := range allReached() { // as each of the other answers has it
		var eidas string
		proofing := map[string]string{}
		for _, term := range r.Terms() {
			switch {
			case term.Use == "acr" && !essential(term.Name).Satisfied(r):
				t.Errorf("Terms() of %+v has %s, which it does not meet", r, term.Name)
			case term.Use == "vector" && term.Name[0] == 'P':
				proofing[term.Vocabulary] = term.Name
			case term.Use == "level":
				eidas = term.Name
			}
		}
		if eidas != r.EIDAS() {
			t.Errorf("Terms() of %+v has eIDAS %q, want %q", r, eidas, r.EIDAS())
		}
		for _, trustmark := range assurance.Trustmarks() {
			if got, want := proofing[string(trustmark)], trustmark.Proofing(r); got != want {
				t.Errorf("Terms() of %+v has %s of %s, want %s", r, got, trustmark, want)
			}
		}
	}
}

func TestInIDToken(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		trustmark    assurance.Trustmark
		vector, want string
	}{
		{assurance.OneLogin, "Cl.Cm.P2", "Cl.Cm"},
		{assurance.OneLogin, "P2.Cl.Cm", "Cl.Cm"},
		{assurance.OneLogin, "Cl", "Cl"},
		{assurance.NHSLogin, "P9.Cp.Cd", "P9.Cp.Cd"},
		{assurance.RFC8485, "P1.Cc.Ab", "P1.Cc.Ab"},
		{assurance.RFC8485, "", ""},
	} {
		if got := tt.trustmark.InIDToken(tt.vector); got != tt.want {
			t.Errorf("%s.InIDToken(%s) = %q, want %q", tt.trustmark, tt.vector, got, tt.want)
		}
	}
}

func TestParseVectors(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name      string
		trustmark assurance.Trustmark
		vtr       string
		want      []string // nil: refused
	}{
		{"one", assurance.RFC8485, `["P1.Cc.Ab"]`, []string{"P1.Cc.Ab"}},
		{"two, in order", assurance.RFC8485, `["P2.Ce", "P1.Cc.Cd"]`, []string{"P2.Ce", "P1.Cc.Cd"}},
		{"letters in any order", assurance.RFC8485, `["Ac.Mb.Cc.P0"]`, []string{"Ac.Mb.Cc.P0"}},
		{"One Login's", assurance.OneLogin, `["Cl.Cm.P2"]`, []string{"Cl.Cm.P2"}},
		{"One Login's, identity first", assurance.OneLogin, `["P2.Cl.Cm","P1.Cl.Cm"]`, []string{"P2.Cl.Cm", "P1.Cl.Cm"}},
		{"One Login's, a password and no identity", assurance.OneLogin, `["Cl","Cl.P0"]`, []string{"Cl", "Cl.P0"}},
		{"NHS login's", assurance.NHSLogin, `["P9.Cp.Cd","P9.Cp.Ck","P9.Cm","P5"]`, []string{"P9.Cp.Cd", "P9.Cp.Ck", "P9.Cm", "P5"}},
		{"One Login without", assurance.OneLogin, ``, []string{"Cl.Cm"}},
		{"NHS login without", assurance.NHSLogin, ``, []string{"P9.Cp.Cd", "P9.Cp.Ck", "P9.Cm"}},
		{"ten", assurance.RFC8485, `["P0","P0","P0","P0","P0","P0","P0","P0","P0","P0"]`, slices.Repeat([]string{"P0"}, 10)},

		{"a trustmark that nobody knows", "someone-else", `["P1.Cc.Ab"]`, nil},
		{"no trustmark", "", `["P1.Cc.Ab"]`, nil},
		{"no trustmark and no vtr", "", ``, nil},
		{"eleven", assurance.RFC8485, `["P0","P0","P0","P0","P0","P0","P0","P0","P0","P0","P0"]`, nil},
		{"none", assurance.RFC8485, `[]`, nil},
		{"null", assurance.RFC8485, `null`, nil},
		{"null in it", assurance.RFC8485, `[null]`, nil},
		{"a string", assurance.RFC8485, `"P0"`, nil},
		{"not JSON", assurance.RFC8485, `P0`, nil},
		{"a number", assurance.RFC8485, `[0]`, nil},
		{"a list in a list", assurance.RFC8485, `[["P0"]]`, nil},
		{"more after it", assurance.RFC8485, `["P0"]["P0"]`, nil},
		{"empty", assurance.RFC8485, `[""]`, nil},
		{"an unknown value", assurance.RFC8485, `["P4"]`, nil},
		{"an unknown letter", assurance.RFC8485, `["X1"]`, nil},
		{"a value of another trustmark", assurance.RFC8485, `["Cl"]`, nil},
		{"an acr value", assurance.RFC8485, `["phr"]`, nil},
		{"a value in small letters", assurance.RFC8485, `["p0"]`, nil},
		{"a second P", assurance.RFC8485, `["P0.P1"]`, nil},
		{"a second M", assurance.RFC8485, `["Ma.Mb"]`, nil},
		{"a dot at the end", assurance.RFC8485, `["P0."]`, nil},
		{"a dot at the beginning", assurance.RFC8485, `[".P0"]`, nil},
		{"two dots", assurance.RFC8485, `["P0..Cc"]`, nil},
		{"a space", assurance.RFC8485, `["P0 "]`, nil},
		{"a cell of the table", assurance.RFC8485, `["P0,vector,rfc8485"]`, nil},
		{"a long vector", assurance.RFC8485, `["` + strings.Repeat("Cc.", 22) + `Cc"]`, nil},
		{"a long parameter", assurance.RFC8485, `["P0"` + strings.Repeat(" ", 1024) + `]`, nil},
		{"One Login's, no credential", assurance.OneLogin, `["P2"]`, nil},
		{"One Login's, no credential and no identity", assurance.OneLogin, `["P0"]`, nil},
		{"One Login's, identity with a password", assurance.OneLogin, `["Cl.P2"]`, nil},
		{"One Login's, identity with a password first", assurance.OneLogin, `["P1.Cl"]`, nil},
		{"One Login's, a second factor alone", assurance.OneLogin, `["Cm"]`, nil},
		{"One Login's, twice", assurance.OneLogin, `["Cl.Cm.Cl"]`, nil},
		{"One Login's, twice apart", assurance.OneLogin, `["Cl.P0.Cl"]`, nil},
		{"One Login's, a P that it has not", assurance.OneLogin, `["P4.Cl.Cm"]`, nil},
		{"NHS login's, a device alone", assurance.NHSLogin, `["P9.Cd"]`, nil},
		{"NHS login's, a combination that it has not", assurance.NHSLogin, `["P9.Cp.Cm"]`, nil},
		{"NHS login's, a P that it has not", assurance.NHSLogin, `["P2.Cm"]`, nil},
		{"NHS login's, a dot at the end", assurance.NHSLogin, `["P9.Cp."]`, nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			got, err := assurance.ParseVectors(tt.trustmark, tt.vtr)
			if (err != nil) != (tt.want == nil) {
				t.Fatalf("ParseVectors(%s, %s) = %v, %v, want %v", tt.trustmark, tt.vtr, got, err, tt.want)
			}
			if diff := cmp.Diff(tt.want, got); err == nil && diff != "" {
				t.Errorf("ParseVectors(%s, %s) differs (-want +got):\n%s", tt.trustmark, tt.vtr, diff)
			}
		})
	}
	if got, err := assurance.ParseVectors(assurance.RFC8485, ""); got != nil || err != nil {
		t.Errorf("ParseVectors(rfc8485, nothing) = %v, %v, want nothing", got, err)
	}
}

// Whoever makes up a link makes up what it asks, so the error that it causes has nothing of that.
func TestParseVectorsRepeatsNothing(t *testing.T) {
	t.Parallel()
	for vtr, want := range map[string]string{
		`["P0","Cc.Call 0800 111"]`: "vector 2: component 2 is not a value of rfc8485",
		`["Call 0800 111"]`:         "vector 1: component 1 is not a value of rfc8485",
		`["Cc","Call 0800 111",]`:   "want a JSON array of strings",
	} {
		_, err := assurance.ParseVectors(assurance.RFC8485, vtr)
		if err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "0800") {
			t.Errorf("ParseVectors(%s) = %v, want %q and nothing of what was asked", vtr, err, want)
		}
	}
}

func FuzzParseVectors(f *testing.F) {
	for _, t := range assurance.Trustmarks() {
		f.Add(string(t), `["P2.Cl.Cm","P9.Cp.Cd","P1.Cc.Cd.Ma.Ac"]`)
		f.Add(string(t), `["P0..",".","Cl.Cm.Cl"]`)
	}
	f.Fuzz(func(t *testing.T, trustmark, vtr string) {
		vectors, err := assurance.ParseVectors(assurance.Trustmark(trustmark), vtr)
		if err != nil {
			return
		}
		if len(vectors) > 10 {
			t.Errorf("ParseVectors(%q, %q) = %d vectors, want at most 10", trustmark, vtr, len(vectors))
		}
		for _, r := range []assurance.Reached{nobody, byTOTP, proved(bySmartcard, "high")} {
			checkReached(t, assurance.Demand{Vectors: vectors, Trustmark: assurance.Trustmark(trustmark), Essential: true}, r)
			checkReached(t, assurance.Demand{Vectors: vectors, Trustmark: assurance.Trustmark(trustmark)}, r)
		}
		again, err := json.Marshal(vectors)
		if err != nil {
			t.Fatal(err)
		}
		if got, err := assurance.ParseVectors(assurance.Trustmark(trustmark), string(again)); vectors != nil && (err != nil || !slices.Equal(got, vectors)) {
			t.Errorf("ParseVectors(%q, %s) = %v, %v, want the same again", trustmark, again, got, err)
		}
	})
}

func TestTrustmarkDocument(t *testing.T) {
	t.Parallel()
	const issuer = "https://id.example"
	for trustmark, want := range map[assurance.Trustmark]assurance.TrustmarkDocument{
		assurance.RFC8485: {
			P: []string{"P0", "P1", "P2"}, C: []string{"Cc", "Cd", "Ce", "Cf"}, M: []string{"Ma"}, A: []string{"Aa", "Ab", "Ac"},
		},
		assurance.OneLogin: {P: []string{"P0", "P1", "P2", "P3"}, C: []string{"Cl", "Cl.Cm"}, Default: []string{"Cl.Cm"}},
		assurance.NHSLogin: {
			P: []string{"P0", "P5", "P9"}, C: []string{"Cp", "Cp.Ck", "Cm"}, Default: []string{"P9.Cp.Cd", "P9.Cp.Ck", "P9.Cm"},
		},
	} {
		got := trustmark.Document(issuer)
		for _, c := range got.Components {
			if c.Vocabulary != string(trustmark) || c.Use != "vector" || c.Source == "" {
				t.Errorf("%s.Document() has the component %+v", trustmark, c)
			}
		}
		if len(got.Components) < len(got.P)+len(got.C)+len(got.M)+len(got.A) {
			t.Errorf("%s.Document() = %d components, want each value", trustmark, len(got.Components))
		}
		got.Components = nil
		want.IDP, want.Provider, want.Trustmark, want.PolicyVersion = issuer, issuer, trustmark, assurance.PolicyVersion
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s.Document() differs (-want +got):\n%s", trustmark, diff)
		}
	}
	var published map[string]any
	for _, c := range assurance.NHSLogin.Document(issuer).Components {
		if c.Name == "Cm" {
			text, err := json.Marshal(c)
			if err != nil {
				t.Fatal(err)
			}
			if err := json.Unmarshal(text, &published); err != nil {
				t.Fatal(err)
			}
		}
	}
	if diff := cmp.Diff(map[string]any{
		"name": "Cm", "use": "vector", "vocabulary": "nhs-login", "supported": true,
		"authenticator_assurance_level": 2.0, "phishing_resistant": true,
		"mapping": "policy", "source": "NHS login: an asymmetric key; it stands for two factors",
	}, published); diff != "" {
		t.Errorf("a component as it is published differs (-want +got):\n%s", diff)
	}
}

func TestSupported(t *testing.T) {
	t.Parallel()
	got := assurance.Supported()
	for _, name := range got {
		if !slices.ContainsFunc([]assurance.Reached{proved(byTOTP, "very_high"), proved(byKey, "very_high"), proved(bySmartcard, "very_high")}, essential(name).Satisfied) {
			t.Errorf("Supported() has %s, which nobody meets", name)
		}
	}
	for _, term := range assurance.Vocabulary() {
		if slices.Contains(got, term.Name) != (term.Use == "acr" && term.Supported) {
			t.Errorf("Supported() has %s: %t, want the other", term.Name, slices.Contains(got, term.Name))
		}
	}
	for _, pair := range [][2]string{
		{"AAL1_ANY", "AAL2_ANY"},
		{"AAL2_ANY", "AAL2_TOTP"},
		{"AAL2_TOTP", "AAL3_ANY"},
		{"AAL3_ANY", "AAL3_SMARTCARD"},
		{"phr", "phrh"},
		{"urn:credence:acr:aal1", "urn:credence:acr:aal2"},
		{"urn:credence:acr:aal2", "urn:credence:acr:aal2-phr"},
		{"urn:credence:acr:aal2-phr", "urn:credence:acr:aal3"},
		{"urn:credence:acr:aal3", "urn:credence:acr:identity:low"},
		{"urn:credence:acr:identity:high", "urn:credence:acr:identity:very_high"},
		{"urn:acr.login.gov:auth-only", "urn:acr.login.gov:verified"},
		{"urn:acr.login.gov:verified", "urn:acr.login.gov:verified-facial-match-required"},
	} {
		if slices.Index(got, pair[0]) >= slices.Index(got, pair[1]) {
			t.Errorf("Supported() = %v, want %s before %s", got, pair[0], pair[1])
		}
	}
}
