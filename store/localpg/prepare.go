package localpg

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"
)

// prepare makes the roles and the database that are missing. Each step is
// right after any other was cut short.
func (c *Cluster) prepare(ctx context.Context) error {
	conn, err := pgx.Connect(ctx, c.SuperuserURL("postgres"))
	if err != nil {
		return fmt.Errorf("connect to the new cluster: %w", err)
	}
	defer func() { _ = conn.Close(ctx) }() // every statement commits on its own
	for role, password := range map[string]string{ownerRole: c.passwords.Owner, serviceRole: c.passwords.Service} {
		if err := createRole(ctx, conn, role, password); err != nil {
			return fmt.Errorf("create role %s: %w", role, err)
		}
	}
	if err := createDatabase(ctx, conn); err != nil {
		return fmt.Errorf("create database %s: %w", database, err)
	}
	return nil
}

func createRole(ctx context.Context, conn *pgx.Conn, role, password string) error {
	var exists bool
	err := conn.QueryRow(ctx, `SELECT EXISTS (SELECT FROM pg_roles WHERE rolname = $1)`, role).Scan(&exists)
	if err != nil || exists {
		return err
	}
	quoted, err := conn.PgConn().EscapeString(password)
	if err != nil {
		return err
	}
	_, err = conn.Exec(ctx, `CREATE ROLE `+role+` LOGIN PASSWORD '`+quoted+`'`)
	return err
}

func createDatabase(ctx context.Context, conn *pgx.Conn) error {
	var exists bool
	err := conn.QueryRow(ctx, `SELECT EXISTS (SELECT FROM pg_database WHERE datname = $1)`, database).Scan(&exists)
	if err != nil {
		return err
	}
	if !exists {
		if _, err := conn.Exec(ctx, `CREATE DATABASE `+database+` OWNER `+ownerRole); err != nil {
			return err
		}
	}
	for _, statement := range []string{
		`REVOKE ALL ON DATABASE ` + database + ` FROM PUBLIC`,
		`GRANT CONNECT ON DATABASE ` + database + ` TO ` + serviceRole,
	} {
		if _, err := conn.Exec(ctx, statement); err != nil {
			return err
		}
	}
	return nil
}
