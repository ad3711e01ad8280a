package office

import (
	"encoding/csv"
	"io"
	"strings"
)

// WriteSheet writes rows as a file of CSV (RFC 4180), in which no spreadsheet finds a formula: a cell that begins like one gets an
// apostrophe before it.
func WriteSheet(w io.Writer, rows [][]string) error {
	c := csv.NewWriter(w)
	c.UseCRLF = true // RFC 4180, Section 2
	for _, row := range rows {
		cells := make([]string, len(row))
		for i, cell := range row {
			if cell != "" && strings.ContainsRune("=+-@\t\r\n", rune(cell[0])) {
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
