package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
)

// What a learner may have to wait for, as issue 5 has it: milliseconds.
const (
	readable3GGoal    = 1800.0
	interactive3GGoal = 3000.0
	readable2GGoal    = 8000.0
	revisitGoal       = 1000.0
)

// firstLesson lets Chromium, slowed six times, read a lesson through a relay that is as slow and as far as a mobile network.
func firstLesson(ctx context.Context, b *bench) ([]Figure, error) {
	e, err := b.onSQLite(ctx)
	if err != nil {
		return nil, err
	}
	cmd := exec.CommandContext(ctx, "node", "scripts/first-lesson.mjs", "http://"+e.address, courseID, "what-ai-is")
	cmd.Dir, cmd.Stderr = "frontend", os.Stderr
	raw, err := cmd.Output()
	if err != nil {
		return nil, fmt.Errorf("node scripts/first-lesson.mjs: %w", err)
	}
	type waits struct {
		Readable    float64 `json:"readable_ms"`
		Interactive float64 `json:"interactive_ms"`
		Second      float64 `json:"second_ms"`
	}
	var got struct {
		ThreeG  waits   `json:"three_g"`
		TwoG    waits   `json:"two_g"`
		Offline float64 `json:"offline_ms"`
	}
	if err := json.Unmarshal(raw, &got); err != nil {
		return nil, fmt.Errorf("read %.200q: %w", raw, err)
	}
	const how = "Chromium with its processor slowed 6 times reads a lesson through a TCP relay, median of 5: "
	figure := func(name string, value, goal float64, what string) Figure {
		return Figure{Name: name, Value: value, Unit: "ms", Goal: new(goal), Met: new(value <= goal), GoalOf: "value, at most", How: how + what}
	}
	return []Figure{
		figure("first-3g", got.ThreeG.Readable, readable3GGoal, "400 kbit/s and 400 ms, empty browser, until the largest text stands on the screen."),
		figure("first-3g-interactive", got.ThreeG.Interactive, interactive3GGoal, "the same, until the page's own script has run and no long task is left."),
		figure("first-2g", got.TwoG.Readable, readable2GGoal, "70 kbit/s and 800 ms, empty browser, until the largest text stands on the screen."),
		figure("again-3g", got.ThreeG.Second, revisitGoal, "400 kbit/s and 400 ms, the second visit of a course that is not downloaded."),
		figure("again-2g", got.TwoG.Second, revisitGoal, "70 kbit/s and 800 ms, the second visit of a course that is not downloaded."),
		figure("offline", got.Offline, revisitGoal, "the course downloaded, and no server."),
	}, nil
}
