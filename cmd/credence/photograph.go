package main

import (
	"context"
	"errors"
	"fmt"
	"os"

	"github.com/spf13/cobra"

	"github.com/credence-id/credence/idp/deed"
	"github.com/credence-id/credence/idp/office"
	"github.com/credence-id/credence/idp/photograph"
)

func newPhotographCommand(p *program) *cobra.Command {
	return newGroup("photograph", "Put photographs of people on record, and see what is there", "  credence photograph show 656005750113 --as 656005750104 --role 656005754108",
		newPhotographPutCommand(p), newPhotographShowCommand(p))
}

// withAlbum is withOffice, with the photographs.
func (p *program) withAlbum(ctx context.Context, by deed.Acting, do func(ctx context.Context, f *office.Office, o office.Officer) error) error {
	key, err := p.sealKey()
	if err != nil {
		return err
	}
	return p.withOffice(ctx, by, listPeople, func(ctx context.Context, f *office.Office, o office.Officer) error {
		f.Photographs = photograph.New(f.Store, key, p.clock)
		return do(ctx, f, o)
	})
}

func newPhotographPutCommand(p *program) *cobra.Command {
	var by deed.Acting
	put := &cobra.Command{
		Use:   "put PERSON FILE",
		Short: "Put a photograph of a person on record, in the place of the one there is",
		Long: fmt.Sprintf(`Put a photograph of a person on record, in the place of the one there is: a JPEG or PNG of up to %d MB. Kept is the
middle of the picture, encoded anew, and nothing of where, when or with what it was taken.`, photograph.MaxUpload>>20),
		Example: "  credence photograph put 656005750113 jory.jpg --as 656005750104 --role 656005754108",
		Args:    cobra.ExactArgs(2),
		RunE: func(cmd *cobra.Command, args []string) error {
			picture, err := readFile(args[1], photograph.MaxUpload)
			if err != nil {
				return fmt.Errorf("read photograph: %w", err)
			}
			return p.withAlbum(cmd.Context(), by, func(ctx context.Context, f *office.Office, o office.Officer) error {
				seen, err := f.PhotographVersion(ctx, args[0]) // whichever there is
				if err != nil {
					return err
				}
				err = f.TakePhotograph(ctx, o, args[0], seen, photograph.Upload, picture)
				if errors.Is(err, photograph.ErrInvalid) {
					return fmt.Errorf("%s: %w", args[1], err)
				}
				if err != nil {
					return err
				}
				return say(cmd, "The photograph of person %s is on record.\n", args[0])
			})
		},
	}
	addOfficerFlags(put, &by)
	return put
}

func newPhotographShowCommand(p *program) *cobra.Command {
	var by deed.Acting
	var to string
	var asJSON bool
	show := &cobra.Command{
		Use:   "show PERSON",
		Short: "Show how the photograph of a person was taken, when and by whom, or write it to a file",
		Long: `Show how the photograph of a person that is on record was taken, when and by whom. With --to the picture itself is
written to a new file instead, as JPEG, and the record says who saw it.`,
		Example: `  credence photograph show 656005750113 --as 656005750104 --role 656005754108
  credence photograph show 656005750113 --to jory.jpg --as 656005750104 --role 656005754108`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return p.withAlbum(cmd.Context(), by, func(ctx context.Context, f *office.Office, o office.Officer) error {
				if to != "" {
					return writePhotograph(ctx, cmd, f, o, args[0], to)
				}
				known, err := f.Photographed(ctx, o, args[0])
				if err != nil {
					return err
				}
				if known.Taking == nil {
					return fmt.Errorf("no photograph of person %s is on record: `credence photograph put` puts one there", args[0])
				}
				if asJSON {
					return printJSON(cmd.OutOrStdout(), map[string]string{
						"person": args[0], "way": known.Taking.Way, "taken_at": moment(&known.Taking.TakenAt), "taken_by": known.Taking.TakenBy, "taken_role": known.Taking.TakenRole,
					})
				}
				return printTable(cmd.OutOrStdout(), []string{"PERSON", "NAME", "WAY", "TAKEN", "BY"}, [][]string{{
					args[0], known.Person.DisplayName, known.Taking.Way, moment(&known.Taking.TakenAt), known.ByName,
				}})
			})
		},
	}
	show.Flags().StringVar(&to, "to", "", "a `file` that is made, with the picture")
	addOfficerFlags(show, &by)
	addJSONFlag(show, &asJSON)
	return show
}

// writePhotograph writes the photograph of a person to a file that nobody else of the machine reads, and that was not there.
func writePhotograph(ctx context.Context, cmd *cobra.Command, f *office.Office, o office.Officer, person, name string) error {
	file, err := os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600) //nolint:gosec // the operator names it
	if err != nil {
		return fmt.Errorf("write photograph: %w", err)
	}
	picture, err := f.Photograph(ctx, o, person)
	if err == nil {
		_, err = file.Write(picture)
	}
	if err = errors.Join(err, file.Close()); err != nil {
		return errors.Join(err, os.Remove(name))
	}
	return say(cmd, "The photograph of person %s is in %s.\n", person, name)
}
