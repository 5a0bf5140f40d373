package rest_test

import (
	"archive/zip"
	"bytes"
	"encoding/json"
	"hash/crc32"
	"image"
	"image/png"
	"io/fs"
	"math/rand/v2"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/banyan-lms/banyan/api/openapi"
	"github.com/banyan-lms/banyan/content"
	"github.com/banyan-lms/banyan/internal/curriculum/coursetest"
)

// pack makes an archive of the shipped course, as a trainer would upload it. Change may write a file in its stead, and add more.
func pack(t testing.TB, change func(w *zip.Writer, name string, data []byte) bool, add func(w *zip.Writer)) string {
	t.Helper()
	folder, err := fs.Sub(content.Examples(), shipped)
	if err != nil {
		t.Fatal(err)
	}
	var buf bytes.Buffer
	w := zip.NewWriter(&buf)
	err = fs.WalkDir(folder, ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		data, err := fs.ReadFile(folder, name)
		if err != nil || change != nil && change(w, name, data) {
			return err
		}
		coursetest.Entry(t, w, name, data)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if add != nil {
		add(w)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return buf.String()
}

// raw adds an entry whose header says what it likes.
func raw(t testing.TB, w *zip.Writer, h zip.FileHeader, data []byte) {
	t.Helper()
	if h.CRC32 == 0 {
		h.CRC32 = crc32.ChecksumIEEE(data)
	}
	if h.UncompressedSize64 == 0 {
		h.UncompressedSize64 = uint64(len(data))
	}
	h.CompressedSize64 = uint64(len(data))
	coursetest.RawEntry(t, w, &h, data)
}

// changedZip is the shipped course with another summary: a new version.
func changedZip(t testing.TB) string {
	return pack(t, func(w *zip.Writer, name string, data []byte) bool {
		if name != "course.yaml" {
			return false
		}
		coursetest.Entry(t, w, name, bytes.Replace(data, []byte("minutes: "), []byte("minutes: 1"), 1))
		return true
	}, nil)
}

// TestHostileArchives uploads what is no course: every answer names the file at fault, and nothing is stored.
func TestHostileArchives(t *testing.T) {
	t.Parallel()
	s := newStranger(t)
	_, cookie := s.session("trainer A")
	blobs := func() (names []string) {
		t.Helper()
		err := filepath.WalkDir(s.app.Config.DataDir, func(path string, d fs.DirEntry, err error) error {
			if err == nil && !d.IsDir() && !strings.Contains(filepath.Base(path), "banyan.db") {
				names = append(names, path)
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		return names
	}
	before := blobs()
	upload := func(body string) call {
		return call{method: http.MethodPost, path: "/api/institutions/" + string(s.a.ID) + "/course-versions", body: body, contentType: "application/zip", cookie: cookie}
	}
	add := func(f func(w *zip.Writer)) string { return pack(t, nil, f) }
	file := func(name string) string {
		return add(func(w *zip.Writer) { coursetest.Entry(t, w, name, []byte("x")) })
	}
	link := func(name, target string) string {
		return add(func(w *zip.Writer) {
			h := &zip.FileHeader{Name: name}
			h.SetMode(fs.ModeSymlink | 0o777)
			f, err := w.CreateHeader(h)
			if err == nil {
				_, err = f.Write([]byte(target))
			}
			if err != nil {
				t.Fatal(err)
			}
		})
	}
	whole := pack(t, nil, nil)
	for _, tt := range []struct {
		name, body, file, code string
		status                 int
	}{
		{"no archive", "this is no archive", "", "course.not_a_zip", 422},
		{"JSON", `{"a":1}`, "", "course.not_a_zip", 422},
		{"half an archive", whole[:len(whole)/2], "", "course.not_a_zip", 422},
		{"an empty archive", "PK\x05\x06" + strings.Repeat("\x00", 18), "course.yaml", "course.no_course_file", 422},
		{"a way out", file("../evil.yaml"), "../evil.yaml", "course.bad_path", 422},
		{"a way out from inside", file("lessons/../../evil.md"), "lessons/../../evil.md", "course.bad_path", 422},
		{"from the root", file("/etc/passwd"), "/etc/passwd", "course.bad_path", 422},
		{"Windows' way out", file(`..\evil.yaml`), `..\evil.yaml`, "course.bad_path", 422},
		{"a drive", file("C:/evil.yaml"), "C:/evil.yaml", "course.bad_path", 422},
		{"NUL", file("lessons/a\x00.md"), "lessons/a .md", "course.bad_path", 422},
		{"a very long name", file(strings.Repeat("a/", 300) + "x"), strings.Repeat("a/", 40) + "…", "course.bad_path", 422},
		{"a link", link("lessons/passwd.en.md", "/etc/passwd"), "lessons/passwd.en.md", "course.symlink", 422},
		{"a program", file("lessons/run.sh"), "lessons/run.sh", "course.unlisted_file", 422},
		{"two of one name", add(func(w *zip.Writer) { coursetest.Entry(t, w, "course.yaml", []byte("x")) }), "course.yaml", "course.duplicate_name", 422},
		{"two that Windows takes for one", add(func(w *zip.Writer) { coursetest.Entry(t, w, "COURSE.yaml", []byte("x")) }), "COURSE.yaml", "course.duplicate_name", 422},
		{"encrypted", add(func(w *zip.Writer) { raw(t, w, zip.FileHeader{Name: "lessons/secret.en.md", Flags: 1}, []byte("x")) }), "lessons/secret.en.md", "course.zip_encrypted", 422},
		{"packed in another way", add(func(w *zip.Writer) { raw(t, w, zip.FileHeader{Name: "lessons/odd.en.md", Method: 12}, []byte("x")) }), "lessons/odd.en.md", "course.zip_method", 422},
		{"a bomb", add(func(w *zip.Writer) { coursetest.Entry(t, w, "lessons/bomb.en.md", make([]byte, 40<<20)) }), "lessons/bomb.en.md", "course.file_too_large", 422},
		{"a bomb that says it is small", bombThatLies(t), "lessons/bomb.en.md", "", 422},
		{"very many files", add(func(w *zip.Writer) {
			for i := range 20_500 {
				coursetest.Entry(t, w, "lessons/x"+strings.Repeat("y", i%50)+string(rune('a'+i%26))+".en.md", nil)
			}
		}), "course.yaml", "course.too_many_files", 422},
		{"33 MiB", strings.Repeat("\x00", 33<<20), "", "", 413},
	} {
		p := s.refused(tt.name, upload(tt.body), tt.status)
		if tt.status != 422 {
			continue
		}
		ok := false
		if p.Errors != nil {
			for _, e := range *p.Errors {
				name := ""
				if e.File != nil {
					name = *e.File
				}
				ok = ok || name == tt.file && (tt.code == "" || e.Code == tt.code)
			}
		}
		if !ok || p.Code != "course.invalid" {
			t.Errorf("%s: %s %+v", tt.name, p.Code, p.Errors)
		}
	}
	if after := blobs(); !slices.Equal(after, before) {
		t.Errorf("files were left behind: %d, before %d", len(after), len(before))
	}
	if _, err := os.Stat(filepath.Join(s.app.Config.DataDir, "..", "evil.yaml")); err == nil {
		t.Error("a file got out")
	}
	// What is wrong in a course is said with its place.
	broken := pack(t, func(w *zip.Writer, name string, data []byte) bool {
		if name == "course.yaml" {
			coursetest.Entry(t, w, name, bytes.Replace(data, []byte("minutes: "), []byte("minutes: -"), 1))
		}
		return name == "course.yaml"
	}, nil)
	p := s.refused("a course with a fault", upload(broken), 422)
	if e := (*p.Errors)[0]; e.File == nil || *e.File != "course.yaml" || e.Line == nil || *e.Line < 2 || e.Pointer != nil {
		t.Errorf("%+v", e)
	}
	// Another institution cannot take the course over, and a good upload still works.
	foreign := upload(changedZip(t))
	foreign.path = strings.Replace(foreign.path, string(s.a.ID), string(s.b.ID), 1)
	_, foreign.cookie = s.session("trainer B")
	s.before = nil
	s.refused("another's course", foreign, 403)
	rec := s.do(upload(whole))
	if v := decode[openapi.CourseVersion](t, rec); rec.Code != 200 || v.Number != 1 {
		t.Errorf("the same again: %d %+v", rec.Code, v)
	}
	if rec := s.do(upload(changedZip(t))); rec.Code != 201 || decode[openapi.CourseVersion](t, rec).Number != 2 {
		t.Errorf("a new version: %d", rec.Code)
	}
}

// bombThatLies unpacks to 40 MiB and says 10 bytes.
func bombThatLies(t testing.TB) string {
	t.Helper()
	honest := pack(t, nil, func(w *zip.Writer) { coursetest.Entry(t, w, "lessons/bomb.en.md", make([]byte, 40<<20)) })
	r, err := zip.NewReader(strings.NewReader(honest), int64(len(honest)))
	if err != nil {
		t.Fatal(err)
	}
	last := r.File[len(r.File)-1]
	packed, err := last.OpenRaw()
	if err != nil {
		t.Fatal(err)
	}
	var data bytes.Buffer
	if _, err := data.ReadFrom(packed); err != nil {
		t.Fatal(err)
	}
	return pack(t, nil, func(w *zip.Writer) {
		raw(t, w, zip.FileHeader{Name: last.Name, Method: zip.Deflate, UncompressedSize64: 10, CRC32: last.CRC32}, data.Bytes())
	})
}

// TestPublishAdvises: what refuses nothing is told after publishing, in the trainer's language, and the large file of a photograph is taken.
func TestPublishAdvises(t *testing.T) {
	s := newStranger(t)
	_, cookie := s.session("trainer A")
	body := pack(t, nil, func(w *zip.Writer) {
		coursetest.Entry(t, w, "media/spare.svg", []byte(`<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 9 9"><rect width="9" height="9"/></svg>`))
		var photo bytes.Buffer
		img := image.NewRGBA(image.Rect(0, 0, 800, 800))
		r := rand.New(rand.NewPCG(1, 2))
		for i := range img.Pix {
			img.Pix[i] = uint8(r.Uint32()) | 1
		}
		if err := png.Encode(&photo, img); err != nil || photo.Len() < 1<<20 {
			t.Fatal(photo.Len(), err)
		}
		coursetest.Entry(t, w, "media/noise.png", photo.Bytes())
		coursetest.Entry(t, w, "media.yaml", []byte("files:\n"+
			"  - {file: spare.svg, licence: CC0-1.0, source: Drawn for this test, author: B}\n"+
			"  - {file: noise.png, licence: CC0-1.0, source: Made for this test, author: B}\n"))
	})
	rec := s.do(call{method: http.MethodPost, path: "/api/institutions/" + string(s.a.ID) + "/course-versions", body: body, contentType: "application/zip", cookie: cookie})
	var out struct {
		Advice []struct{ File, Code, Detail string }
	}
	if err := json.Unmarshal(rec.Body.Bytes(), &out); err != nil || rec.Code != http.StatusOK { // nothing that readers get has changed
		t.Fatalf("%d %s %v", rec.Code, rec.Body, err)
	}
	if len(out.Advice) != 2 || out.Advice[1].File != "media/spare.svg" || out.Advice[1].Code != "gate.unused_medium" || !strings.Contains(out.Advice[1].Detail, "::: figure") {
		t.Errorf("advice: %+v", out.Advice)
	}
}
