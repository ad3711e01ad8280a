package assurance

import (
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/language"
)

// The most that is looked at for one person. More is refused.
const (
	MaxPieces = 100 // on record for a person
	MaxChecks = 50  // of one piece
	maxText   = 200 // characters
)

// PieceType is the evidence type of a piece: OpenID Identity Assurance Schema Definition 1.0, Section 5.4.4.
type PieceType string

// The evidence types. Electronic signatures are not put on record.
const (
	Document         PieceType = "document"
	ElectronicRecord PieceType = "electronic_record"
	Vouch            PieceType = "vouch"
)

func pieceTypes() []PieceType { return []PieceType{Document, ElectronicRecord, Vouch} }

// CheckMethod is how a piece, or a person by a piece, was checked: the check methods of OpenID Identity Assurance.
type CheckMethod string

// The check methods. Which pieces each is for is in tables/methods.csv.
const (
	PhysicalInspection      CheckMethod = "vpip"   // by somebody who has it in hand
	PhysicalInspectionUV    CheckMethod = "vpiruv" // the same, also under ultraviolet or infrared light
	RemoteInspection        CheckMethod = "vri"    // of an image
	DigitalInspection       CheckMethod = "vdig"   // of digital evidence
	CryptographicInspection CheckMethod = "vcrypt" // of its signature, such as a passport's chip
	RecordMatch             CheckMethod = "data"   // a matching electronic record was found
	ComparisonInPerson      CheckMethod = "pvp"    // a person compares the portrait with who stands there
	RemoteComparison        CheckMethod = "pvr"    // a person compares it with an image or video
	BiometricInPerson       CheckMethod = "bvp"    // a machine compares, the person is there
	RemoteBiometric         CheckMethod = "bvr"    // a machine compares, the person is elsewhere
	KnowledgeQuestions      CheckMethod = "kbv"    // questions that only the person can answer
	ElectronicLogin         CheckMethod = "auth"   // the owner signed in
	IssuedToken             CheckMethod = "token"  // the owner returned a code sent to her, or the like
)

func checkMethods() []CheckMethod {
	return []CheckMethod{
		PhysicalInspection, PhysicalInspectionUV, RemoteInspection, DigitalInspection, CryptographicInspection, RecordMatch,
		ComparisonInPerson, RemoteComparison, BiometricInPerson, RemoteBiometric, KnowledgeQuestions, ElectronicLogin, IssuedToken,
	}
}

// Feature is what a piece has that its strength depends on. Which kinds can have which is in tables/strength.csv.
type Feature string

// The features.
const (
	BiometricChip         Feature = "biometric_chip" // it holds biometrics, cryptographically protected: ICAO Doc 9303
	MachineReadable       Feature = "machine_readable"
	Photocard             Feature = "photocard"
	UniqueReferenceNumber Feature = "unique_reference_number"
	OlderPerson           Feature = "older_person"
	RegulatedIssuer       Feature = "regulated_issuer"
	CurrentAccount        Feature = "current_account"
	GasOrElectricity      Feature = "gas_or_electricity"
)

func features() []Feature {
	return []Feature{
		BiometricChip, MachineReadable, Photocard, UniqueReferenceNumber, OlderPerson, RegulatedIssuer, CurrentAccount, GasOrElectricity,
	}
}

// Fact is something that a check established. All are in tables/facts.csv, with the methods that can establish each;
// the constants are those that rules name.
type Fact string

// The facts that rules name.
const (
	cryptographic           Fact = "cryptographic"
	specialistTraining      Fact = "specialist_training"
	authoritativeSource     Fact = "authoritative_source"
	independentSource       Fact = "independent_source"
	coreAttributesValidated Fact = "core_attributes_validated"
)

// ActivityPolicy is how thoroughly an organisation had checked a person before it came to know her activity.
type ActivityPolicy string

// The activity policies, weakest first.
const (
	PolicyNone          ActivityPolicy = "none"
	PolicyPublished     ActivityPolicy = "published"
	PolicyMLR           ActivityPolicy = "money_laundering_regulations"
	PolicyPhysicalMatch ActivityPolicy = "physical_or_biometric_official"
)

func activityPolicies() []ActivityPolicy {
	return []ActivityPolicy{PolicyNone, PolicyPublished, PolicyMLR, PolicyPhysicalMatch}
}

// Quality is how good a question is (GPG 45), or an authenticator (GPG 44).
type Quality string

// The qualities, lowest first.
const (
	LowQuality    Quality = "low"
	MediumQuality Quality = "medium"
	HighQuality   Quality = "high"
)

