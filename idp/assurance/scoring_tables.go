package assurance

import (
	"embed"
	"fmt"
	"io/fs"
	"slices"
	"strconv"
	"strings"
	"sync"
)

//go:embed tables/*.csv
var tableFiles embed.FS

// tables are the embedded tables, read and checked when they are first needed. They are never written.
var tables = sync.OnceValue(func() *scoringTables { //nolint:gochecknoglobals // embedded data, in the form that rules use
	t, err := readTables(tableFiles)
	if err != nil {
		panic(fmt.Sprintf("assurance: embedded tables: %v", err)) // they are part of the program, and a test reads them
	}
	return t
})

// scoringTables are the rules by which records are scored, as versioned data: what each cell means is said in its file.
type scoringTables struct {
	kinds        map[kindKey]kindRow
	kindOrder    []kindKey // as in the file
	methods      map[CheckMethod]methodRow
	facts        map[Fact]factRow
	factOrder    []Fact // as in the file
	strength     map[string][]gradeRow
	validity     []scoreRow
	activity     []activityRow
	fraud        []scoreRow
	verification []scoreRow
	questions    []questionRow

	nistEvidence     map[string][]gradeRow
	nistValidation   map[PieceType][]Fact
	nistVerification []nistVerificationRow
	nistLevels       []nistLevelRow

	quality    []qualityRow
	protection []protectionRow
}

type (
	kindKey struct {
		pieceType PieceType
		kind      string
	}
	kindRow struct {
		expires, portrait, numbered bool
		years                       int       // from issue to expiry, at most; 0: no limit
		features                    []Feature // that one of the tables asks for
	}
	methodRow struct {
		types              []PieceType
		portrait, inPerson bool
	}
	factRow struct {
		methods    []CheckMethod
		implies    []Fact
		countsWith [][]Fact // alternatives; none: it counts by itself
		meaning    string
	}
	// gradeRow grades pieces of a kind by issuer and features: the strength of GPG 45, the class of NIST.
	gradeRow struct {
		issuers  []string // country codes and jurisdictions; none: any
		features []Feature
		grade    int
	}
	// scoreRow is a score and all that it takes.
	scoreRow struct {
		score         int
		methods       []CheckMethod // of verification
		leastValidity int           // of verification: of the piece
		sources       int           // of fraud: organisations for each fact
		facts         []Fact
	}
	activityRow struct {
		policy        ActivityPolicy
		months, score int
	}
	questionRow struct {
		score                    int
		dynamic                  bool
		quality                  Quality
		freeText, multipleChoice int
	}
	nistVerificationRow struct {
		level   IAL
		class   evidenceClass
		methods []CheckMethod
		facts   []Fact
	}
	nistLevelRow struct {
		level    IAL
		evidence []evidenceClass
		verified int
	}
	qualityRow struct {
		method        Method
		facts         []string
		authenticator AuthenticatorType
		quality       Quality
	}
	protectionRow struct {
		protection Protection
		qualities  []Quality
		monitoring bool
	}
)

// readTables reads the tables, and checks that they know each other's words.
func readTables(files fs.FS) (*scoringTables, error) {
	t := &scoringTables{
		kinds: map[kindKey]kindRow{}, methods: map[CheckMethod]methodRow{}, facts: map[Fact]factRow{},
		strength: map[string][]gradeRow{}, nistEvidence: map[string][]gradeRow{}, nistValidation: map[PieceType][]Fact{},
	}
	issuers := map[string][]string{}
	for _, table := range []struct {
		name, columns string
		row           func(r *row)
	}{
		{"methods", "method,types,portrait,in_person", func(r *row) {
			t.methods[one(r, checkMethods())] = methodRow{many(r, pieceTypes()), r.bool(), r.bool()}
		}},
		{"facts", "fact,methods,implies,counts_with,meaning", func(r *row) { t.readFact(r) }},
		{"kinds", "type,kind,expires,portrait,numbered,years", func(r *row) {
			key := kindKey{one(r, pieceTypes()), r.next()}
			t.kinds[key], t.kindOrder = kindRow{expires: r.bool(), portrait: r.bool(), numbered: r.bool(), years: r.int(0, 99)}, append(t.kindOrder, key)
		}},
		{"issuers", "group,codes", func(r *row) { issuers[r.next()] = strings.Fields(r.next()) }},
		{"strength", "kind,issuer,features,score", func(r *row) {
			t.readGrade(r, t.strength, issuers, func() int { return r.int(1, checkStrength.most()) })
		}},
		{"nist-evidence", "kind,issuer,features,class", func(r *row) {
			t.readGrade(r, t.nistEvidence, issuers, func() int { return slices.Index(evidenceClasses(), one(r, evidenceClasses())) + 1 })
		}},
		{"validity", "score,facts", func(r *row) {
			t.validity = append(t.validity, scoreRow{score: r.int(1, checkValidity.most()), facts: t.knownFacts(r)})
		}},
		{"activity", "policy,months,score", func(r *row) {
			t.activity = append(t.activity, activityRow{one(r, activityPolicies()), r.int(1, 1200), r.int(1, checkActivity.most())})
		}},
		{"fraud", "score,sources,facts", func(r *row) {
			t.fraud = append(t.fraud, scoreRow{score: r.int(1, checkFraud.most()), sources: r.int(1, 9), facts: t.knownFacts(r)})
		}},
		{"verification", "score,methods,least_validity,facts", func(r *row) {
			t.verification = append(t.verification, scoreRow{
				score: r.int(1, checkVerification.most()), methods: many(r, checkMethods()),
				leastValidity: r.int(0, checkValidity.most()), facts: t.knownFacts(r),
			})
		}},
		{"kbv", "score,dynamic,quality,free_text,multiple_choice", func(r *row) {
			t.questions = append(t.questions, questionRow{r.int(1, 2), r.bool(), one(r, qualities()), r.int(1, 9), r.int(1, 9)})
		}},
		{"nist-validation", "type,facts", func(r *row) {
			pieceType := one(r, pieceTypes())
			t.nistValidation[pieceType] = append(t.nistValidation[pieceType], t.knownFacts(r)...)
		}},
		{"nist-verification", "ial,class,methods,facts", func(r *row) {
			t.nistVerification = append(t.nistVerification, nistVerificationRow{
				IAL(r.int(1, 3)), one(r, evidenceClasses()), many(r, checkMethods()), t.knownFacts(r),
			})
		}},
		{"nist-levels", "ial,evidence,verified", func(r *row) {
			level, evidence := IAL(r.int(1, 3)), many(r, evidenceClasses())
			t.nistLevels = append(t.nistLevels, nistLevelRow{level, evidence, r.int(1, len(evidence))})
		}},
		{"gpg44-quality", "method,facts,type,quality", func(r *row) {
			t.quality = append(t.quality, qualityRow{
				one(r, factorMethods()), many(r, factorFacts()), one(r, authenticatorTypes()), one(r, qualities()),
			})
		}},
		{"gpg44-protection", "protection,qualities,monitoring", func(r *row) {
			t.protection = append(t.protection, protectionRow{one(r, protections()), many(r, qualities()), r.bool()})
		}},
	} {
		if err := readTable(files, table.name, table.columns, table.row); err != nil {
			return nil, err
		}
	}
	for name, f := range t.facts {
		for _, other := range slices.Concat(append(f.countsWith, f.implies)...) {
			if _, known := t.facts[other]; !known {
				return nil, fmt.Errorf("table facts: %s: no fact is called %q", name, other)
			}
		}
	}
	return t, nil
}

