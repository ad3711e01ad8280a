package assurance

import (
	_ "embed" // of the table
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"slices"
	"strconv"
	"strings"
)

// vocabulary is the table of the names that relying parties have for levels. What a name takes is corrected there, and not
// in code. It is small, and reading it as text is as fast as any index that would have to be kept.
//
//go:embed vocabulary.csv
var vocabulary string

// The rows of a use, by how they go on after the name.
const (
	acrRows   = "acr,"
	levelRows = "level,eidas," // told, and never asked for
)

// rows is how the rows of the trustmark go on after the name.
func (t Trustmark) rows() string {
	if !t.Known() {
		return "none,"
	}
	return "vector," + string(t) + ","
}

// loginGov is the vocabulary whose values are combined, and are not alternatives.
const loginGov = "login.gov"

// entry is a row of the table.
type entry struct {
	requirement

	name, use, vocabulary string
	order                 int // in its vocabulary; 0: it has none
	mapping, source       string
}

// parseEntry reads a row. A level that is not a number, such as never, can never be met.
func parseEntry(line string) entry {
	var cells [12]string
	line = strings.TrimSuffix(line, "\n")
	for i := range cells {
		cells[i], line, _ = strings.Cut(line, ",")
	}
	e := entry{name: cells[0], use: cells[1], vocabulary: cells[2], mapping: cells[10], source: cells[11]}
	e.order, _ = strconv.Atoi(cells[3])
	e.requirement = requirement{
		amr: cells[5], methods: cells[6], phishingResistant: cells[7] == "yes", hardwareBound: cells[8] == "yes", identity: IdentityLevel(cells[9]),
	}
	switch level, err := strconv.Atoi(cells[4]); {
	case err == nil:
		e.authenticator = AuthenticatorLevel(level)
	case cells[4] != "":
		e.never = true
	}
	return e
}

// lines goes through rows as text.
func lines(rows string) iter.Seq[string] {
	return func(yield func(string) bool) {
		for line := range strings.Lines(vocabulary) {
			if _, after, _ := strings.Cut(line, ","); strings.HasPrefix(after, rows) && !yield(line) {
				return
			}
		}
	}
}

// lookUp finds the row with the name.
func lookUp(rows, name string) (entry, bool) {
	for line := range strings.Lines(vocabulary) {
		after, ok := strings.CutPrefix(line, name)
		if !ok || after[0] != ',' || !strings.HasPrefix(after[1:], rows) {
			continue
		}
		return parseEntry(line), true
	}
	return entry{}, false
}

// Trustmark names a framework of vectors of trust: RFC 8485, Section 5. No vector means anything without it.
type Trustmark string

// The trustmarks.
const (
	RFC8485  Trustmark = "rfc8485"   // the default components: RFC 8485, Appendix A
	OneLogin Trustmark = "one-login" // GOV.UK One Login
	NHSLogin Trustmark = "nhs-login" // NHS login
)

// Trustmarks lists the trustmarks.
func Trustmarks() []Trustmark { return []Trustmark{RFC8485, OneLogin, NHSLogin} }

// Known says whether the trustmark is one of those.
func (t Trustmark) Known() bool { return slices.Contains(Trustmarks(), t) }

// Default is what a request that has no vtr asks for, in the words of the trustmark: nil is nothing.
func (t Trustmark) Default() []string {
	switch t {
	case OneLogin:
		return []string{"Cl.Cm"}
	case NHSLogin:
		return []string{"P9.Cp.Cd", "P9.Cp.Ck", "P9.Cm"}
	case RFC8485:
	}
	return nil
}

// Vector is the strongest vector that is true of what was reached, for vot: RFC 8485, Section 3.
func (t Trustmark) Vector(r Reached) string {
	parts := make([]string, 0, 8)
	for v := range t.met(r) {
		// The table lists the values of a letter together.
		if last := len(parts) - 1; last >= 0 && parts[last][0] == v[0] && !t.repeats(v[0]) {
			parts[last] = v
		} else {
			parts = append(parts, v)
		}
	}
	return strings.Join(parts, ".")
}

// Proofing is the component of the vector that says how well the identity was proved: P0 to P3, or P0, P5, P9 at NHS login,
// where it is the claim identity_proofing_level. It is never P5, for nothing recorded here is what P5 says.
func (t Trustmark) Proofing(r Reached) string {
	var best string
	for v := range t.met(r) {
		if v[0] == 'P' {
			best = v
		}
	}
	return best
}

// met goes through the values of the trustmark that are true of what was reached.
func (t Trustmark) met(r Reached) iter.Seq[string] {
	return func(yield func(string) bool) {
		for line := range lines(t.rows()) {
			if v := parseEntry(line); v.metBy(r) && !yield(v.name) {
				return
			}
		}
	}
}

