// Package frameworks carries the competence frameworks that courses align to. See docs/frameworks.md.
package frameworks

import "embed"

// Files holds <framework>.yaml, crosswalk.yaml and locales/<locale>.yaml.
//
//go:embed *.yaml locales/*.yaml
var Files embed.FS