func qualities() []Quality { return []Quality{LowQuality, MediumQuality, HighQuality} }

// rank orders the qualities. What is none of them is below.
func (q Quality) rank() int { return slices.Index(qualities(), q) }

// Piece is one piece of evidence on record for a person: a document that she showed, a record that was found, somebody
// who vouched; and what was checked with it. A counter-fraud register that was asked is a piece too.
type Piece struct {
	ID   string    `json:"id"`
	Type PieceType `json:"type"`
	Kind string    `json:"kind"` // of tables/kinds.csv: passport, current_account ...
	// Subject is who the piece says the person is: name and date of birth in one normal form, or a digest of them. Pieces
	// that say different things never count together.
	Subject string `json:"subject"`
	// Number is a digest of the number of the document, record or account. The same twice is one piece. Some kinds have to
	// have one, and what has the feature of a unique reference number.
	Number       string    `json:"number,omitempty"`
	Country      string    `json:"country,omitempty"`      // of the issuer: ISO 3166-1, three letters, such as GBR
	Jurisdiction string    `json:"jurisdiction,omitempty"` // of the issuer: ISO 3166-2, such as GB-NIR
	Features     []Feature `json:"features,omitempty"`
	IssuedOn     string    `json:"issued_on,omitempty"`  // YYYY-MM-DD
	ExpiresOn    string    `json:"expires_on,omitempty"` // YYYY-MM-DD, the last day on which it is valid
	Checks       []Check   `json:"checks,omitempty"`
}

// Check is one check that was done with a piece. Attempts that came to no result are not put on record.
type Check struct {
	ID     string      `json:"id"`
	Method CheckMethod `json:"method"`
	// Failed says that the check was done, and that its result is no: a forged feature, another face, a wrong answer, an
	// identity that is reported stolen. The piece is then worth nothing, whatever else was found, until it is withdrawn; and
	// so is every other that may be the same: of its kind, and not shown by two numbers to be another.
	Failed       bool      `json:"failed,omitempty"`
	At           time.Time `json:"at"`
	Organisation string    `json:"organisation,omitempty"` // that answers for the check: a desk's, or whose record was asked
	Checker      string    `json:"checker,omitempty"`      // who did it
	TrainedBy    string    `json:"trained_by,omitempty"`   // the specialist body, with the fact specialist_training
	// Facts is what the check established; of one that failed, what it was to establish.
	Facts     []Fact     `json:"facts,omitempty"`
	Questions []Question `json:"questions,omitempty"` // that were answered rightly, of knowledge questions
	Activity  *Activity  `json:"activity,omitempty"`  // that a record shows
}

// Question is a question that the person answered rightly, by the tests of GPG 45 for knowledge-based verification.
type Question struct {
	Quality        Quality `json:"quality"`
	Dynamic        bool    `json:"dynamic,omitempty"` // its answer changes over time
	MultipleChoice bool    `json:"multiple_choice,omitempty"`
}

// Activity is what a record shows of a person's life: since when, at an organisation that had checked her how well.
type Activity struct {
	Policy ActivityPolicy `json:"policy"`
	Since  string         `json:"since"` // YYYY-MM-DD
}

// Empty says whether nothing follows from the check: it did not fail, and what it established is not on record. That an owner
// signed in or returned a code is a result by itself.
func (c Check) Empty() bool {
	return !c.Failed && len(c.Facts)+len(c.Questions) == 0 && c.Activity == nil && c.Method != ElectronicLogin && c.Method != IssuedToken
}

// Validate says in words what is wrong with the piece: of an unknown kind or method, contradictory, impossible, too much. It
// names a check by its place.
func (p Piece) Validate() error {
	t := tables()
	if err := p.validate(t); err != nil {
		return err
	}
	seen := map[string]bool{}
	for i, c := range p.Checks {
		err := c.validate(t, p)
		if err == nil && seen[c.ID] {
			err = fmt.Errorf("there are two checks of the id %q", c.ID)
		}
		if err != nil {
			return fmt.Errorf("check %d: %w", i+1, err)
		}
		seen[c.ID] = true
	}
	return nil
}

