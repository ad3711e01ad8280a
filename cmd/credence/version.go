package main

import (
	"fmt"
	"runtime/debug"

	"github.com/spf13/cobra"
)

// version says what this program was built from.
type version struct {
	Version  string `json:"version"`
	Revision string `json:"revision"` // of the repository; "" when the build did not know
	Go       string `json:"go"`
}

// String is the version for people, in one line.
func (v version) String() string { return fmt.Sprintf("credence %s, built with %s", v.Version, v.Go) }

// stamped is the version that a build without a repository was given, as that of the Dockerfile is.
var stamped string //nolint:gochecknoglobals // the linker sets it, with -X main.stamped=..., and can set nothing else

// readVersion reads what the toolchain noted in the program.
func readVersion() version {
	build, ok := debug.ReadBuildInfo()
	if !ok {
		build = new(debug.BuildInfo)
	}
	if stamped != "" {
		build.Main.Version = stamped
	}
	return newVersion(build)
}

// newVersion names a build without a version of its own, as one of a working copy is, after its commit.
func newVersion(build *debug.BuildInfo) version {
	v := version{Version: build.Main.Version, Go: build.GoVersion}
	modified := false
	for _, s := range build.Settings {
		switch s.Key {
		case "vcs.revision":
			v.Revision = s.Value
		case "vcs.modified":
			modified = s.Value == "true"
		}
	}
	if v.Version != "" && v.Version != "(devel)" {
		return v
	}
	v.Version = "devel"
	if v.Revision != "" {
		v.Version += "-" + v.Revision[:min(len(v.Revision), 12)]
	}
	if modified {
		v.Version += "+dirty"
	}
	return v
}

func newVersionCommand() *cobra.Command {
	var asJSON bool
	show := &cobra.Command{
		Use:     "version",
		Short:   "Print the version of this program",
		Example: "  credence version --json",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if asJSON {
				return printJSON(cmd.OutOrStdout(), readVersion())
			}
			_, err := fmt.Fprintln(cmd.OutOrStdout(), readVersion())
			return err
		},
	}
	addJSONFlag(show, &asJSON)
	return show
}