func (t *scoringTables) readFact(r *row) {
	fact, methods, implies := Fact(r.next()), many(r, checkMethods()), strings.Fields(r.next())
	known := factRow{methods: methods}
	for _, f := range implies {
		known.implies = append(known.implies, Fact(f))
	}
	for alternative := range strings.SplitSeq(r.next(), "|") {
		var all []Fact
		for f := range strings.FieldsSeq(alternative) {
			all = append(all, Fact(f))
		}
		if all != nil {
			known.countsWith = append(known.countsWith, all)
		}
	}
	known.meaning = r.next()
	t.facts[fact], t.factOrder = known, append(t.factOrder, fact)
}

// readGrade reads a row of a table that grades kinds, and lets pieces of the kind have the features it asks for.
func (t *scoringTables) readGrade(r *row, grades map[string][]gradeRow, issuers map[string][]string, grade func() int) {
	kind, group := r.next(), r.next()
	g := gradeRow{issuers: issuers[group], features: many(r, features()), grade: grade()}
	if group != "" && g.issuers == nil {
		r.fail(fmt.Errorf("no group of issuers is called %q", group))
	}
	grades[kind] = append(grades[kind], g)
	known := false
	for key, k := range t.kinds {
		if key.kind != kind {
			continue
		}
		known = true
		for _, f := range g.features {
			if !slices.Contains(k.features, f) {
				k.features = append(k.features, f)
			}
		}
		t.kinds[key] = k
	}
	if !known {
		r.fail(fmt.Errorf("no kind is called %q", kind))
	}
}

func (t *scoringTables) knownFacts(r *row) []Fact {
	var facts []Fact
	for name := range strings.FieldsSeq(r.next()) {
		if _, known := t.facts[Fact(name)]; !known {
			r.fail(fmt.Errorf("no fact is called %q", name))
		}
		facts = append(facts, Fact(name))
	}
	return facts
}

// row is a row of a table, read cell by cell. It keeps the first mistake.
type row struct {
	cells []string
	err   error
}

func (r *row) fail(err error) {
	if r.err == nil {
		r.err = err
	}
}

func (r *row) next() string {
	cell := r.cells[0]
	r.cells = r.cells[1:]
	return cell
}

func (r *row) bool() bool { return one(r, []string{"no", "yes"}) == "yes" }

func (r *row) int(least, most int) int {
	cell := r.next()
	n, err := strconv.Atoi(cell)
	if err != nil || n < least || n > most {
		r.fail(fmt.Errorf("%q is not a number from %d to %d", cell, least, most))
	}
	return n
}

// one reads a cell that holds one of the known words, and many a cell of any number of them.
func one[T ~string](r *row, known []T) T {
	cell := T(r.next())
	if !slices.Contains(known, cell) {
		r.fail(fmt.Errorf("%q is not one of %q", cell, known))
	}
	return cell
}

func many[T ~string](r *row, known []T) []T {
	var all []T
	for word := range strings.FieldsSeq(r.next()) {
		if !slices.Contains(known, T(word)) {
			r.fail(fmt.Errorf("%q is not one of %q", word, known))
		}
		all = append(all, T(word))
	}
	return all
}

func readTable(files fs.FS, name, columns string, read func(*row)) error {
	rows, err := readRows(files, "tables/"+name+".csv", strings.Split(columns, ",")...)
	if err != nil {
		return err
	}
	for _, cells := range rows {
		r := &row{cells: slices.Clone(cells)}
		read(r)
		if r.err != nil {
			return fmt.Errorf("table %s: row %q: %w", name, strings.Join(cells, ","), r.err)
		}
	}
	return nil
}
