package app_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/banyan-lms/banyan/internal/app"
	"github.com/banyan-lms/banyan/internal/config"
)

// The operator's screen has a name for every kind of job that may be given up.
func TestEveryKindOfJobHasAName(t *testing.T) {
	cfg := config.Config{DataDir: t.TempDir(), DatabaseURL: filepath.Join(t.TempDir(), "banyan.db"), Sandbox: "fake", Listen: "127.0.0.1:0"}
	cfg.Defaults()
	a, err := app.New(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = a.Close() })
	table, err := a.Jobs()
	if err != nil {
		t.Fatal(err)
	}
	screen, err := os.ReadFile("../../frontend/src/features/institution/parked-jobs.tsx")
	if err != nil {
		t.Fatal(err)
	}
	raw, err := os.ReadFile("../i18n/locales/en.json")
	if err != nil {
		t.Fatal(err)
	}
	words := map[string]any{}
	if err := json.Unmarshal(raw, &words); err != nil {
		t.Fatal(err)
	}
	for kind := range table.Handlers {
		if !strings.Contains(string(screen), "'"+string(kind)+"',") {
			t.Errorf("parked-jobs.tsx does not know %s", kind)
		}
		if key := "ui.app.jobs.kind." + strings.ReplaceAll(string(kind), ".", "_"); words[key] == nil {
			t.Errorf("there are no words for %s", key)
		}
	}
}
