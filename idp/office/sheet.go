package office

import (
	"encoding/csv"
	"io"
	"strings"
	"unicode/utf8"
)

// WriteSheet writes rows as a file of CSV (RFC 4180), in which no spreadsheet finds a formula: a cell that begins like one, also in the
// full-width letters that some take for it, gets an apostrophe before it.
func WriteSheet(w io.Writer, rows [][]string) error {
	c := csv.NewWriter(w)
	c.UseCRLF = true // RFC 4180, Section 2
	for _, row := range rows {
		cells := make([]string, len(row))
		for i, cell := range row {
			if first, size := utf8.DecodeRuneInString(cell); size > 0 && strings.ContainsRune("=+-@＝＋－＠\t\r\n", first) {
				cell = "'" + cell
			}
			cells[i] = cell
		}
		if err := c.Write(cells); err != nil {
			return err
		}
	}
	c.Flush()
	return c.Error()
}