// InIDToken is what of a vector the ID token carries. One Login tells there only how somebody signed in, and how well the
// identity was proved in a document of its own.
func (t Trustmark) InIDToken(vector string) string {
	if t != OneLogin {
		return vector
	}
	return strings.Join(slices.DeleteFunc(strings.Split(vector, "."), func(c string) bool { return strings.HasPrefix(c, "P") }), ".")
}

// EIDAS is the level of Implementing Regulation (EU) 2015/1502 by our reading: low, substantial or high, and "" below. It
// is of the identity and of the sign-in together, whichever is less.
func (r Reached) EIDAS() string {
	var best string
	for line := range lines(levelRows) {
		if l := parseEntry(line); l.metBy(r) {
			best = l.name
		}
	}
	return best
}

// The most that is read of a vtr. More is refused.
const (
	maxVectors      = 10
	maxVector       = 64   // bytes
	maxVectorsBytes = 1024 // of the parameter
)

// ParseVectors reads the parameter vtr, a JSON array of vectors any of which will do: RFC 8485, Section 4. Without the
// parameter it is what the trustmark says is asked then. A vector that the trustmark does not have is an error, which has
// nothing of what it says: whoever makes up a link also makes up that, and it is shown to whoever follows it.
func ParseVectors(t Trustmark, vtr string) ([]string, error) {
	if !t.Known() {
		return nil, errors.New("read vtr: the trustmark is not known, and without it no vector means anything")
	}
	if vtr == "" {
		return t.Default(), nil
	}
	if len(vtr) > maxVectorsBytes {
		return nil, fmt.Errorf("read vtr: it has %d bytes: want at most %d", len(vtr), maxVectorsBytes)
	}
	var vectors []string
	if err := json.Unmarshal([]byte(vtr), &vectors); err != nil {
		return nil, errors.New("read vtr: want a JSON array of strings")
	}
	if len(vectors) == 0 || len(vectors) > maxVectors {
		return nil, fmt.Errorf("read vtr: it has %d vectors: want 1 to %d", len(vectors), maxVectors)
	}
	for i, v := range vectors {
		if _, err := t.parse(v); err != nil {
			return nil, fmt.Errorf("read vtr: vector %d: %w", i+1, err)
		}
	}
	return vectors, nil
}

// parse reads a vector: what it takes is all that its components take. A letter that is left out asks for nothing. The
// letters come in any order; of one letter, several values are for C alone.
func (t Trustmark) parse(vector string) (requirement, error) {
	if len(vector) > maxVector {
		return requirement{}, fmt.Errorf("it has %d bytes: want at most %d", len(vector), maxVector)
	}
	var all, proofing, credential requirement
	var seen [256]bool // letters
	rest, rows := vector, t.rows()
	for i := 1; rest != ""; i++ {
		var value string
		value, rest = t.cut(rest)
		found, ok := lookUp(rows, value)
		switch {
		case !ok: // what it is instead may be anybody's words, and is not repeated
			return requirement{}, fmt.Errorf("component %d is not a value of %s", i, t)
		case seen[value[0]] && !t.repeats(value[0]):
			return requirement{}, fmt.Errorf("%c has more than one value", value[0])
		}
		seen[value[0]] = true
		all = all.and(found.requirement)
		switch value[0] {
		case 'P':
			proofing = found.requirement
		case 'C':
			credential = found.requirement
		}
	}
	switch {
	case vector == "" || strings.HasSuffix(vector, "."):
		return requirement{}, errors.New("a component is missing")
	case t == OneLogin && !seen['C']:
		return requirement{}, errors.New("want Cl or Cl.Cm")
	case t == OneLogin && proofing.authenticator > credential.authenticator:
		return requirement{}, errors.New("an identity level needs Cl.Cm")
	}
	return all, nil
}

// repeats says whether a vector can have several values of the letter: at RFC 8485 those of C stand beside each other.
func (t Trustmark) repeats(letter byte) bool { return t == RFC8485 && letter == 'C' }

// cut takes the first value off a vector. At One Login and NHS login all components of a letter are one value, for they have
// a list of the combinations that there are.
func (t Trustmark) cut(vector string) (value, rest string) {
	value, rest, _ = strings.Cut(vector, ".")
	for t != RFC8485 && value != "" && rest != "" && rest[0] == value[0] {
		next, _, _ := strings.Cut(rest, ".")
		value = vector[:len(value)+1+len(next)]
		rest = strings.TrimPrefix(vector[len(value):], ".")
	}
	return value, rest
}

