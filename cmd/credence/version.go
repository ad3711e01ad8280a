package main

import (
	"errors"
	"fmt"
	"runtime/debug"

	"github.com/spf13/cobra"
)

func newVersionCommand() *cobra.Command {
	return &cobra.Command{
		Use:     "version",
		Short:   "Print the version of this program",
		Example: "  credence version",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			build, ok := debug.ReadBuildInfo()
			if !ok {
				return errors.New("this program was built without its version: build it with `go build`")
			}
			_, err := fmt.Fprintf(cmd.OutOrStdout(), "credence %s, built with %s\n", build.Main.Version, build.GoVersion)
			return err
		},
	}
}
