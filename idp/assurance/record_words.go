package assurance

import (
	"slices"
	"strings"
)

// Kind is a kind of pieces that can be put on record.
type Kind struct {
	Type     PieceType
	Name     string
	Numbered bool      // it is not put on record without its number
	Features []Feature // that matter of it
}

// Kinds lists the kinds of pieces, type by type.
func Kinds() []Kind {
	t := tables()
	var kinds []Kind
	for _, key := range t.kindOrder {
		row := t.kinds[key]
		kinds = append(kinds, Kind{key.pieceType, key.kind, row.numbered, slices.Clone(row.features)})
	}
	return kinds
}

// MethodUse says what a check method is, which pieces it is for and what it can establish.
type MethodUse struct {
	Method  CheckMethod
	Meaning string // completes the sentence "the check is that ..."
	Types   []PieceType
	Facts   []Fact
}

// InPerson says whether the check takes the person, or the piece, before whoever makes it.
func (m CheckMethod) InPerson() bool { return tables().methods[m].inPerson }

// MethodUses lists the check methods.
func MethodUses() []MethodUse {
	t := tables()
	var uses []MethodUse
	for _, m := range checkMethods() {
		uses = append(uses, MethodUse{m, m.meaning(), slices.Clone(t.methods[m].types), t.factsOf(m)})
	}
	return uses
}

func (m CheckMethod) meaning() string {
	switch m {
	case PhysicalInspection:
		return "somebody who has it in hand inspects it"
	case PhysicalInspectionUV:
		return "the same, also under ultraviolet or infrared light"
	case RemoteInspection:
		return "somebody inspects an image of it"
	case DigitalInspection:
		return "somebody inspects digital evidence"
	case CryptographicInspection:
		return "its signature is verified, such as a passport's chip"
	case RecordMatch:
		return "a matching record is found"
	case ComparisonInPerson:
		return "somebody compares its portrait with who stands there"
	case RemoteComparison:
		return "somebody compares its portrait with an image or video"
	case BiometricInPerson:
		return "a machine compares its portrait with who stands there"
	case RemoteBiometric:
		return "a machine compares its portrait with who is elsewhere"
	case KnowledgeQuestions:
		return "she answers questions that only she can answer"
	case ElectronicLogin:
		return "its owner signs in"
	case IssuedToken:
		return "its owner returns a code that was sent to her"
	}
	return ""
}

// Facts lists what checks can establish.
func Facts() []Fact { return slices.Clone(tables().factOrder) }

// Meaning completes the sentence "it is on record that ...".
func (f Fact) Meaning() string { return tables().facts[f].meaning }

// methodsOf lists the methods of checks of a type.
func (t *scoringTables) methodsOf(pieceType PieceType) []CheckMethod {
	return slices.DeleteFunc(checkMethods(), func(m CheckMethod) bool { return !slices.Contains(t.methods[m].types, pieceType) })
}

// factsOf lists what a method can establish.
func (t *scoringTables) factsOf(method CheckMethod) []Fact {
	return slices.DeleteFunc(slices.Clone(t.factOrder), func(f Fact) bool { return !slices.Contains(t.facts[f].methods, method) })
}

// kindsInstead says what can stand in the place of a kind that is not known of the type of a piece.
func (t *scoringTables) kindsInstead(p Piece) string {
	var known []string
	for _, key := range t.kindOrder {
		if key.pieceType == p.Type {
			known = append(known, key.kind)
		} else if key.kind == p.Kind {
			return "it is of type " + string(key.pieceType)
		}
	}
	return oneOf(known)
}

// oneOf says which words are known, where another one stands.
func oneOf[T ~string](known []T) string {
	if len(known) == 0 {
		return "want none"
	}
	words := make([]string, len(known))
	for i, word := range known {
		words[i] = string(word)
	}
	return "want one of " + strings.Join(words, ", ")
}
