package main

import (
	"runtime/debug"
	"testing"
)

func TestNewVersion(t *testing.T) {
	t.Parallel()
	revision := debug.BuildSetting{Key: "vcs.revision", Value: "0123456789abcdef0123456789abcdef01234567"}
	for name, test := range map[string]struct {
		build debug.BuildInfo
		want  string
	}{
		"a release": {
			debug.BuildInfo{GoVersion: "go1.26.8", Main: debug.Module{Version: "v1.2.3"}, Settings: []debug.BuildSetting{revision}},
			"credence v1.2.3, built with go1.26.8",
		},
		"a commit": {
			debug.BuildInfo{GoVersion: "go1.26.8", Main: debug.Module{Version: "(devel)"}, Settings: []debug.BuildSetting{revision, {Key: "vcs.modified", Value: "false"}}},
			"credence devel-0123456789ab, built with go1.26.8",
		},
		"a commit and changes": {
			debug.BuildInfo{GoVersion: "go1.26.8", Main: debug.Module{Version: "(devel)"}, Settings: []debug.BuildSetting{revision, {Key: "vcs.modified", Value: "true"}}},
			"credence devel-0123456789ab+dirty, built with go1.26.8",
		},
		"no version control": {
			debug.BuildInfo{GoVersion: "go1.26.8", Main: debug.Module{Version: "(devel)"}},
			"credence devel, built with go1.26.8",
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if got := newVersion(&test.build).String(); got != test.want {
				t.Errorf("newVersion(%+v) = %q, want %q", test.build, got, test.want)
			}
		})
	}
}
