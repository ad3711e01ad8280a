package main

import (
	"maps"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"gopkg.in/yaml.v3"
)

// composeFile is what the promises of compose.yaml are read from.
type composeFile struct {
	Services map[string]composeService
	Secrets  map[string]struct{ File string }
}

type composeService struct {
	Image       string
	Build       struct{ Args map[string]string }
	Profiles    []string
	User        string
	Command     []string
	Environment map[string]string
	Secrets     []string
	Ports       []string
	ReadOnly    bool     `yaml:"read_only"`
	CapDrop     []string `yaml:"cap_drop"`
	SecurityOpt []string `yaml:"security_opt"`
	NetworkMode string   `yaml:"network_mode"`
	Healthcheck struct{ Test []string }
}

func readCompose(t *testing.T) composeFile {
	t.Helper()
	b, err := os.ReadFile("../../compose.yaml")
	if err != nil {
		t.Fatal(err)
	}
	var c composeFile
	if err := yaml.Unmarshal(b, &c); err != nil {
		t.Fatal(err)
	}
	if got := slices.Sorted(maps.Keys(c.Services)); !slices.Equal(got, []string{"credence", "demo", "migrate", "postgres", "tools"}) {
		t.Fatalf("services = %v, want credence, demo, migrate, postgres and tools", got)
	}
	return c
}

// Each container of ours can change nothing, gain nothing and is not root, and says whether it is well.
func TestComposeHardens(t *testing.T) {
	t.Parallel()
	for name, s := range readCompose(t).Services {
		if !slices.Contains(s.SecurityOpt, "no-new-privileges:true") {
			t.Errorf("%s may gain privileges", name)
		}
		if !regexp.MustCompile(`^[a-z]+:(local|[0-9]+)$`).MatchString(s.Image) {
			t.Errorf("image of %s = %q, want a version", name, s.Image)
		}
		for _, port := range s.Ports {
			if !strings.HasPrefix(port, "127.0.0.1:") {
				t.Errorf("%s is reached at %s, want from this machine only", name, port)
			}
		}
		if ends := name == "migrate" || name == "tools"; !ends && len(s.Healthcheck.Test) == 0 {
			t.Errorf("%s has no health check", name)
		}
		if name == "postgres" {
			continue
		}
		if !s.ReadOnly || !slices.Equal(s.CapDrop, []string{"ALL"}) || s.User != "65532:65532" {
			t.Errorf("%s: read_only %t, cap_drop %v, user %q; want it read-only, without capabilities, as 65532", name, s.ReadOnly, s.CapDrop, s.User)
		}
	}
}

// Each command and health check can be typed, and each environment is one that the program takes.
func TestComposeRunsWhatThereIs(t *testing.T) {
	t.Parallel()
	c := readCompose(t)
	for name, s := range c.Services {
		if name == "postgres" {
			continue
		}
		commands := [][]string{s.Command}
		if test := s.Healthcheck.Test; len(test) > 0 {
			if test[0] != "CMD" || test[1] != "/credence" {
				t.Errorf("health check of %s = %v, want one without a shell", name, test)
			}
			commands = append(commands, test[2:])
		}
		for _, args := range commands {
			cmd, rest, err := newRootCommand(&program{now: time.Now}).Find(args)
			if err == nil {
				err = cmd.ParseFlags(rest)
			}
			if err == nil {
				err = cmd.ValidateArgs(cmd.Flags().Args())
			}
			if err != nil || !cmd.HasParent() {
				t.Errorf("%s runs %v: %v", name, args, err)
			}
		}
		var environ []string
		for name, value := range s.Environment {
			if !strings.HasSuffix(name, fileSuffix) {
				environ = append(environ, name+"="+value)
			} else if known := strings.TrimSuffix(name, fileSuffix); known == "CREDENCE_SEAL_KEY" {
				environ = append(environ, name+"="+value)
			} else {
				environ = append(environ, known+"="+databaseURL)
			}
		}
		if _, err := readConfig(environ); err != nil {
			t.Errorf("environment of %s: %v", name, err)
		}
	}
	if tools := c.Services["tools"]; !slices.Equal(tools.Profiles, []string{"tools"}) || tools.Environment["CREDENCE_ISSUER"] != c.Services["credence"].Environment["CREDENCE_ISSUER"] {
		t.Errorf("tools has profiles %v and the issuer %q, want that it starts only when it is asked for, with the issuer of credence", tools.Profiles, tools.Environment["CREDENCE_ISSUER"])
	}
	if demo := c.Services["demo"]; demo.NetworkMode != "service:credence" || !slices.Contains(demo.Command, "--issuer="+c.Services["credence"].Environment["CREDENCE_ISSUER"]) {
		t.Errorf("demo runs %v in network %q, want the issuer of credence in its network", demo.Command, demo.NetworkMode)
	}
}