func (p Piece) validate(t *scoringTables) error {
	for name, text := range map[string]string{"id": p.ID, "kind": p.Kind, "subject": p.Subject, "number": p.Number} {
		if err := checkText(name, text); err != nil {
			return err
		}
	}
	kind, known := t.kinds[kindKey{p.Type, p.Kind}]
	issued, issuedErr := readDate(p.IssuedOn)
	expires, expiresErr := readDate(p.ExpiresOn)
	switch {
	case p.ID == "":
		return fmt.Errorf("it has no id")
	case p.Type == "":
		return fmt.Errorf("it has no type: %s", oneOf(pieceTypes()))
	case !slices.Contains(pieceTypes(), p.Type):
		return fmt.Errorf("the type %q is unknown: %s", shorten(string(p.Type)), oneOf(pieceTypes()))
	case p.Kind == "":
		return fmt.Errorf("it has no kind: %s", t.kindsInstead(p))
	case !known:
		return fmt.Errorf("no %q is known of type %q: %s", shorten(p.Kind), p.Type, t.kindsInstead(p))
	case p.Subject == "":
		return fmt.Errorf("it has no subject: say whom it names, or nothing shows that it is about this person")
	case p.Country != "" && !letters(p.Country, 3):
		return fmt.Errorf("country %q is not three capital letters of ISO 3166-1", shorten(p.Country))
	case p.Jurisdiction != "" && (len(p.Jurisdiction) > 6 || !letters(p.Jurisdiction[:min(2, len(p.Jurisdiction))], 2)):
		return fmt.Errorf("jurisdiction %q is not a code of ISO 3166-2, such as GB-NIR", shorten(p.Jurisdiction))
	case !within(p.Jurisdiction, p.Country):
		return fmt.Errorf("jurisdiction %q is not one of country %q", p.Jurisdiction, p.Country)
	case issuedErr != nil:
		return fmt.Errorf("issued_on: %w", issuedErr)
	case expiresErr != nil:
		return fmt.Errorf("expires_on: %w", expiresErr)
	case p.IssuedOn != "" && p.ExpiresOn != "" && !issued.Before(expires):
		return fmt.Errorf("it expires on %s, not after it was issued on %s", p.ExpiresOn, p.IssuedOn)
	case p.IssuedOn != "" && kind.outlasts(issued, p.ExpiresOn):
		return fmt.Errorf("it expires on %s, more than %d years after it was issued on %s", p.ExpiresOn, kind.years, p.IssuedOn)
	case p.Number == "" && (kind.numbered || slices.Contains(p.Features, UniqueReferenceNumber)):
		return fmt.Errorf("no such %s is put on record without its number: set number", KindWords(p.Kind))
	case len(p.Checks) > MaxChecks:
		return fmt.Errorf("it has %d checks: at most %d are looked at", len(p.Checks), MaxChecks)
	}
	for i, f := range p.Features {
		if !slices.Contains(kind.features, f) {
			return fmt.Errorf("%s has no feature %q: %s", article(KindWords(p.Kind)), shorten(string(f)), oneOf(kind.features))
		}
		if slices.Contains(p.Features[:i], f) {
			return fmt.Errorf("the feature %s is there twice", f)
		}
	}
	return nil
}

// within says whether a jurisdiction is one of a country, where both are said: ISO 3166-2 begins with the two letters of what
// ISO 3166-1 also has three for.
func within(jurisdiction, country string) bool {
	if jurisdiction == "" || country == "" {
		return true
	}
	region, err := language.ParseRegion(jurisdiction[:2])
	return err == nil && region.ISO3() == country
}

// outlasts says whether the day of expiry is later than pieces of the kind have that were issued by then.
func (k kindRow) outlasts(issued time.Time, expiresOn string) bool {
	return k.years > 0 && expiresOn > day(issued.AddDate(k.years, 0, 0))
}

