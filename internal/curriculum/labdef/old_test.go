package labdef_test

import (
	"encoding/json"
	"os"
	"reflect"
	"strings"
	"testing"

	"github.com/banyan-lms/banyan/internal/curriculum"
	"github.com/banyan-lms/banyan/internal/curriculum/labdef"
)

// What versions of old have in their blobs and vaults is read as the lab that it was.
func TestLabsOfOldVersions(t *testing.T) {
	var vault curriculum.VaultFile
	readJSON(t, "testdata/old/vault.json", &vault)
	l := vault.Labs["echo"]
	if l.Limits != (labdef.Limits{WallSeconds: 5, MemoryMiB: 128, OutputKiB: 64, Files: 16, FileKiB: 1024, SourceKiB: 64}) ||
		l.Points != 1 || l.Seed != labdef.DefaultSeed || !l.Clock.Equal(labdef.DefaultClock) {
		t.Errorf("%+v", l)
	}
	if len(l.Wrong) != 1 || l.Wrong[0].File != "always-a.py" || !strings.Contains(l.Wrong[0].Source, "SECRET-WRONG") || l.Wrong[0].Fails != nil {
		t.Errorf("%+v", l.Wrong)
	}
	call := func(call string, kind labdef.CheckKind, want any, tolerance float64) labdef.Rule {
		return labdef.Rule{Observe: labdef.ObserveCall, Call: call, Kind: kind, Want: want, Tolerance: tolerance, Reveal: true}
	}
	hidden := call(`echo("SECRET-CALL")`, labdef.Equals, "SECRET-CALL", 0)
	hidden.Reveal = false
	want := []labdef.Rule{
		call(`echo("a")`, labdef.Equals, "a", 0),
		call("echo(None)", labdef.Equals, nil, 0),
		call("half(1)", labdef.Near, 0.5, 0.001),
		call("members()", labdef.Set, []any{"a", 2.0, []any{true, nil}}, 0),
		{Observe: labdef.ObserveOutput, Kind: labdef.Matches, Want: "(?i)SECRETLY-said", Reveal: true},
		hidden,
	}
	if len(l.Checks) != len(want) {
		t.Fatalf("%+v", l.Checks)
	}
	for i, w := range want {
		if c := l.Checks[i]; !reflect.DeepEqual(c.Rule, w) || c.Points != 1 || c.Visible != (i < 5) || c.Title["en"] == "" {
			t.Errorf("%+v, want %+v", c, w)
		}
	}
	if l.Checks[0].Feedback["en"] != "Return the argument." {
		t.Errorf("%+v", l.Checks[0])
	}

	var p labdef.Public
	readJSON(t, "testdata/old/echo.en.json", &p)
	if len(p.Starter) != 1 || p.Starter["main.py"] == "" || p.Files["words.csv"] == "" || p.Points != 1 || p.Limits != labdef.DefaultLimits {
		t.Errorf("%+v", p)
	}
	if c := p.Checks[0]; !c.Visible || c.Rule == nil || c.Rule.Call != `echo("a")` || c.Points != 1 {
		t.Errorf("%+v", c)
	}
	if c := p.Checks[5]; c.Visible || c.Rule != nil {
		t.Errorf("%+v", c)
	}
}

func readJSON(t *testing.T, file string, v any) {
	t.Helper()
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(data, v); err != nil {
		t.Fatal(err)
	}
}
