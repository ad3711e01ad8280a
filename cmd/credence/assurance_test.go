package main

import (
	"bytes"
	"encoding/json"
	"io"
	"strings"
	"testing"

	"github.com/credence-id/credence/idp/assurance"
)

const (
	goodInput  = `{"evidence":[{"strength":4,"validity":4}],"verification":4}` + "\n"
	goodAnswer = `{"level":"very_high","profiles":["L1B","M1C","H1C","V1D"],"best":"V1D","policy_version":"` + assurance.PolicyVersion + `","next":[]}` + "\n"
)

// A program may keep the command running, and ask again when it was answered.
func TestEvaluateAnswersAtOnce(t *testing.T) {
	t.Parallel()
	policy, err := assurance.NewPolicy()
	if err != nil {
		t.Fatal(err)
	}
	in, question := io.Pipe()
	answers, out := io.Pipe()
	t.Cleanup(func() { _ = answers.Close() })
	done := make(chan error, 1)
	go func() { done <- evaluateAll(policy, in, out) }()
	for _, input := range []string{goodInput, strings.ReplaceAll(goodInput, ",", ",\n "), goodInput} {
		if _, err := io.WriteString(question, input); err != nil {
			t.Fatal(err)
		}
		answer := make([]byte, len(goodAnswer))
		if _, err := io.ReadFull(answers, answer); err != nil || string(answer) != goodAnswer {
			t.Fatalf("evaluate answers %q with %s, %v, want %s", input, answer, err, goodAnswer)
		}
	}
	if err := question.Close(); err != nil {
		t.Fatal(err)
	}
	if err := <-done; err != nil {
		t.Errorf("evaluate ends with %v, want success", err)
	}
}

// An input that is too long is skipped: of one line the line, of several all up to the next that begins an input.
func TestEvaluateSkipsWhatIsTooLong(t *testing.T) {
	t.Parallel()
	policy, err := assurance.NewPolicy()
	if err != nil {
		t.Fatal(err)
	}
	const tooLong = `{"error":"the input is too long: want at most 65536 bytes"}` + "\n"
	spaces := func(n int) string { return strings.Repeat(" ", n) }
	for _, tt := range []struct{ name, in, want string }{
		{"a line", goodInput[:1] + spaces(3*longestInput) + goodInput[1:], tooLong},
		{"several lines", "{" + strings.Repeat(spaces(99)+"\n", longestInput/50) + "}\n", tooLong},
		{"a line that is just short enough", goodInput[:1] + spaces(longestInput-len(goodInput)) + goodInput[1:], goodAnswer},
	} {
		var out bytes.Buffer
		err := evaluateAll(policy, strings.NewReader(tt.in+goodInput), &out)
		if out.String() != tt.want+goodAnswer || (err != nil) != (tt.want == tooLong) {
			t.Errorf("%s: evaluate answers %.300s and ends with %v, want %s%s", tt.name, out.String(), err, tt.want, goodAnswer)
		}
	}
}

// Whatever stands before a good input, each input is answered with one JSON object on a line, and the good one rightly.
func FuzzEvaluate(f *testing.F) {
	policy, err := assurance.NewPolicy()
	if err != nil {
		f.Fatal(err)
	}
	for _, seed := range []string{
		"", goodInput, "{\n \"fraud\": 1\n}", `{"fraud":`, "{\n\"fraud\":,\n", "x", `{"fraud":1} {`, "[\n1\n]", "\"{\n", " \n\r\n\t",
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, before []byte) {
		var out bytes.Buffer
		err := evaluateAll(policy, io.MultiReader(bytes.NewReader(before), strings.NewReader("\n"+goodInput)), &out)
		bad := false
		for line := range bytes.Lines(out.Bytes()) {
			var answer map[string]any
			if err := json.Unmarshal(line, &answer); err != nil {
				t.Fatalf("evaluate answers %s, which is not JSON: %v", line, err)
			}
			bad = bad || answer["error"] != nil
		}
		if bad != (err != nil) || !strings.HasSuffix(out.String(), goodAnswer) {
			t.Fatalf("evaluate answers %s and ends with %v, want a failure when an input was bad, and %s at the end", out.String(), err, goodAnswer)
		}
	})
}