func (c Check) validate(t *scoringTables, p Piece) error {
	for name, text := range map[string]string{"id": c.ID, "organisation": c.Organisation, "checker": c.Checker, "trained_by": c.TrainedBy} {
		if err := checkText(name, text); err != nil {
			return err
		}
	}
	method, known := t.methods[c.Method]
	kind := t.kinds[kindKey{p.Type, p.Kind}]
	switch {
	case c.ID == "":
		return fmt.Errorf("it has no id")
	case !known:
		return fmt.Errorf("the method %q is unknown: %s", shorten(string(c.Method)), oneOf(t.methodsOf(p.Type)))
	case !slices.Contains(method.types, p.Type):
		return fmt.Errorf("%s is no check of type %s: %s", c.Method, p.Type, oneOf(t.methodsOf(p.Type)))
	case method.portrait && !kind.portrait:
		return fmt.Errorf("%s compares a portrait, and %s carries none", c.Method, p.Kind)
	case c.At.IsZero():
		return fmt.Errorf("it does not say when it was done: set at")
	case p.IssuedOn != "" && day(c.At) < p.IssuedOn:
		return fmt.Errorf("it was done on %s, before %s was issued on %s", day(c.At), p.Kind, p.IssuedOn)
	case kind.outlasts(c.At, p.ExpiresOn):
		return fmt.Errorf("it was done on %s, more than %d years before %s expires on %s", day(c.At), kind.years, p.Kind, p.ExpiresOn)
	case !c.Failed && p.ExpiresOn != "" && p.ExpiresOn < day(c.At) && graceEnds(p.ExpiresOn) < day(c.At):
		return fmt.Errorf("it was done on %s, more than %d months after %s expired on %s", day(c.At), expiredGrace, p.Kind, p.ExpiresOn)
	case len(c.Facts) > len(t.facts):
		return fmt.Errorf("it has %d facts: only %d are known", len(c.Facts), len(t.facts))
	case len(c.Questions) > maxQuestions:
		return fmt.Errorf("it has %d questions: at most %d are looked at", len(c.Questions), maxQuestions)
	case len(c.Questions) > 0 && c.Method != KnowledgeQuestions:
		return fmt.Errorf("%s asks no questions", c.Method)
	case c.Activity != nil && c.Method != RecordMatch:
		return fmt.Errorf("%s shows no activity: only a record does", c.Method)
	}
	for i, f := range c.Facts {
		fact, known := t.facts[f]
		switch {
		case !known:
			return fmt.Errorf("the fact %q is unknown: of %s, %s", shorten(string(f)), c.Method, oneOf(t.factsOf(c.Method)))
		case !slices.Contains(fact.methods, c.Method):
			return fmt.Errorf("%s cannot establish %s: %s", c.Method, f, oneOf(t.factsOf(c.Method)))
		case slices.Contains(c.Facts[:i], f):
			return fmt.Errorf("the fact %s is there twice", f)
		}
	}
	switch trained := slices.Contains(c.Facts, specialistTraining); {
	case trained && c.TrainedBy == "":
		return fmt.Errorf("the checker was trained by a specialist body, and it is not said by which: set trained_by")
	case !trained && c.TrainedBy != "":
		return fmt.Errorf("it says who trained the checker, and lacks the fact %s", specialistTraining)
	case slices.Contains(c.Facts, authoritativeSource) && c.Organisation == "":
		return fmt.Errorf("the source is authoritative, and it is not said which it is: set organisation")
	}
	for _, q := range c.Questions {
		if !slices.Contains(qualities(), q.Quality) {
			return fmt.Errorf("the quality of a question is %q: it is low, medium or high", shorten(string(q.Quality)))
		}
	}
	return c.Activity.validate(c.At)
}

// maxQuestions is the most questions of one check that are looked at.
const maxQuestions = 50

func (a *Activity) validate(at time.Time) error {
	if a == nil {
		return nil
	}
	_, err := readDate(a.Since)
	switch {
	case !slices.Contains(activityPolicies(), a.Policy):
		return fmt.Errorf("the activity policy %q is unknown: %s", shorten(string(a.Policy)), oneOf(activityPolicies()))
	case a.Since == "":
		return fmt.Errorf("the activity does not say since when")
	case err != nil:
		return fmt.Errorf("activity since: %w", err)
	case a.Since > day(at):
		return fmt.Errorf("the activity begins on %s, after it was checked on %s", a.Since, day(at))
	}
	return nil
}

// day is the date of a time as records write it. Such dates are ordered as text is.
func day(at time.Time) string { return at.UTC().Format(time.DateOnly) }

// readDate reads a date as records write it. There may be none.
func readDate(date string) (time.Time, error) {
	if date == "" {
		return time.Time{}, nil
	}
	at, err := time.Parse(time.DateOnly, date)
	if err != nil || at.Year() < 1800 {
		return time.Time{}, fmt.Errorf("%q is not a date of the form 2026-03-04", shorten(date))
	}
	return at, nil
}

func letters(s string, n int) bool {
	return len(s) == n && strings.Trim(s, "ABCDEFGHIJKLMNOPQRSTUVWXYZ") == ""
}

func checkText(name, text string) error {
	switch {
	case utf8.RuneCountInString(text) > maxText:
		return fmt.Errorf("its %s is longer than %d characters", name, maxText)
	case strings.ContainsFunc(text, func(c rune) bool { return !unicode.IsGraphic(c) || c == utf8.RuneError }):
		return fmt.Errorf("its %s is not plain text", name)
	}
	return nil
}

// shorten keeps what was given wrong from filling the error that says so.
func shorten(s string) string {
	const most = 60
	if utf8.RuneCountInString(s) <= most {
		return s
	}
	return string([]rune(s)[:most]) + "..."
}
