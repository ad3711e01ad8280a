// Command credence is an OAuth 2.0 and OpenID Connect identity provider for health and care.
//
// `credence dev` runs everything that is needed to try it, `credence serve` the provider of a real installation, and
// the other commands keep people, organisations, roles, authenticators, clients and keys. They work on the database
// directly, so that they also work while no server runs; running servers see what they change at once.
//
// The configuration is in the environment: see the struct config.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"os/user"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/spf13/cobra"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	root := newRootCommand(&program{environ: os.Environ(), now: time.Now}, os.Args[1:]...)
	status := execute(ctx, root)
	stop()
	os.Exit(status)
}

// program is what every command needs.
type program struct {
	environ []string
	now     func() time.Time
	data    string // --data: the directory of the private database, "" when it was not given
}

// newRootCommand is the program with all its commands; or with serve alone when the arguments begin with it, because a server
// runs for long, and would keep in memory what the others are called and take.
func newRootCommand(p *program, args ...string) *cobra.Command {
	root := newGroup("credence", "An identity provider for health and care", `  credence dev
  credence person list
  credence help client add`, newServeCommand(p))
	if len(args) == 0 || args[0] != "serve" {
		root.AddCommand(p.newOtherCommands()...)
	}
	root.Version = readVersion().String()
	root.SetVersionTemplate("{{.Version}}\n")
	root.SilenceErrors, root.SilenceUsage = true, true
	root.CompletionOptions.DisableDefaultCmd = true
	root.SetFlagErrorFunc(func(_ *cobra.Command, err error) error { return &usageError{inWords(err)} })
	root.InitDefaultHelpCmd()
	for _, c := range root.Commands() {
		if c.Name() == "help" {
			c.Example = "  credence help person add"
		}
	}
	return root
}

// newOtherCommands are those beside serve.
func (p *program) newOtherCommands() []*cobra.Command {
	return append(p.onDatabase(
		newDevCommand(p),
		newMigrateCommand(p),
		newDBCommand(p),
		newPersonCommand(p),
		newEvidenceCommand(p),
		newPhotographCommand(p),
		newExplainCommand(p),
		newOrganisationCommand(p),
		newRoleCommand(p),
		newCatalogueCommand(p),
		newPositionCommand(p),
		newRequestCommand(p),
		newIntroductionCommand(p),
		newReviewCommand(p),
		newBootstrapCommand(p),
		newBreakGlassCommand(p),
		newAuthorityCommand(p),
		newAuthenticatorCommand(p),
		newClientCommand(p),
		newKeysCommand(p),
		newRetentionCommand(p),
		newBenchCommand(p),
	), newDemoCommand(p), newReadyCommand(p), newAssuranceCommand(p), newVersionCommand())
}

// onDatabase gives commands, and those below them, the flag that names the directory of the private database.
func (p *program) onDatabase(commands ...*cobra.Command) []*cobra.Command {
	for _, c := range commands {
		c.PersistentFlags().StringVar(&p.data, "data", "", "the `directory` of the database of credence dev (default "+defaultData+")")
	}
	return commands
}

// newGroup is a command that only holds others.
func newGroup(use, short, example string, commands ...*cobra.Command) *cobra.Command {
	group := &cobra.Command{
		Use: use, Short: short, Example: example,
		Args: cobra.ArbitraryArgs,
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) == 0 {
				return cmd.Help()
			}
			err := fmt.Errorf("unknown command %q", args[0])
			if near := cmd.SuggestionsFor(args[0]); len(near) > 0 {
				err = fmt.Errorf("%w: did you mean %s?", err, nearest(args[0], near))
			}
			return &usageError{err}
		},
	}
	group.SuggestionsMinimumDistance = 2
	group.AddCommand(commands...)
	return group
}

// inWords says of a flag that is no number what it wants, instead of what strconv says.
func inWords(err error) error {
	cause, ok := errors.AsType[*strconv.NumError](err)
	if !ok || cause.Func == "ParseBool" {
		return err
	}
	return errors.New(strings.TrimSuffix(err.Error(), cause.Error()) + "want a whole number")
}

// usageError is a mistake in how a command was typed.
type usageError struct{ err error }

func (e *usageError) Error() string { return e.err.Error() }

func (e *usageError) Unwrap() error { return e.err }

// execute runs the command that the arguments name, and returns the exit status: 0, 1 when it failed, or 2 when it was
// typed wrongly.
func execute(ctx context.Context, root *cobra.Command) int {
	started := false
	noteStart(root, &started)
	cmd, err := root.ExecuteContextC(ctx)
	if err == nil {
		return 0
	}
	fmt.Fprintln(os.Stderr, "credence:", asFlags(err))
	// What cobra itself finds wrong, such as a missing argument, it finds before the command starts.
	if _, usage := errors.AsType[*usageError](err); usage || !started {
		fmt.Fprintf(os.Stderr, "See: %s --help\n", cmd.CommandPath())
		return 2
	}
	return 1
}

// noteStart lets every command set started when it begins to run.
func noteStart(cmd *cobra.Command, started *bool) {
	if run := cmd.RunE; run != nil {
		cmd.RunE = func(cmd *cobra.Command, args []string) error {
			*started = true
			return run(cmd, args)
		}
	}
	for _, c := range cmd.Commands() {
		noteStart(c, started)
	}
}

// operator is the actor of the audit record: the user of the machine who typed the command.
func operator() string {
	if u, err := user.Current(); err == nil && len(u.Username) <= 100 {
		return "operator:" + u.Username
	}
	return "operator:uid " + strconv.Itoa(os.Getuid())
}
