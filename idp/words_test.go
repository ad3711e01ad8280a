package idp_test

import (
	"encoding/csv"
	"go/ast"
	"go/parser"
	gotoken "go/token"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/credence-id/credence/idp/assurance"
)

// welsh reads the catalogue of what is said in Welsh.
func welsh(t *testing.T) map[string]string {
	t.Helper()
	file, err := os.Open("../web/words/cy.csv")
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	reader := csv.NewReader(file)
	reader.Comment = '#'
	rows, err := reader.ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	list := make(map[string]string)
	for _, row := range rows[1:] {
		list[row[0]] = row[1]
	}
	return list
}

// toStaff are the files that say something to staff.
func toStaff(t *testing.T) []string {
	t.Helper()
	files := []string{"middleware.go", "../web/form.go", "assurance/gpg45_words.go", "webauthn/judgement.go"}
	for _, pkg := range []string{"account", "breakglass", "oauth", "registration", "selfregistration", "signin"} {
		names, err := filepath.Glob(pkg + "/*.go")
		if err != nil {
			t.Fatal(err)
		}
		files = append(files, names...)
	}
	return slices.DeleteFunc(files, func(name string) bool { return strings.HasSuffix(name, "_test.go") })
}

// A capital begins what is said to people: errors are lower-case, and what machines read has no words.
var reads = regexp.MustCompile(`^[A-Z][a-z]+([ ,.:].*)?$|^GPG 44, |^eIDAS, `)

// inEnglish says whether a text stands in English in each language: what is there only in development, and a reason of the rules of
// GPG 45, which are in English.
func inEnglish(text string) bool {
	return slices.Contains([]string{
		"Enter a user ID: 12 digits, or choose a person from the list", "Select a method from the list", "There is no person with this user ID",
		"This person is disabled: `credence person enable ",
		"Not enough was checked, or not with the right sources.",
	}, text)
}

// constants lists the texts of a file that people read, and all of its texts. The protocol's own errors are for developers, so that
// of the files that have them it is the texts of problems alone.
func constants(t *testing.T, name string) (said, all []string) {
	t.Helper()
	file, err := parser.ParseFile(gotoken.NewFileSet(), name, nil, parser.SkipObjectResolution)
	if err != nil {
		t.Fatal(err)
	}
	protocol := name == "middleware.go" || strings.HasPrefix(name, "oauth/")
	ast.Inspect(file, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.KeyValueExpr:
			if key, ok := n.Key.(*ast.Ident); ok && slices.Contains([]string{"Title", "Message", "Next"}, key.Name) {
				if text, ok := constant(n.Value); ok && !inEnglish(text) {
					said = append(said, text)
				}
			}
			return true
		case *ast.ImportSpec, *ast.Field: // the tag
			return false
		case *ast.CallExpr:
			if f, ok := n.Fun.(*ast.SelectorExpr); ok && slices.Contains([]string{"Say", "Sayf", "say", "sayf"}, f.Sel.Name) && len(n.Args) > 0 {
				if text, ok := constant(n.Args[0]); ok {
					said = append(said, text)
				}
			}
			if f, ok := n.Fun.(*ast.SelectorExpr); ok && slices.Contains([]string{"Set", "Get", "Add"}, f.Sel.Name) {
				return false // headers
			}
			return true
		case ast.Expr:
			text, ok := constant(n)
			if !ok {
				return true
			}
			all = append(all, text)
			if !protocol && reads.MatchString(text) && !inEnglish(text) {
				said = append(said, text)
			}
			return false
		}
		return true
	})
	return said, append(all, said...)
}

// constant is the text that an expression is.
func constant(n ast.Expr) (string, bool) {
	switch n := n.(type) {
	case *ast.BasicLit:
		text, err := strconv.Unquote(n.Value)
		return text, n.Kind == gotoken.STRING && err == nil
	case *ast.BinaryExpr:
		left, ok := constant(n.X)
		right, also := constant(n.Y)
		return left + right, ok && also && n.Op == gotoken.ADD
	}
	return "", false
}

// tables lists what handlers say of values that tables and lists have.
func tables(t *testing.T) []string {
	t.Helper()
	var list []string
	for _, kind := range assurance.Kinds() {
		list = append(list, assurance.KindWords(kind.Name))
	}
	for _, row := range rows(t, "assurance/plain-words.csv") {
		if row[0] != "kind" {
			list = append(list, row[3])
		}
	}
	for _, f := range assurance.Facts() {
		list = append(list, f.Meaning())
	}
	for _, m := range assurance.Methods() {
		name := strings.ReplaceAll(string(m), "-", " ")
		if m == assurance.TOTP {
			name = "one-time code"
		} else {
			list = append(list, strings.ToUpper(name[:1])+name[1:])
		}
		list = append(list, "a "+name)
	}
	for _, level := range assurance.IdentityLevels() {
		list = append(list, strings.ReplaceAll(string(level), "_", " "))
	}
	for month := time.January; month <= time.December; month++ {
		list = append(list, month.String())
	}
	return append(list, "at", "none")
}

func rows(t *testing.T, name string) (list [][]string) {
	t.Helper()
	content, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(content)) {
		if fields := strings.SplitN(strings.TrimSpace(line), ",", 4); !strings.HasPrefix(line, "#") && len(fields) == 4 {
			list = append(list, fields)
		}
	}
	return list[1:]
}

// What handlers say to staff they say in Welsh too.
func TestHandlersSayEverythingInWelsh(t *testing.T) {
	t.Parallel()
	known := welsh(t)
	for _, name := range toStaff(t) {
		said, _ := constants(t, name)
		for _, text := range said {
			if _, ok := known[text]; !ok {
				t.Errorf("%s: %q is not in web/words/cy.csv", name, text)
			}
		}
	}
	verbs := regexp.MustCompile(`%.`)
	for text, said := range known {
		if want, got := verbs.FindAllString(text, -1), verbs.FindAllString(said, -1); !slices.Equal(want, got) {
			t.Errorf("web/words/cy.csv: %q has the verbs %q, and its translation %q", text, want, got)
		}
	}
	for _, text := range tables(t) {
		if _, ok := known[text]; !ok {
			t.Errorf("a table has %q, which is not in web/words/cy.csv", text)
		}
	}
}

// Nothing is left in the catalogue that nobody says.
func TestNothingIsTranslatedThatNobodySays(t *testing.T) {
	t.Parallel()
	left := welsh(t)
	forget := func(texts ...string) {
		for _, text := range texts {
			delete(left, text)
		}
	}
	for _, name := range toStaff(t) {
		_, all := constants(t, name)
		forget(all...)
	}
	forget(tables(t)...)
	mark := regexp.MustCompile(`(?s)\[\[(.*?)\]\]`)
	for _, pattern := range []string{"../web/templates/*.html", "../web/templates/*/*.html", "../web/static/*.js", "messenger/frame.txt", "messenger/letters/*.txt"} {
		names, err := filepath.Glob(pattern)
		if err != nil {
			t.Fatal(err)
		}
		for _, name := range names {
			source, err := os.ReadFile(name)
			if err != nil {
				t.Fatal(err)
			}
			for _, m := range mark.FindAllStringSubmatch(string(source), -1) {
				forget(m[1])
			}
		}
	}
	for text := range left {
		t.Errorf("web/words/cy.csv has %q, which nothing says", text)
	}
}
