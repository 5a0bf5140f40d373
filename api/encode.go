package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"

	"github.com/banyan-lms/banyan/internal/curriculum/gate"
	"github.com/banyan-lms/banyan/internal/curriculum/media"
)

type encodeCmd struct {
	Path []string `arg:"" type:"existingdir" help:"Course folders."`
}

// Run encodes recordings as Opus at speech rate, in the folder of the author. Publishing never does, because what an encoder writes
// depends on the machine, and the same course must be the same version everywhere.
func (c *encodeCmd) Run(ctx context.Context) error {
	for _, dir := range c.Path {
		files, err := filepath.Glob(filepath.Join(dir, "media", "*.*"))
		if err != nil {
			return err
		}
		done := 0
		for _, file := range files {
			switch filepath.Ext(file) {
			case ".opus", ".ogg", ".mp3", ".wav":
			default:
				continue
			}
			said, err := encodeSound(ctx, dir, filepath.Base(file))
			if err != nil {
				return fmt.Errorf("%s: %w", file, err)
			}
			if said != "" {
				done++
				fmt.Println(said)
			}
		}
		if done == 0 {
			fmt.Printf("%s: no recording would become smaller\n", dir)
		}
	}
	return nil
}

// encodeSound encodes one recording, names it in lessons and media.yaml, and keeps the original in .originals, which the
// compiler does not look into. It says what it did, or nothing where there is nothing to gain.
func encodeSound(ctx context.Context, dir, name string) (string, error) {
	file := filepath.Join(dir, "media", name)
	data, err := os.ReadFile(file)
	if err != nil {
		return "", err
	}
	before, err := media.ReadSound(filepath.Ext(name), data)
	if err != nil || len(gate.Recording(name, before)) == 0 {
		return "", err
	}
	opus := strings.TrimSuffix(name, filepath.Ext(name)) + ".opus"
	target := filepath.Join(dir, "media", opus)
	if _, err := os.Stat(target); err == nil && opus != name {
		return "", fmt.Errorf("%s is there already: delete one of both", opus)
	}
	next := filepath.Join(dir, "media", "."+opus) // hidden, until it is whole
	defer func() { _ = os.Remove(next) }()
	cmd, err := opusCommand(ctx, file, next)
	if err != nil {
		return "", err
	}
	var words bytes.Buffer
	cmd.Stderr = &words
	if err := cmd.Run(); err != nil {
		return "", fmt.Errorf("%s: %w: %s", cmd.Path, err, strings.TrimSpace(words.String()))
	}
	out, err := os.ReadFile(next)
	if err != nil {
		return "", err
	}
	after, err := media.ReadSound(".opus", out)
	if err != nil {
		return "", err
	}
	if len(after.Data) >= len(before.Data) {
		return "", nil
	}
	if err := os.MkdirAll(filepath.Join(dir, ".originals"), 0o755); err != nil {
		return "", err
	}
	if err := os.Rename(file, filepath.Join(dir, ".originals", name)); err != nil {
		return "", err
	}
	if err := os.WriteFile(target, after.Data, 0o644); err != nil {
		return "", err
	}
	if err := renameMedium(dir, name, opus); err != nil {
		return "", err
	}
	return fmt.Sprintf("%s: %s, now %s with %s; the original is in %s",
		file, size(len(before.Data)), opus, size(len(after.Data)), filepath.Join(dir, ".originals")), nil
}

// opusCommand is an encoder of this machine: 24 kbit/s, one channel, tuned for speech.
func opusCommand(ctx context.Context, from, to string) (*exec.Cmd, error) {
	if filepath.Ext(from) == ".wav" { // all that opusenc reads of what courses hold
		if path, err := exec.LookPath("opusenc"); err == nil {
			return exec.CommandContext(ctx, path, "--quiet", "--bitrate", "24", "--downmix-mono", "--speech", from, to), nil
		}
	}
	if path, err := exec.LookPath("ffmpeg"); err == nil {
		return exec.CommandContext(ctx, path, "-nostdin", "-loglevel", "error", "-y", "-i", from,
			"-map_metadata", "-1", "-ac", "1", "-c:a", "libopus", "-b:a", "24k", "-application", "voip", "-f", "ogg", to), nil
	}
	return nil, errors.New("no encoder is installed: install ffmpeg, or opus-tools for WAV files, and run this again")
}

// renameMedium writes another name of a medium where Markdown and media.yaml name it.
func renameMedium(dir, name, other string) error {
	if name == other {
		return nil
	}
	var files []string
	for _, pattern := range []string{"media.yaml", "lessons/*.md", "labs/*/statement.md"} {
		found, err := filepath.Glob(filepath.Join(dir, filepath.FromSlash(pattern)))
		if err != nil {
			return err
		}
		files = append(files, found...)
	}
	named := regexp.MustCompile(`(?m)(^:::+[ \t]*audio[ \t]+|\bfile:[ \t]*["']?)` + regexp.QuoteMeta(name) + `\b`)
	for _, file := range files {
		data, err := os.ReadFile(file)
		if err != nil {
			return err
		}
		if next := named.ReplaceAll(data, []byte("${1}"+other)); !bytes.Equal(next, data) {
			info, err := os.Stat(file)
			if err != nil {
				return err
			}
			if err := os.WriteFile(file, next, info.Mode().Perm()); err != nil {
				return err
			}
		}
	}
	return nil
}
