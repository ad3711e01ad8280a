// Package migrations holds the schema of the database as numbered pairs of SQL files, embedded in the program.
//
// A file is one idea, runs in one transaction, and is never edited after it has landed: a correction is a new file.
// Changes expand first and contract in a later release, so that the program of the release before runs on the new schema.
// Package store applies them.
package migrations

import "embed"

// FS holds NNNN_what.up.sql and NNNN_what.down.sql.
//
//go:embed *.sql
var FS embed.FS
