package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
)

// What a phone may take, as issue 5 has it.
const (
	importGoal     = 4000.0 // ms for some 300 blobs
	importFlatGoal = 6.0    // of memory, for ten times as many
)

// imports lets Chromium, slowed six times, import a course as a phone does.
func imports(ctx context.Context, _ *bench) ([]Figure, error) {
	cmd := exec.CommandContext(ctx, "node", "scripts/bundles.mjs")
	cmd.Dir, cmd.Stderr = "frontend", os.Stderr
	raw, err := cmd.Output()
	if err != nil {
		return nil, fmt.Errorf("node scripts/bundles.mjs: %w", err)
	}
	var got struct {
		Vectors  int     `json:"vectors"`
		Blobs    int     `json:"blobs"`
		ImportMS float64 `json:"import_ms"`
		BareMS   float64 `json:"bare_ms"`
		SmallMiB float64 `json:"small_mib"`
		LargeMiB float64 `json:"large_mib"`
	}
	if err := json.Unmarshal(raw, &got); err != nil {
		return nil, fmt.Errorf("read %.200q: %w", raw, err)
	}
	flat := got.LargeMiB / got.SmallMiB
	return []Figure{
		{
			Name: "import", Value: got.ImportMS, Unit: "ms", Baseline: &got.BareMS, Ratio: new(got.ImportMS / got.BareMS),
			Goal: new(importGoal), Met: new(got.ImportMS <= importGoal), GoalOf: "value, at most",
			How: fmt.Sprintf("Chromium with its processor slowed 6 times imports a .banyan file of %d blobs: inflated, hashed, checked and kept; against the same rows put into IndexedDB in one transaction, unchecked. Median of 5, after %d vectors of the format gave the right answer.", got.Blobs, got.Vectors),
		},
		{
			Name: "import-memory", Value: got.LargeMiB, Unit: "MiB", Baseline: &got.SmallMiB, Ratio: &flat,
			Goal: new(importFlatGoal), Met: new(flat <= importFlatGoal), GoalOf: "ratio, at most",
			How: "The most that is alive in the page at any time of an import of ten times as many blobs, against the import above.",
		},
	}, nil
}
