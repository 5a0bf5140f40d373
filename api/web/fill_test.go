package web

import (
	"encoding/json"
	"io/fs"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/banyan-lms/banyan/frontend"
)

func TestFillVectors(t *testing.T) {
	data, err := fs.ReadFile(frontend.Pages(), "vectors.json")
	if err != nil {
		t.Fatal(err)
	}
	var file struct {
		Words   map[string]string
		Vectors []struct {
			Name, Template string
			Values         values
			Want           *string
			Error          bool
		}
	}
	if err := json.Unmarshal(data, &file); err != nil {
		t.Fatal(err)
	}
	if len(file.Vectors) < 20 {
		t.Fatalf("%d vectors", len(file.Vectors))
	}
	for _, v := range file.Vectors {
		t.Run(v.Name, func(t *testing.T) {
			got, err := func() (string, error) {
				sk, err := parseSkeleton("vector", v.Template)
				if err != nil {
					return "", err
				}
				if sk, err = sk.in(func(key string) (string, bool) { w, ok := file.Words[key]; return w, ok }); err != nil {
					return "", err
				}
				return sk.fill(v.Values)
			}()
			switch {
			case v.Error && err == nil:
				t.Errorf("filled: %q", got)
			case !v.Error && err != nil:
				t.Error(err)
			case !v.Error && got != *v.Want:
				t.Errorf("got  %q\nwant %q", got, *v.Want)
			}
		})
	}
}

// Every skeleton of the front end keeps the contract.
func TestSkeletonsKeepTheContract(t *testing.T) {
	if _, err := loadSkeletons(frontend.Pages()); err != nil {
		t.Error(err)
	}
	files, err := fs.Glob(frontend.Pages(), "*.html")
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		if _, ok := contract[strings.TrimSuffix(f, ".html")]; !ok {
			t.Errorf("%s: nothing fills this skeleton", f)
		}
	}
}

func TestContractIsChecked(t *testing.T) {
	good := fstest.MapFS{}
	for name, list := range contract {
		var src strings.Builder
		for _, s := range slotsOf(list) {
			if s.raw {
				src.WriteString("{{{" + s.name + "}}}")
			} else {
				src.WriteString("{{" + s.name + "}}")
			}
		}
		good[name+".html"] = &fstest.MapFile{Data: []byte(src.String())}
	}
	if _, err := loadSkeletons(good); err != nil {
		t.Fatalf("a page with every slot is refused: %v", err)
	}
	tests := map[string]string{
		"text taken for HTML": strings.Replace(string(good["lesson.html"].Data), "{{title}}", "{{{title}}}", 1),
		"HTML taken for text": strings.Replace(string(good["lesson.html"].Data), "{{{fragment}}}", "{{fragment}}", 1),
		"slot left out":       strings.Replace(string(good["lesson.html"].Data), "{{{fragment}}}", "", 1),
		"slot nobody fills":   string(good["lesson.html"].Data) + "{{score}}",
		"broken":              string(good["lesson.html"].Data) + "{{score",
	}
	for name, src := range tests {
		t.Run(name, func(t *testing.T) {
			bad := fstest.MapFS{}
			for f, file := range good {
				bad[f] = file
			}
			bad["lesson.html"] = &fstest.MapFile{Data: []byte(src)}
			if _, err := loadSkeletons(bad); err == nil || !strings.Contains(err.Error(), "lesson") {
				t.Errorf("loaded; err = %v", err)
			}
		})
	}
	delete(good, "check.html")
	if _, err := loadSkeletons(good); err == nil {
		t.Error("loaded without a skeleton")
	}
}