// Term is a name that relying parties have for a level, and what it takes here. It is published as it is.
type Term struct {
	Name       string `json:"name"`
	Use        string `json:"use"`             // acr, vector, or level when it is only told
	Vocabulary string `json:"vocabulary"`      // of a vector, the trustmark
	Order      int    `json:"order,omitempty"` // in its vocabulary, weakest first; absent when its publisher gives none
	Supported  bool   `json:"supported"`       // false: it is known, and nothing here can meet it

	Authenticator     AuthenticatorLevel `json:"authenticator_assurance_level,omitempty"`
	AMR               []string           `json:"amr,omitempty"` // all of them
	PhishingResistant bool               `json:"phishing_resistant,omitempty"`
	HardwareBound     bool               `json:"hardware_bound,omitempty"`
	Identity          IdentityLevel      `json:"identity_assurance_level,omitempty"`

	Mapping string `json:"mapping"` // published by whoever named it, or policy: our reading
	Source  string `json:"source"`
}

func (e entry) term() Term {
	return Term{
		Name: e.name, Use: e.use, Vocabulary: e.vocabulary, Order: e.order, Supported: !e.never,
		Authenticator: e.authenticator, AMR: strings.Fields(e.amr), PhishingResistant: e.phishingResistant, HardwareBound: e.hardwareBound, Identity: e.identity,
		Mapping: e.mapping, Source: e.source,
	}
}

// Terms lists the names that the demand is in, in the order in which they stand there: of a vector, each of its components.
// Names that are not known are left out.
func (d Demand) Terms() []Term {
	var terms []Term
	for _, value := range d.Values {
		if e, ok := lookUp(acrRows, value); ok {
			terms = append(terms, e.term())
		}
	}
	for _, vector := range d.Vectors {
		for value, rest := d.Trustmark.cut(vector); value != ""; value, rest = d.Trustmark.cut(rest) {
			if e, ok := lookUp(d.Trustmark.rows(), value); ok {
				terms = append(terms, e.term())
			}
		}
	}
	return terms
}

// Vocabulary lists every name that is known.
func Vocabulary() []Term {
	var terms []Term
	for e := range entries() {
		terms = append(terms, e.term())
	}
	return terms
}

// entries goes through the whole table, one use after the other.
func entries() iter.Seq[entry] {
	return func(yield func(entry) bool) {
		for _, rows := range []string{acrRows, RFC8485.rows(), OneLogin.rows(), NHSLogin.rows(), levelRows} {
			for line := range lines(rows) {
				if !yield(parseEntry(line)) {
					return
				}
			}
		}
	}
}

// Terms lists the names that are true of what was reached, whoever asked for them or nobody. Of names that have an order
// only the highest is there.
func (r Reached) Terms() []Term {
	var terms []Term
	for e := range entries() {
		last := len(terms) - 1
		switch {
		case !e.metBy(r):
		case last >= 0 && e.follows(terms[last]):
			terms[last] = e.term()
		default:
			terms = append(terms, e.term())
		}
	}
	return terms
}

// follows says whether the name stands after another in a published order. Each letter of a vector has an order of its own.
func (e entry) follows(t Term) bool {
	return t.Order > 0 && e.order > t.Order && e.use == t.Use && e.vocabulary == t.Vocabulary && (e.use != "vector" || e.name[0] == t.Name[0])
}

// TrustmarkDocument says what a trustmark means here. Its address is vtm: RFC 8485, Section 5.
type TrustmarkDocument struct {
	IDP           string    `json:"idp"`
	Provider      string    `json:"trustmark_provider"`
	P             []string  `json:"P,omitempty"` // the values that a vector can have
	C             []string  `json:"C,omitempty"`
	M             []string  `json:"M,omitempty"`
	A             []string  `json:"A,omitempty"`
	Trustmark     Trustmark `json:"trustmark"`
	Default       []string  `json:"default,omitempty"` // what is asked without vtr
	PolicyVersion string    `json:"policy_version"`
	Components    []Term    `json:"components"` // also those that are never met
}

// Document is what the issuer publishes of the trustmark.
func (t Trustmark) Document(issuer string) TrustmarkDocument {
	d := TrustmarkDocument{IDP: issuer, Provider: issuer, Trustmark: t, Default: t.Default(), PolicyVersion: PolicyVersion}
	letters := map[byte]*[]string{'P': &d.P, 'C': &d.C, 'M': &d.M, 'A': &d.A}
	for _, v := range Vocabulary() {
		if v.Vocabulary != string(t) {
			continue
		}
		d.Components = append(d.Components, v)
		if list := letters[v.Name[0]]; v.Supported {
			*list = append(*list, v.Name)
		}
	}
	return d
}

// Supported lists the acr values that can be met, weakest first: acr_values_supported of OpenID Connect Discovery 1.0.
func Supported() []string {
	var entries []entry
	for line := range lines(acrRows) {
		if e := parseEntry(line); !e.never {
			entries = append(entries, e)
		}
	}
	slices.SortStableFunc(entries, func(a, b entry) int { return a.compare(b.requirement) })
	names := make([]string, len(entries))
	for i, e := range entries {
		names[i] = e.name
	}
	return names
}