// Secrets are files that the operator made, each for those who need it; none is in compose.yaml, and without them nothing
// starts.
func TestComposeHasNoSecrets(t *testing.T) {
	t.Parallel()
	c := readCompose(t)
	for name, s := range c.Secrets {
		if !regexp.MustCompile(`^\$\{SECRETS:\?[^}]+\}/` + regexp.QuoteMeta(name) + `$`).MatchString(s.File) {
			t.Errorf("secret %s is %q, want a file of the operator's", name, s.File)
		}
	}
	for name, s := range c.Services {
		for setting, value := range s.Environment {
			secret, isFile := strings.CutPrefix(value, "/run/secrets/")
			if isFile != strings.HasSuffix(setting, fileSuffix) || isFile && !slices.Contains(s.Secrets, secret) {
				t.Errorf("%s has %s = %q, want the file of a secret that it is given", name, setting, value)
			}
			if !isFile && regexp.MustCompile(`PASSWORD|SECRET|KEY|TOKEN|DATABASE`).MatchString(setting) {
				t.Errorf("%s has %s in clear", name, setting)
			}
		}
	}
	for name, want := range map[string][]string{
		"postgres": {"owner-password", "postgres-password", "service-password"}, "migrate": {"owner-url"}, "credence": {"seal.key", "service-url"}, "demo": nil,
		"tools": {"owner-url", "seal.key", "service-url"},
	} {
		if got := slices.Sorted(slices.Values(c.Services[name].Secrets)); !slices.Equal(got, want) {
			t.Errorf("secrets of %s = %v, want %v", name, got, want)
		}
	}
}

func TestDockerfile(t *testing.T) {
	t.Parallel()
	b, err := os.ReadFile("../../Dockerfile")
	if err != nil {
		t.Fatal(err)
	}
	stages := strings.Split("\n"+string(b), "\nFROM ")[1:]
	if len(stages) != 2 {
		t.Fatalf("stages = %d, want one that builds and one that runs", len(stages))
	}
	for _, want := range []string{"CGO_ENABLED=0 ", "-trimpath", "\nARG VERSION=\n", "-X main.stamped=$VERSION"} {
		if !strings.Contains(stages[0], want) {
			t.Errorf("the build has no %s", want)
		}
	}
	if module, err := os.ReadFile("../../go.mod"); err != nil || !strings.Contains(string(module), "\ngo "+regexp.MustCompile(`^golang:([0-9.]+)`).FindStringSubmatch(stages[0])[1]) {
		t.Errorf("the build is by %q, %v, want the Go of go.mod", strings.SplitN(stages[0], "\n", 2)[0], err)
	}
	for _, want := range []string{"scratch\n", "/etc/ssl/certs/ca-certificates.crt", "\nUSER 65532:65532\n", "\nENTRYPOINT [\"/credence\"]\n"} {
		if !strings.Contains(stages[1], want) {
			t.Errorf("the image has no %q", want)
		}
	}
	if given := regexp.MustCompile(`(?m)^(ENV|ARG|ADD) .*`).FindAllString(string(b), -1); !slices.Equal(given, []string{"ARG VERSION="}) {
		t.Errorf("the image is given %q, want its version alone", given)
	}
	if args := readCompose(t).Services["credence"].Build.Args; !maps.Equal(args, map[string]string{"VERSION": "${VERSION-}"}) {
		t.Errorf("compose.yaml builds with %v, want the operator's VERSION", args)
	}
	ignored, err := os.ReadFile("../../.dockerignore")
	if err != nil || !slices.Contains(strings.Split(string(ignored), "\n"), "*") {
		t.Errorf(".dockerignore = %q, %v, want that what is not named stays out", ignored, err)
	}
}
