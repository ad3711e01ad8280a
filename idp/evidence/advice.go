package evidence

import (
	"github.com/credence-id/credence/idp/assurance"
)

// Advice lists the shortest ways to a level that the evidence does not reach, the easiest first, in the words of whoever goes
// to a registration desk. It speaks of no scores, which [Explanation.Ways] does. There may be no way. See [assurance.Advise] for say.
func (x Explanation) Advice(level assurance.IdentityLevel, say func(string) string) ([][]string, error) {
	pieces := make([]assurance.Piece, len(x.Evidence))
	for i, recorded := range x.Evidence {
		pieces[i] = recorded.Piece
	}
	return assurance.Advise(x.Next, level, pieces, say)
}
